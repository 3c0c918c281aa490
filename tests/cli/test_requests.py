"""`proxy_addon/cli/requests.py`: who waits for more time, and the answer."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.interface import TimeRequest
from proxy_addon.ledger.pseudonymous import ledger_pseudonyms
from tests.cli.command_setup import ledger, line, office, run

START = 1_793_610_000.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office in which ana and bo have asked."""
    made = office(tmp_path, monkeypatch)
    with ledger() as opened:
        opened.ask(TimeRequest("r1", "ana", "daily", 600.0, "a launch", "open", START), most_open=3)
        opened.ask(TimeRequest("r2", "bo", "gone", 60.0, "why not", "open", START + 1), most_open=3)
    return made


def test_list(folder: Path) -> None:
    """Open ones, oldest first; for people in a table, for programs with every field."""
    code, out, error = run("requests", "list")
    assert (code, error) == (0, "")
    assert out.index("a launch") < out.index("why not")
    found = json.loads(run("requests", "list", "--json", "--user", "Ana")[1])["requests"]
    assert [each["id"] for each in found] == ["r1"]
    assert (found[0]["seconds"], found[0]["status"], found[0]["note"]) == (600.0, "open", "")
    assert datetime.fromisoformat(found[0]["asked"]).timestamp() == START


def test_approve(folder: Path) -> None:
    """Approving is a grant like any other: there at once, audited, and the request says until
    when."""
    code, out, error = run("requests", "approve", "r1")
    assert (code, error) == (0, "")
    assert out.startswith("ana has 10 minutes more of daily until ")
    usage = json.loads(run("usage", "ana", "--json")[1])["allowances"]["daily"]
    assert (usage["granted"], usage["left"]) == (600.0, 1500.0)
    with ledger() as opened:
        (entry,) = opened.audit_log()
        assert (entry.action, entry.subject, entry.detail) == (
            "grant",
            "ana",
            "daily 600 s: a launch",
        )
    (decided,) = json.loads(run("requests", "list", "--all", "--user", "ana", "--json")[1])[
        "requests"
    ]
    assert decided["granted_until"] == usage["resets_at"]
    assert "waits for an answer" in line("requests", "approve", "r1")


def test_refuse(folder: Path) -> None:
    """A refusal says why; it is audited, and grants nothing."""
    assert "--note" in line("requests", "refuse", "r1", "--note", "  ")
    assert "240" in line("requests", "refuse", "r1", "--note", "x" * 241)
    answer = json.loads(
        run("requests", "refuse", "r1", "--note", "after  the\nlaunch", "--json")[1]
    )
    assert (answer["status"], answer["note"]) == ("refused", "after the launch")
    shown = run("requests", "list", "--all")[1]
    assert all(word in shown for word in ("r1", "refused:", "launch"))
    with ledger() as opened:
        assert not opened.grants(0.0)
        assert [each.action for each in opened.audit_log(subject="ana")] == ["refuse"]


def test_wrong_input(folder: Path) -> None:
    """An unknown id, and an allowance that the rules no longer have, are told in one line."""
    assert "r9" in line("requests", "refuse", "r9", "--note", "no")
    assert "no allowance gone any more" in line("requests", "approve", "r2")


def test_behind_pseudonyms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind pseudonyms a request is approved without a name being told, and the grant is the
    person's."""
    office(tmp_path, monkeypatch, more="privacy: {pseudonyms: true}")
    with ledger() as opened:
        names: Pseudonyms = ledger_pseudonyms(opened, tmp_path / "var" / "pseudonym.key", START)
        hidden = names.of("ana")
        opened.ask(
            TimeRequest("r1", hidden, "daily", 600.0, "a launch", "open", START), most_open=3
        )
    code, out, error = run("requests", "approve", "r1")
    assert (code, error) == (0, "")
    assert out.startswith(hidden)
    assert "ana" not in run("requests", "list", "--all")[1]
    assert json.loads(run("usage", "ana", "--json")[1])["allowances"]["daily"]["granted"] == 600.0


def test_a_reason_with_markup(folder: Path) -> None:
    """Whatever an employee writes is shown as it was written."""
    with ledger() as opened:
        opened.ask(
            TimeRequest("r3", "bo", "daily", 60.0, "[/bold] [x]", "open", START), most_open=3
        )
    code, out, error = run("requests", "list", "--user", "bo")
    assert (code, error) == (0, "")
    assert "[/bold] [x]" in out
