"""Encrypted fields and keyed look-up hashes (PD-37).

``ZHTJ_DATA_KEYS`` holds Fernet keys, newest first: the newest encrypts, all decrypt. Look-up hashes hang on the
oldest key, so that adding a newer one leaves every hash valid.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


@dataclass(slots=True)
class _Keys:
    keys: tuple[str, ...] = ()


_keys = _Keys()


def use_keys(keys: tuple[str, ...]) -> None:
    """Set the data keys of this process, newest first. Raises ValueError if one is no Fernet key."""
    if not keys:
        raise ValueError("ZHTJ_DATA_KEYS is empty")
    for key in keys:
        Fernet(key)
    _keys.keys = keys


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


@lru_cache(maxsize=64)
def _hash_key(oldest: str, purpose: str) -> bytes:
    return hmac.new(oldest.encode(), f"zhtj:{purpose}".encode(), hashlib.sha256).digest()


def generate_key() -> str:
    """A new data key, as text."""
    return Fernet.generate_key().decode()


def encrypt(plain: str) -> str:
    """Encrypt under the newest key."""
    return _box(_keys.keys).encrypt(plain.encode()).decode()


def decrypt(token: str) -> str:
    """Decrypt under whichever key fits. Raises ValueError if none does."""
    try:
        return _box(_keys.keys).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise ValueError("no data key opens this value") from error


def seal(plain: bytes) -> bytes:
    """Encrypt bytes under the newest key; the answer is one line of ASCII without its end."""
    return _box(_keys.keys).encrypt(plain)


def unseal(sealed: bytes) -> bytes:
    """Decrypt what ``seal`` gave. Raises ValueError if no key fits."""
    try:
        return _box(_keys.keys).decrypt(sealed)
    except InvalidToken as error:
        raise ValueError("no data key opens this value") from error


def keyed_hash(purpose: str, value: str) -> str:
    """A hash to look ``value`` up by, 64 hex digits; useless without the key and different for each purpose."""
    # PD-37: numbers are looked up by this alone; what is stored cannot be read without the keys.
    return hmac.digest(_hash_key(_keys.keys[-1], purpose), value.encode(), "sha256").hex()
