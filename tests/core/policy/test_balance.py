"""What is left: limits, carried time, grants, and when time comes back."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import clip, normalise, union
from proxy_addon.core.periods import previous, window
from proxy_addon.core.policy import balance as of
from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.ruleset import Allowance, Limit, Period
from proxy_addon.core.types import Grant, Interval
from tests.core.policies import SAMPLE, H, M, at, grant, per, rolling, visits

NAME = "daily-social"
FIFTEEN = per(Period.DAY, 15 * M)
NOW = at("2026-11-05 10:30")  # a Thursday
STEP = 0.002

quick = settings(max_examples=100, deadline=None)


def left(limits, usage, now, carry_over=0.0, rs=SAMPLE):
    """Seconds left."""
    return of.balance(
        rs, Allowance(NAME, tuple(limits), carry_over=carry_over), limits, usage, now
    ).left


def spent(*spans, grants=()):
    """A usage with visits on the Monday."""
    return StaticUsage({NAME: visits(*spans)}, tuple(grants))


def returns(limits, usage, now, carry_over=0.0):
    """When there is time again; `now` when there is some."""
    allowance = Allowance(NAME, tuple(limits), carry_over=carry_over)
    rest, back = of.left_or_reset(SAMPLE, allowance, limits, usage, now)
    return now if rest > 0 else back


# Plain limits


def test_a_day_of_fifteen_minutes():
    """What was used up to now is gone, what comes later is not counted yet, and midnight gives all
    back."""
    usage = spent("09:00-09:10", "10:00-10:05")
    assert left([FIFTEEN], usage, at("08:00")) == 15 * M
    assert left([FIFTEEN], usage, at("09:04")) == 11 * M
    assert left([FIFTEEN], usage, at("10:30")) == 0.0
    assert left([FIFTEEN], usage, at("2026-11-03 00:00")) == 15 * M


def test_a_visit_over_midnight_is_shared_by_both_days():
    """Each day pays its own part of it."""
    night = StaticUsage({NAME: (Interval(at("23:50"), at("2026-11-03 00:06")),)})
    assert left([FIFTEEN], night, at("23:59:59") + 1) == 15 * M
    assert left([FIFTEEN], night, at("2026-11-03 00:10")) == 9 * M
    assert left([FIFTEEN], night, at("23:58")) == 7 * M


def test_the_balance_shows_the_limit_with_the_least_left():
    """Ten minutes an hour and fifteen a day: the hour speaks first, then the day."""
    limits = [per(Period.HOUR, 10 * M), FIFTEEN]
    allowance = Allowance(NAME, tuple(limits))
    one = of.balance(SAMPLE, allowance, limits, spent("09:00-09:04"), at("09:30"))
    assert (one.limit, one.spent, one.left, one.resets_at) == (10 * M, 4 * M, 6 * M, at("10:00"))
    two = of.balance(SAMPLE, allowance, limits, spent("09:00-09:08"), at("10:30"))
    assert (two.limit, two.spent, two.left, two.resets_at) == (
        15 * M,
        8 * M,
        7 * M,
        at("2026-11-03 00:00"),
    )


def test_of_equal_rests_the_one_that_comes_back_last_is_shown():
    """With hour and day used up, the reset that matters is midnight, in whatever order they are
    written."""
    limits = [per(Period.HOUR, 15 * M), FIFTEEN]
    for order in permutations(limits):
        shown = of.balance(SAMPLE, Allowance(NAME, order), order, spent("10:00-10:15"), at("10:30"))
        assert (shown.left, shown.resets_at) == (0.0, at("2026-11-03 00:00"))


def test_a_rolling_limit():
    """Use leaves the window as it came in; the reset is when the oldest stretch has left it."""
    limit = rolling(4, 15 * M)
    usage = spent("09:00-09:10", "10:00-10:05")
    allowance = Allowance(NAME, (limit,))
    shown = of.balance(SAMPLE, allowance, [limit], usage, at("10:30"))
    assert (shown.left, shown.resets_at) == (0.0, at("13:10"))
    assert left([limit], usage, at("13:04")) == 4 * M
    assert of.balance(SAMPLE, allowance, [limit], usage, at("13:30")).resets_at == at("14:05")
    assert of.balance(SAMPLE, allowance, [limit], usage, at("18:00")).resets_at is None
    assert of.balance(SAMPLE, allowance, [limit], usage, at("08:00")).resets_at is None


def test_less_than_a_rounding_error_is_nothing():
    """A rest that only floating point left over does not let anybody in."""
    usage = StaticUsage({NAME: (Interval(at("09:00"), at("09:15") - 1e-6),)})
    assert left([FIFTEEN], usage, at("09:30")) == 0.0


# Carried time


def test_carried_time_is_what_yesterday_left_at_most():
    """Yesterday's rest moves on, cut at `carry_over`; nothing moves on from a day that was used
    up."""
    tuesday = at("2026-11-03 09:00")
    for used, there in ((12, 18), (10, 20), (2, 20), (15, 15), (18, 15)):
        monday = Interval(at("09:00"), at("09:00") + used * M)
        usage = StaticUsage({NAME: union(_days_before(1, 20 * M), (monday,))})
        assert left([FIFTEEN], usage, tuesday, carry_over=5 * M) == there * M


def test_carried_time_counts_as_available_the_day_after():
    """Monday began with five minutes of Sunday's, used eighteen: two of its twenty move on."""
    assert left([FIFTEEN], spent("09:00-09:18"), at("2026-11-03 09:00"), carry_over=5 * M) == 17 * M


