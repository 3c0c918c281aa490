"""Every figure of a balance, by example: spent, granted, carried and left, and when the window
ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core import periods
from proxy_addon.core.intervals import Intervals, clip, measure, normalise
from proxy_addon.core.policy import balance as of
from proxy_addon.core.policy.balance import CARRY_PERIODS, LimitBalance, StaticUsage
from proxy_addon.core.ruleset import Allowance, Limit, Period
from proxy_addon.core.types import Balance, Grant, Interval
from tests.core.policies import SAMPLE, H, M, at, grant, per, rolling, visits

NAME = "daily-social"
DAY = 86_400.0
FIFTEEN = per(Period.DAY, 15 * M)
quick = settings(max_examples=100, deadline=None)


def limit_balance(
    limit: Limit,
    use: Intervals,
    when: str,
    *grants: Grant,
    carry: float = 0.0,
) -> LimitBalance:
    """How one limit of `daily-social` stands at a time."""
    allowance = Allowance(NAME, (limit,), carry_over=carry)
    return of.limit_balance(SAMPLE, allowance, limit, StaticUsage({NAME: use}, grants), at(when))


def days_before(*minutes: float) -> Intervals:
    """So many minutes at noon on the day before the Monday, the day before that, and so on."""
    noon = at("12:00")
    return normalise(
        Interval(noon - n * DAY, noon - n * DAY + m * M) for n, m in enumerate(minutes, 1)
    )


@pytest.mark.parametrize(
    ("limit", "when", "spent", "left"),
    [
        (FIFTEEN, "09:00", 0, 15),
        (FIFTEEN, "09:01", 1, 14),
        (FIFTEEN, "09:10", 10, 5),
        (FIFTEEN, "10:00", 10, 5),
        (FIFTEEN, "10:03", 13, 2),
        (FIFTEEN, "10:05", 15, 0),
        (FIFTEEN, "23:59", 15, 0),
        (FIFTEEN, "2026-11-03 00:00", 0, 15),
        (per(Period.HOUR, 8 * M), "09:59", 10, 0),
        (per(Period.HOUR, 8 * M), "10:00", 0, 8),
        (per(Period.HOUR, 8 * M), "10:05", 5, 3),
        (per(Period.HOUR, 8 * M), "11:00", 0, 8),
        (per(Period.WEEK, H), "2026-11-08 23:59", 15, 45),
        (per(Period.WEEK, H), "2026-11-09 00:00", 0, 60),
        (per(Period.MONTH, H), "2026-11-30 23:59", 15, 45),
        (per(Period.MONTH, H), "2026-12-01 00:00", 0, 60),
        (per(Period.QUARTER, H), "2026-12-31 23:59", 15, 45),
        (per(Period.QUARTER, H), "2027-01-01 00:00", 0, 60),
        (per(Period.YEAR, 20 * M), "2026-12-31 23:59", 15, 5),
        (per(Period.YEAR, 20 * M), "2027-01-01 00:00", 0, 20),
        (rolling(1, 8 * M), "09:59", 10, 0),
        (rolling(1, 8 * M), "10:05", 10, 0),
        (rolling(1, 8 * M), "10:08", 7, 1),
        (rolling(1, 8 * M), "10:30", 5, 3),
        (rolling(1, 8 * M), "11:02", 3, 5),
        (rolling(1, 8 * M), "11:05", 0, 8),
    ],
)
def test_spent_and_left(limit: Limit, when: str, spent: float, left: float) -> None:
    """Ten minutes from nine and five from ten, as each kind of window shows them; minutes."""
    found = limit_balance(limit, visits("09:00-09:10", "10:00-10:05"), when)
    assert found == LimitBalance(spent * M, 0.0, 0.0, left * M)


@pytest.mark.parametrize(
    ("carry", "before", "carried"),
    [
        (5, (0,), 5),
        (5, (9,), 5),
        (5, (10,), 5),
        (5, (11,), 5),  # four unused, and one of the five that were carried into that day
        (5, (11, 15, 20), 4),
        (5, (12, 14, 20), 4),
        (5, (12, 13, 20), 5),
        (5, (15, 20), 0),
        (5, (16, 11, 20), 3),
        (5, (20,), 0),
        (5, (21,), 0),
        (5, (99,), 0),
        (20, (0, 15, 35), 15),
        (20, (0, 10, 35), 20),
        (20, (14, 14, 14, 14, 14, 14, 14, 14), 8),
        (20, (14, 14, 14, 14, 14, 14, 14, 14, 14), 8),  # the ninth day is too long ago
        (20, (15, 15, 15, 15, 15, 15, 15, 5), 10),
        (20, (15, 15, 15, 15, 15, 15, 15, 15, 5), 0),
        (0, (0,), 0),
    ],
)
def test_carried_time(carry: float, before: tuple[float, ...], carried: float) -> None:
    """What was used on the days before, yesterday first, tells what is carried into today;
    minutes."""
    found = limit_balance(FIFTEEN, days_before(*before), "09:00", carry=carry * M)
    assert found == LimitBalance(0.0, 0.0, carried * M, (15 + carried) * M)


@pytest.mark.parametrize(
    ("limit", "before", "carried"),
    [
        (per(Period.HOUR, 10 * M), "09:00-09:04", 6),
        (FIFTEEN, "2026-11-01 09:00 2026-11-01 09:04", 11),
        (per(Period.WEEK, 20 * M), "2026-10-27 09:00 2026-10-27 09:04", 16),
        (per(Period.MONTH, 20 * M), "2026-10-27 09:00 2026-10-27 09:04", 16),
        (per(Period.QUARTER, 20 * M), "2026-07-27 09:00 2026-07-27 09:04", 16),
        (per(Period.YEAR, 20 * M), "2025-07-27 09:00 2025-07-27 09:04", 16),
    ],
)
def test_every_period_carries_what_the_one_before_left(
    limit: Limit, before: str, carried: float
) -> None:
    """Four minutes in the window before, nothing carried into it: the rest is there in this one."""
    if " " in before:
        words = before.split(" ")
        use = normalise([Interval(at(" ".join(words[:2])), at(" ".join(words[2:])))])
    else:
        use = visits(before)
    # The window before that one was used up together with all that can have been carried into it.
    allowance = Allowance(NAME, (limit,), carry_over=30 * M)
    usage = StaticUsage({NAME: use})
    window = periods.window(limit, SAMPLE, at("10:30"))
    earlier = periods.previous(limit, SAMPLE, of.periods.previous(limit, SAMPLE, window))
    used_up = Interval(earlier.start, earlier.start + 55 * M)
    usage = StaticUsage({NAME: normalise([*use, used_up])})
    found = of.limit_balance(SAMPLE, allowance, limit, usage, at("10:30"))
    assert found.carried == carried * M
    assert found.left == limit.seconds + carried * M


@pytest.mark.parametrize(
    ("when", "granted", "left"),
    [
        ("09:29:59", 0, 0),
        ("09:30", 10, 10),
        ("10:00", 10, 10),
        ("10:02", 10, 8),
        ("10:04", 10, 6),
        ("10:59:59", 10, 6),
        ("11:00", 4, 0),
        ("11:59:59", 4, 0),
        ("12:00", 9, 5),
        ("12:59:59", 9, 5),
        ("13:03", 9, 2),
        ("14:00", 7, 0),
        ("23:59:59", 7, 0),
        ("2026-11-03 00:00", 0, 15),
    ],
)
def test_two_grants_one_after_the_other(when: str, granted: float, left: float) -> None:
    """While one lasts all of it counts; afterwards what was used of it stays, and the rest is gone;
    minutes."""
    found = limit_balance(
        FIFTEEN,
        visits("09:00-09:15", "10:00-10:04", "13:00-13:03"),
        when,
        grant(10 * M, "09:30", "11:00", name="a"),
        grant(5 * M, "12:00", "14:00", name="b"),
    )
    assert (found.granted, found.left) == (granted * M, left * M)


@pytest.mark.parametrize(
    ("spans", "granted"),
    [
        (("09:00-09:15",), 0),
        (("09:00-09:16",), 1),
        (("09:00-09:25",), 10),
        (("09:00-09:40",), 10),  # five minutes more than limit and grant are covered by nobody
        (("09:00-09:15", "10:00-10:04"), 4),
        (("09:00-09:15", "11:00-11:04"), 0),  # used when the grant had ended
        (("11:00-11:30",), 0),
        (("10:50-11:10",), 0),  # ten minutes of it while the grant lasted: these are own ones
        (("10:40-11:10",), 5),
    ],
)
def test_what_an_ended_grant_has_given(spans: tuple[str, ...], granted: float) -> None:
    """Of a grant that lasted until eleven, the use beyond the own minutes up to then; minutes."""
    ended = grant(10 * M, "08:00", "11:00")
    assert limit_balance(FIFTEEN, visits(*spans), "12:00", ended).granted == granted * M


def test_of_two_grants_the_one_that_ends_first_is_used_first() -> None:
    """Twelve minutes beyond the limit take ten of the short one and two of the long one, in either
    order."""
    short = grant(10 * M, "09:00", "11:00", name="z")
    long = grant(10 * M, "08:00", "12:00", name="a")
    use = visits("09:00-09:15", "10:00-10:12")
    for grants in ((short, long), (long, short)):
        assert limit_balance(FIFTEEN, use, "10:30", *grants).left == 8 * M
        assert limit_balance(FIFTEEN, use, "11:30", *grants).left == 8 * M
        assert limit_balance(FIFTEEN, use, "11:30", *grants).granted == 20 * M
        assert limit_balance(FIFTEEN, use, "12:30", *grants).granted == 12 * M


def test_a_grant_covers_use_up_to_the_instant_it_ends() -> None:
    """Both grants last when the first minutes beyond the limit are used; only one when the others
    are."""
    first = grant(3 * M, "08:00", "10:00", name="a")
    second = grant(9 * M, "08:00", "11:00", name="b")
    use = visits("09:30-09:50", "10:30-10:36")  # five beyond at ten, eleven at eleven
    assert limit_balance(FIFTEEN, use, "10:00", first, second).granted == 12 * M
    assert limit_balance(FIFTEEN, use, "10:30", first, second).left == 12 * M - 5 * M
    assert limit_balance(FIFTEEN, use, "11:00", first, second).granted == 11 * M
    assert limit_balance(FIFTEEN, use, "11:00", first).granted == 3 * M
    assert limit_balance(FIFTEEN, use, "11:00", second).granted == 9 * M


def test_a_grant_given_after_too_much_use_covers_it_too() -> None:
    """Five minutes above the limit stay above it: a grant of ten leaves five, and has given five
    when it ends."""
    use = visits("09:00-09:20")
    later = grant(10 * M, "10:00", "11:00")
    assert limit_balance(FIFTEEN, use, "09:59", later) == LimitBalance(20 * M, 0.0, 0.0, 0.0)
    assert limit_balance(FIFTEEN, use, "10:00", later) == LimitBalance(20 * M, 10 * M, 0.0, 5 * M)
    assert limit_balance(FIFTEEN, use, "11:00", later) == LimitBalance(20 * M, 5 * M, 0.0, 0.0)


def test_carried_time_is_used_before_granted_time() -> None:
    """With five carried minutes a grant is first touched after twenty."""
    ended = grant(10 * M, "08:00", "11:00")
    use = normalise([*visits("09:00-09:22")])
    with_carry = limit_balance(FIFTEEN, use, "12:00", ended, carry=5 * M)
    assert with_carry == LimitBalance(22 * M, 2 * M, 5 * M, 0.0)
    assert limit_balance(FIFTEEN, use, "12:00", ended) == LimitBalance(22 * M, 7 * M, 0.0, 0.0)


def test_granted_time_is_never_carried() -> None:
    """A grant that was in force all of yesterday, unused, adds nothing to what is carried into
    today."""
    yesterday = grant(30 * M, "2026-11-01 00:00", "2026-11-02 00:00")
    use = days_before(12, 20)
    without = limit_balance(FIFTEEN, use, "09:00", carry=20 * M)
    assert limit_balance(FIFTEEN, use, "09:00", yesterday, carry=20 * M) == without
    assert without.carried == 18 * M


def test_a_grant_touches_its_windows_edges_only() -> None:
    """One that ended as the window began is gone; one that begins as it ends is not there yet."""
    ended = grant(10 * M, "2026-11-01 08:00", "2026-11-02 00:00")
    assert limit_balance(FIFTEEN, (), "00:00", ended).left == 15 * M
    begins = grant(10 * M, "2026-11-03 00:00", "2026-11-04 00:00")
    assert limit_balance(FIFTEEN, (), "23:59:59", begins).left == 15 * M
    assert limit_balance(FIFTEEN, (), "2026-11-03 00:00", begins).left == 25 * M


@pytest.mark.parametrize(
    ("rest", "left"),
    [(0.0, 0.0), (0.000_4, 0.0), (0.000_6, 0.000_6), (0.001, 0.001), (0.5, 0.5), (-0.5, 0.0)],
)
def test_a_rest_of_half_a_millisecond_is_nothing(rest: float, left: float) -> None:
    """Less is a rounding error, more is time; use beyond the limit never makes it negative."""
    use = (Interval(at("09:00"), at("09:15") - rest),)
    assert limit_balance(FIFTEEN, use, "10:00").left == pytest.approx(left, abs=1e-5)


def test_what_people_see_has_the_figures_of_the_limit() -> None:
    """The balance of one limit is its standing, with the name, the limit and the end of its
    window."""
    use = visits("09:00-09:20")
    usage = StaticUsage({NAME: use}, (grant(10 * M, "08:00", "17:00"),))
    allowance = Allowance(NAME, (FIFTEEN,), carry_over=3 * M)
    shown = of.balance(SAMPLE, allowance, [FIFTEEN], usage, at("10:00"))
    assert shown == Balance(
        NAME, 15 * M, 20 * M, 10 * M, 3 * M, 8 * M, at("2026-11-03 00:00"), "day"
    )
    rolls = of.balance(SAMPLE, allowance, [rolling(4, 15 * M)], usage, at("10:00"))
    assert rolls == Balance(
        NAME, 15 * M, 20 * M, 10 * M, 0.0, 5 * M, at("13:20"), "rolling", rolls.rolling
    )


@pytest.mark.parametrize(
    ("use", "when", "resets_at"),
    [
        (("09:00-09:10",), "09:00", None),  # it begins at this instant: nothing is used yet
        (("09:00-09:10",), "09:05", "13:05"),
        (("09:00-09:10",), "09:10", "13:10"),
        (("09:00-09:10",), "13:09:59", "13:10"),
        (("09:00-09:10",), "13:10", None),
        (("09:00-09:10", "12:00-12:10"), "13:09", "13:10"),
        (("09:00-09:10", "12:00-12:10"), "13:10", "16:10"),
    ],
)
def test_a_rolling_window_resets_when_its_oldest_stretch_has_left_it(
    use: tuple[str, ...], when: str, resets_at: str | None
) -> None:
    """The end of the oldest stretch that the window still shows, four hours later; None while there
    is none."""
    limit = rolling(4, 15 * M)
    usage = StaticUsage({NAME: visits(*use)})
    shown = of.balance(SAMPLE, Allowance(NAME, (limit,)), [limit], usage, at(when))
    assert shown.resets_at == (None if resets_at is None else at(resets_at))


def test_after_a_reset_a_rolling_window_shows_the_use_since() -> None:
    """Use that a reset has taken off is not what the reset of the window waits for."""
    limit = rolling(4, 15 * M)
    reset = replace(grant(0.0, "10:00", "20:00"), resets=True)
    usage = StaticUsage({NAME: visits("09:00-09:10", "11:00-11:05")}, (reset,))
    allowance = Allowance(NAME, (limit,))
    shown = of.balance(SAMPLE, allowance, [limit], usage, at("12:00"))
    assert (shown.spent, shown.left, shown.resets_at) == (5 * M, 10 * M, at("15:05"))
    assert of.balance(SAMPLE, allowance, [limit], usage, at("10:30")).resets_at is None


def test_of_equal_rests_the_larger_reset_and_then_the_smaller_limit_speaks() -> None:
    """Two limits of a day with the same rest are told apart by their size alone, in whatever
    order."""
    one, other = per(Period.DAY, 20 * M), per(Period.WEEK, 20 * M)
    usage = StaticUsage({NAME: visits("09:00-09:10")})
    for limits in ([one, other], [other, one]):
        allowance = Allowance(NAME, tuple(limits))
        shown = of.balance(SAMPLE, allowance, limits, usage, at("10:00"))
        assert (shown.left, shown.resets_at) == (10 * M, at("2026-11-09 00:00"))
    small, large = per(Period.DAY, 15 * M), per(Period.DAY, 20 * M)
    used_up = StaticUsage({NAME: visits("09:00-09:30")})
    for limits in ([small, large], [large, small]):
        allowance = Allowance(NAME, tuple(limits))
        assert of.balance(SAMPLE, allowance, limits, used_up, at("10:00")).limit == 15 * M


def test_usage_written_down_answers_by_allowance() -> None:
    """Intervals and grants of one allowance are not those of another; what is unknown is empty."""
    mine, theirs = grant(60, "09:00", "10:00"), grant(60, "09:00", "10:00", allowance="video")
    usage = StaticUsage({NAME: visits("09:00-09:10")}, (mine, theirs))
    assert usage.grants(NAME) == [mine]
    assert usage.grants("video") == [theirs]
    assert usage.grants("other") == []
    assert usage.intervals(NAME) == visits("09:00-09:10")
    assert usage.intervals("video") == ()
    assert usage.spent(NAME, at("09:05"), at("12:00")) == 5 * M
    assert usage.spent("video", at("09:05"), at("12:00")) == 0.0
    assert StaticUsage().intervals(NAME) == ()
    assert StaticUsage().grants(NAME) == []


minutes = st.integers(0, 24 * 60)
spans = st.lists(
    st.builds(
        lambda a, b: Interval(at("00:00") + a * M, at("00:00") + (a + b) * M),
        minutes,
        st.integers(1, 30),
    ),
    max_size=8,
).map(normalise)


@quick
@given(spans, minutes, st.integers(0, 90), st.sampled_from([Period.HOUR, Period.DAY, Period.WEEK]))
def test_without_grants_it_is_the_limit_less_what_the_window_shows(use, minute, limit, period):
    """For any use, `left` is the limit less the measure of the use within the window, down to
    nothing."""
    now = at("00:00") + minute * M
    one = per(period, limit * M)
    start = periods.window(one, SAMPLE, now).start
    spent = measure(clip(use, start, now))
    found = of.limit_balance(SAMPLE, Allowance(NAME, (one,)), one, StaticUsage({NAME: use}), now)
    assert found == LimitBalance(spent, 0.0, 0.0, max(0.0, limit * M - spent))


def test_time_is_carried_through_eight_windows() -> None:
    """The number that documentation and the reading of the ledger rely on."""
    assert CARRY_PERIODS == 8
