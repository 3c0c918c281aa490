"""Our own meter as the evaluation sees it: the real engine, the shipped catalogue, an allowance
without end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from proxy_addon.core.ruleset import Allowance, Limit, Period, Rule, RuleSet, Then
from proxy_addon.rules.folder import load
from proxy_addon.simulate import simulate_events
from proxy_addon.trace.jsonl import event_of
from tests.traces.day import Times

RULES = Path(__file__).parents[2] / "rules"
ALL_DAY = 86_400.0


@cache
def rules() -> RuleSet:
    """The shipped rules with one rule: everything is metered, nothing ever runs out."""
    shipped = load(RULES)
    return replace(
        shipped,
        allowances={"all": Allowance("all", (Limit(ALL_DAY, Period.DAY),))},
        rules=(Rule("everything", Then.SPEND, "all"),),
        limited=frozenset(shipped.platforms),
    )


def charge(events: Sequence[Mapping[str, Any]]) -> Times:
    """A meter for `python -m tests.traces.evaluate --meter tests.traces.engine:charge`."""
    result = simulate_events(rules(), (event_of(dict(event)) for event in events))
    return {
        user: {
            name: [(span.start, span.end) for span in spans]
            for name, spans in person.by_platform().items()
        }
        for user, person in result.users.items()
    }
