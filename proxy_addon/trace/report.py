"""What was read and what could not be: counted by reason, the first few kept with file and
number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from proxy_addon.trace.event import TraceFault


class TraceProblem(NamedTuple):
    """`number` is a line (JSON lines, Squid), an entry (HAR) or a flow, from 1; 0 is the file as a
    whole."""

    file: str
    number: int
    reason: TraceFault
    detail: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.number}" if self.number else self.file
        return (
            f"{place}: {self.reason}: {self.detail}" if self.detail else f"{place}: {self.reason}"
        )


class TraceError(Exception):
    """Strict reading stopped at the first problem."""

    def __init__(self, problem: TraceProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(slots=True)
class ReadReport:
    """Filled while `open_traces` is being read. Memory does not grow with the input.

    `bytes_read` of `bytes_total` (as stored, so compressed bytes of a gzip) is for a progress bar;
    the total is 0 when a file has no size, such as a pipe. `skipped` counts sound records that are
    not traffic, `parts` what was left out of records that were read: odd headers, messages, sizes.
    """

    strict: bool = False
    keep: int = 10
    events: int = 0
    bytes_read: int = 0
    bytes_total: int = 0
    problems: Counter[TraceFault] = field(default_factory=Counter)
    first: list[TraceProblem] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    formats: dict[str, str] = field(default_factory=dict)

    def problem(self, file: str, number: int, reason: TraceFault, detail: str = "") -> None:
        """Count one problem; raise TraceError when reading is strict."""
        found = TraceProblem(file, number, reason, detail)
        self.problems[reason] += 1
        if len(self.first) < self.keep:
            self.first.append(found)
        if self.strict:
            raise TraceError(found)

    @property
    def unreadable(self) -> int:
        """How many problems there were in all."""
        return self.problems.total()
