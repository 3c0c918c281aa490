"""Twin of proxy_addon/metering/free_tunnels.py: free time in relayed tunnels, and how it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.metering.evidence import is_estimated
from proxy_addon.core.ruleset import Rule, RuleSet, Then
from proxy_addon.core.types import Reason
from proxy_addon.metering.flight import Flight
from proxy_addon.metering.free_tunnels import BLOCKED_PATIENCE, PATIENCE, PAUSE, SPREAD
from tests.core.policies import LUNCH, at, targets
from tests.metering.two_platforms import SPEND, small_allowance
from tests.shell import Shell

NOON, END = at("12:10"), at("13:30")
BUSY = 10**6  # bytes a second


def lunch(limit: float = 300.0, after: Rule = SPEND) -> RuleSet:
    """X is free at lunch; afterwards another rule holds."""
    free = Rule("Lunch", Then.ALLOW, targets=targets("x"), when=LUNCH)
    return replace(small_allowance(limit), rules=(free, after))


def tunnel(shell: Shell, now: float = NOON, name: str = "dora") -> Flight:
    """A free tunnel."""
    asked = shell.enforcer.free_tunnel(shell.enforcer.person(name, None, now), "x", now)
    assert asked is not None and asked.flight is not None
    return asked.flight


def run(
    shell: Shell, flight: Flight, since: float, until: float, rate: int = BUSY
) -> tuple[float, bool] | None:
    """Bytes pass four times a second; when the tunnel ended, and whether only to be opened."""
    now = since
    while now < until:
        now += 0.25
        if rate:
            shell.enforcer.tunnel_bytes(flight, rate // 4, now)
        for due in shell.enforcer.due(now):
            assert due.flight is flight
            shell.enforcer.closed(flight)
            return now, due.reopens
    return None


def test_free_time_is_estimated_and_costs_nothing() -> None:
    """Ten busy minutes at lunch: a free visit that is marked, and no second of attention."""
    shell = Shell(lunch())
    flight = tunnel(shell)
    assert run(shell, flight, NOON, NOON + 600) is None
    (visit,) = shell.visits.values()
    assert (visit.allowance, visit.rule) == (None, "Lunch")
    assert visit.end - visit.start == pytest.approx(600, abs=60)
    assert is_estimated(visit.evidence)
    assert shell.spent("dora", "a") == 0.0
    assert shell.metrics.attended == 0.0


def test_when_lunch_is_over_it_is_charged_and_ends_within_a_minute() -> None:
    """What passes without a pause is charged from that second on."""
    shell = Shell(lunch())
    flight = tunnel(shell, END - 60)
    ended = run(shell, flight, END - 60, END + 120)
    assert ended is not None
    at_, reopens = ended
    assert END + PATIENCE - SPREAD <= at_ <= END + PATIENCE + 0.25
    assert reopens
    assert shell.spent("dora", "a") == pytest.approx(at_ - END, abs=15)
    assert shell.metrics.attended == pytest.approx(at_ - END, abs=15)
    free = [visit for visit in shell.visits.values() if visit.allowance is None]
    assert free and all(visit.end <= END for visit in free)


def test_a_pause_ends_it_sooner() -> None:
    """Three seconds without bytes are a good moment."""
    shell = Shell(lunch())
    flight = tunnel(shell, END - 60)
    assert run(shell, flight, END - 60, END + 2) is None
    ended = run(shell, flight, END + 2, END + 60, rate=0)
    assert ended is not None and END + 2 + PAUSE <= ended[0] <= END + SPREAD + PAUSE


@pytest.mark.parametrize("after", [Rule("Never", Then.BLOCK, targets=targets("x")), SPEND])
def test_nothing_left_ends_it_within_seconds(after: Rule) -> None:
    """A rule that blocks, or an allowance that is used up: and nothing is charged any more."""
    shell = Shell(lunch(limit=0.0 if after is SPEND else 300.0, after=after))
    flight = tunnel(shell, END - 60)
    ended = run(shell, flight, END - 60, END + 30)
    assert ended is not None and END <= ended[0] <= END + 5.0
    assert all(visit.end <= END + 0.5 for visit in shell.visits.values())


def test_time_that_runs_out_while_it_waits_for_a_pause() -> None:
    """Ten seconds are left: it ends with them, or a few seconds later."""
    shell = Shell(lunch(limit=10.0))
    flight = tunnel(shell, END - 60)
    ended = run(shell, flight, END - 60, END + 60)
    assert ended is not None and ended[0] <= END + 10 + BLOCKED_PATIENCE + 6
    assert shell.spent("dora", "a") <= 10.5


def test_the_ends_of_an_office_are_spread() -> None:
    """Three hundred idle tunnels do not end in the same second."""
    shell = Shell(lunch())
    flights = [tunnel(shell, END - 600, f"p{i}") for i in range(300)]
    ends: dict[int, int] = {}
    for look in range(int(120 / 0.25)):
        now = END - 10 + look * 0.25
        for due in shell.enforcer.due(now):
            shell.enforcer.closed(due.flight)
            ends[int(now)] = ends.get(int(now), 0) + 1
    assert sum(ends.values()) == len(flights)
    assert max(ends.values()) < 45
    assert min(ends) >= END and max(ends) <= END + PATIENCE


def test_what_has_to_be_opened_is_no_free_tunnel() -> None:
    """Before lunch it is None, and nothing runs."""
    shell = Shell(lunch())
    dora = shell.enforcer.person("dora", None, at("10:00"))
    assert shell.enforcer.free_tunnel(dora, "x", at("10:00")) is None
    assert list(shell.enforcer.due(END)) == []


def test_one_that_was_opened_stays_opened() -> None:
    """A metered tunnel of before lunch goes on through it, and is not ended by its beginning."""
    shell = Shell(lunch())
    dora = shell.enforcer.person("dora", None, at("11:59"))
    asked = shell.enforcer.tunnel(dora, "x", at("11:59"))
    assert asked.flight is not None and asked.decision.reason is Reason.WITHIN
    assert run(shell, asked.flight, at("11:59"), at("12:05")) is None


def test_other_rules_end_it_as_well() -> None:
    """New rules charge what was free: it is charged from then on, and ends."""
    shell = Shell(lunch())
    flight = tunnel(shell)
    run(shell, flight, NOON, NOON + 60)
    shell.swap(replace(lunch(), rules=(SPEND,)), NOON + 60)
    ended = run(shell, flight, NOON + 60, NOON + 180)
    assert ended is not None and ended[0] <= NOON + 60 + PATIENCE + 0.5
    assert shell.spent("dora", "a") == pytest.approx(ended[0] - NOON - 60, abs=15)


def test_closed_in_between() -> None:
    """A tunnel that ends by itself is not ended again."""
    shell = Shell(lunch())
    flight = tunnel(shell, END - 10)
    list(shell.enforcer.due(END))
    assert shell.enforcer.free.ending == [flight]
    shell.enforcer.closed(flight)
    assert shell.enforcer.free.ending == []
    assert list(shell.enforcer.due(END + 100)) == []
