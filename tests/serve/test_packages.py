"""System packages: installed with the right to, asked for without it, never a question."""

from __future__ import annotations

import pytest

from zhtj.serve import packages
from zhtj.serve.packages import RUN, TEST, Need


def need(*, since: str = RUN, essential: frozenset[str] = frozenset(), name: str = "libexample") -> Need:
    return Need(f"{name} 的用处", (name,), lambda: name in INSTALLED, since, essential)


INSTALLED: set[str] = set()


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch):
    INSTALLED.clear()
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(packages, "privilege", list)
    monkeypatch.setattr(packages, "install", lambda names, _: INSTALLED.update(names))


def test_as_root_what_is_missing_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert packages.ensure(RUN, [need()])

    assert sorted(INSTALLED) == ["libexample"]
    assert "请由管理员执行" not in capsys.readouterr().err


def test_what_is_there_is_not_installed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    INSTALLED.add("libexample")
    monkeypatch.setattr(packages, "install", lambda *_: pytest.fail("installed again"))

    assert packages.ensure(RUN, [need()])


def test_without_rights_the_command_is_said_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packages, "privilege", lambda: None)

    assert packages.ensure(RUN, [need(essential=frozenset({TEST}))])

    said = capsys.readouterr().err
    assert "sudo apt-get install -y --no-install-recommends libexample\n" in said
    assert "先继续" in said


def test_without_the_essential_it_stops(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(packages, "privilege", lambda: None)

    assert not packages.ensure(TEST, [need(essential=frozenset({TEST}))])

    assert "不能继续" in capsys.readouterr().err


def test_running_needs_nothing_that_only_tests_need() -> None:
    only_tests = need(since=TEST, name="chromium")

    assert packages.missing(RUN, [need(), only_tests]) != []
    assert only_tests not in packages.missing(RUN, [need(), only_tests])
    assert only_tests in packages.missing(TEST, [need(), only_tests])


def test_one_package_that_does_not_exist_does_not_keep_the_others_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> object:
        asked.append([part for part in command[command.index("apt-get") + 1 :] if not part.startswith("-")])
        failed = "install" in command and "chromium" in command
        return type("Done", (), {"returncode": 100 if failed else 0})

    monkeypatch.setattr("subprocess.run", run)

    packages.install(["libexample", "chromium", "npm"], [])

    assert [names[-1] for names in asked[2:]] == ["libexample", "chromium", "npm"]


def test_every_need_names_what_it_is_for() -> None:
    for each in packages.NEEDS:
        assert each.what
        assert each.packages
        assert each.since in {RUN, TEST}
