"""Grants and resets against an account that is kept minute by minute, and laws of what they add and
take."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy_addon.core import periods
from proxy_addon.core.intervals import Intervals, measure, normalise
from proxy_addon.core.policy import balance as of
from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.ruleset import Allowance, Limit, Period
from proxy_addon.core.types import Grant, Interval
from tests.core.policies import SAMPLE, H, M, at, per, rolling

NAME = "daily-social"
MIDNIGHT = at("00:00")
quick = settings(max_examples=100, deadline=None)

minutes = st.integers(-300, 24 * 60 - 1)
uses = st.lists(st.tuples(minutes, st.integers(1, 40)), max_size=8).map(
    lambda spans: normalise(
        Interval(MIDNIGHT + a * M, MIDNIGHT + (a + length) * M) for a, length in spans
    )
)


def given_at(number: int, created: int, lasts: int, amount: int, resets: bool = False) -> Grant:
    """A grant of so many minutes, that many minutes after midnight."""
    begins = MIDNIGHT + created * M
    seconds = 0.0 if resets else amount * M
    ends = begins + (400 * 24 * 60 if resets else lasts) * M
    return Grant(f"g{number}", "dora", NAME, seconds, "", "ada", begins, ends, resets)


many_grants = st.lists(st.tuples(minutes, st.integers(1, 600), st.integers(1, 40)), max_size=4).map(
    lambda many: tuple(given_at(i, *one) for i, one in enumerate(many))
)
resets = st.lists(minutes, max_size=3).map(
    lambda many: tuple(given_at(100 + i, created, 0, 0, True) for i, created in enumerate(many))
)
limits = st.one_of(
    st.builds(per, st.sampled_from(list(Period)[:-1]), st.integers(0, 90).map(lambda m: m * M)),
    st.builds(rolling, st.sampled_from([1, 4, 30]), st.integers(0, 90).map(lambda m: m * M)),
)
carry = st.sampled_from([0.0, 300.0, 1800.0])


def left(limit: Limit, usage: StaticUsage, now: float, carry_over: float = 0.0) -> float:
    """Seconds left of one limit."""
    allowance = Allowance(NAME, (limit,), carry_over=carry_over)
    return of.limit_balance(SAMPLE, allowance, limit, usage, now).left


def booked(limit: Limit, use: Intervals, grants: tuple[Grant, ...], now: float) -> float:
    """What is left by an account: each minute beyond the own ones is taken from the grants in force
    then, those that end first before the others; what no grant covers stays owed."""
    window = periods.window(limit, SAMPLE, now)
    taken = dict.fromkeys((grant.id for grant in grants), 0.0)
    own, owed, minute = limit.seconds, 0.0, window.start
    ordered = sorted(grants, key=lambda grant: (grant.expires, grant.created, grant.id))
    while minute < now:
        if any(start <= minute < end for start, end in use):
            paid = min(own, M)
            own, owed = own - paid, owed + M - paid
        minute += M
        for grant in ordered:
            if grant.created < minute <= grant.expires:
                paid = min(owed, grant.seconds - taken[grant.id])
                taken[grant.id] += paid
                owed -= paid
    in_force = [grant for grant in grants if grant.created <= now < grant.expires]
    rest = sum(grant.seconds - taken[grant.id] for grant in in_force)
    return max(0.0, own + rest - owed)


@quick
@given(
    st.builds(
        per,
        st.sampled_from([Period.HOUR, Period.DAY]),
        st.integers(0, 40).map(lambda m: m * M),
    ),
    uses,
    many_grants,
    minutes,
)
@example(per(Period.DAY, 0.0), (), (given_at(0, 0, 5, 5),), 5)
def test_grants_agree_with_an_account(limit, use, grants, minute):
    """What a balance works out from the ends of grants is what a book kept minute by minute
    shows."""
    now = MIDNIGHT + minute * M
    assert left(limit, StaticUsage({NAME: use}, grants), now) == booked(limit, use, grants, now)


@quick
@given(limits, uses, many_grants, resets, carry, minutes)
def test_another_grant_only_adds(limit, use, grants, facts, carry_over, minute):
    """Whatever was given before, one more grant leaves at least as much, and at most its seconds
    more."""
    now = MIDNIGHT + minute * M
    if not grants:
        return
    *before, last = grants
    less = left(limit, StaticUsage({NAME: use}, (*before, *facts)), now, carry_over)
    more = left(limit, StaticUsage({NAME: use}, (*grants, *facts)), now, carry_over)
    assert less <= more <= less + last.seconds


@quick
@given(limits, uses, many_grants, resets, carry, minutes)
def test_a_reset_never_takes(limit, use, grants, facts, carry_over, minute):
    """At its instant and until it has fallen out of the windows, a reset leaves no less than there
    was before."""
    now = MIDNIGHT + minute * M
    plain = left(limit, StaticUsage({NAME: use}, (*grants, *facts)), now, carry_over)
    reset = Grant("now", "dora", NAME, 0.0, "", "ada", now, now + 400 * 86_400, resets=True)
    after = left(limit, StaticUsage({NAME: use}, (*grants, *facts, reset)), now, carry_over)
    in_force = sum(one.seconds for one in grants if one.created <= now < one.expires)
    assert after >= plain
    assert limit.seconds + in_force <= after <= limit.seconds + in_force + carry_over


@quick
@given(limits, uses, many_grants, carry, minutes, minutes)
def test_what_is_given_later_is_not_there_yet(limit, use, grants, carry_over, minute, other):
    """A balance at an instant is the same with and without the grants that come after it."""
    now = MIDNIGHT + minute * M
    reset = given_at(9, max(minute, other) + 1, 0, 0, True)
    so_far = tuple(grant for grant in grants if grant.created <= now)
    every = StaticUsage({NAME: use}, (*grants, reset))
    assert left(limit, every, now, carry_over) == left(
        limit, StaticUsage({NAME: use}, so_far), now, carry_over
    )


@quick
@given(limits, uses, many_grants, carry, minutes)
def test_what_is_used_later_is_not_counted_yet(limit, use, grants, carry_over, minute):
    """A balance at an instant is the same with the use up to then only."""
    now = MIDNIGHT + minute * M
    past = normalise(Interval(start, min(end, now)) for start, end in use)
    assert left(limit, StaticUsage({NAME: use}, grants), now, carry_over) == left(
        limit, StaticUsage({NAME: past}, grants), now, carry_over
    )


@quick
@given(limits, uses, many_grants, minutes, st.integers(1, 30))
def test_what_is_left_can_be_used_and_not_more(limit, use, grants, minute, extra):
    """Used without a break while nothing else begins or ends, what is left is gone exactly when it
    says."""
    now = MIDNIGHT + minute * M
    past = normalise(Interval(start, min(end, now)) for start, end in use)
    usage = StaticUsage({NAME: past}, grants)
    rest = left(limit, usage, now)
    edges = [edge for one in grants for edge in (one.created, one.expires) if edge > now]
    if limit.period is Period.ROLLING:
        edges += [end + limit.rolling for _, end in past if end + limit.rolling > now]
        edges += [start + limit.rolling for start, _ in past if start + limit.rolling > now]
        inside = any(start <= now - limit.rolling < end for start, end in past)
        until = now if inside else now + limit.rolling
    else:
        until = periods.window(limit, SAMPLE, now).end
    steady = (
        min([*edges, until]) - now
    )  # seconds during which nothing but this use changes anything
    spent = min(steady, extra * M) - 0.5
    if spent <= 0:
        return
    used = StaticUsage({NAME: normalise([*past, Interval(now, now + spent)])}, grants)
    assert abs(left(limit, used, now + spent) - max(0.0, rest - spent)) <= 0.001


@quick
@given(uses, many_grants, carry, minutes, st.integers(0, 60), st.integers(0, 60))
def test_a_larger_limit_stands_no_worse(use, grants, carry_over, minute, seconds, more):
    """Of two limits over the same window the larger one never has less left."""
    now = MIDNIGHT + minute * M
    usage = StaticUsage({NAME: use}, grants)
    small, large = per(Period.DAY, seconds * M), per(Period.DAY, (seconds + more) * M)
    assert left(small, usage, now, carry_over) <= left(large, usage, now, carry_over)


@quick
@given(limits, uses, many_grants, carry, carry, minutes)
def test_carrying_over_only_adds(limit, use, grants, one, other, minute):
    """The more may be carried, the more is left; what is carried is never more than may be."""
    now = MIDNIGHT + minute * M
    usage = StaticUsage({NAME: use}, grants)
    low, high = sorted((one, other))
    assert left(limit, usage, now, low) <= left(limit, usage, now, high)
    allowance = Allowance(NAME, (limit,), carry_over=high)
    assert 0.0 <= of.limit_balance(SAMPLE, allowance, limit, usage, now).carried <= high


@quick
@given(limits, uses, many_grants, resets, carry, minutes)
def test_the_figures_of_a_standing_fit_together(limit, use, grants, facts, carry_over, minute):
    """None is negative, `left` is what the others give, and no more is granted than all grants
    together."""
    now = MIDNIGHT + minute * M
    usage = StaticUsage({NAME: use}, (*grants, *facts))
    allowance = Allowance(NAME, (limit,), carry_over=carry_over)
    found = of.limit_balance(SAMPLE, allowance, limit, usage, now)
    assert min(found) >= 0.0
    assert found.left == max(0.0, limit.seconds + found.carried + found.granted - found.spent)
    assert found.granted <= sum(grant.seconds for grant in grants)
    assert found.spent <= measure(use)


@quick
@given(limits, uses, many_grants, resets, minutes, st.randoms(use_true_random=False))
def test_grants_and_resets_may_be_read_in_any_order(limit, use, grants, facts, minute, random):
    """A ledger that returns them in another order shows the same balance."""
    now = MIDNIGHT + minute * M
    mixed = [*grants, *facts]
    random.shuffle(mixed)
    assert left(limit, StaticUsage({NAME: use}, tuple(mixed)), now) == left(
        limit, StaticUsage({NAME: use}, (*grants, *facts)), now
    )


def test_equal_ends_are_told_apart_by_the_beginning_and_then_by_name() -> None:
    """Of two grants that end together it makes no difference to people which is used: the sum is
    the same."""
    one, other = given_at(1, 500, 100, 10), given_at(2, 480, 120, 10)
    use = normalise([Interval(MIDNIGHT + 520 * M, MIDNIGHT + 535 * M)])
    zero = per(Period.DAY, 0.0)
    for grants in ((one, other), (other, one), (replace(one, id="g3"), other)):
        usage = StaticUsage({NAME: use}, grants)
        assert left(zero, usage, MIDNIGHT + 540 * M) == 5 * M
        found = of.limit_balance(SAMPLE, Allowance(NAME, (zero,)), zero, usage, MIDNIGHT + 11 * H)
        assert (found.granted, found.left) == (15 * M, 0.0)


def test_a_reset_counts_in_the_window_before_as_well() -> None:
    """Yesterday's reset gave its minutes back yesterday, so more of them is carried into today."""
    limit = per(Period.DAY, 15 * M)
    use = normalise([Interval(MIDNIGHT - 200 * M, MIDNIGHT - 185 * M)])
    reset = given_at(0, -180, 0, 0, True)
    now = MIDNIGHT + 9 * H
    two_days_ago = Interval(MIDNIGHT - 30 * H, MIDNIGHT - 29 * H)
    usage = StaticUsage({NAME: normalise([*use, two_days_ago])})
    assert left(limit, usage, now, 10 * M) == 15 * M
    given_back = StaticUsage({NAME: usage.intervals(NAME)}, (reset,))
    assert left(limit, given_back, now, 10 * M) == 25 * M


def test_a_reset_at_the_edge_of_a_window() -> None:
    """At the very end of a window it gives that one back; the new window begins there in any
    case."""
    limit = per(Period.DAY, 15 * M)
    use = normalise([Interval(MIDNIGHT - 20 * M, MIDNIGHT + 5 * M)])
    reset = given_at(0, 0, 0, 0, True)
    usage = StaticUsage({NAME: use}, (reset,))
    assert left(limit, usage, MIDNIGHT - 1) == 0.0
    assert left(limit, usage, MIDNIGHT + 10 * M) == 10 * M
    late = StaticUsage({NAME: use}, (given_at(0, 3, 0, 0, True),))
    assert left(limit, late, MIDNIGHT + 10 * M) == 13 * M
