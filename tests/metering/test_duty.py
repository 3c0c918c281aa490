"""A shift that ends while something runs: the enforcer that the proxy runs, with a rota."""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.ruleset import Calendar, Duty, People, Rule, Then, When
from proxy_addon.simulate.replay import Replay
from tests.core.policies import SAMPLE, at, targets, visits

SHIFT = When(calendar=Calendar(("shifts",), (), visits("09:00-17:00")))
OFFICE = replace(
    SAMPLE,
    people=People("staff", {"staff": ()}, (), {"care": (Duty(("emil",), SHIFT),)}),
    rules=(
        Rule("Care answers", Then.ALLOW, roles=frozenset({"care"}), targets=targets("x")),
        Rule("Nobody else", Then.BLOCK, targets=targets("x")),
    ),
    limited=frozenset({"x"}),
)


def test_what_runs_ends_with_the_shift() -> None:
    """A tunnel opened on duty is due at the second at which the duty is over, and not before."""
    enforcer = Replay(OFFICE).enforcer
    emil = enforcer.person("emil", None, at("16:50"))
    asked = enforcer.tunnel(emil, "x", at("16:50"))
    assert asked.flight is not None
    assert list(enforcer.due(at("17:00") - 1)) == []
    (due,) = enforcer.due(at("17:00"))
    assert due.flight is asked.flight
    assert enforcer.person("emil", None, at("17:00")).roles == ("staff",)


def test_roles_of_a_device_do_not_end_with_a_shift() -> None:
    """Whoever sits at the care desk has its role for as long as they sit there."""
    enforcer = Replay(OFFICE).enforcer
    services = enforcer.person("emil", ("care",), at("16:50"))
    assert enforcer.tunnel(services, "x", at("16:50")).flight is not None
    assert list(enforcer.due(at("18:00"))) == []
