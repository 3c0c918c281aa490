"""When an allowance has time again: the right instant for every kind of limit, with grants and with
several limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import normalise
from proxy_addon.core.policy import balance as of
from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.ruleset import Allowance, Limit, Period
from proxy_addon.core.types import Grant, Interval
from tests.core.policies import SAMPLE, H, M, at, grant, per, rolling, visits

NAME = "daily-social"
STEP = 0.001  # how exactly the return of a rolling limit is found
FIFTEEN = per(Period.DAY, 15 * M)
quick = settings(max_examples=100, deadline=None)


def back(
    limits: list[Limit], usage: StaticUsage, now: float, carry_over: float = 0.0
) -> float | None:
    """The instant at which there is time again; there is none now."""
    allowance = Allowance(NAME, tuple(limits), carry_over=carry_over)
    left, instant = of.left_or_reset(SAMPLE, allowance, limits, usage, now)
    assert left == 0.0
    return instant


def has_time(limits: list[Limit], usage: StaticUsage, now: float, carry_over: float = 0.0) -> bool:
    """True when every limit has some left."""
    allowance = Allowance(NAME, tuple(limits), carry_over=carry_over)
    return of.left_or_reset(SAMPLE, allowance, limits, usage, now)[0] > 0


def test_with_time_left_there_is_no_return() -> None:
    """The second figure is only there when the first is nothing."""
    limits = [FIFTEEN, per(Period.WEEK, H)]
    allowance = Allowance(NAME, tuple(limits))
    usage = StaticUsage({NAME: visits("09:00-09:10")})
    assert of.left_or_reset(SAMPLE, allowance, limits, usage, at("10:00")) == (5 * M, None)
    whole = StaticUsage({NAME: visits("09:00-09:14")})
    found = of.left_or_reset(SAMPLE, allowance, limits, whole, at("10:00"))
    assert found == (M, None)


@pytest.mark.parametrize(
    ("limits", "until"),
    [
        ([per(Period.HOUR, 15 * M)], "10:00"),
        ([FIFTEEN], "2026-11-03 00:00"),
        ([per(Period.WEEK, 15 * M)], "2026-11-09 00:00"),
        ([per(Period.MONTH, 15 * M)], "2026-12-01 00:00"),
        ([per(Period.QUARTER, 15 * M)], "2027-01-01 00:00"),
        ([per(Period.YEAR, 15 * M)], "2027-01-01 00:00"),
        ([per(Period.HOUR, 15 * M), FIFTEEN], "2026-11-03 00:00"),
        ([FIFTEEN, per(Period.HOUR, 15 * M)], "2026-11-03 00:00"),
        ([FIFTEEN, per(Period.HOUR, 16 * M)], "2026-11-03 00:00"),
        ([per(Period.HOUR, 15 * M), per(Period.DAY, 16 * M)], "10:00"),
        ([FIFTEEN, per(Period.MONTH, 15 * M), per(Period.WEEK, 15 * M)], "2026-12-01 00:00"),
    ],
)
def test_a_limit_of_the_calendar_returns_with_its_window(limits: list[Limit], until: str) -> None:
    """Fifteen minutes used from nine: each limit that they fill waits for its next window, the last
    one speaks."""
    usage = StaticUsage({NAME: visits("09:00-09:15")})
    assert back(limits, usage, at("09:30")) == at(until)


@pytest.mark.parametrize(
    ("minutes", "until"),
    [
        (15, "13:00"),
        (14, "13:01"),
        (10, "13:05"),
        (6, "13:09"),
        (5, "14:00"),
        (3, "14:02"),
        (1, "14:04"),
    ],
)
def test_a_rolling_limit_returns_when_enough_use_has_left(minutes: float, until: str) -> None:
    """Ten minutes from nine and five from ten: four hours after the minute that was one too
    many."""
    usage = StaticUsage({NAME: visits("09:00-09:10", "10:00-10:05")})
    found = back([rolling(4, minutes * M)], usage, at("10:30"))
    assert found is not None
    assert at(until) < found <= at(until) + 2 * STEP
    assert not has_time([rolling(4, minutes * M)], usage, found - 2 * STEP)
    assert has_time([rolling(4, minutes * M)], usage, found)


def test_a_rolling_limit_that_is_freed_at_this_instant() -> None:
    """Exactly when the last minute that was too many leaves, there is nothing yet, and right after
    it there is."""
    usage = StaticUsage({NAME: visits("09:00-09:15")})
    limit = rolling(4, 15 * M)
    now = at("13:00")
    assert not has_time([limit], usage, now)
    found = back([limit], usage, now)
    assert found is not None
    assert now < found <= now + 2 * STEP
    assert has_time([limit], usage, found)


def test_a_rolling_limit_below_a_rounding_error_never_returns() -> None:
    """Half a millisecond or less counts as nothing, so no use has to leave for it; a little more
    does return."""
    usage = StaticUsage({NAME: visits("09:00-09:15")})
    for seconds in (0.0, 0.000_4, 0.000_5):
        assert back([rolling(4, seconds)], usage, at("10:00")) is None
        assert back([per(Period.DAY, seconds)], usage, at("10:00")) is None
    found = back([rolling(4, 0.01)], usage, at("10:00"))
    assert found == pytest.approx(at("13:15"), abs=0.02)
    assert back([per(Period.DAY, 0.01)], usage, at("10:00")) == at("2026-11-03 00:00")


@pytest.mark.parametrize(
    ("hours", "created", "expires", "until"),
    [
        (
            4,
            "09:05",
            "09:20",
            "13:05",
        ),  # used: it covers five of the twenty while the window shows it
        (4, "09:05", "18:00", None),  # in force: there is time
        (4, "11:00", "12:00", "11:00"),  # to come: time as soon as it begins
        (4, "14:00", "15:00", "13:05"),  # to come, after the use has left
    ],
)
def test_a_rolling_limit_with_a_grant(
    hours: float, created: str, expires: str, until: str | None
) -> None:
    """Fifteen minutes per four hours, twenty used from nine, and ten granted; asked at half past
    ten."""
    usage = StaticUsage({NAME: visits("09:00-09:20")}, (grant(10 * M, created, expires),))
    limit = rolling(hours, 15 * M)
    if until is None:
        assert has_time([limit], usage, at("10:30"))
        return
    found = back([limit], usage, at("10:30"))
    assert found is not None
    assert at(until) <= found <= at(until) + 2 * STEP or has_time([limit], usage, found)
    assert has_time([limit], usage, found)
    assert not has_time([limit], usage, found - 2 * STEP)


def test_a_grant_that_ends_before_enough_use_has_left_is_no_help() -> None:
    """One minute granted covers one of the five that are too many, so the return waits for the
    other four."""
    limit = rolling(4, 15 * M)
    use = visits("09:00-09:20")
    usage = StaticUsage({NAME: use}, (grant(M, "09:10", "11:00"),))
    plain = back([limit], StaticUsage({NAME: use}), at("10:30"))
    assert plain == pytest.approx(at("13:05"), abs=2 * STEP)
    helped = back([limit], usage, at("10:30"))
    assert helped is not None and plain is not None
    assert helped <= plain
    assert not has_time([limit], usage, helped - 2 * STEP)


def test_a_limit_of_nothing_lives_from_grants() -> None:
    """Without a grant that reaches beyond now it never returns; with one it may with the next
    window."""
    zero = per(Period.DAY, 0.0)
    assert back([zero], StaticUsage(), at("10:00")) is None
    over = StaticUsage({}, (grant(10 * M, "08:00", "09:00"),))
    assert back([zero], over, at("10:00")) is None
    ends_now = StaticUsage({}, (grant(10 * M, "08:00", "10:00"),))
    assert back([zero], ends_now, at("10:00")) is None
    long = StaticUsage({NAME: visits("09:00-09:10")}, (grant(10 * M, "08:00", "2026-11-04 12:00"),))
    assert back([zero], long, at("10:00")) == at("2026-11-03 00:00")
    hour = per(Period.HOUR, 0.0)
    assert back([hour], long, at("09:30")) == at("10:00")


def test_two_limits_of_which_one_never_returns() -> None:
    """With one that has nothing for ever the others do not matter."""
    usage = StaticUsage({NAME: visits("09:00-09:15")})
    for limits in ([FIFTEEN, per(Period.WEEK, 0.0)], [per(Period.WEEK, 0.0), FIFTEEN]):
        assert back(limits, usage, at("10:00")) is None


def test_a_limit_that_is_filled_again_meanwhile_is_asked_again() -> None:
    """The hour is back at ten, but the rolling one only later; then the hour, unused, has its
    time."""
    limits = [per(Period.HOUR, 10 * M), rolling(2, 15 * M)]
    usage = StaticUsage({NAME: visits("08:30-08:45", "09:00-09:10")})
    found = back(limits, usage, at("09:30"))
    assert found == pytest.approx(at("10:40"), abs=2 * STEP)


def test_a_reset_to_come_is_not_foreseen_but_one_that_was_counts() -> None:
    """A reset given before now has shortened the use that a rolling window waits for."""
    limit = rolling(4, 10 * M)
    reset = replace(grant(0.0, "09:30", "23:00"), resets=True)
    use = visits("09:00-09:30", "10:00-10:12")
    found = back([limit], StaticUsage({NAME: use}, (reset,)), at("10:30"))
    assert found == pytest.approx(at("14:02"), abs=2 * STEP)
    plain = back([limit], StaticUsage({NAME: use}), at("10:30"))
    assert plain == pytest.approx(at("14:02"), abs=2 * STEP)
    daily = back([per(Period.DAY, 10 * M)], StaticUsage({NAME: use}, (reset,)), at("10:30"))
    assert daily == at("2026-11-03 00:00")


def test_what_is_carried_into_the_next_window_does_not_delay_it() -> None:
    """Somebody who used up both days has the limit of the third at its beginning, and nothing
    carried."""
    use = normalise(
        [
            Interval(at("2026-11-01 09:00"), at("2026-11-01 10:00")),
            Interval(at("09:00"), at("10:00")),
        ]
    )
    usage = StaticUsage({NAME: use})
    assert back([FIFTEEN], usage, at("10:00"), 5 * M) == at("2026-11-03 00:00")


def test_a_limit_of_nothing_with_carry_over_never_returns() -> None:
    """Nothing a day leaves nothing to carry."""
    assert back([per(Period.DAY, 0.0)], StaticUsage(), at("10:00"), 5 * M) is None


minutes = st.integers(0, 12 * 60)
stretches = st.lists(st.tuples(minutes, st.integers(1, 30)), min_size=1, max_size=6)
periods_of_grants = st.lists(
    st.tuples(st.integers(0, 15 * 60), st.integers(1, 300), st.integers(0, 30)), max_size=3
)
seconds = st.integers(0, 30).map(lambda minute: minute * M)
many = st.lists(
    st.one_of(
        st.builds(per, st.sampled_from([Period.HOUR, Period.DAY]), seconds),
        st.builds(rolling, st.sampled_from([0.5, 1, 4]), seconds),
    ),
    min_size=1,
    max_size=3,
)


@quick
@given(many, stretches, periods_of_grants, st.integers(0, 13 * 60))
def test_up_to_the_return_there_is_never_time(limits, spans, grants, minute):
    """At no whole minute and no edge before it, just before it neither, and at it there is."""
    begin = at("00:00")
    use = normalise(
        Interval(begin + a * M, min(begin + (a + b) * M, begin + minute * M)) for a, b in spans
    )
    given_out = tuple(
        Grant(f"g{i}", "dora", NAME, s * M, "", "ada", begin + a * M, begin + (a + b) * M)
        for i, (a, b, s) in enumerate(grants)
        if a <= minute
    )
    usage, now = StaticUsage({NAME: use}, given_out), begin + minute * M
    if has_time(limits, usage, now):
        return
    found = back(limits, usage, now)
    end = now + 36 * H if found is None else found
    assert end > now
    assert not any(has_time(limits, usage, now + n * M) for n in range(1, int((end - now) / M)))
    if found is not None:
        assert has_time(limits, usage, found)
        assert not has_time(limits, usage, max(now, found - 2 * STEP))
