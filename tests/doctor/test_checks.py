"""`proxy_addon/doctor/checks.py`: all checks, on an office on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.upgrade import upgrade
from proxy_addon.config.parsers import HostPort
from proxy_addon.config.settings import Settings
from proxy_addon.doctor.check import Check, State
from proxy_addon.doctor.checks import all_checks
from tests.cli.command_setup import URL, office
from tests.e2e.waiting import free_port


def look(folder: Path, **more: object) -> dict[str, Check]:
    """Every check by name; the site is a port of loopback where nobody is."""
    ports = {"listen": f"127.0.0.1:{free_port()}", "web": f"127.0.0.1:{free_port()}"}
    settings = Settings(**{**ports, "resolve": [f"*:443=127.0.0.1:{free_port()}"], **more})
    return {check.name: check for check in all_checks(settings, HostPort("x.com", 443), folder)}


@pytest.fixture(name="folder")
def office_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small office that has never been started."""
    return office(tmp_path, monkeypatch)


def test_before_the_first_start(folder: Path) -> None:
    """Nothing is an error, and nothing is made: no CA, no database, no folder."""
    before = sorted(folder.rglob("*"))
    found = look(folder)
    assert {check.state for check in found.values()} <= {
        State.OK,
        State.WARNING,
        State.NOT_CHECKED,
    }, found
    assert found["database"].state is State.NOT_CHECKED
    assert found["CA"].state is State.NOT_CHECKED
    assert sorted(folder.rglob("*")) == before


def test_names_are_told_apart(folder: Path) -> None:
    """No two checks share a name, so a program can ask for one."""
    upgrade(URL)
    settings = Settings(resolve=[f"*:443=127.0.0.1:{free_port()}"])
    names = [check.name for check in all_checks(settings, HostPort("x.com", 443), folder)]
    assert len(names) == len(set(names))


def test_a_fault_of_ours_in_the_rules_is_one_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the reader of the rules raises, everything else is still checked."""

    def fail(_: Path) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("proxy_addon.doctor.rules.read", fail)
    found = look(folder)
    assert (found["rules"].state, "ZeroDivisionError: oh" in found["rules"].fact) == (
        State.ERROR,
        True,
    )
    assert found["python"].state is State.OK


def test_broken_rules_do_not_end_the_round(folder: Path) -> None:
    """The other checks go on without them, with a site that somebody named."""
    (folder / "rules" / "policy.yaml").write_text("{")
    found = look(folder)
    assert found["rules"].state is State.ERROR
    assert found["upstream"].state is State.WARNING
