"""The truth of a recording: when each person was there, written down as it happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real_sessions.recording.clock import now
from tests.traces.day import Spans


class AttentionRecord:
    """`journal` has a line for each beginning and end, so that it can be seen while it grows."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self.spans: dict[str, Spans] = {}

    @contextmanager
    def of(self, person: str) -> Iterator[None]:
        """The person attends inside of this block."""
        start = now()
        self._note(person, "begins", start)
        try:
            yield
        finally:
            end = now()
            self._note(person, "ends", end)
            self.spans.setdefault(person, []).append((start, end))

    def _note(self, person: str, what: str, at: float) -> None:
        with self._journal.open("a") as journal:
            journal.write(json.dumps({"person": person, "attention": what, "at": at}) + "\n")
