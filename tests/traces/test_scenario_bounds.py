"""No scenario is worse than its bound, whatever the average of all is."""

from __future__ import annotations

import tomllib

import pytest

from tests.traces import scenario_bounds
from tests.traces.generate import scenarios_of

BOUNDS = scenario_bounds.load()


@pytest.mark.parametrize("name", scenario_bounds.SEEDS)
def test_each_scenario_is_within_its_bound(name: str) -> None:
    """All that are above are named with their error."""
    found = scenario_bounds.shares(name)
    above = {each: share for each, share in found.items() if share > BOUNDS[name][each]}
    assert above == {}


@pytest.mark.parametrize("name", scenario_bounds.SEEDS)
def test_each_scenario_has_a_bound(name: str) -> None:
    """One that is new gets one; one that is gone leaves none."""
    style, _ = scenario_bounds.SEEDS[name]
    assert set(BOUNDS[name]) == set(scenarios_of(style))


def test_the_table_has_a_margin() -> None:
    """What is measured today stays below, by two percent at least."""
    table = tomllib.loads("\n".join(scenario_bounds.lines({"ab": {"feed": 0.101, "video": 0.0}})))
    assert table == {"ab": {"feed": 0.13, "video": 0.02}}
