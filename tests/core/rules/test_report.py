"""Reports: suggestions, and their price."""

from __future__ import annotations

from time import perf_counter

from proxy_addon.core.rules.problems import Code, Place
from proxy_addon.core.rules.report import ProblemCollector


def test_a_near_name_is_suggested_whatever_its_case() -> None:
    """The suggestion takes the place of the hint."""
    report = ProblemCollector()
    report.add(Place("f"), Code.UNKNOWN_ROLE, "m", "hint", ("MARKETING", ("marketing", "care")))
    report.add(Place("f"), Code.UNKNOWN_ROLE, "m", "hint", ("zzz", ("marketing", "care")))
    assert [problem.hint for problem in report.problems] == ['did you mean "marketing"?', "hint"]


def test_suggestions_end_where_nobody_reads_them() -> None:
    """Twenty thousand mistakes are told in the time that two hundred suggestions take."""
    names = [f"platform-{n}" for n in range(60)]
    report = ProblemCollector()
    began = perf_counter()
    for n in range(20_000):
        report.add(Place("f"), Code.UNKNOWN_PLATFORM, "m", "", (f"x{n}" * 5, names))
    assert len(report.problems) == 20_000
    assert perf_counter() - began < 20
