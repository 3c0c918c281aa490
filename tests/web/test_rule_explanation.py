"""`proxy_addon/web/rule_explanation.py`: which rule decides, in plain words, and about nobody
else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.catalogue import Catalogue
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import (
    Allowance,
    Limit,
    Mode,
    Override,
    Period,
    Rule,
    RuleSet,
    Then,
    When,
)
from proxy_addon.core.types import Grant, Target, Visit
from proxy_addon.rules.explanation import Explanation, explain, used_by
from proxy_addon.web.app import employee_app
from proxy_addon.web.rule_explanation import MAX_STEPS, WhyPage, page_of
from tests.web import office
from tests.web.client import as_person
from tests.web.office import NOW, FixedProxyState, visit
from tests.web.test_app import get, text_of

LUNCH = When(between=((12 * 3600, 13 * 3600),))


def targets(*names: str) -> frozenset[Target]:
    """Whole platforms."""
    return frozenset(Target(name) for name in names)


RULES = (
    Rule("Care is free", Then.ALLOW, roles=frozenset({"care"}), targets=targets("facebook")),
    Rule("Bob's course", Then.ALLOW, users=("bob", "carl"), targets=targets("linkedin")),
    Rule("Lunch is yours", Then.ALLOW, when=LUNCH),
    Rule(
        "Fifteen minutes a day", Then.SPEND, "daily-social", targets=targets("facebook", "linkedin")
    ),
    Rule("No video", Then.BLOCK, targets=targets("youtube"), message="Ask the desk for a course."),
    Rule("The rest", Then.ALLOW),
)


def rule_set(*rules: Rule, **changes: object) -> RuleSet:
    """Six rules over three platforms."""
    made = replace(office.rule_set(), rules=rules or RULES)
    return replace(made, limited=frozenset({"facebook", "linkedin", "youtube"}), **changes)


@dataclass
class StateWithRules(FixedProxyState):
    """An office with these rules."""

    ruled: RuleSet | None = None

    def rules(self) -> RuleSet:
        return self.ruled or rule_set()

    def roles(self, person: str) -> tuple[str, ...]:
        return ("staff",)


def page(
    platform: str = "", address: str = "", seen: tuple[Visit, ...] = (), **changes: object
) -> WhyPage:
    """What dora is told."""
    return page_of(StateWithRules(seen=seen, ruled=rule_set(**changes)), "dora", platform, address)


def test_the_walk_in_plain_words() -> None:
    """Each rule before the one that decides with what it lacks; what was used, by what, and what
    comes next."""
    asked = page("facebook", seen=(visit("linkedin", 60, 4), visit("facebook", 30, 5))).asked
    assert asked is not None
    assert (asked.title, asked.opens) == ("Facebook", True)
    assert asked.because == (
        "It is charged to your Facebook and LinkedIn time by the rule “Fifteen minutes a day”."
    )
    assert asked.facts == (
        "Facebook and LinkedIn time: 15 minutes a day; 9 minutes used, 6 minutes left.",
        "Used on Facebook 5 minutes and LinkedIn 4 minutes.",
        "Next: free tomorrow at 12:00, until 13:00.",
    )
    assert [(line.rule, line.decides, line.why) for line in asked.walk] == [
        ("Care is free", False, "It is for the role care; you are in staff."),
        ("Bob's course", False, "It is for colleagues that it names."),
        ("Lunch is yours", False, "Not now: its time is from 12:00 to 13:00."),
        ("Fifteen minutes a day", True, "This rule decides."),
    ]
    assert asked.later == 2


def test_nobody_else_is_named() -> None:
    """Names of colleagues that stand in rules and limits are not shown."""
    mine = Override(("dora", "bob"), (), (Limit(600.0, Period.DAY),))
    daily = Allowance("daily-social", (Limit(900.0, Period.DAY),), overrides=(mine,))
    shown = page("linkedin", allowances={"daily-social": daily})
    assert "bob" not in repr(shown).replace("Bob's course", "")
    assert "carl" not in repr(shown)
    assert shown.asked is not None
    assert "These limits apply to you." in shown.asked.facts


def test_limits_of_a_role() -> None:
    """Whose limits hold is said where it is a role's."""
    theirs = Override((), ("staff",), (Limit(600.0, Period.ROLLING, rolling=4 * 3600.0),))
    daily = Allowance("daily-social", (Limit(900.0, Period.DAY),), overrides=(theirs,))
    asked = page("facebook", allowances={"daily-social": daily}).asked
    assert asked is not None
    assert asked.facts[:2] == (
        "Facebook and LinkedIn time: 10 minutes in any 4 hours; 0 minutes used, 10 minutes left.",
        "These limits apply to your role staff.",
    )


