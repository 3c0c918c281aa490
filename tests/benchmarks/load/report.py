"""The table at the end: what was measured, what it must be, and whether it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. `figures` has one value for each round; which of them are better is
    said by `at_most`: the small ones (KiB, milliseconds) or the large ones (times cheaper). Without
    figures it was not measured, and `why` tells the reason."""

    row: str
    figures: tuple[float, ...]
    unit: str = "times"
    must: float | None = None
    aim: float | None = None
    at_most: bool = False
    why: str = ""

    @property
    def measured(self) -> float | None:
        """The middle of the rounds."""
        return median(self.figures) if self.figures else None

    @property
    def verdict(self) -> str:
        """`met`, `aim met`, `MISSED`, `no budget` or `not measured`."""
        measured = self.measured
        if measured is None:
            return "not measured"
        if self.must is None:
            return "no budget"
        if not self._reaches(measured, self.must):
            return "MISSED"
        return "aim met" if self.aim is not None and self._reaches(measured, self.aim) else "met"

    def _reaches(self, measured: float, wanted: float) -> bool:
        return measured <= wanted if self.at_most else measured >= wanted


def missed(results: Sequence[Result]) -> bool:
    """Whether a budget was missed. What was not measured is no miss; the table shows it."""
    return any(each.verdict == "MISSED" for each in results)


def table(results: Sequence[Result]) -> str:
    """All results, one a line."""
    width = max((len(each.row) for each in results), default=0)
    head = f"{'row':{width}}  {'measured':>9}  {'rounds':17}  {'must':>9}  {'aim':>9}  verdict"
    return "\n".join([head, *(_line(each, width) for each in results)])


def _line(each: Result, width: int) -> str:
    if each.measured is None:
        return f"{each.row:{width}}  {'-':>9}  {'':17}  {'':9}  {'':9}  not measured: {each.why}"
    rounds = f"{min(each.figures):.2f} to {max(each.figures):.2f}"
    sign = "<= " if each.at_most else ""
    must = "-" if each.must is None else f"{sign}{each.must:g}"
    aim = "-" if each.aim is None else f"{sign}{each.aim:g}"
    measured = f"{each.measured:.2f}"
    unit = "" if each.unit == "times" else f" ({each.unit})"
    return (
        f"{each.row:{width}}  {measured:>9}  {rounds:17}  {must:>9}  {aim:>9}  "
        f"{each.verdict}{unit}{'; ' + each.why if each.why else ''}"
    )
