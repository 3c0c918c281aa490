"""Twin of proxy_addon/cli/people/personal_data.py: the commands on a real ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from db.address import parse
from proxy_addon.core.types import Decision, Grant, Person, Reason, Verdict
from proxy_addon.identity.passwords import PasswordFile
from proxy_addon.identity.pseudonyms import Pseudonyms, read_key
from proxy_addon.ledger.interface import EVERYBODY, Acknowledgement, AuditEntry, NoticeMeeting
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.pseudonymous import ledger_pseudonyms
from proxy_addon.observability.decision_log import DecisionEntry, DecisionLog, about
from proxy_addon.system.clock import SystemClock
from tests.cli.command_setup import DAY, URL, folder, ledger, line, run, used

__all__ = ["folder"]  # a fixture


def test_export_is_complete(folder: Path) -> None:
    """The export names its form and holds visits, grants, audit, roles, sign-in and where the rules
    name them."""
    PasswordFile(Path("var/passwords")).add("ana", "some password")
    assert run("grant", "ana", "daily", "5m", "--reason", "a course")[0] == 0
    assert run("reset", "ana", "daily", "--reason", "a mistake")[0] == 0
    with ledger() as opened:
        opened.audit(
            AuditEntry(80.0, "web:carl", "names", EVERYBODY, "who has not read it: a talk")
        )
        opened.acknowledge(Acknowledgement("ana", "social-media", "3.1", "d", 90.0, "gate"))
        opened.meet(NoticeMeeting("ana", "social-media", 3, 30.0, 60.0))
        opened.meet(NoticeMeeting("ana", "guests", 1, 31.0))
        opened.acknowledge(Acknowledgement("bo", "social-media", "3.1", "d", 90.0, "gate"))
    code, out, _ = run("people", "export", "Ana")
    assert code == 0
    found = json.loads(out)
    assert (found["format"], found["version"], found["user"]) == ("allowance-person", 1, "ana")
    assert found["roles"] == ["care"]
    assert found["signs_in"] is True
    assert found["rules_name_them"] == ["role care"]
    assert [(visit["platform"], visit["evidence"]) for visit in found["visits"]] == [("x", None)]
    assert [(grant["seconds"], grant["resets"]) for grant in found["grants"]] == [
        (300.0, False),
        (0.0, True),
    ]
    assert [entry["action"] for entry in found["audit"]] == ["acknowledge", "grant", "reset"]
    (look,) = found["audit_of_everybody"]
    assert (look["actor"], look["detail"]) == ("web:carl", "who has not read it: a talk")
    assert found["requests"] == []
    (done,) = found["acknowledgements"]
    assert datetime.fromisoformat(done.pop("at")).timestamp() == 90.0
    assert done == {"notice": "social-media", "version": "3.1", "digest": "d", "page": "gate"}
    assert [
        (each["notice"], each["version"], each["not_again_before"] is None)
        for each in found["notices_shown"]
    ] == [("social-media", 3, False), ("guests", 1, True)]
    first = found["notices_shown"][0]
    assert datetime.fromisoformat(first["first"]).timestamp() == 30.0
    assert datetime.fromisoformat(first["not_again_before"]).timestamp() == 60.0
    assert "bo" not in out.split('"')


def test_export_of_a_grant_without_an_end(folder: Path) -> None:
    """What was written until the last minute of the calendar is given out, also where no clock can
    show that minute."""
    policy = Path("rules/policy.yaml")
    policy.write_text(policy.read_text().replace("timezone: UTC", "timezone: America/New_York"))
    for_ever = datetime(9999, 12, 31, 23, 59, tzinfo=ZoneInfo("America/New_York")).timestamp()
    now = SystemClock().now()
    with ledger() as opened:
        opened.add_grant(
            Grant("g", "ana", "daily", 60.0, "ever", "ops", now, for_ever), actor="cli:ops"
        )
    code, out, _ = run("people", "export", "ana")
    assert code == 0
    assert [grant["reason"] for grant in json.loads(out)["grants"]] == ["ever"]
    assert run("usage", "ana")[0] == 0


def test_export_to_a_file(folder: Path) -> None:
    """The file is for its owner alone; a place that cannot be written is one line."""
    code, out, _ = run("people", "export", "ana", "--output", "ana.json")
    assert (code, out) == (0, "Everything that is stored about ana is in ana.json.\n")
    assert Path("ana.json").stat().st_mode & 0o777 == 0o600
    assert json.loads(Path("ana.json").read_text())["user"] == "ana"
    assert "no/ana.json: cannot be written" in line(
        "people", "export", "ana", "--output", "no/ana.json"
    )


def test_erase_leaves_nothing(folder: Path) -> None:
    """Ledger, sign-in and audit lose the name; the command says what went and what is left to
    do."""
    PasswordFile(Path("var/passwords")).add("ana", "some password")
    assert run("grant", "ana", "daily", "5m", "--reason", "Ana has a course")[0] == 0
    code, out, _ = run("people", "erase", "ana", "--reason", "Ana asked")
    assert code == 0, out
    assert out.startswith(
        "Erased: 1 visits, 1 grants, 0 requests, 0 acknowledgements, 0 notices shown, "
        "1 audit entries, 1 sign-in."
    )
    assert "The rules still name them: role care." in out
    assert PasswordFile(Path("var/passwords")).users() == ()
    with ledger() as opened:
        opened._connections.engine.dispose()
    assert b"ana" not in Path("var/allowance.db").read_bytes().lower().replace(b"\x00", b"")
    assert "nothing is stored about ana" in line("people", "erase", "ana")


def test_erase_waits_for_the_end_of_a_window(folder: Path) -> None:
    """While a window with usage is open it is refused, with the instant until when; `--now` does
    it."""
    until = line("people", "erase", "bo")
    ends = datetime.fromisoformat(until.split("open until ")[1].split(";")[0])
    now = datetime.now(UTC)  # noqa: TID251
    assert timedelta(0) < ends - now <= timedelta(hours=24)
    with ledger() as opened:
        assert len(opened.records("bo").visits) == 1
    assert run("people", "erase", "bo", "--now", "--json")[0] == 0
    with ledger() as opened:
        assert not any(opened.records("bo").counts.values())


def test_erase_and_a_rolling_window(folder: Path) -> None:
    """A rolling window is open until its newest use has left it."""
    visit = used("cy", "rolling", ago=3600)
    with ledger() as opened:
        opened.write_visits([visit])
    ends = datetime.fromisoformat(
        line("people", "erase", "cy").split("open until ")[1].split(";")[0]
    )
    assert abs(ends.timestamp() - (visit.end + 4 * 3600)) < 1


def test_erase_takes_what_a_dead_proxy_left(folder: Path) -> None:
    """A journal that nobody holds any more is emptied: others' visits are written, the person's are
    gone."""
    journal = Journal(Path("var/journal"), "dead", JournalOwner(parse(URL).identity))
    journal.add([used("ana", ago=2 * DAY), used("zoe", ago=2 * DAY)])
    journal.close()
    assert run("people", "erase", "ana")[0] == 0
    assert list(Path("var/journal").iterdir()) == []
    with ledger() as opened:
        assert len(opened.records("zoe").visits) == 1
        assert not any(opened.records("ana").counts.values())


def test_erase_asks_on_a_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal nothing goes without a yes."""
    monkeypatch.setattr("proxy_addon.cli.people.personal_data.is_interactive", lambda: True)
    assert run("people", "erase", "ana", stdin="n\n")[0] == 1
    with ledger() as opened:
        assert len(opened.records("ana").visits) == 1
    assert run("people", "erase", "ana", stdin="y\n")[0] == 0


