"""Balances exactly at their edges: one second left, half a millisecond, and the last window that is
searched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.intervals import normalise
from proxy_addon.core.policy import balance as of
from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Allowance, Limit, Period
from proxy_addon.core.types import Grant, Interval, Person, Reason, Target, Verdict
from tests.core.policies import SAMPLE, H, M, at, grant, one_allowance, per, rolling, visits

NAME = "daily-social"
NOTHING = 0.000_5  # seconds that count as none
STEP = 0.001  # how exactly the return of a rolling limit is found
FIFTEEN = visits("09:00-09:15")


def asked(limits: list[Limit], usage: StaticUsage, now: float) -> tuple[float, float | None]:
    """Seconds left, and when there is time again."""
    return of.left_or_reset(SAMPLE, Allowance(NAME, tuple(limits)), limits, usage, now)


def granted(seconds: float, created: float, expires: float) -> Grant:
    """A grant between two instants."""
    return Grant("g", "dora", NAME, seconds, "", "ada", created, expires)


def test_one_second_is_time() -> None:
    """The last second can be spent, and there is no return to wait for."""
    limit, usage = per(Period.DAY, 15 * M + 1), StaticUsage({NAME: FIFTEEN})
    assert asked([limit], usage, at("10:00")) == (1.0, None)
    dora = Person("dora", ("staff",))
    decision = Engine(one_allowance(limit)).decide(dora, Target("x"), usage, at("10:00"))
    assert (decision.verdict, decision.reason) == (Verdict.SPEND, Reason.WITHIN)
    assert decision.left == 1.0


def test_a_limit_with_one_second_does_not_delay_the_others() -> None:
    """The hour is back at ten; the week has a second left, of its own or granted, and is not waited
    for."""
    limits = [per(Period.HOUR, 10 * M), per(Period.WEEK, 15 * M + 1)]
    assert asked(limits, StaticUsage({NAME: FIFTEEN}), at("09:30")) == (0.0, at("10:00"))
    limits = [per(Period.HOUR, 10 * M), per(Period.WEEK, 15 * M)]
    usage = StaticUsage({NAME: FIFTEEN}, (grant(1.0, "09:00", "12:00"),))
    assert asked(limits, usage, at("09:30")) == (0.0, at("10:00"))


def test_a_granted_second_is_a_return() -> None:
    """A rolling limit returns when a grant of one second begins, long before any use has left the
    window."""
    usage = StaticUsage({NAME: FIFTEEN}, (grant(1.0, "11:00", "12:00"),))
    _, found = asked([rolling(4, 15 * M)], usage, at("10:30"))
    assert found == at("11:00")


def test_thirty_two_windows_are_searched() -> None:
    """A grant that begins with the thirty-second hour from now is found, one that begins with the
    next is not."""
    limit, now = per(Period.HOUR, 0.0), at("10:30")
    for hours, found in ((32, at("10:00") + 32 * H), (33, None)):
        begins = at("10:00") + hours * H
        usage = StaticUsage({}, (granted(M, begins, begins + M),))
        assert asked([limit], usage, now) == (0.0, found)


def test_half_a_millisecond_a_day_is_nothing_on_the_next_day_either() -> None:
    """When the grant that was used has ended, a limit of a rounding error gives nothing back at
    midnight."""
    used = StaticUsage({NAME: visits("10:00-10:11")}, (grant(10 * M, "09:00", "17:00"),))
    assert asked([per(Period.DAY, NOTHING)], used, at("11:00")) == (0.0, None)
    assert asked([per(Period.DAY, 2 * NOTHING)], used, at("11:00")) == (
        0.0,
        at("2026-11-03 00:00"),
    )


def test_a_grant_that_leaves_a_rolling_window_now_changes_nothing() -> None:
    """Ended exactly as long ago as the window lasts, it gives the same return to the last digit."""
    limit, now = rolling(4, 14 * M), at("10:30")
    gone = grant(M, "06:00", "06:30")
    plain, same = (
        asked([limit], StaticUsage({NAME: FIFTEEN}, grants), now) for grants in ((), (gone,))
    )
    assert plain == same
    assert plain[1] == pytest.approx(at("13:01") + NOTHING + STEP, abs=1e-6)


def test_a_stretch_as_long_as_the_limit_has_to_leave() -> None:
    """The newest stretch alone fills the limit but for a rounding error, so the older one does not
    matter."""
    limit = Limit(1.0, Period.ROLLING, 10.0)
    usage = StaticUsage({NAME: (Interval(-5.0, -4.0), Interval(0.0, 1.0 - NOTHING))})
    assert asked([limit], usage, 2.0) == (0.0, 10.0 + STEP)


def test_a_reset_counts_from_its_very_instant() -> None:
    """A millisecond before it nothing is left, and at the instant all of it is."""
    reset = replace(grant(0.0, "10:00", "23:00"), resets=True)
    usage, limit = StaticUsage({NAME: FIFTEEN}, (reset,)), per(Period.DAY, 15 * M)
    assert asked([limit], usage, at("10:00") - STEP)[0] == 0.0
    assert asked([limit], usage, at("10:00"))[0] == 15 * M


def test_a_grant_gives_no_more_than_its_seconds() -> None:
    """Used up by ten, when another grant ends, it does not cover what is used after that as
    well."""
    grants = (grant(10 * M, "08:00", "11:00", name="a"), grant(0.0, "08:00", "10:00", name="b"))
    usage = StaticUsage({NAME: visits("09:00-09:25", "10:30-10:35")}, grants)
    limit = per(Period.DAY, 15 * M)
    found = of.limit_balance(SAMPLE, Allowance(NAME, (limit,)), limit, usage, at("12:00"))
    assert (found.granted, found.left) == (10 * M, 0.0)


def test_time_that_a_grant_leaves_before_it_ends_is_a_return() -> None:
    """At five past one ten granted minutes are enough for what the window shows; two minutes later
    they have ended."""
    usage = StaticUsage(
        {NAME: visits("09:00-09:15", "10:00-10:15")}, (grant(10 * M, "09:01", "13:07"),)
    )
    limit = rolling(4, 15 * M)
    assert asked([limit], usage, at("13:08"))[0] == 0.0
    _, found = asked([limit], usage, at("10:30"))
    assert found == pytest.approx(at("13:05") + NOTHING, abs=STEP)


def test_a_return_is_found_behind_many_short_visits() -> None:
    """Twenty visits of a minute, five allowed: the sixteenth has to leave, however many instants
    lie before that."""
    first = at("08:00")
    use = normalise(Interval(first + n * 6 * M, first + n * 6 * M + M) for n in range(20))
    usage = StaticUsage({NAME: use}, (grant(0.0, "08:00", "09:00"),))
    _, found = asked([rolling(4, 5 * M)], usage, at("10:30"))
    assert found == pytest.approx(at("13:30") + NOTHING, abs=STEP)


@pytest.mark.parametrize("until", ["10:00", "10:10", "10:15"])
def test_a_rolling_limit_with_a_grant_returns_to_the_step(until: str) -> None:
    """With a used grant the search ends within a step of the first instant with time, not when a
    second is there."""
    usage = StaticUsage(
        {NAME: visits("09:00-09:20")}, (grant(M, "09:05", "09:10"), grant(0.0, "08:00", until))
    )
    limit = rolling(4, 15 * M)
    _, found = asked([limit], usage, at("10:30"))
    assert found is not None
    assert asked([limit], usage, found)[0] == pytest.approx(NOTHING, abs=STEP)
    assert asked([limit], usage, found - STEP)[0] == 0.0
