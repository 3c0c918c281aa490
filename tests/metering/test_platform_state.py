"""Twin of proxy_addon/metering/platform_state.py: earlier rules know people as they were, and split
what is open."""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.metering import polling, timeline
from proxy_addon.core.policy.engine import Engine
from proxy_addon.metering.platform_state import PlatformState, RulesPeriod
from tests.metering.harness import DORA, LITTLE, START, Harness, policy


def test_people_as_the_rules_of_that_time_knew_them() -> None:
    """Roles that an address gave then, else those of the rules of then."""
    before = RulesPeriod(START, Engine(policy()), {"ip:10.0.0.7": ("guest",)})
    assert before.person("ip:10.0.0.7", START - 1).roles == ("guest",)
    assert before.person("carl", START - 1).roles == ("care",)


def test_nothing_is_remembered_at_first() -> None:
    """No visit runs, no timer is known, and no two share their rows."""
    one, two = PlatformState(), PlatformState()
    assert (one.timeline, one.polling) == (timeline.EMPTY, polling.EMPTY)
    assert one.rows == {}
    assert one.rows is not two.rows


def test_other_rules_split_what_is_open() -> None:
    """What was charged before the change stays; what is given back later is given back under the
    old rule."""
    harness = Harness()
    harness.stream(0, 60)
    before, harness.engine = harness.engine, Engine(policy(replace(LITTLE, name="New")))
    harness.attention.swapped(RulesPeriod(START + 50, before, {}))
    harness.attention.follow(harness.engine, lambda name: DORA, 10)
    harness.stream(60, 90)
    assert harness.rows() == [(0, 50, "a", "Little"), (50, 100, "a", "New")]
    assert [v.rev for v in harness.written if v.id == "v1"] == [1, 2]
