"""Twin of proxy_addon/metering/visit_writer.py: revisions, and rows split where the rule or the
section changes."""

from __future__ import annotations

from proxy_addon.core.ruleset import Rule, Then
from proxy_addon.core.types import Activity
from tests.core.policies import LUNCH, at, targets
from tests.metering.harness import LITTLE, START, TAIL, Harness, policy


def test_a_visit_is_one_row_that_grows() -> None:
    """The same id, a higher revision each time, the start unmoved."""
    harness = Harness()
    for after in (0, 30, 60):
        assert harness.page(after) is Activity.VISIT
    assert [(v.id, v.rev, v.end - v.start) for v in harness.written] == [
        ("v1", 1, TAIL),
        ("v1", 2, 30 + TAIL),
        ("v1", 3, 60 + TAIL),
    ]
    assert {(v.person, v.platform, v.node) for v in harness.written} == {("dora", "x", "node")}
    assert harness.metrics.charged == 60 + TAIL


def test_nothing_is_written_when_nothing_changed() -> None:
    """The same instant again is not a new revision."""
    harness = Harness()
    harness.page(0)
    harness.page(0)
    assert len(harness.written) == 1


def test_a_rule_change_splits_to_the_second() -> None:
    """Lunch is free: what runs into it is two rows, and only the first is charged."""
    free = Rule("Lunch", Then.ALLOW, when=LUNCH)
    harness = Harness(policy(free, LITTLE))
    noon = at("12:00") - START
    harness.stream(noon - 60, noon + 30)
    assert harness.rows() == [
        (noon - 60, noon, "a", "Little"),
        (noon, noon + 30 + TAIL, None, "Lunch"),
    ]
    assert harness.spent() == 60


def test_time_under_a_rule_that_blocks_is_no_visit() -> None:
    """Only what was let through is written down."""
    harness = Harness(policy(Rule("Not now", Then.BLOCK, when=LUNCH), LITTLE))
    noon = at("12:00") - START
    harness.stream(noon - 60, noon)
    assert harness.rows() == [(noon - 60, noon, "a", "Little")]


def test_sections_are_rows_of_their_own() -> None:
    """Each second belongs to one of them."""
    learning = Rule("Learning", Then.ALLOW, targets=targets("x/learning"))
    harness = Harness(policy(learning, LITTLE))
    harness.page(0)
    harness.page(30, section="learning")
    assert harness.rows() == [(0, 30, "a", "Little"), (30, 40, None, "Learning")]