def test_pseudonyms(folder: Path) -> None:
    """Commands take names, the ledger has pseudonyms; unmasking needs a reason and leaves a trace
    first."""
    policy = folder / "rules" / "policy.yaml"
    policy.write_text(policy.read_text() + "privacy: {pseudonyms: true}\n")
    assert "there is no pseudonym key" in line("usage", "bo")
    with ledger() as opened:  # as a start of the proxy does it
        names = ledger_pseudonyms(opened, Path("var/pseudonym.key"), SystemClock().now())
        opened.mask_names(names.of, names.actor)
    assert json.loads(run("usage", "bo", "--json")[1])["allowances"]["daily"]["spent"] == 30
    assert run("grant", "bo", "daily", "5m", "--reason", "a course")[0] == 0
    hidden = Pseudonyms(read_key(Path("var/pseudonym.key"), make=False)).of("bo")
    audit = json.loads(run("audit", "--json")[1])["audit"]
    assert [entry["subject"] for entry in audit if entry["action"] == "grant"] == [hidden]
    assert len(json.loads(run("people", "export", "bo")[1])["visits"]) == 1
    assert "is nobody of" in line("people", "unmask", hidden, "--reason", "a complaint")
    assert run("people", "unmask", names.of("ana"), "--reason", "a complaint")[:2] == (0, "ana\n")
    assert run("people", "unmask", names.of("reception"), "--reason", "a complaint")[:2] == (
        0,
        "reception\n",
    )
    unmasked = [
        entry
        for entry in json.loads(run("audit", "--json")[1])["audit"]
        if entry["action"] == "unmask"
    ]
    assert [entry["subject"] for entry in unmasked] == [
        hidden,
        names.of("ana"),
        names.of("reception"),
    ]
    assert "--reason: must say why" in line("people", "unmask", hidden, "--reason", "")
    assert "is not a pseudonym" in line("people", "unmask", "bo", "--reason", "x")
    assert run("people", "erase", "bo", "--now")[0] == 0
    with ledger() as opened:
        assert not opened.records(hidden).visits
        assert all(
            entry.subject != hidden for entry in opened.audit_log() if entry.action == "grant"
        )


