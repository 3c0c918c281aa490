"""How the ledger is doing, as the writer tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


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
    refused: int  # visits the ledger will never take
    away_since: float | None = None  # the instant since which it is down
    journal_bytes: int = 0
    journal_visits: int = 0
    journal_dropped: int = 0  # times a visit found no room in the journal, or its disk failed
    journal_message: str | None = None  # why the journal cannot be written


type OnState = Callable[[WriterState], None]
