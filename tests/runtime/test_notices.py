"""Written policies on their way to the ledger and from there."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from proxy_addon.core.notices.gate import Meeting
from proxy_addon.core.notices.notice import Notice, NoticeText, Version
from proxy_addon.ledger.interface import (
    Acknowledgement,
    LedgerError,
    LedgerRefused,
    News,
    NoticeMeeting,
    NoticeVersion,
)
from proxy_addon.metering.notice_book import NoticeBook
from proxy_addon.runtime import notices as module
from proxy_addon.runtime.notices import NoticesInLedger
from tests.e2e.waiting import until
from tests.ledger.memory_ledger import MemoryLedger

NOTICE = Notice("social", Version(3, 1), {"en": NoticeText("en", "Policy", "# Policy\n")}, "d3")


def confirmed(person: str = "dora", version: str = "3") -> Acknowledgement:
    """A row of the ledger."""
    return Acknowledgement(person, "social", version, f"d{version}", 10.0, "policy")


def test_what_the_ledger_has_is_known() -> None:
    """From the start on, and not before; a row without a version is left out."""
    ledger, book = MemoryLedger(), NoticeBook()
    ledger.acknowledge(confirmed())
    ledger.acknowledge(confirmed("emil", ""))
    ledger.meet(NoticeMeeting("dora", "social", 3, 5.0, 7.0))
    notices = NoticesInLedger(ledger, book, str)
    assert not book.is_known
    notices.adopt(notices.read())
    assert book.is_known
    assert [each.version for each in book.confirmations("dora")] == [Version(3)]
    assert book.confirmations("emil") == ()
    assert book.met("dora", NOTICE) == Meeting("social", 3, 5.0, 7.0)


def test_what_others_wrote() -> None:
    """A confirmation on another proxy counts here."""
    book = NoticeBook()
    notices = NoticesInLedger(MemoryLedger(), book, str)
    meeting = NoticeMeeting("dora", "social", 3, 5.0)
    notices.arrived(News((), (), 0.0, (), (confirmed(),), (meeting,)))
    assert book.confirmations("dora") and book.met("dora", NOTICE)


def test_meetings_and_texts_are_written() -> None:
    """Under the names that the ledger knows, and a text once for each digest."""
    ledger = MemoryLedger()
    notices = NoticesInLedger(ledger, NoticeBook(), lambda name: f"p:{name}")
    notices.start()
    notices.met("dora", Meeting("social", 3, 5.0))
    notices.in_force((NOTICE,), 8.0)
    notices.in_force((NOTICE,), 9.0)
    notices.stop()
    assert ledger.meetings() == [NoticeMeeting("p:dora", "social", 3, 5.0)]
    assert ledger.notice_versions() == [
        NoticeVersion("d3", "social", "3.1", 8.0, {"en": "# Policy\n"})
    ]


def test_a_ledger_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was met is written when it is back; nobody waits for it."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)

    class Away(MemoryLedger):
        """Takes nothing for a while."""

        is_away = threading.Event()

        def meet(self, meeting: NoticeMeeting) -> None:
            if not self.is_away.is_set():
                raise LedgerError("away")
            super().meet(meeting)

    ledger = Away()
    notices = NoticesInLedger(ledger, NoticeBook(), str)
    notices.start()
    notices.met("dora", Meeting("social", 3, 5.0))
    assert ledger.meetings() == []
    ledger.is_away.set()
    until(ledger.meetings, "the meeting is written")
    notices.stop()


@pytest.mark.parametrize("problem", [LedgerRefused("never"), RuntimeError("a fault of ours")])
def test_what_the_ledger_never_takes(problem: Exception) -> None:
    """It is said and given up; what comes after it is written."""

    class Picky(MemoryLedger):
        """Does not take one person."""

        def meet(self, meeting: NoticeMeeting) -> None:
            if meeting.person == "dora":
                raise problem
            super().meet(meeting)

    ledger = Picky()
    notices = NoticesInLedger(ledger, NoticeBook(), str)
    notices.met("dora", Meeting("social", 3, 5.0))
    notices.met("emil", Meeting("social", 3, 5.0))
    with capture_logs() as logged:
        notices.start()
        until(ledger.meetings, "the other meeting is written")
        notices.stop()
    assert [each.person for each in ledger.meetings()] == ["emil"]
    assert [each["event"] for each in logged] == ["what was met is not in the ledger"]


def test_a_stop_while_it_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends within its time."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)

    class Gone(MemoryLedger):
        """Takes nothing."""

        def meet(self, meeting: NoticeMeeting) -> None:
            raise LedgerError("gone")

    notices = NoticesInLedger(Gone(), NoticeBook(), str)
    notices.start()
    notices.met("dora", Meeting("social", 3, 5.0))
    notices.stop(1.0)
    assert notices._thread is not None and not notices._thread.is_alive()


def test_too_many_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded while the ledger is away."""
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    notices = NoticesInLedger(MemoryLedger(), NoticeBook(), str)
    for number in range(10):
        notices.met(f"p{number}", Meeting("social", 3, 5.0))
    assert notices._waiting.qsize() == 3


def test_a_version_that_is_older_than_one_that_was_confirmed() -> None:
    """It is logged once, and said as long as it is so; nothing is lost."""
    ledger, book = MemoryLedger(), NoticeBook()
    ledger.acknowledge(confirmed(version="4"))
    notices = NoticesInLedger(ledger, book, str)
    notices.adopt(notices.read())
    with capture_logs() as logged:
        for _ in range(2):
            notices.in_force([NOTICE], 20.0)
    assert [each["event"] for each in logged] == [
        "the written policy is older than one that was confirmed"
    ]
    [line] = notices.warnings()
    assert '"social" is version 3.1, and 4 has been confirmed' in line
    assert book.confirmations("dora")
    notices.in_force([replace(NOTICE, version=Version(5))], 30.0)
    assert notices.warnings() == []


def test_a_confirmation_elsewhere_of_a_later_version() -> None:
    """Another proxy has newer rules: it is said here as soon as its news come."""
    notices = NoticesInLedger(MemoryLedger(), NoticeBook(), str)
    notices.in_force([NOTICE], 20.0)
    with capture_logs() as logged:
        notices.arrived(News((), (), 0.0, (), (confirmed(version="4"),), ()))
    assert len(logged) == 1 and notices.warnings()