def decisions(*people: str) -> Path:
    """A decision log in which each of these was answered once; the setting names it."""
    log = DecisionLog(Path("var/decisions"), SystemClock())
    for name in people:
        decision = Decision(Verdict.ALLOW, Reason.ALLOWED, "x", rule="Lunch")
        log.put(
            DecisionEntry(SystemClock().now(), "0a1b2c3d-0000", Person(name, ("care",)), decision)
        )
    log.run_batch()
    Path("allowance.toml").write_text('decision_log = "var/decisions"\n')
    return Path("var/decisions")


def test_the_decision_log_is_given_out_and_erased(folder: Path) -> None:
    """The lines about one person, and nobody else's."""
    where = decisions("ana", "bo", "ana")
    found = json.loads(run("people", "export", "ana")[1])
    assert [(each["person"], each["rule"]) for each in found["decisions"]] == [("ana", "Lunch")] * 2
    code, out, _ = run("people", "erase", "ana", "--now")
    assert code == 0
    assert ", 2 decisions." in out
    assert [each["person"] for each in about(where, lambda name: True)] == ["bo"]
    assert run("people", "erase", "ana")[0] == 1


def test_the_decision_log_alone(folder: Path) -> None:
    """Somebody of whom only the decision log knows can be erased; with pseudonyms they are found by
    theirs."""
    where = decisions("zoe")
    assert run("people", "erase", "zoe")[0] == 0
    assert list(about(where, lambda name: True)) == []
    policy = Path("rules/policy.yaml")
    policy.write_text(policy.read_text() + "privacy: {pseudonyms: true}\n")
    with ledger() as opened:
        names = ledger_pseudonyms(opened, Path("var/pseudonym.key"), SystemClock().now())
    decisions(names.of("zoe"), names.of("bo"))
    assert len(json.loads(run("people", "export", "zoe")[1])["decisions"]) == 1
    assert run("people", "erase", "zoe")[0] == 0
    assert [each["person"] for each in about(where, lambda name: True)] == [names.of("bo")]