def test_rolling_limits_carry_nothing():
    """They have no window before this one that anything could be left of."""
    assert left([rolling(4, 900)], StaticUsage(), NOW, carry_over=300) == 900


def _days_before(days: int, seconds: float):
    """The same use at noon on each of so many days before the Monday."""
    return normalise(
        Interval(at("12:00") - n * 86_400, at("12:00") - n * 86_400 + seconds)
        for n in range(1, days + 1)
    )


@quick
@given(
    st.lists(st.integers(0, 1500), min_size=12, max_size=12),
    st.integers(0, 1200),
    st.integers(0, 1200),
)
def test_carried_time_agrees_with_keeping_books(days, limit, carry_over):
    """Walking back, with its early stops, gives what an account opened eight days ago would
    show."""
    noon = at("2026-08-20 12:00")
    use = normalise(
        Interval(noon - n * 86_400, noon - n * 86_400 + s) for n, s in enumerate(days, 1)
    )
    carried = 0.0
    for n in range(8, 0, -1):
        carried = min(carry_over, max(0.0, limit + carried - days[n - 1]))
    shown = of.limit_balance(
        SAMPLE,
        Allowance(NAME, (), carry_over=carry_over),
        per(Period.DAY, limit),
        StaticUsage({NAME: use}),
        noon,
    )
    assert shown.carried == carried


# Grants


def test_a_grant_adds_its_seconds_while_it_lasts():
    """From the instant it is given to the instant it ends."""
    usage = spent("09:00-09:15", grants=[grant(10 * M, "10:00", "17:00")])
    assert [left([FIFTEEN], usage, at(t)) for t in ("09:59", "10:00", "16:59", "17:00")] == [
        0,
        600,
        600,
        0,
    ]


def test_used_granted_time_is_no_debt():
    """When a grant that was used ends, own minutes in a rolling window come back as they would."""
    limit = rolling(4, 15 * M)
    usage = spent("09:00-09:15", "10:00-10:10", grants=[grant(10 * M, "09:30", "10:30")])
    assert left([limit], usage, at("10:29")) == 0
    assert left([limit], usage, at("10:31")) == 0
    assert (
        left([limit], usage, at("13:05")) == 0
    )  # the ten minutes beyond go out of the window with the first of use
    assert left([limit], usage, at("13:15")) == 5 * M
    assert left([limit], usage, at("15:00")) == 15 * M


def test_unused_granted_time_is_gone_when_the_grant_ends():
    """Ten granted, four used: after the end there is nothing left, and the next grant starts
    again."""
    grants = [grant(10 * M, "09:30", "11:00", name="a"), grant(5 * M, "12:00", "17:00", name="b")]
    usage = spent("09:00-09:15", "10:00-10:04", grants=grants)
    assert [left([FIFTEEN], usage, at(t)) for t in ("10:30", "11:00", "12:30")] == [6 * M, 0, 5 * M]


def test_own_time_is_used_before_granted_time():
    """A grant that ends before the own minutes are used up took nothing with it and leaves
    nothing."""
    usage = spent("09:00-09:05", grants=[grant(10 * M, "08:00", "09:30")])
    assert left([FIFTEEN], usage, at("09:10")) == 20 * M
    assert left([FIFTEEN], usage, at("09:30")) == 10 * M


def test_the_same_use_is_not_covered_by_two_grants():
    """Two grants that have ended do not both cover the one stretch beyond the limit."""
    grants = [grant(10 * M, "09:20", "11:00", name="a"), grant(10 * M, "09:20", "12:00", name="b")]
    usage = spent("09:00-09:15", "10:00-10:10", grants=grants)
    assert [left([FIFTEEN], usage, at(t)) for t in ("10:30", "11:30", "12:00")] == [
        10 * M,
        10 * M,
        0,
    ]


