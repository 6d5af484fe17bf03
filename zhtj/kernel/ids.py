"""Random codes that people type, and request ids."""

from __future__ import annotations

import secrets
import uuid

# Without 0/O, 1/I/L and U: 30 signs, 4.9 bits each.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def random_code(groups: int = 3, size: int = 4, *, alphabet: str = ALPHABET) -> str:
    """A random code in groups joined by hyphens; 3 x 4 signs carry 58 bits (PD-03 asks for 50)."""
    return "-".join("".join(secrets.choice(alphabet) for _ in range(size)) for _ in range(groups))


def request_id() -> str:
    """An id that ties log lines and audit events of one request together."""
    return uuid.uuid4().hex
