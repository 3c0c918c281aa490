"""`proxy_addon/report/exhaustion.py`: when an allowance ran out, and what was used beyond it."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy_addon.core import periods
from proxy_addon.core.intervals import clip, measure, normalise
from proxy_addon.core.policy.balance import StaticUsage, limit_balance
from proxy_addon.core.ruleset import Limit, Period, RuleSet
from proxy_addon.core.types import Grant, Interval
from proxy_addon.report.exhaustion import NEARLY, Exhaustion, over
from tests.core.policies import H, M, at, grant, one_allowance, per, rolling, visits

NAME = "daily-social"
TODAY = Interval(at("2026-11-02"), at("2026-11-03"))


def look(rules: RuleSet, used: object, *grants: Grant, day: Interval = TODAY) -> Exhaustion:
    """The answer for Monday."""
    allowance = rules.allowances[NAME]
    return over(rules, allowance, allowance.limits, StaticUsage({NAME: used}, grants), day)  # type: ignore[dict-item]


def test_within_the_limit() -> None:
    """Nothing ran out and nothing is beyond."""
    assert look(one_allowance(per(Period.DAY, 15 * M)), visits("09:00-09:10")) == Exhaustion(
        (), None
    )
    assert look(one_allowance(per(Period.DAY, 15 * M)), ()) == Exhaustion((), None)


def test_enforced_to_the_second() -> None:
    """Used to the end: it ran out at that instant, and nothing was beyond."""
    found = look(one_allowance(per(Period.DAY, 15 * M)), visits("09:00-09:10", "10:00-10:05"))
    assert found == Exhaustion((), at("10:05"))


def test_observed_goes_on() -> None:
    """What was used after it ran out, wherever in a visit that was."""
    found = look(
        one_allowance(per(Period.DAY, 15 * M)), visits("09:00-09:10", "10:00-10:20", "14:00-14:05")
    )
    assert found.ran_out == at("10:05")
    assert found.beyond == visits("10:05-10:20", "14:00-14:05")


def test_a_grant_brings_time_back() -> None:
    """Granted minutes are not beyond the limit; without them it ran out already once."""
    rules = one_allowance(per(Period.DAY, 15 * M))
    more = grant(600, "11:00", "23:00")
    found = look(rules, visits("09:00-09:15", "12:00-12:12"), more)
    assert (found.ran_out, found.beyond) == (at("09:15"), visits("12:10-12:12"))


def test_a_grant_that_ends_takes_its_rest_away() -> None:
    """In the middle of a visit: from there on there is nothing."""
    rules = one_allowance(per(Period.DAY, 15 * M))
    found = look(rules, visits("09:00-09:30"), grant(3600, "08:00", "09:20"))
    assert (found.ran_out, found.beyond) == (at("09:20"), visits("09:20-09:30"))


def test_over_midnight() -> None:
    """A day knows nothing of what was beyond the limit of the day before."""
    rules = one_allowance(per(Period.DAY, 10 * M))
    used = normalise([Interval(at("23:40"), at("2026-11-03 00:05"))])
    assert look(rules, used) == Exhaustion((Interval(at("23:50"), TODAY.end),), at("23:50"))
    tomorrow = Interval(TODAY.end, TODAY.end + 24 * H)
    assert look(rules, used, day=tomorrow) == Exhaustion((), None)


def test_a_week_runs_out_once() -> None:
    """On the day on which it did; what is used on the days after it is beyond, and is not a second
    time."""
    rules = one_allowance(per(Period.WEEK, 10 * M))
    used = normalise(
        [*visits("09:00-09:12"), Interval(at("2026-11-03 09:00"), at("2026-11-03 09:03"))]
    )
    assert look(rules, used) == Exhaustion(visits("09:10-09:12"), at("09:10"))
    tomorrow = Interval(TODAY.end, TODAY.end + 24 * H)
    found = look(rules, used, day=tomorrow)
    assert (measure(found.beyond), found.ran_out) == (3 * M, None)


def test_of_several_limits_each_counts() -> None:
    """Beyond one of them is beyond."""
    rules = one_allowance(per(Period.HOUR, 5 * M), per(Period.DAY, 15 * M))
    found = look(rules, visits("09:57-10:03", "11:00-11:06", "12:00-12:08"))
    # 11:05 by the hour; 12:03 by the day: six, six and three make fifteen.
    assert (found.ran_out, found.beyond) == (at("11:05"), visits("11:05-11:06", "12:03-12:08"))


def test_rolling() -> None:
    """As much as leaves the window may be used; with nothing leaving, nothing."""
    found = look(
        one_allowance(rolling(4, 10 * M)), visits("08:00-08:10", "12:00-12:10", "12:10-12:15")
    )
    # From 12:00 on each second that is used lets one of eight o'clock go: nothing left, and nothing
    # to spend.
    assert found.ran_out == at("08:10")
    assert measure(found.beyond) == 15 * M


seconds = st.integers(0, 3000)
stretches = st.lists(st.tuples(seconds, st.integers(1, 400)), max_size=6)
some_grants = st.lists(st.tuples(seconds, seconds, st.integers(0, 300), st.booleans()), max_size=3)
some_limits = st.lists(
    st.sampled_from(
        [
            Limit(300.0, Period.DAY),
            Limit(120.0, Period.HOUR),
            Limit(200.0, Period.ROLLING, 900.0),
            Limit(500.0, Period.WEEK),
        ]
    ),
    min_size=1,
    max_size=2,
    unique=True,
)


@settings(max_examples=60, deadline=None)
@given(stretches, some_grants, some_limits)
@example(
    # A second is left all the time: what is used at the end leaves the window at its beginning.
    [(0, 271), (900, 2)],
    [(0, 901, 72, False)],
    [Limit(200.0, Period.ROLLING, 900.0)],
)
def test_second_by_second(rows, gifts, limits) -> None:
    """The same as asking the balance at each second of use; all edges are whole seconds, so that is
    exact."""
    rules = one_allowance(*limits)
    allowance = rules.allowances[NAME]
    begin = TODAY.start + 9 * H
    used = normalise(Interval(begin + start, begin + start + long) for start, long in rows)
    grants = tuple(
        Grant(
            str(i),
            "dora",
            NAME,
            float(amount),
            "r",
            "a",
            begin + min(a, b),
            begin + max(a, b) + 1,
            resets,
        )
        for i, (a, b, amount, resets) in enumerate(gifts)
    )
    usage = StaticUsage({NAME: used}, grants)
    found = over(rules, allowance, limits, usage, TODAY)
    empty = []
    for stretch in used:
        at_second = stretch.start
        while at_second < stretch.end:
            stands = [limit_balance(rules, allowance, limit, usage, at_second) for limit in limits]
            if any(one.left <= 0 for one in stands):
                empty.append(Interval(at_second, at_second + 1))
            at_second += 1
    assert measure(found.beyond) == measure(normalise(empty))
    assert clip(found.beyond, *TODAY) == found.beyond
    if found.ran_out is not None:
        assert any(stretch.start <= found.ran_out <= stretch.end for stretch in used)


def test_nearly_is_less_than_anybody_sees() -> None:
    """Half a second before the end counts as used up; a second and a half does not."""
    rules = one_allowance(per(Period.DAY, 60.0))
    start = at("09:00")
    for rest, out in ((0.5, True), (1.5, False)):
        found = look(rules, (Interval(start, start + 60 - rest),))
        assert (found.ran_out is not None, found.beyond) == (out, ())
    assert NEARLY == 1.0
    assert periods.window(rules.allowances[NAME].limits[0], rules, start) == TODAY
