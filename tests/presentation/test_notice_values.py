"""The values of the rules in a written policy: what each reader is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from proxy_addon.core.notices.notice import Notice, NoticeText, Office, Version
from proxy_addon.core.notices.placeholders import VALUES
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Mode, Period, RuleSet, Urgent
from proxy_addon.presentation.languages import speaking
from proxy_addon.presentation.notice_values import NoticeValues
from tests.core.policies import SAMPLE, at, targets

PAGE = "http://allowance.internal/"
NOTICE = Notice(
    "social",
    Version(3, 1),
    {"en": NoticeText("en", "", "")},
    "",
    owner="the people office",
    contact="ext. 120",
    effective=date(2026, 11, 2),
)
OFFICE = replace(
    SAMPLE,
    office=Office("Example Ltd", "Carla, ext. 114"),
    urgent=Urgent(600.0, 2, Period.DAY),
)


def value(
    name: str,
    who: str = "dora",
    detail: str = "",
    rules: RuleSet = OFFICE,
    notice: Notice = NOTICE,
) -> str:
    """What somebody reads in place of a placeholder."""
    engine, now = Engine(rules), at("09:00")
    return NoticeValues(engine, engine.person(who, now), notice, now, PAGE)(name, detail)


def test_the_limit_is_the_readers_own() -> None:
    """Fifteen minutes, forty-five for those who answer customers, thirty for bob."""
    assert value("allowance") == "15 minutes a day"
    assert value("allowance", "carl") == "45 minutes a day"
    assert value("allowance", "bob") == "30 minutes a day"
    assert value("allowance", detail="daily-social") == "15 minutes a day"


def test_several_allowances() -> None:
    """Each with its name."""
    more = replace(OFFICE.allowances["daily-social"], name="video")
    rules = replace(
        OFFICE,
        allowances={**OFFICE.allowances, "video": more},
        rules=(
            *OFFICE.rules[:-1],
            replace(OFFICE.rules[-1], name="V", allowance="video", targets=targets("twitch")),
            OFFICE.rules[-1],
        ),
    )
    assert (
        value("allowance", rules=rules)
        == "15 minutes a day (Social and video time) and 15 minutes a day (Twitch time)"
    )


def test_somebody_without_a_limit() -> None:
    """Where nothing is charged there is no limit."""
    assert value("allowance", rules=replace(OFFICE, rules=OFFICE.rules[:1])) == "no limit"


def test_free_times() -> None:
    """Those that are for the reader, with their rule; what is free is named unless it is all that
    is limited."""
    lunch = "Free: Monday to Friday from 12:00 to 13:30 (“Lunch is yours”)."
    assert value("free") == lunch
    assert value("free", "maria") == (
        "Always free: Facebook, Instagram, X, Linkedin and Youtube "
        f"(“Marketing runs our channels”). {lunch}"
    )
    at_lunch = [replace(each, targets=targets("x", "twitch")) for each in OFFICE.rules if each.when]
    others = [each for each in OFFICE.rules if not each.when]
    rules = replace(OFFICE, rules=(*at_lunch, *others))
    assert value("free", rules=rules) == (
        "Free: X and Twitch, Monday to Friday from 12:00 to 13:30 (“Lunch is yours”)."
    )


def test_rules_that_are_tried_out_promise_nothing() -> None:
    """What is only observed may change."""
    observed = tuple(replace(rule, mode=Mode.OBSERVE) for rule in OFFICE.rules)
    assert value("free", rules=replace(OFFICE, rules=observed)) == ""
    assert value("never_counted", rules=replace(OFFICE, rules=observed)) == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("platforms", "social (9 platforms), Youtube and Twitch"),
        ("never_counted", "Never counted: Linkedin Learning and Youtube Studio."),
        ("warning", "You are warned 2 minutes before the end."),
        ("urgent", "If a customer is waiting, you can take 10 minutes at once: 2 times a day."),
        ("retention", "90 days"),
        ("office", "Example Ltd"),
        ("contact", "ext. 120"),
        ("owner", "the people office"),
        ("version", "3.1"),
        ("effective", "2 November 2026"),
        ("roles", "staff"),
        ("my_time", PAGE),
    ],
)
def test_values(name: str, text: str) -> None:
    """Each by its name."""
    assert value(name) == text


def test_every_value_can_be_put_in() -> None:
    """None of those that the check lets pass is left out."""
    for name in VALUES:
        assert value(name), name


def test_what_the_front_matter_leaves_out() -> None:
    """The office's contact stands in for the notice's, and plain words for the rest."""
    bare = replace(NOTICE, owner="", contact="", effective=None)
    assert value("contact", notice=bare) == "Carla, ext. 114"
    assert value("owner", notice=bare) == "the office"
    assert value("effective", notice=bare) == ""
    assert value("office", rules=SAMPLE, notice=bare) == "the company"
    assert value("contact", rules=SAMPLE, notice=bare) == "your team lead"


def test_without_a_warning() -> None:
    """Nothing is promised that does not come."""
    allowance = replace(OFFICE.allowances["daily-social"], warn_at=0.0)
    assert value("warning", rules=replace(OFFICE, allowances={"daily-social": allowance})) == ""


def test_urgent_minutes_of_other_roles() -> None:
    """Only those to whom the rules give them are told of them."""
    rules = replace(OFFICE, urgent=Urgent(600.0, 1, Period.WEEK, frozenset({"care"})))
    assert value("urgent", rules=rules) == ""
    assert value("urgent", "carl", rules=rules).endswith("at once: once a week.")
    assert value("urgent", rules=replace(OFFICE, urgent=None)) == ""


def test_owner_and_contact_are_in_the_language_of_the_text() -> None:
    """A crisis is no time for a line in two languages."""
    german = NoticeText("de", "", "", owner="die Personalabteilung", contact="App. 120")
    notice = replace(NOTICE, texts={**NOTICE.texts, "de": german})
    with speaking("de"):
        assert value("owner", notice=notice) == "die Personalabteilung"
        assert value("contact", notice=notice) == "App. 120"
    assert value("contact", notice=notice) == "ext. 120"
