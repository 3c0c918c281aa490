"""Twin of proxy_addon/metering/decider.py: decisions that are reused, and the verdict when none can
be made."""

from __future__ import annotations

import pytest

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import Mode, OnFailure
from proxy_addon.core.types import Person, Reason, Target, Verdict, Visit
from proxy_addon.metering.decider import Decider
from proxy_addon.metering.usage_book import UsageBook
from tests.metering.two_platforms import START, small_allowance
from tests.shell import Shell


def test_a_decision_is_remembered_for_a_moment() -> None:
    """The next question of the same second is answered with it, other people are not."""
    decider = Decider(UsageBook())
    decider.use(CompiledPolicy.of(small_allowance()).engine)
    dora, target = Person("dora", ("staff",)), Target("x")
    assert decider.recent(dora, target, START) is None
    made = decider.decide(dora, target, START)
    assert decider.recent(dora, target, START + 0.5) == made
    assert decider.recent(dora, target, START + 1.5) is None
    assert decider.recent(Person("bo", ("staff",)), target, START + 0.5) is None


@pytest.mark.parametrize(
    ("on_failure", "seen", "verdict"),
    [
        (OnFailure.ALLOW, True, Verdict.ALLOW),
        (OnFailure.ALLOW, False, Verdict.ALLOW),
        (OnFailure.BLOCK, True, Verdict.BLOCK),
        (OnFailure.LAST_KNOWN, False, Verdict.BLOCK),
        (OnFailure.LAST_KNOWN, True, Verdict.SPEND),
    ],
)
def test_when_we_fail(on_failure: OnFailure, seen: bool, verdict: Verdict) -> None:
    """The configured verdict; the last one only for somebody who was told one."""
    shell = Shell(small_allowance(on_failure=on_failure))
    if seen:
        shell.open("dora", "x.com", START)
    dora = shell.enforcer.person("dora", None, START)
    said = shell.enforcer.failure(dora, Target("x"))
    assert said.verdict is verdict
    assert (said.reason is Reason.UNAVAILABLE) is (verdict is not Verdict.SPEND)
    nobody = shell.enforcer.failure(None, Target("x"))
    assert nobody.blocks is (on_failure is not OnFailure.ALLOW)
    shell.enforcer.drop("dora")
    assert shell.enforcer.failure(dora, Target("x")).verdict is nobody.verdict


def test_a_failure_of_a_policy_that_is_tried_out_stops_nobody() -> None:
    """And says that it would have."""
    said = Shell(small_allowance(mode=Mode.OBSERVE, on_failure=OnFailure.BLOCK)).enforcer.failure(
        None, Target("x")
    )
    assert (said.verdict, said.would) == (Verdict.ALLOW, Verdict.BLOCK)


def test_strangers_while_the_ledger_is_away() -> None:
    """What they used is not known, so they get the verdict for failures; when it is back they are
    asked as others."""
    shell = Shell(small_allowance(on_failure=OnFailure.BLOCK))
    shell.open("dora", "x.com", START)
    shell.book.ledger_away(True)
    assert shell.open("bo", "x.com", START + 1).decision.reason is Reason.UNAVAILABLE
    assert shell.open("dora", "x.com", START + 1).decision.reason is Reason.WITHIN
    shell.book.ledger_away(False)
    assert shell.open("bo", "x.com", START + 2).decision.reason is Reason.WITHIN


def test_strangers_with_the_last_known_balance() -> None:
    """By `last-known` they have the limit, less what is known here: what the journal holds."""
    shell = Shell(small_allowance(on_failure=OnFailure.LAST_KNOWN))
    shell.book.ledger_away(True)
    spent = Visit("left", "cy", "x", None, "a", "r", START - 3600.0, START, "dead")
    shell.book.load([spent], ())
    bo, cy = (shell.open(name, "x.com", START + 1).decision for name in ("bo", "cy"))
    assert (bo.verdict, bo.reason) == (Verdict.SPEND, Reason.WITHIN)
    assert (cy.verdict, cy.reason) == (Verdict.BLOCK, Reason.EXHAUSTED)
