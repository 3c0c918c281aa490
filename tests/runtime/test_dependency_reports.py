"""`proxy_addon/runtime/dependency_reports.py`: ledger, rules, CA and clock on the status page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proxy_addon.ledger.writer_state import WriterState
from proxy_addon.proxy.ca_change import NextCa
from proxy_addon.rules.active import LiveRules
from proxy_addon.runtime.dependency_reports import (
    ca_report,
    clock_report,
    ledger_report,
    log_report,
    rules_report,
    without_driver_words,
)
from proxy_addon.system.clock import SystemClock
from tests.proxy.harness import ProxyHarness

UP = WriterState(True, 2, 0.02, {}, None, 1, 0)
PLACE = "Postgres database minutes on secretary@db.office.example:5432"


def test_a_ledger_that_is_away() -> None:
    """Since when, why, and how much waits where; the user of the database is nowhere."""
    away = replace(
        UP,
        up=False,
        message=f'{PLACE} refuses this user or password (FATAL: role "secretary" does not exist)',
        away_since=60.0,
        journal_visits=5,
        journal_bytes=900,
    )
    found = ledger_report(away, PLACE)
    assert (found.ok, found.since) == (False, 60.0)
    assert found.message == "the database refuses this user or password"
    assert "secretary" not in str(found.document())
    assert found.counts == {
        "pending": 2,
        "journal_visits": 5,
        "journal_bytes": 900,
        "journal_dropped": 0,
        "refused": 0,
        "lost": 1,
    }


def test_a_journal_that_cannot_be_written() -> None:
    """It is told while the ledger is well, because a crash in the next outage would lose visits."""
    assert ledger_report(UP, PLACE).ok
    found = ledger_report(replace(UP, journal_message="var/journal: full"), PLACE)
    assert (found.ok, found.message) == (False, "the journal cannot be written")


def test_a_ledger_that_refuses_some() -> None:
    """It is told, with how many, though the ledger takes the others."""
    found = ledger_report(replace(UP, refused=2), PLACE)
    assert (found.ok, found.counts["refused"]) == (False, 2)
    assert found.message == "the database refuses 2 visits, kept in the journal and tried again"


@pytest.mark.parametrize(
    ("message", "left"),
    [
        (f"{PLACE} cannot be reached (no (such) host)", "the database cannot be reached"),
        ("a call has not come back for 20 s", "a call has not come back for 20 s"),
        ("SQLite file var/x.db is locked (database is locked)", "SQLite file var/x.db is locked"),
    ],
)
def test_words_of_drivers_are_left_out(message: str, left: str) -> None:
    """Whatever stands in their parentheses."""
    assert without_driver_words(message, PLACE) == left


def test_rules_in_force_and_wrong_ones(tmp_path: Path) -> None:
    """The digest in force; after a bad edit where it is wrong, without the words of the file."""
    ProxyHarness(tmp_path).close()
    live = LiveRules(tmp_path / "rules")
    live.load()
    found = rules_report(live, 5.0)
    assert (found.ok, found.since, found.facts["digest"]) == (True, 5.0, live.current.digest[:12])
    policy = tmp_path / "rules" / "policy.yaml"
    policy.write_text(policy.read_text() + "\nmaria: {}\n")
    live.attempt()
    found = rules_report(live, 5.0)
    assert not found.ok
    assert "policy.yaml:" in str(found.facts["problems"])
    assert "maria" not in str(found.document())


def test_the_ca() -> None:
    """It is not well once it has ended, or when the next one cannot be used."""
    expires = "1970-01-01T00:01:40+00:00"
    none, ready, bad = NextCa(), NextCa(b"PEM", 160.0), NextCa(problem="/etc/ca: it is damaged")
    assert ca_report(100.0, none, 99.0).document() == {"ok": True, "expires": expires}
    assert ca_report(100.0, none, 100.0).message == "the CA certificate has expired"
    found = ca_report(100.0, ready, 99.0).document()
    assert found == {
        "ok": True,
        "expires": expires,
        "next": {"expires": "1970-01-01T00:02:40+00:00"},
    }
    assert ca_report(100.0, bad, 99.0).message == "the next CA cannot be used"
    both = "the CA certificate has expired; the next CA cannot be used"
    assert (ca_report(100.0, bad, 100.0).ok, ca_report(100.0, bad, 100.0).message) == (False, both)


def test_the_log() -> None:
    """Lines that were dropped are counted for good; it is well again once there is room."""
    assert log_report(7, full=True).document() == {
        "ok": False,
        "message": "lines are dropped: nobody reads the log, or its disk is full",
        "dropped": 7,
    }
    assert log_report(7, full=False).document() == {"ok": True, "dropped": 7}


def test_the_clock() -> None:
    """What time it is here, so that whoever reads it can compare."""
    clock = SystemClock(wall=lambda: 0.0, monotonic=lambda: 0.0)
    assert clock_report(clock, 1.5).facts == {
        "now": "1970-01-01T00:00:00+00:00",
        "steps": 0,
        "offset_seconds": 1.5,
    }
