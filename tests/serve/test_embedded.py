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
