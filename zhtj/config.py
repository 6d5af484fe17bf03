"""Configuration from the environment; names and defaults stand in docs/operations.md."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from zhtj.kernel import crypto
from zhtj.kernel.work import outgoing

Value = TypeVar("Value")
ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ("production", "development", "demo", "test")
HTMX_URL = "https://cdn.jsdelivr.net/npm/htmx.org@4.0.1/dist/htmx.min.js"


class ConfigError(Exception):
    """The environment is not usable; the message says which variable and why."""


@dataclass(frozen=True, slots=True)
class Config:
    """One installation's settings.

    Args:
        env: production, development, demo or test.
        instance: folder for the embedded database, queue socket and generated keys.
        database_url, replica_url, redis_url: "" for redis_url means the embedded queue.
        secret_key: signs sessions. data_keys: encrypt fields, newest first.
        now: ``ZHTJ_NOW``. htmx_url: where htmx is loaded from.
        mail: None: no mail is sent. robots: chat robots that get digests.
        identity_verifier: factory of what ID numbers are compared with; "" for the local rules.
        address: where the system is reached from outside; stands under every mail.
        policy_layers: local policy layers and the organisations for which they hold, as written in the environment.
    """

    env: str
    instance: Path
    database_url: str
    replica_url: str
    redis_url: str
    secret_key: str
    data_keys: tuple[str, ...]
    now: str
    htmx_url: str
    mail: outgoing.MailServer | None = None
    robots: tuple[outgoing.Robot, ...] = ()
    identity_verifier: str = ""
    address: str = ""
    policy_layers: str = ""

    @property
    def is_demo(self) -> bool:
        """Whether the login page lists the demonstration accounts."""
        return self.env == "demo"


def _kept(path: Path, make: object) -> str:
    """A secret generated once and kept beside the embedded database, readable by the owner alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        value = make() if callable(make) else ""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(handle, "w") as file:
            file.write(value)
    return path.read_text().strip()


def load(environment: Mapping[str, str] | None = None) -> Config:
    """Read the environment. Raises ConfigError naming the variable that is missing or wrong."""
    env = os.environ if environment is None else environment
    kind = env.get("ZHTJ_ENV", "development")
    if kind not in ENVIRONMENTS:
        raise ConfigError(f"ZHTJ_ENV={kind}：只能是 {'、'.join(ENVIRONMENTS)}")
    instance = Path(env.get("ZHTJ_INSTANCE") or ROOT / "instance").resolve()
    secret, keys = env.get("ZHTJ_SECRET_KEY", ""), env.get("ZHTJ_DATA_KEYS", "")
    if kind == "production":
        for name in ("ZHTJ_SECRET_KEY", "ZHTJ_DATA_KEYS", "ZHTJ_DATABASE_URL"):
            if not env.get(name):
                raise ConfigError(f"正式环境必须设置 {name}")
    secret = secret or _kept(instance / "secret_key", lambda: secrets.token_hex(32))
    keys = keys or _kept(instance / "data_keys", crypto.generate_key)
    return Config(
        env=kind,
        instance=instance,
        database_url=_driver(env.get("ZHTJ_DATABASE_URL", "")) or f"sqlite:///{instance / 'zhtj.db'}",
        replica_url=_driver(env.get("ZHTJ_REPLICA_URL", "")),
        redis_url=env.get("ZHTJ_REDIS_URL", ""),
        secret_key=secret,
        data_keys=tuple(key.strip() for key in keys.split(",") if key.strip()),
        now=env.get("ZHTJ_NOW", ""),
        htmx_url=env.get("ZHTJ_HTMX_URL") or HTMX_URL,
        mail=_read(env, "ZHTJ_MAIL_URL", outgoing.mail_server),
        robots=_read(env, "ZHTJ_WEBHOOK_URLS", outgoing.robots),
        identity_verifier=env.get("ZHTJ_IDENTITY_VERIFIER", ""),
        address=_read(env, "ZHTJ_ADDRESS", _address),
        policy_layers=env.get("ZHTJ_POLICY_LAYERS", ""),
    )


def _read(env: Mapping[str, str], name: str, parse: Callable[[str], Value]) -> Value:
    try:
        return parse(env.get(name, ""))
    except ValueError as error:
        raise ConfigError(f"{name} 不正确：{error}") from error


def _address(text: str) -> str:
    """Where people reach the system. Raises ValueError for anything but an address of the web."""
    if text and not text.startswith(("https://", "http://")):
        raise ValueError("应为 https://… 的网址")
    return text.strip().rstrip("/")


def _driver(url: str) -> str:
    """A plain postgresql:// address means psycopg 3."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url
