"""`proxy_addon/cli/grant.py`: more minutes, with a reason, until a time."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.command_setup import ledger, line, office, run, used


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office in which ana has used half a minute."""
    made = office(tmp_path, monkeypatch)
    with ledger() as opened:
        opened.write_visits([used("ana", ago=30.0, seconds=20.0)])
    return made


def test_grant() -> None:
    """The minutes are there at once, and the ledger knows who gave them, why and until when."""
    code, out, error = run("grant", "Ana", "daily", "10m", "--reason", " election night ")
    assert (code, error) == (0, "")
    assert out.startswith("ana has 10 minutes more of daily until ")
    with ledger() as opened:
        (grant,) = opened.grants(0.0)
        (entry,) = opened.audit_log()
    assert (grant.person, grant.allowance, grant.seconds, grant.reason) == (
        "ana",
        "daily",
        600.0,
        "election night",
    )
    assert (entry.action, entry.subject, entry.actor.partition(":")[0]) == ("grant", "ana", "cli")
    usage = json.loads(run("usage", "ana", "--json")[1])["allowances"]["daily"]
    assert (usage["granted"], usage["left"]) == (600.0, pytest.approx(1480.0, abs=0.01))


def test_json() -> None:
    """The statement of that allowance, the id of the grant, and its end with the period."""
    code, out, _ = run("grant", "ana", "daily", "1h30m", "--reason", "x", "--json")
    answer = json.loads(out)
    assert code == 0
    assert list(answer) == ["user", "roles", "allowances", "visits", "grant", "expires"]
    assert list(answer["allowances"]) == ["daily"]
    assert answer["allowances"]["daily"]["granted"] == 5400.0
    assert answer["expires"] == answer["allowances"]["daily"]["resets_at"]


def test_until() -> None:
    """An end of one's own; without a zone it is the policy's."""
    out = run(
        "grant", "ana", "daily", "10m", "--reason", "x", "--until", "2099-01-01T12:00", "--json"
    )[1]
    assert datetime.fromisoformat(json.loads(out)["expires"]) == datetime.fromisoformat(
        "2099-01-01T12:00+00:00"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("ana", "dayly", "10m", "--reason", "x"),
            "ALLOWANCE: 'dayly' is not an allowance of the rules; did you",
        ),
        (
            ("ana", "zzz", "10m", "--reason", "x"),
            "ALLOWANCE: 'zzz' is not an allowance of the rules; there are: ",
        ),
        (("ana", "daily", "soon", "--reason", "x"), "TIME: 'soon': "),
        (("ana", "daily", "0m", "--reason", "x"), "TIME: '0m': "),
        (("ana", "daily", "32d", "--reason", "x"), "TIME: '32d': "),
        (("ana", "daily", "10m", "--reason", "  "), "--reason: must say why"),
        (
            ("ana", "daily", "10m", "--reason", "x", "--until", "later"),
            "--until: 'later' is not a time; ",
        ),
        (
            ("ana", "daily", "10m", "--reason", "x", "--until", "2020-01-01"),
            "--until: '2020-01-01' has passed",
        ),
        (
            ("ana", "daily", "10m", "--reason", "x", "--until", "9999-12-31T23:59"),
            "--until: '9999-12-31T23:59' is too far away; write a year from 1970 to 2999",
        ),
        (("a:b", "daily", "10m", "--reason", "x"), "USER: 'a:b': "),
    ],
)
def test_wrong_input(words: tuple[str, ...], message: str) -> None:
    """What cannot be granted: one line that names the word and the way out, exit code 1, nothing
    written."""
    assert line("grant", *words).startswith(message)
    with ledger() as opened:
        assert list(opened.grants(0.0)) == []


def test_a_reason_is_needed() -> None:
    """Without `--reason` it is wrong use."""
    assert run("grant", "ana", "daily", "10m")[0] == 2
