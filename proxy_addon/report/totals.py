"""A report as data: sums, and sums by day. Seconds, and how many of what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.report.date_range import Span


@dataclass(slots=True)
class Sum:
    """Attention of some people for some time. `estimated`: how much of `free` was estimated from
    bytes. `ran_out`: times that an allowance had nothing left,
    at most once for each person, allowance and day."""

    charged: float = 0.0
    free: float = 0.0
    estimated: float = 0.0
    people: int = 0
    visits: int = 0
    ran_out: int = 0

    @property
    def seconds(self) -> float:
        """Charged or free."""
        return self.charged + self.free

    def add(self, other: Sum) -> None:
        """Add everything but the people, who must be counted once."""
        self.charged += other.charged
        self.free += other.free
        self.estimated += other.estimated
        self.visits += other.visits
        self.ran_out += other.ran_out


class Table:
    """Sums by name, and by day and name."""

    def __init__(self) -> None:
        self.rows: defaultdict[str, Sum] = defaultdict(Sum)
        self.cells: defaultdict[tuple[int, str], Sum] = defaultdict(Sum)

    def largest_first(self) -> list[tuple[str, Sum]]:
        """The rows, those with the most time first."""
        return sorted(self.rows.items(), key=lambda row: (-row[1].seconds, row[0]))


@dataclass(slots=True)
class UseAfterExhaustion:
    """What was used of an allowance on one day while nothing was left of it."""

    seconds: float = 0.0
    people: int = 0
    ran_out: int = 0


@dataclass(slots=True)
class GrantSum:
    """Grants that were made on one day, and the seconds that they give; resets are not grants."""

    grants: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class AllowanceSum:
    """An allowance over all days. `beyond` is what enforcement would have stopped, or did not stop
    in time."""

    spent: float = 0.0
    people: int = 0
    ran_out: int = 0
    ran_out_people: int = 0
    beyond: float = 0.0
    beyond_people: int = 0
    grants: int = 0
    granted: float = 0.0
    resets: int = 0
    days: defaultdict[int, UseAfterExhaustion] = field(
        default_factory=lambda: defaultdict(UseAfterExhaustion)
    )


@dataclass(slots=True)
class RuleSum:
    """A rule that is only observed. `stopped`: seconds that it would have stopped, were it
    enforced."""

    seconds: float = 0.0
    people: int = 0
    visits: int = 0
    stopped: float = 0.0
    stopped_people: int = 0


@dataclass(slots=True)
class Report:
    """Everything. `people` is filled only when it was asked for; `hours` are seconds by weekday (0
    = Monday) and hour on the wall clock."""

    span: Span
    rules: RuleSet
    whole: Sum = field(default_factory=Sum)
    days: list[Sum] = field(default_factory=list)
    given: list[GrantSum] = field(default_factory=list)  # by day
    platforms: Table = field(default_factory=Table)
    roles: Table = field(default_factory=Table)
    people: Table | None = None
    hours: list[list[float]] = field(default_factory=lambda: [[0.0] * 24 for _ in range(7)])
    allowances: dict[str, AllowanceSum] = field(default_factory=dict)
    observed: dict[str, RuleSum] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """True when nobody used anything."""
        return self.whole.people == 0