def test_a_grant_covers_nothing_from_before_it_was_given():
    """What a longer grant has paid for is not paid again by a short one that was never used."""
    grants = [
        grant(10 * M, "09:20", "18:00", name="long"),
        grant(10 * M, "11:00", "12:00", name="short"),
    ]
    usage = spent("09:00-09:15", "10:00-10:10", grants=grants)
    assert [left([FIFTEEN], usage, at(t)) for t in ("10:30", "11:30", "12:30")] == [0, 10 * M, 0]


def test_a_grant_counts_in_each_window_it_reaches_into():
    """Given for two days it is there on both; one that ended before the window counts no more."""
    usage = spent(grants=[grant(10 * M, "09:00", "2026-11-03 12:00")])
    assert left([FIFTEEN], usage, at("2026-11-03 09:00")) == 25 * M
    assert left([FIFTEEN], usage, at("2026-11-04 09:00")) == 15 * M


def test_a_grant_lifts_every_limit():
    """Hour and day both get the seconds, else it would be of no use to somebody stopped by both."""
    usage = spent("09:00-09:15", grants=[grant(10 * M, "09:30", "10:00")])
    assert left([per(Period.HOUR, 15 * M), FIFTEEN], usage, at("09:40")) == 10 * M


# When time comes back


def test_a_calendar_limit_returns_with_its_next_window():
    """Midnight for a day; for several the one that has to be waited for."""
    assert returns([FIFTEEN], spent("09:00-09:15"), at("10:30")) == at("2026-11-03 00:00")
    both = [per(Period.HOUR, 15 * M), per(Period.WEEK, 15 * M)]
    assert returns(both, spent("09:00-09:15"), at("09:30")) == at("2026-11-09 00:00")
    assert returns(
        [per(Period.HOUR, 15 * M), per(Period.DAY, H)], spent("09:00-09:15"), at("09:30")
    ) == at("10:00")


def test_a_rolling_limit_returns_when_its_oldest_use_leaves():
    """Fifteen minutes used from nine: at one o'clock the first second comes back."""
    assert returns([rolling(4, 15 * M)], spent("09:00-09:15"), at("10:30")) == pytest.approx(
        at("13:00"), abs=STEP
    )
    lowered = returns([rolling(4, 10 * M)], spent("09:00-09:15"), at("10:30"))
    assert lowered == pytest.approx(at("13:05"), abs=STEP)


def test_nothing_a_day_never_returns():
    """A limit of zero has no time at any instant, unless a grant that is in force reaches that
    far."""
    assert returns([per(Period.DAY, 0)], StaticUsage(), NOW) is None
    assert returns([rolling(4, 0)], StaticUsage(), NOW) is None
    assert returns([per(Period.DAY, 0), FIFTEEN], StaticUsage(), NOW) is None
    reaching = spent("10:00-10:10", grants=[grant(10 * M, "09:00", "2026-11-03 12:00")])
    assert returns([per(Period.DAY, 0)], reaching, at("11:00")) == at("2026-11-03 00:00")
    ending = spent("10:00-10:10", grants=[grant(10 * M, "09:00", "17:00")])
    assert returns([per(Period.DAY, 0)], ending, at("11:00")) is None
    assert returns([rolling(4, 0)], ending, at("11:00")) == pytest.approx(at("14:00"), abs=STEP)


def test_another_limit_may_lose_its_grant_meanwhile():
    """The day is back at midnight, but by then the grant that held the week open has ended: next
    week."""
    limits = [FIFTEEN, per(Period.WEEK, 20 * M)]
    usage = spent("09:00-09:25", grants=[grant(10 * M, "08:00", "23:00")])
    assert left(limits, usage, at("10:00")) == 0
    assert returns(limits, usage, at("10:00")) == at("2026-11-09 00:00")


# Algebra


seconds = st.integers(0, 7200).map(float)
stretches = st.tuples(st.integers(0, 5 * 24 * 60), st.integers(1, 40)).map(
    lambda span: Interval(NOW - span[0] * M, min(NOW + 10, NOW - span[0] * M + span[1] * M))
)
uses = st.lists(stretches, max_size=8).map(normalise)
limits_of_every_kind = st.one_of(
    st.builds(per, st.sampled_from([Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH]), seconds),
    st.builds(rolling, st.sampled_from([0.5, 4, 30]), seconds),
)
many_limits = st.lists(limits_of_every_kind, min_size=1, max_size=3)
some_grants = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(1, 4000), st.integers(1, 60)), max_size=3
).map(
    lambda many: tuple(
        Grant(f"g{i}", "dora", NAME, s * M, "", "ada", NOW - ago * M, NOW - ago * M + lasting * M)
        for i, (ago, lasting, s) in enumerate(many)
    )
)
usages = st.builds(lambda use, grants: StaticUsage({NAME: use}, grants), uses, some_grants)
carry = st.sampled_from([0.0, 0.0, 300.0, 3600.0])


