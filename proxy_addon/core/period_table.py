"""All properties of the periods of limits in one table: order, lengths, first day, wording.

A new member of `Period` fails the type check, and the import, until it has a row here.
Days are counted from 1 January 1970; lengths are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple, assert_never

from proxy_addon.core.ruleset import Limit, Period

HOUR: Final = 3_600.0
DAY: Final = 86_400.0
EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
EPOCH_WEEKDAY: Final = date(1970, 1, 1).weekday()
_YEAR: Final = 365.25 * DAY

type FirstDay = Callable[[int, int], int]  # a day and `week_starts` -> the first day of its window


class PeriodWords(NamedTuple):
    """What a period is called. `{}` is the length of a rolling window."""

    article: str  # "a day"
    this: str  # "this day"
    per: str  # of a limit in a rule file: "per day"
    spelled: str  # of a limit on a page: "per day"


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One period. `nominal` is the length on average, `longest` the most it can be without a clock
    change; both are 0 for a rolling limit, which has its own length. `first_day` is None where a
    window is not made of whole days.
    """

    rank: int  # from short to long; a rolling window, which may have any length, is last
    nominal: float
    longest: float
    words: PeriodWords
    first_day: FirstDay | None = None


def _day(day: int, _: int) -> int:
    return day


def _week(day: int, week_starts: int) -> int:
    return day - (day + EPOCH_WEEKDAY - week_starts) % 7


def _months(size: int) -> FirstDay:
    """The first day of months taken `size` together, from January on."""

    def first_day(day: int, _: int) -> int:
        at = date.fromordinal(day + EPOCH_DAY)
        month = (at.month - 1) // size * size + 1
        return at.replace(month=month, day=1).toordinal() - EPOCH_DAY

    return first_day


def _words(noun: str, article: str = "a") -> PeriodWords:
    per = f"per {noun}"
    return PeriodWords(f"{article} {noun}", f"this {noun}", per, per)


_ROLLING: Final = PeriodWords("the rolling window", "this window", "per rolling {}", "in any {}")


def _row(period: Period) -> PeriodRow:
    match period:
        case Period.HOUR:
            return PeriodRow(0, HOUR, HOUR, _words("hour", "an"))
        case Period.DAY:
            return PeriodRow(1, DAY, DAY, _words("day"), _day)
        case Period.WEEK:
            return PeriodRow(2, 7 * DAY, 7 * DAY, _words("week"), _week)
        case Period.MONTH:
            return PeriodRow(3, _YEAR / 12, 31 * DAY, _words("month"), _months(1))
        case Period.QUARTER:
            return PeriodRow(4, _YEAR / 4, 92 * DAY, _words("quarter"), _months(3))
        case Period.YEAR:
            return PeriodRow(5, _YEAR, 366 * DAY, _words("year"), _months(12))
        case Period.ROLLING:
            return PeriodRow(6, 0.0, 0.0, _ROLLING)
        case _:
            assert_never(period)


TABLE: Final[Mapping[Period, PeriodRow]] = {period: _row(period) for period in Period}
SHORTEST_FIRST: Final = tuple(sorted(TABLE, key=lambda period: TABLE[period].rank))
CALENDAR: Final = tuple(period for period in SHORTEST_FIRST if period is not Period.ROLLING)


def nominal(limit: Limit) -> float:
    """The average length of a window of the limit, seconds."""
    return TABLE[limit.period].nominal or limit.rolling


def longest(limit: Limit) -> float:
    """The greatest length of a window of the limit without a clock change, seconds."""
    return TABLE[limit.period].longest or limit.rolling


def reach(limit: Limit, windows: int = 1) -> float:
    """How far back the start of `windows` windows of the limit can be, seconds; one more day for
    calendar windows."""
    slack = 0.0 if limit.period is Period.ROLLING else DAY
    return (longest(limit) + slack) * windows


def article(period: Period) -> str:
    """ "a day", "an hour", "the rolling window"."""
    return TABLE[period].words.article


def this(period: Period) -> str:
    """ "this quarter", "this window"."""
    return TABLE[period].words.this


def per(period: Period, window: str) -> str:
    """ "per day", "per rolling 4h"; as rule files have it. `window`: the length of a rolling
    window."""
    return TABLE[period].words.per.format(window)


def spelled(period: Period, window: str) -> str:
    """ "per day", "in any 4 hours"; the same for employees."""
    return TABLE[period].words.spelled.format(window)


def first_day(period: Period, week_starts: int, day: int) -> int:
    """The first day of the window that contains a day; a period without whole days starts on the
    day itself."""
    first = TABLE[period].first_day
    return day if first is None else first(day, week_starts)


def following_first_day(period: Period, week_starts: int, day: int) -> int:
    """The first day of the window after the one that contains a day."""
    first = first_day(period, week_starts, day)
    step = max(1, round(TABLE[period].longest / DAY))
    return first_day(period, week_starts, first + step)
