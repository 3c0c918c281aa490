"""Time that is up while nothing runs any more: the tail of the last page ends at that second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.ruleset import Allowance, Limit, Metering, Period, Rule, RuleSet, Then
from proxy_addon.core.types import Grant
from tests.core.policies import SAMPLE, H, M, at, targets
from tests.shell import Shell

START = at("09:00")
TAIL = 10.0
LOOK = 0.25  # seconds between two looks of the proxy
LOOKS = 48  # until every tail is over


def office(limit: float) -> RuleSet:
    """One allowance for two platforms."""
    return replace(
        SAMPLE,
        rules=(Rule("Little", Then.SPEND, "a", targets=targets("x", "facebook")),),
        allowances={"a": Allowance("a", (Limit(limit, Period.DAY),))},
        limited=frozenset({"x", "facebook"}),
        metering=Metering(interaction_gap=60.0),
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 3.0, 30.0, 59.0, 100.0, 170.0, 297.0]), max_size=25),
    st.lists(st.sampled_from(["x.com", "facebook.com"]), min_size=26, max_size=26),
)
def test_the_tail_ends_when_time_is_up(pauses: Sequence[float], hosts: Sequence[str]) -> None:
    """With four looks a second nobody is charged more than a look beyond the limit, whatever runs
    beside it."""
    shell, now = Shell(office(limit=5 * M)), START
    for pause, host in zip([*pauses, LOOKS * LOOK], hosts, strict=False):
        if (flight := shell.open("dora", host, now).flight) is not None:
            shell.enforcer.closed(flight)
        for look in range(1, LOOKS + 1):
            if look * LOOK <= pause:
                assert not list(shell.enforcer.due(now + look * LOOK))
        now += pause
    assert shell.spent("dora", "a") <= 5 * M + LOOK


def test_a_grant_in_the_last_seconds_lets_the_tail_run() -> None:
    """Time that came meanwhile is there to be used."""
    shell = Shell(office(limit=5.0))
    shell.open("dora", "x.com", START)
    list(shell.enforcer.due(START + 4))
    grant = Grant("g", "dora", "a", 600.0, "why", "lead", START + 4, START + H)
    shell.book.of("dora").grant(grant)
    list(shell.enforcer.due(START + 20))
    assert shell.spent("dora", "a") == TAIL
