"""`proxy_addon/web/opens_view.py`: what is open, charged, free and closed, in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from proxy_addon.core.policy.outlook import NextAnswer
from proxy_addon.core.ruleset import Mode, RuleSet, Section
from proxy_addon.core.types import Decision, Reason, Verdict, Visit
from proxy_addon.web.opens_view import OpenRow, OpenState, Outlook, state_of
from tests.core.policies import SAMPLE
from tests.web.office import MINUTE, NOW, FixedProxyState, visit

PARTS = {
    **SAMPLE.platforms,
    "linkedin": replace(
        SAMPLE.platforms["linkedin"], title="LinkedIn", sections=(Section("learning"),)
    ),
}


@dataclass
class SampleState(FixedProxyState):
    """The office with the rules of the engine's tests."""

    changes: dict[str, Any] = field(default_factory=dict)

    def rules(self) -> RuleSet:
        return replace(SAMPLE, platforms=PARTS, **self.changes)

    def roles(self, person: str) -> tuple[str, ...]:
        return ("marketing",) if person == "maria" else ("staff",)


def rows(
    person: str = "dora", *seen: Visit, at: float = NOW, **changes: Any
) -> tuple[list[OpenRow], list[OpenRow]]:
    """Rows of platforms, and of sections; it is 14:50 on a Monday."""
    state = SampleState(seen=seen, changes=changes)
    return Outlook(state).rows(state.person_now(person)._replace(at=at))


def told(found: list[OpenRow]) -> list[tuple[str, str, str]]:
    """What is read of them."""
    return [(row.state.value, row.now, row.next) for row in found]


def test_a_working_day() -> None:
    """Charged until lunch, closed but at lunch, never limited: platforms of one answer in one
    row."""
    whole, parts = rows()
    lunch = "free tomorrow at 12:00, until 13:30"
    assert told(whole) == [
        ("charged", "Charged to your social and video time", lunch),
        ("closed", "Closed", lunch),
        ("open", "Open, nothing is counted", ""),
    ]
    assert whole[0].rule == "Fifteen minutes a day"
    assert whole[0].short.endswith("and 5 more")
    assert len(whole[0].places) == 10
    assert whole[1].group.now.message == "TikTok is not available on office devices."
    assert told(parts) == [("free", "Free", "")]
    assert parts[0].short == "LinkedIn Learning"
    assert (parts[0].places[0].href, whole[1].places[0].href) == ("", "/why?platform=tiktok")


def test_at_lunch() -> None:
    """Free, until the clock of the allowance runs again."""
    whole, _ = rows(at=NOW - 110 * MINUTE)
    assert told(whole)[0] == (
        "free",
        "Free",
        "charged today at 13:30, until tomorrow at 12:00",
    )


def test_used_up() -> None:
    """There is time again tomorrow."""
    whole, _ = rows("dora", visit("facebook", 60, 15))
    assert told(whole)[0] == (
        "used-up",
        "Used up: your social and video time",
        "time again tomorrow at 00:00",
    )


def test_somebody_for_whom_it_is_free() -> None:
    """Sections of a platform that is free anyway need no row of their own."""
    whole, parts = rows("maria")
    assert [row.state for row in whole] == [
        OpenState.CHARGED,
        OpenState.FREE,
        OpenState.OPEN,
    ]
    assert whole[1].next == ""
    assert parts == []


def test_tried_out() -> None:
    """What is only observed says so."""
    tried = tuple(replace(rule, mode=Mode.OBSERVE) for rule in SAMPLE.rules)
    whole, _ = rows("dora", visit("facebook", 60, 15), rules=tried)
    assert whole[0].now == "Charged to your social and video time (only tried out)"


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (Decision(Verdict.ALLOW, Reason.NOT_LIMITED), OpenState.OPEN),
        (Decision(Verdict.ALLOW, Reason.OTHERWISE), OpenState.OPEN),
        (Decision(Verdict.ALLOW, Reason.ALLOWED), OpenState.FREE),
        (Decision(Verdict.SPEND, Reason.WITHIN), OpenState.CHARGED),
        (Decision(Verdict.BLOCK, Reason.EXHAUSTED), OpenState.USED_UP),
        (Decision(Verdict.BLOCK, Reason.BLOCKED), OpenState.CLOSED),
        (Decision(Verdict.BLOCK, Reason.OTHERWISE), OpenState.CLOSED),
    ],
)
def test_states(decision: Decision, state: OpenState) -> None:
    """Five words for all answers."""
    assert state_of(decision) is state


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (Decision(Verdict.ALLOW, Reason.ALLOWED), "free today at 15:50"),
        (Decision(Verdict.SPEND, Reason.WITHIN), "charged today at 15:50"),
        (Decision(Verdict.ALLOW, Reason.OTHERWISE), "open today at 15:50"),
        (Decision(Verdict.BLOCK, Reason.BLOCKED), "closed today at 15:50"),
    ],
)
def test_every_next_answer_has_its_words(decision: Decision, words: str) -> None:
    """With and without an end; an end on another day is told in full."""
    row = rows()[0][1]
    speaker = Outlook(SampleState()).speaker(NOW)
    change = NextAnswer(NOW + 3600, decision)
    once = row.group._replace(next=change, after=None)
    assert speaker.later(once) == words
    ends = once._replace(after=NextAnswer(NOW + 7200, decision))
    assert speaker.later(ends) == f"{words}, until 16:50"
    late = once._replace(after=NextAnswer(NOW + 30 * 3600, decision))
    assert speaker.later(late) == f"{words}, until tomorrow at 20:50"


def test_other_rules_are_looked_at_again() -> None:
    """New rules have new groups."""
    state = SampleState()
    outlook = Outlook(state)
    before = outlook.page(state.person_now("dora"))
    state.changes = {"rules": SAMPLE.rules[-1:]}
    after = outlook.page(state.person_now("dora"))
    assert (len(before.platforms), len(after.platforms)) == (3, 2)
    assert (before.at, after.sections) == ("14:50", ())
