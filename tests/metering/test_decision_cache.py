"""Twin of proxy_addon/metering/decision_cache.py: when a decision of a moment ago is good again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Decision, Grant, Person, Reason, Target, Verdict, Visit
from proxy_addon.metering.decision_cache import CachedDecision, DecisionCache
from proxy_addon.metering.usage_book import PersonUsage, UsageBook
from proxy_addon.rules import folder as rules_folder
from tests.simulate import trace

ANA = Person("ana", ("staff",))
SPEND = Decision(Verdict.SPEND, Reason.WITHIN, "x", left=300.0, until=1_000.0)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: Any) -> RuleSet:
    """Some rules."""
    return rules_folder.load(trace.write_rules(tmp_path_factory.mktemp("rules") / "r"))


def kept(rules: RuleSet, usage: PersonUsage, decision: Decision = SPEND) -> CachedDecision:
    """A decision made at the instant 500."""
    return CachedDecision(decision, rules, ANA, usage, usage.revision, usage.entered, 500.0)


def test_good_for_a_moment(rules: RuleSet) -> None:
    """The same question within a second has the same answer, and no longer; time that ran backwards
    asks again."""
    usage = PersonUsage()
    assert kept(rules, usage).holds(rules, ANA, usage, 500.9)
    assert not kept(rules, usage).holds(rules, ANA, usage, 501.0)
    assert not kept(rules, usage).holds(rules, ANA, usage, 499.9)


def test_every_change_asks_anew(rules: RuleSet) -> None:
    """Another person's roles, other rules, more time, or a usage that was forgotten and made
    again."""
    usage = PersonUsage()
    before = kept(rules, usage)
    assert not before.holds(rules, Person("ana", ("admin",)), usage, 500.1)
    assert not before.holds(replace(rules), ANA, usage, 500.1)
    assert not before.holds(rules, ANA, PersonUsage(), 500.1)
    usage.grant(Grant("1", "ana", "daily", 60.0, "", "boss", 0.0, 1_000.0))
    assert not before.holds(rules, ANA, usage, 500.1)


def test_use_asks_anew_only_near_the_end(rules: RuleSet) -> None:
    """The answer stays while ten of the seconds that were left are left for certain; each second
    that is entered and each that passes counts against it."""
    usage = PersonUsage()
    before = kept(rules, usage)
    usage.apply(Visit("1", "ana", "x", None, "daily", "r", 0.0, 289.0, "n"))
    assert before.holds(rules, ANA, usage, 500.9)
    usage.apply(Visit("1", "ana", "x", None, "daily", "r", 0.0, 289.5, "n", 2))
    assert not before.holds(rules, ANA, usage, 500.9)


def test_every_entered_second_is_noticed(rules: RuleSet) -> None:
    """However a visit changes, use grows by no more than what is counted as entered: longer at
    either end, moved, or charged to another allowance."""
    usage, entered = PersonUsage(), [0.0]
    for rev, (allowance, start, end) in enumerate(
        [
            ("a", 10.0, 20.0),
            ("a", 5.0, 20.0),
            ("a", 5.0, 30.0),
            ("a", 40.0, 60.0),
            ("b", 40.0, 60.0),
        ]
    ):
        spent = usage.spent(allowance, 0.0, 100.0)
        usage.apply(Visit("1", "ana", "x", None, allowance, "r", start, end, "n", rev + 1))
        entered.append(usage.entered)
        assert usage.spent(allowance, 0.0, 100.0) - spent <= entered[-1] - entered[-2]


@pytest.mark.parametrize(
    "decision",
    [
        replace(SPEND, verdict=Verdict.BLOCK, reason=Reason.EXHAUSTED),
        replace(SPEND, left=9.0),
        replace(SPEND, until=500.05),
    ],
)
def test_what_may_change_at_any_moment(rules: RuleSet, decision: Decision) -> None:
    """A block, little time left, and a rule that changes now are decided each time."""
    usage = PersonUsage()
    assert not kept(rules, usage, decision).holds(rules, ANA, usage, 500.1)


def test_free_time_has_no_end(rules: RuleSet) -> None:
    """Where nothing is spent nothing can run out."""
    usage = PersonUsage()
    free = Decision(Verdict.ALLOW, Reason.ALLOWED, "x")
    assert kept(rules, usage, free).holds(rules, ANA, usage, 500.5)


def test_kept_for_each_person_and_target(rules: RuleSet) -> None:
    """What was decided is recalled for the same person and platform only, until all is
    forgotten."""
    decision_cache, book, target = DecisionCache(), UsageBook(), Target("x")
    decision_cache.keep(SPEND, rules, ANA, target, book, 500.0)
    assert decision_cache.recall(rules, ANA, target, book, 500.5) is SPEND
    assert decision_cache.recall(rules, ANA, Target("tiktok"), book, 500.5) is None
    assert decision_cache.recall(rules, Person("bo", ("staff",)), target, book, 500.5) is None
    assert len(decision_cache) == 1
    decision_cache.clear()
    assert decision_cache.recall(rules, ANA, target, book, 500.5) is None
