"""Written policies between the gate and the ledger: who has confirmed and met what is read at the
start and with the news; first meetings and texts in force are written on a thread of their own.

The event loop waits for none of it. What cannot be written now is tried again; after a kill a grace
time may begin a little later, and nothing else is lost.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import structlog

from proxy_addon.core.notices.gate import Meeting
from proxy_addon.core.notices.notice import Notice, Version
from proxy_addon.identity.pseudonyms import Mask
from proxy_addon.ledger.confirmations import confirmation, meeting
from proxy_addon.ledger.interface import (
    Acknowledgement,
    Ledger,
    LedgerError,
    LedgerRefused,
    News,
    NoticeMeeting,
    NoticeVersion,
)
from proxy_addon.metering.notice_book import NoticeBook

log = structlog.get_logger("allowance.run")

MOST_WAITING = 10_000  # writes that wait for the ledger; more are dropped
RETRY_SECONDS = 2.0

type Write = Callable[[], object]


class KnownNotices(NamedTuple):
    """What a ledger knows of written policies."""

    acknowledgements: Sequence[Acknowledgement]
    meetings: Sequence[NoticeMeeting]


class NoticesInLedger:
    """For one proxy process. `adopt`, `met` and `in_force` are called on the event loop or before
    it runs, `arrived` there as well; `read` on any thread."""

    def __init__(self, ledger: Ledger, book: NoticeBook, mask: Mask) -> None:
        self._ledger = ledger
        self._book = book
        self._mask = mask
        self._waiting: queue.Queue[Write] = queue.Queue(MOST_WAITING)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._kept: set[str] = set()  # digests of texts that are on their way, or there
        self._in_force: tuple[Notice, ...] = ()
        self._warned: set[tuple[str, Version]] = set()

    def read(self) -> KnownNotices:
        """What the ledger has. Raises LedgerError."""
        return KnownNotices(self._ledger.acknowledgements(), self._ledger.meetings())

    def adopt(self, known: KnownNotices) -> None:
        """Take over what was read; from now on people are asked."""
        self._known(*known)
        self._book.is_known = True
        self._warn()

    def arrived(self, news: News) -> None:
        """What other proxies wrote."""
        self._known(news.acknowledgements, news.meetings)
        if news.acknowledgements:
            self._warn()

    def met(self, person: str, meeting: Meeting) -> None:
        """Somebody has met a version of a notice."""
        row = NoticeMeeting(
            self._mask(person), meeting.notice, meeting.major, meeting.first, meeting.later
        )
        self._put(partial(self._ledger.meet, row))

    def in_force(self, notices: Iterable[Notice], now: float) -> None:
        """These are in force: their texts are kept, so that it can be shown what somebody read."""
        self._in_force = tuple(notices)
        self._warn()
        for notice in self._in_force:
            if notice.digest in self._kept:
                continue
            self._kept.add(notice.digest)
            texts = {language: text.markdown for language, text in notice.texts.items()}
            kept = NoticeVersion(notice.digest, notice.name, str(notice.version), now, texts)
            self._put(partial(self._ledger.keep_notice, kept))

    def warnings(self) -> list[str]:
        """What is wrong with the notices in force that only the ledger knows, a line each. Any
        thread."""
        return [
            f'the written policy "{each.notice}" is version {each.version}, and {each.confirmed} has '
            f"been confirmed already: whoever did is not asked; give it a higher version"
            for each in self._book.overtaken(self._in_force)
        ]

    def start(self) -> None:
        """Write on a thread from now on."""
        self._thread = threading.Thread(target=self._run, name="ledger-notices", daemon=True)
        self._thread.start()

    def stop(self, patience: float = 2.0) -> None:
        """Write what waits, for as long as `patience` seconds."""
        self._stopped.set()
        self._put(lambda: None)
        if self._thread is not None:
            self._thread.join(patience)

    def _warn(self) -> None:
        """Once for each version in force."""
        for each in self._book.overtaken(self._in_force):
            if (each.notice, each.version) in self._warned:
                continue
            self._warned.add((each.notice, each.version))
            log.warning(
                "the written policy is older than one that was confirmed",
                notice=each.notice,
                version=str(each.version),
                confirmed=str(each.confirmed),
                people=each.people,
                hint="give the file a higher version; until then whoever confirmed is not asked",
            )

    def _put(self, write: Write) -> None:
        try:
            self._waiting.put_nowait(write)
        except queue.Full:
            log.warning(
                "a meeting with the written policy is not in the ledger", because="too many"
            )

    def _known(
        self, acknowledgements: Iterable[Acknowledgement], meetings: Iterable[NoticeMeeting]
    ) -> None:
        self._book.load(
            (
                (each.person, done)
                for each in acknowledgements
                if (done := confirmation(each)) is not None
            ),
            ((each.person, meeting(each)) for each in meetings),
        )

    def _run(self) -> None:
        while not (self._stopped.is_set() and self._waiting.empty()):
            write = self._waiting.get()
            while not _is_done(write):
                if self._stopped.wait(RETRY_SECONDS):
                    return


def _is_done(write: Write) -> bool:
    """Write; False: it has to be tried again. What the ledger will never take is given up, because
    everything else would wait for it."""
    try:
        write()
    except LedgerRefused as problem:
        log.warning("what was met is not in the ledger", because=str(problem))
    except LedgerError as problem:
        log.debug("the ledger does not take what was met", because=str(problem))
        return False
    except Exception:
        log.exception("what was met is not in the ledger", because="our own code failed")
    return True