@quick
@given(many_limits, usages, carry)
def test_no_figure_is_ever_negative(limits, usage, carry_over):
    """Whatever was used, granted and configured, people see no number below nothing."""
    shown = of.balance(SAMPLE, Allowance(NAME, (), carry_over=carry_over), limits, usage, NOW)
    assert min(shown.left, shown.spent, shown.granted, shown.carried, shown.limit) >= 0
    allowance = Allowance(NAME, (), carry_over=carry_over)
    assert shown.left == of.left_or_reset(SAMPLE, allowance, limits, usage, NOW)[0]
    assert shown.resets_at is None or shown.resets_at > NOW


@quick
@given(many_limits, usages, carry, st.integers(0, 2), st.integers(0, 3600))
def test_raising_a_limit_takes_nothing(limits, usage, carry_over, which, more):
    """More per period never leaves less, and at most the difference (and what is carried of it)
    more."""
    raised = list(limits)
    i = which % len(limits)
    raised[i] = replace(limits[i], seconds=limits[i].seconds + more)
    before, after = (left(some, usage, NOW, carry_over) for some in (limits, raised))
    assert after >= before
    assert after - before <= more + carry_over + STEP


@quick
@given(many_limits, usages, carry, stretches)
def test_using_more_leaves_no_more(limits, usage, carry_over, stretch):
    """Another visit never raises what is left."""
    more = StaticUsage(
        {NAME: union(usage.intervals(NAME), normalise([stretch]))}, tuple(usage.grants(NAME))
    )
    assert left(limits, more, NOW, carry_over) <= left(limits, usage, NOW, carry_over)


@quick
@given(many_limits, uses, some_grants, carry)
def test_a_grant_takes_nothing(limits, use, grants, carry_over):
    """With a grant, in force or ended, there is never less than without it."""
    levels = [
        left(limits, StaticUsage({NAME: use}, grants[:n]), NOW, carry_over)
        for n in range(len(grants) + 1)
    ]
    assert levels == sorted(levels)


@quick
@given(many_limits, usages, carry)
def test_the_order_of_limits_and_of_reading_does_not_matter(limits, usage, carry_over):
    """Limits may be written, and grants come, in any order."""
    allowance = Allowance(NAME, (), carry_over=carry_over)
    turned = StaticUsage({NAME: usage.intervals(NAME)}, tuple(reversed(usage.grants(NAME))))
    assert of.balance(SAMPLE, allowance, limits, usage, NOW) == of.balance(
        SAMPLE, allowance, limits[::-1], turned, NOW
    )


@settings(max_examples=100, deadline=None)
@given(many_limits, usages, carry)
@example([rolling(4, 900.0)], StaticUsage({NAME: (Interval(NOW - 3 * H, NOW - H),)}), 0.0)
def test_the_return_is_the_first_instant_with_time_left(limits, usage, carry_over):
    """At that instant there is time; just before it, and at every quarter of an hour before,
    none."""
    used_up = left(limits, usage, NOW, carry_over) == 0
    back = returns(limits, usage, NOW, carry_over)
    if not used_up:
        assert back == NOW
        return
    if back is None:
        back = NOW + 40 * 86_400
    else:
        assert left(limits, usage, back, carry_over) > 0
    assert left(limits, usage, max(NOW, back - STEP), carry_over) == 0
    steps = min(400, int((back - NOW) / 900))
    assert all(left(limits, usage, NOW + n * 900, carry_over) == 0 for n in range(steps))


@quick
@given(uses, st.sampled_from([Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH]))
def test_windows_share_out_all_use(use, period):
    """What the windows charge adds up to the whole: nothing is lost or charged twice at an edge."""
    limit, usage = Limit(0, period), StaticUsage({NAME: use})
    total, now = 0.0, window(limit, SAMPLE, NOW + 3600)
    while now.end > NOW - 7 * 86_400:
        total += usage.spent(NAME, *now)
        now = previous(limit, SAMPLE, now)
    assert total == sum(end - start for start, end in clip(use, now.end, NOW + 86_400))
