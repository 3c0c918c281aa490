"""Limits that look further back than visits are kept: what is deleted would be given a second
time."""

from __future__ import annotations

import math
from collections.abc import Iterator

from proxy_addon.core import period_table
from proxy_addon.core.period_table import DAY
from proxy_addon.core.policy.horizon import windows_that_count
from proxy_addon.core.rules.documents import Path
from proxy_addon.core.rules.merge import Top
from proxy_addon.core.rules.parsers import quote
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.rules.report import ProblemCollector
from proxy_addon.core.ruleset import Allowance, Limit, RuleSet


def refuse_short_retention(rs: RuleSet, top: Top, report: ProblemCollector) -> None:
    """An error for each limit whose own window can be longer than the retention: it cannot be
    kept."""
    for allowance, limit, at in _limits(rs):
        need = period_table.reach(
            limit
        )  # when the clocks go back, a window is longer than its days
        if rs.retention < need:
            message = (
                f"the allowance {quote(allowance.name)} needs the visits of {_days(need)}, but they are deleted "
                f"after {_days(rs.retention)}"
            )
            hint = f"write retention: {_whole(need)}d or more, or a shorter period"
            report.add(top.find(at), Code.RETENTION_TOO_SHORT, message, hint)


def warn_of_lost_carry_over(rs: RuleSet, top: Top, report: ProblemCollector) -> None:
    """A warning for each limit that carries time over from windows whose visits are deleted
    already."""
    for allowance, limit, at in _limits(rs):
        need = period_table.reach(limit, windows_that_count(allowance, limit))
        if allowance.carry_over > 0 and period_table.longest(limit) <= rs.retention < need:
            message = (
                f"the allowance {quote(allowance.name)} carries time over from up to {_days(need)} back, but visits "
                f"are deleted after {_days(rs.retention)} and then count as time not used"
            )
            hint = f"write retention: {_whole(need)}d or more, or leave carry_over out"
            report.warn(top.find(at), Code.RETENTION_TOO_SHORT, message, hint)


def _limits(rs: RuleSet) -> Iterator[tuple[Allowance, Limit, Path]]:
    """Every limit of every allowance, and where it is written."""
    for name, allowance in rs.allowances.items():
        at: Path = ("allowances", name)
        for n, limit in enumerate(allowance.limits):
            yield allowance, limit, (*at, "limit", n)
        for k, override in enumerate(allowance.overrides):
            for n, limit in enumerate(override.limits):
                yield allowance, limit, (*at, "overrides", k, "limit", n)


def _whole(seconds: float) -> int:
    return math.ceil(seconds / DAY)


def _days(seconds: float) -> str:
    """ "90 days", "1 day", "36 hours", "5 seconds"."""
    units = ((DAY, "day"), (3600.0, "hour"), (60.0, "minute"))
    length, unit = next((row for row in units if seconds >= row[0]), (1.0, "second"))
    number = f"{seconds / length:.2f}".rstrip("0").rstrip(".")
    return f"{number} {unit}" if number == "1" else f"{number} {unit}s"