@pytest.mark.parametrize(
    ("platform", "address", "opens", "because"),
    [
        ("youtube", "", False, "It is closed by the rule “No video”."),
        ("", "www.youtube.com/watch", False, "It is closed by the rule “No video”."),
        ("facebook", "https://youtube.com/", False, "It is closed by the rule “No video”."),
        (
            "",
            "news.example",
            True,
            "This is not a platform that we know: nothing is limited or counted there.",
        ),
    ],
)
def test_chosen_or_typed(platform: str, address: str, opens: bool, because: str) -> None:
    """An address goes before a platform, with or without its scheme."""
    asked = page(platform, address).asked
    assert asked is not None
    assert (asked.opens, asked.because) == (opens, because)


def test_used_up() -> None:
    """Closed, because of which allowance, and when there is time again."""
    asked = page("facebook", seen=(visit("facebook", 30, 15),)).asked
    assert asked is not None
    assert not asked.opens
    assert (
        asked.because
        == "The rule “Fifteen minutes a day” charges it to your Facebook and LinkedIn time, which is "
        "used up."
    )
    assert asked.facts[-1] == "Next: time again tomorrow at 00:00."


def test_granted_and_carried_time() -> None:
    """What came on top of a limit is told as what it is, and used and left add up to all of it."""
    daily = Allowance("daily-social", (Limit(900.0, Period.DAY),), carry_over=300.0)
    ruled = rule_set(allowances={"daily-social": daily})
    grant = Grant("g", "dora", "daily-social", 600.0, "why", "ada", NOW - 900, NOW + 900)

    @dataclass
    class Granted(StateWithRules):
        def explanation(self, user: str, url: str) -> Explanation:
            used = used_by(self.seen, (grant,))
            return explain(
                Engine(self.rules()), Catalogue(self.rules().platforms), user, url, used, NOW
            )

    seen = (visit("facebook", 30, 5),)
    asked = page_of(Granted(seen=seen, ruled=ruled), "dora", "facebook").asked
    assert asked is not None
    assert asked.facts[:2] == (
        "Facebook and LinkedIn time: 15 minutes a day; 5 minutes used, 25 minutes left.",
        "Includes 10 minutes granted to you and 5 minutes carried over.",
    )


def test_the_opening_comes_first() -> None:
    """Somebody whose minutes are used up in the morning is told of lunch, not of tomorrow."""
    soon = When(between=((15 * 3600, 16 * 3600),))
    rules = (RULES[0], RULES[1], replace(RULES[2], when=soon), *RULES[3:])
    state = StateWithRules(seen=(visit("facebook", 30, 15),), ruled=rule_set(*rules))
    asked = page_of(state, "dora", "facebook").asked
    assert asked is not None
    assert asked.facts[-1] == "Next: free today at 15:00, until 16:00."


