"""`proxy_addon/doctor/host.py`: the machine."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

from proxy_addon.doctor import host
from proxy_addon.doctor.check import State

ROOT = Path(__file__).resolve().parents[2]


def states(checks: object) -> list[State]:
    """How each of them stands."""
    return [check.state for check in checks]  # type: ignore[attr-defined]


def test_python() -> None:
    """3.13 is the oldest that we run on."""
    assert states(host.python()) == [State.OK]
    assert states(host.python((3, 13, 0))) == [State.OK]
    assert states(host.python((3, 12, 9))) == [State.ERROR]


def test_packages_of_this_environment_fit() -> None:
    """What the tests run on is what pyproject.toml asks for."""
    (check,) = host.packages()
    assert check.state is State.OK, check.fact
    assert f"mitmproxy {metadata.version('mitmproxy')}" in check.fact


@pytest.mark.parametrize(
    ("requirement", "version", "state", "words"),
    [
        ("mitmproxy>=12.2,<13", "12.2.3", State.OK, "mitmproxy 12.2.3"),
        ("mitmproxy>=12.2,<13", "13.0.0", State.ERROR, "mitmproxy 13.0.0 is not"),
        ("mitmproxy>=12.2,<13", "12.1.9", State.ERROR, "mitmproxy 12.1.9 is not"),
        ("pydantic>=2.11", "3.0", State.WARNING, "pydantic 3.0, tested with 2"),
        ("psycopg[binary]>=3.2", "3.3.9", State.OK, ""),
        ("psycopg[binary]>=3.2", None, State.ERROR, "psycopg is missing"),
    ],
)
def test_packages(requirement: str, version: str | None, state: State, words: str) -> None:
    """Missing, outside the range, of a major version that nobody tested, and right."""

    def look_up(name: str) -> str:
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    (check,) = host.packages([requirement], look_up)
    assert (check.state, words in check.fact) == (state, True), check


def test_tested_majors_are_those_of_the_lock_file() -> None:
    """So nobody locks another major version and forgets the doctor."""
    locked = dict(
        re.findall(r"^([\w-]+)==(\d+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )
    assert {name: int(locked[name]) for name in host.TESTED} == host.TESTED


@pytest.mark.parametrize(
    ("version", "spec", "fit"),
    [
        ("2.1.9", ">=2.1,<2.2", True),
        ("2.2", ">=2.1,<2.2", False),
        ("2.0.99", ">=2.1", False),
        ("3.0", "==3.0", True),
        ("3.1", ">3.1", False),
        ("3.1", "<=3.1", True),
        ("2.9.0.post0", ">=2.9", True),
        ("1", "~=1", False),
        ("1", "", True),
    ],
)
def test_fits(version: str, spec: str, fit: bool) -> None:
    """Numbers are compared as numbers; a sign that we never write fits nothing."""
    assert host.fits(version, spec) is fit


@pytest.mark.parametrize(
    ("limit", "state"),
    [(256, State.WARNING), (8192, State.OK), (-1, State.OK), (1024, State.WARNING)],
)
def test_files(limit: int, state: State) -> None:
    """The usual 1,024 are too few for an office, and it says how many connections they are."""
    (check,) = host.files(1, limit)
    assert check.state is state
    assert "480 connections" in next(host.files(4, 1024)).fact
    assert "each of 4 workers" in next(host.files(4, 1024)).fact


def test_clock() -> None:
    """A wall clock that jumps while the steady one goes on is told, with how far."""
    assert states(host.clock(0.01)) == [State.OK]
    readings = iter([(1000.0, 10.0), (1003.1, 10.1)])
    (check,) = host.clock(0.0, lambda: next(readings))
    assert check.state is State.WARNING
    assert "+3000 ms" in check.fact


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(None, State.NOT_CHECKED), (0.4, State.OK), (-60.0, State.WARNING), (7.0, State.WARNING)],
)
def test_skew(seconds: float | None, state: State) -> None:
    """Clocks that disagree would end somebody's day at another time."""
    assert states(host.skew(seconds, "the database")) == [state]


def test_zones() -> None:
    """The zone of the policy is known here, or it says so."""
    assert states(host.zones("Europe/London")) == [State.OK]
    assert states(host.zones(None)) == [State.OK]
    assert states(host.zones("Mars/Base")) == [State.ERROR]


def test_disks(tmp_path: Path) -> None:
    """Each disk once, by the nearest folder that is there; what is nearly full is told before it
    is."""
    places = [("ledger", tmp_path / "a" / "b"), ("CA", tmp_path)]
    for free, state in ((50 << 20, State.ERROR), (500 << 20, State.WARNING), (50 << 30, State.OK)):
        (check,) = host.disks(places, lambda _, free=free: (100 << 30, 0, free))
        assert (check.name, check.state) == ("disk of ledger", state)
        assert check.fact.endswith("free for ledger, CA")
    assert not (tmp_path / "a").exists()


def test_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that this user may not enter is named, instead of taking what is in it for
    missing."""
    folder = tmp_path / "ca"
    folder.mkdir()
    assert host.hidden(folder / "key.pem") is None
    monkeypatch.setattr("os.access", lambda path, _: path != folder)  # root may enter everywhere
    assert host.hidden(folder / "key.pem") == folder
    assert host.hidden(tmp_path / "other" / "key.pem") is None


def test_size() -> None:
    """Three digits and a unit."""
    assert [host.size(n) for n in (0, 999, 1000, 72_400_000_000, 2e15)] == [
        "0 B",
        "999 B",
        "1 kB",
        "72.4 GB",
        "2e+03 TB",
    ]
