"""Our own meter as a charger: the whole catalogue limited by an allowance that never ends."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from proxy_addon.core.ruleset import Allowance, Limit, Period, Rule, RuleSet, Then
from proxy_addon.rules import folder as rules_folder
from proxy_addon.simulate import simulate_events
from proxy_addon.trace.jsonl import event_of
from tests.traces.day import Times

RULES = Path(__file__).parents[2] / "rules"


@cache
def everything_spends() -> RuleSet:
    """The shipped catalogue with one rule: everything spends, nothing runs out."""
    shipped = rules_folder.load(RULES)
    endless = Allowance("all", (Limit(86_400.0, Period.DAY),))
    rule = Rule("everything", Then.SPEND, "all")
    return replace(
        shipped, allowances={"all": endless}, rules=(rule,), limited=frozenset(shipped.platforms)
    )


def charge(events: list[dict[str, Any]]) -> Times:
    """Charged spans for each user and platform."""
    result = simulate_events(everything_spends(), map(event_of, events))
    return {
        user: {
            name: [(i.start, i.end) for i in union] for name, union in person.by_platform().items()
        }
        for user, person in result.users.items()
    }