def test_exceptions_and_people() -> None:
    """A rule that makes an exception now, and one for roles and for people."""
    never = When(negated=When(days=frozenset({0})))
    rules = (
        Rule("But Mondays", Then.ALLOW, when=never),
        Rule("Both", Then.ALLOW, users=("bob",), roles=frozenset({"care", "desk"})),
        RULES[3],
    )
    asked = page_of(StateWithRules(ruled=rule_set(*rules)), "dora", "facebook").asked
    assert asked is not None
    assert [line.why for line in asked.walk[:2]] == [
        "Not now: it makes an exception (Monday).",
        "It is for the roles care and desk and for colleagues that it names; you are in staff.",
    ]


def test_other_answers() -> None:
    """No rule that fits, a rule that is only tried out, and a platform that no rule limits."""
    quiet = page_of(StateWithRules(ruled=rule_set(RULES[0])), "dora", "youtube").asked
    assert quiet is not None
    assert quiet.because == "No rule applies, so the default of the policy decides."
    assert quiet.walk[0].why == "It is for the role care; you are in staff."
    tried = page_of(
        StateWithRules(ruled=rule_set(replace(RULES[4], mode=Mode.OBSERVE))), "dora", "youtube"
    ).asked
    assert tried is not None
    assert tried.opens
    assert tried.because.endswith(
        "The rule is only being tried out; if it were enforced, this would be closed."
    )
    assert tried.walk[-1].why == "This rule decides, but is only being tried out."
    free = page_of(
        StateWithRules(ruled=replace(rule_set(), limited=frozenset())), "dora", "youtube"
    ).asked
    assert free is not None
    assert free.because == "No rule limits this: nothing is counted there."
    about = page("youtube").asked
    assert about is not None
    assert about.message == "Ask the desk for a course."
    assert about.walk[3].why == "It is about Facebook and LinkedIn."


def test_the_platforms_of_the_day() -> None:
    """Each platform of today has its answer, the last one first, once."""
    seen = (
        visit("linkedin", 90, 1),
        visit("facebook", 60, 1),
        visit("linkedin", 30, 1),
        visit("gone", 20, 1),
    )
    assert [answer.title for answer in page(seen=seen).day] == ["LinkedIn", "Facebook"]


def test_what_cannot_be_answered() -> None:
    """A platform that is none and an address that is none are said; nothing asked is nothing
    wrong."""
    assert page("myspace").problem == "There is no such platform here."
    assert page("", "http://").problem is not None
    assert (page().problem, page().asked) == (None, None)


def test_a_long_list_is_cut() -> None:
    """Hundreds of rules of other people are a number."""
    many = tuple(replace(RULES[0], name=f"R{n}") for n in range(200))
    asked = page_of(StateWithRules(ruled=rule_set(*many, RULES[3])), "dora", "facebook").asked
    assert asked is not None
    assert (len(asked.walk), asked.passed) == (MAX_STEPS + 1, 200 - MAX_STEPS)
    assert asked.walk[-1].decides


async def test_the_page() -> None:
    """Reached from the employee's page, with a form that needs no script, and about who asks
    alone."""
    app = as_person(employee_app(StateWithRules(seen=(visit("facebook", 30, 5),))))
    assert 'href="/why"' in (await get(app, "/")).text
    answer = await get(app, "/why?platform=youtube&user=bob")
    shown = text_of(answer.text)
    assert answer.status_code == 200
    for part in (
        "dora",
        "YouTube Closed now",
        "No video",
        "Ask the desk for a course.",
        "Facebook Opens now",
    ):
        assert part in shown, shown
    assert "<script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self'" in policy and "script-src" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert (await get(employee_app(StateWithRules()), "/why")).status_code == 403


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
async def test_whatever_is_typed(platform: str, address: str) -> None:
    """Anything typed is an answer or a problem in words, never an error, and what comes back is
    escaped."""
    marked = f"{address}<b id=evil>\"'"
    found = page(platform, marked)
    assert found.problem or found.asked or not found.address
    app = as_person(employee_app(StateWithRules()))
    typed = urlencode({"platform": platform, "address": marked}, errors="replace")
    answer = await get(app, f"/why?{typed}")
    assert answer.status_code == 200
    assert "<b id=evil>" not in answer.text
