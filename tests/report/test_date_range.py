"""`proxy_addon/report/date_range.py`: which days a report is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest

from proxy_addon.core.ruleset import Period
from proxy_addon.report.date_range import MAX_DAYS, SpanError, around, between
from tests.core.policies import SAMPLE, H, at

NOW = at("2026-11-04 10:30")  # a Wednesday


def test_this_week() -> None:
    """Seven days from Monday, of which two and a half are over."""
    span = around(SAMPLE, Period.WEEK, NOW)
    assert (span.start, span.end, span.until) == (at("2026-11-02"), at("2026-11-09"), NOW)
    assert [each.day for each in span.dates] == [2, 3, 4, 5, 6, 7, 8]
    assert not span.whole


def test_the_week_before() -> None:
    """`--last` on a Monday morning: the week that is over, whole."""
    span = around(SAMPLE, Period.WEEK, at("2026-11-09 06:00"), last=True)
    assert (span.start, span.end, span.until) == (
        at("2026-11-02"),
        at("2026-11-09"),
        at("2026-11-09"),
    )
    assert span.whole


def test_a_week_begins_when_the_policy_says() -> None:
    """On Sunday at four, if it says so; an hour before that it is still the old week."""
    rules = replace(SAMPLE, week_starts=6, day_starts=4 * 3600)
    span = around(rules, Period.WEEK, at("2026-11-08 03:00"))
    assert (span.start, span.end) == (at("2026-11-01 04:00"), at("2026-11-08 04:00"))
    assert span.dates[0] == date(2026, 11, 1)
    assert span.day(at("2026-11-02 03:59")) == 0
    assert span.day(at("2026-11-02 04:00")) == 1


def test_days_of_23_and_25_hours() -> None:
    """The clocks of London: days tile the month whatever they do."""
    for month, odd, hours in ((3, 29, 23), (10, 25, 25)):
        span = around(SAMPLE, Period.MONTH, at(f"2026-{month:02}-15"))
        assert len(span.days) == 31
        assert span.days[odd - 1].end - span.days[odd - 1].start == hours * H
        assert all(a.end == b.start for a, b in pairwise(span.days))


def test_between_two_days() -> None:
    """Both included; what has not happened yet is not there."""
    span = between(SAMPLE, date(2026, 11, 1), date(2026, 11, 30), NOW)
    assert (span.start, span.end, span.until) == (at("2026-11-01"), at("2026-12-01"), NOW)
    one = between(SAMPLE, date(2026, 11, 2), date(2026, 11, 2), NOW)
    assert (one.dates, one.whole) == ((date(2026, 11, 2),), True)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 11, 3), date(2026, 11, 2), "before"),
        (date(2026, 11, 5), date(2026, 11, 6), "not begun"),
        (date(2020, 1, 1), date(2026, 11, 1), str(MAX_DAYS)),
    ],
)
def test_days_that_cannot_be(first: date, last: date, words: str) -> None:
    """Each with a sentence."""
    with pytest.raises(SpanError, match=words):
        between(SAMPLE, first, last, NOW)
