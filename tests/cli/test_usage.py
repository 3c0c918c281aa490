"""`proxy_addon/cli/usage.py`: what somebody has used, for people and, to the letter, for programs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.books import ledger, line, office, run, used


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office in which ana has used half a minute."""
    made = office(tmp_path, monkeypatch)
    with ledger() as opened:
        opened.write_visits([used("ana", ago=30.0, seconds=20.0)])
    return made


def test_json_to_the_letter() -> None:
    """The form that ARCHITECTURE promises: these keys, seconds as numbers, instants as ISO 8601 with a zone."""
    code, out, error = run("usage", "Ana", "--json")
    assert (code, error) == (0, "")
    answer = json.loads(out)
    assert list(answer) == ["user", "roles", "allowances", "visits"]
    assert (answer["user"], answer["roles"]) == ("ana", ["care"])
    daily = answer["allowances"]["daily"]
    assert list(daily) == ["limit", "spent", "granted", "left", "resets_at"]
    assert (daily["limit"], daily["granted"]) == (900.0, 0.0)
    assert daily["spent"] == pytest.approx(20.0, abs=0.01)
    assert daily["left"] == pytest.approx(880.0, abs=0.01)
    assert datetime.fromisoformat(daily["resets_at"]).tzinfo is not None
    assert answer["allowances"]["rolling"]["resets_at"] is None
    (visit,) = answer["visits"]
    assert list(visit) == ["platform", "section", "allowance", "rule", "start", "end"]
    assert (visit["platform"], visit["section"], visit["allowance"]) == ("x", None, "daily")
    length = datetime.fromisoformat(visit["end"]) - datetime.fromisoformat(visit["start"])
    assert length.total_seconds() == pytest.approx(20.0, abs=1.0)


def test_somebody_unknown() -> None:
    """Who has used nothing has the whole allowance: an office cannot list everybody."""
    code, out, _ = run("usage", "nobody", "--json")
    answer = json.loads(out)
    assert code == 0
    assert (answer["roles"], answer["visits"]) == (["staff"], [])
    assert answer["allowances"]["daily"]["left"] == 900.0


def test_for_people() -> None:
    """Name, roles, a line for each allowance and visit."""
    code, out, _ = run("usage", "ana")
    assert code == 0
    for word in ("ana", "care", "daily", "15 min", "Fifteen"):
        assert word in out, out
    assert "No visits today" in run("usage", "bob")[1]


def test_wrong_name() -> None:
    """What cannot be a name: one line, exit code 1."""
    assert line("usage", "a:b").startswith("USER: 'a:b': ")
