"""How the ledger is doing, as the writer tells it, and to whom."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

log = structlog.get_logger("allowance.ledger")


@dataclass(frozen=True, slots=True)
class WriterState:
    """How the ledger is doing. `flush_seconds` is what the last successful flush took, None before
    it."""

    up: bool
    pending: int
    flush_seconds: float | None
    errors: Mapping[str, int]  # kind -> failures since start
    message: str | None  # why it is down
    dropped: int  # visits given up for lack of room
    refused: int  # visits set aside: the ledger refuses them, and takes others
    away_since: float | None = None  # the instant since which it is down
    journal_bytes: int = 0
    journal_visits: int = 0
    journal_dropped: int = 0  # times a visit found no room in the journal, or its disk failed
    journal_message: str | None = None  # why the journal cannot be written
    is_silent: bool = False  # a call has been without an answer for long, or the last one was
    answered_at: float | None = None  # when the last answer came, by the timer


type OnState = Callable[[WriterState], None]


class StateReports:
    """Gives the state to a receiver, one call at a time. From any thread."""

    def __init__(self, receiver: OnState | None) -> None:
        self._receiver = receiver
        self._giving = threading.Lock()

    def give(self, state: Callable[[], WriterState]) -> None:
        """Never waits: whoever receives the report may query the ledger, and the journal must go
        on meanwhile. A receiver that fails is logged."""
        if self._receiver is None or not self._giving.acquire(blocking=False):
            return
        try:
            self._receiver(state())
        except Exception:
            log.exception("on_state failed")
        finally:
            self._giving.release()
