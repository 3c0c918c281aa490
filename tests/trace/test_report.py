"""Counting problems."""

from __future__ import annotations

import pytest

from proxy_addon.trace.event import TraceFault
from proxy_addon.trace.report import ReadReport, TraceError


def test_all_are_counted_and_the_first_few_kept() -> None:
    """Memory does not grow with the number of bad lines."""
    report = ReadReport(keep=3)
    for number in range(1, 1001):
        report.problem("day.jsonl", number, TraceFault.SYNTAX, "not JSON")
    assert report.unreadable == report.problems[TraceFault.SYNTAX] == 1000
    assert [str(p) for p in report.first] == [
        f"day.jsonl:{n}: not readable: not JSON" for n in (1, 2, 3)
    ]


def test_strict_stops_at_the_first() -> None:
    """The error names the place."""
    with pytest.raises(TraceError, match=r"day\.jsonl:7: impossible time"):
        ReadReport(strict=True).problem("day.jsonl", 7, TraceFault.TIME)


def test_a_whole_file_has_no_line_number() -> None:
    """Number 0 is left out of the text."""
    report = ReadReport()
    report.problem("x.gz", 0, TraceFault.CUT_OFF)
    assert str(report.first[0]) == "x.gz: the file ends early"
