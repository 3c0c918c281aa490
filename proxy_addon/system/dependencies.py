"""What a proxy process depends on, as `/statusz` shows it: the ledger, the rules, the CA, the clock
and whatever else is added.

Whoever knows a dependency adds one callable. Where several processes serve, each reports for
itself, and `combined` makes one report of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

type Json = str | int | float | bool | Mapping[str, Json] | list[Json] | None


@dataclass(frozen=True, slots=True)
class DependencyReport:
    """How one dependency is doing, seen by one process. It names no person, no password and no user
    of a database, because whoever reaches the web port can read it.

    `ok`: nothing is wrong. `message`: what is wrong, or worth knowing, in a sentence. `since`: the
    instant since which it is so. `counts` are summed up over processes; `facts` are those of the
    process whose report is shown. Keys are words of JSON (`journal_visits`).
    """

    ok: bool = True
    message: str = ""
    since: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Json] = field(default_factory=dict)
    worker: int | None = None  # the process that says so, where there are several

    def document(self) -> dict[str, Json]:
        """As JSON: `ok`, `since` and `message` first, then what else is known."""
        found: dict[str, Json] = {"ok": self.ok}
        if self.since is not None:
            found["since"] = iso(self.since)
        if self.message:
            found["message"] = self.message
        if self.worker is not None:
            found["worker"] = self.worker
        return found | dict(self.facts) | dict(self.counts)


class Dependencies:
    """The dependencies of this process, in the order in which they were added. Any thread."""

    def __init__(self) -> None:
        self._reports: dict[str, Callable[[], DependencyReport]] = {}

    def add(self, name: str, report: Callable[[], DependencyReport]) -> None:
        """Show a dependency from now on; one that was added under the same name before is replaced.

        `report` is called on any thread, once a second in a worker, and must answer from memory.
        """
        self._reports[name] = report

    def report(self, name: str) -> DependencyReport:
        """One as it is now; well where nothing was added under that name."""
        found = self._reports.get(name)
        return DependencyReport() if found is None else _reported(found)

    def reports(self) -> dict[str, DependencyReport]:
        """Each as it is now. One whose report fails is shown with the kind of the exception."""
        return {name: _reported(report) for name, report in list(self._reports.items())}


def combined(
    own: Mapping[str, DependencyReport],
    others: Iterable[tuple[int, Mapping[str, DependencyReport]]],
) -> dict[str, DependencyReport]:
    """One report for each dependency of several processes: the first that is not well, with the
    number of its worker, and otherwise that of this process (`own`). Counts are summed up."""
    found = dict(own)
    for index, reports in others:
        for name, report in reports.items():
            before = found.get(name)
            if before is None:
                found[name] = report
                continue
            shown = before if report.ok or not before.ok else replace(report, worker=index)
            found[name] = replace(shown, counts=_sum(before.counts, report.counts))
    return found


def iso(instant: float) -> str:
    """An instant for a machine to read, UTC, in whole seconds."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="seconds")


def _reported(report: Callable[[], DependencyReport]) -> DependencyReport:
    try:
        return report()
    except Exception as error:
        return DependencyReport(False, f"its state is not known ({type(error).__name__})")


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in (*one, *other)}
