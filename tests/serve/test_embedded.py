"""The embedded queue: private, on a socket, for paths of any length."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from zhtj.kernel.work import queue as work_queue
from zhtj.serve import embedded


@pytest.mark.parametrize("name", ["plain", "有 空格 % 和汉字?", "long" * 60])
def test_it_serves_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()

    with embedded.running(folder) as url:
        redis = Redis.from_url(url)
        assert redis.ping()
        assert redis.config_get("port") == {"port": "0"}
        assert work_queue.socket_path(folder).stat().st_mode & 0o077 == 0
        redis.close()

    assert not work_queue.socket_path(folder).exists()


def test_a_second_server_is_refused(tmp_path: Path) -> None:
    with embedded.running(tmp_path), pytest.raises(embedded.EmbeddedError, match="已有队列在运行"):
        embedded.start(tmp_path)


def test_the_socket_of_a_killed_server_is_no_obstacle(tmp_path: Path) -> None:
    first = embedded.start(tmp_path)
    first.kill()
    first.wait()
    assert work_queue.socket_path(tmp_path).exists()

    with embedded.running(tmp_path) as url:
        assert Redis.from_url(url).ping()


def fake(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)


def test_the_systems_own_server_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    fake(tmp_path / "bin", "redis-server")
    assert embedded.program() == tmp_path / "bin" / "redis-server"

    fake(tmp_path / "bin", "valkey-server")
    assert embedded.program() == tmp_path / "bin" / "valkey-server"


def test_a_machine_without_one_has_the_one_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with embedded.running(tmp_path) as url, Redis.from_url(url) as redis:
        assert redis.info("server")["executable"] == str(embedded.program())
    assert "site-packages" in str(embedded.program())


def test_without_any_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for package in ("no-such-package", "click"):
        monkeypatch.setattr(embedded, "PACKAGE", package)
        with pytest.raises(embedded.EmbeddedError, match=r"make setup.*ZHTJ_REDIS_URL"):
            embedded.program()
