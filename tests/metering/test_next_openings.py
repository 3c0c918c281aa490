"""`proxy_addon/metering/next_openings.py`: when what is closed opens, and that it is not looked for
again while nothing has changed."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Rule, RuleSet, Then, When
from proxy_addon.core.types import Grant, Person, Target, Visit
from proxy_addon.metering import next_openings
from proxy_addon.metering.next_openings import NextOpening, NextOpenings
from proxy_addon.metering.usage_book import UsageBook
from tests.core.policies import SAMPLE, at, targets

DORA = Person("dora", ("staff",))
YOUTUBE, TIKTOK = Target("youtube"), Target("tiktok")
NAME = "daily-social"
ids = count()


def used(book: UsageBook, start: str, end: str) -> None:
    """dora was on YouTube."""
    visit = Visit(f"v{next(ids)}", "dora", "youtube", None, NAME, "r", at(start), at(end), "n")
    book.of("dora").apply(visit)


@pytest.fixture
def book() -> UsageBook:
    """The fifteen minutes are used up."""
    made = UsageBook()
    used(made, "09:00", "09:15")
    return made


def test_lunch_comes_before_midnight(book: UsageBook) -> None:
    """At eleven, what is used up opens at twelve by the rule of lunch; after lunch at midnight,
    when there are minutes again."""
    openings, engine = NextOpenings(book), Engine(SAMPLE)
    assert openings.next(engine, DORA, YOUTUBE, at("11:00")) == NextOpening(
        at("12:00"), "Lunch is yours", None, at("13:30")
    )
    assert openings.next(engine, DORA, YOUTUBE, at("14:00")) == NextOpening(
        at("2026-11-03 00:00"), "Fifteen minutes a day", NAME
    )


def test_what_stays_closed() -> None:
    """Without an opening within a month there is none; with `otherwise` it has no rule's name."""
    no = Rule("No", Then.BLOCK, targets=targets("tiktok"))
    until_six = replace(no, when=When(between=((0, 18 * 3600),)))
    openings = NextOpenings(UsageBook())
    assert openings.next(with_rules(no), DORA, TIKTOK, at("11:00")) is None
    found = openings.next(with_rules(until_six), DORA, TIKTOK, at("11:00"))
    assert found == NextOpening(at("18:00"), None, None, at("2026-11-03 00:00"))


def with_rules(*rules: Rule) -> Engine:
    """The sample policy with other rules."""
    return Engine(replace(SAMPLE, rules=rules))


class CountingEngine(Engine):
    """Counts how often it decides."""

    def __init__(self, rules: RuleSet) -> None:
        super().__init__(rules)
        self.decided = 0

    def decide(self, *given: object) -> object:  # type: ignore[override]
        """See `Engine`."""
        self.decided += 1
        return super().decide(*given)  # type: ignore[arg-type]


def test_it_is_looked_for_once_while_nothing_changes(book: UsageBook) -> None:
    """A second refusal costs nothing; what is used, a grant, other rules, other roles and the
    opening itself have it looked for again."""
    openings, engine = NextOpenings(book), CountingEngine(SAMPLE)
    first = openings.next(engine, DORA, YOUTUBE, at("11:00"))
    looked = engine.decided
    assert openings.next(engine, DORA, YOUTUBE, at("11:59")) == first
    assert engine.decided == looked
    used(book, "10:00", "10:01")
    openings.next(engine, DORA, YOUTUBE, at("11:01"))
    assert engine.decided > looked
    looked = engine.decided
    more = Grant("g", "dora", NAME, 60.0, "", "ada", at("11:00"), at("11:30"))
    book.of("dora").grant(more)
    openings.next(engine, DORA, YOUTUBE, at("11:02"))
    assert engine.decided > looked
    looked = engine.decided
    openings.next(engine, DORA._replace(roles=("care",)), YOUTUBE, at("11:02"))
    assert engine.decided > looked
    looked = engine.decided
    assert openings.next(engine, DORA, YOUTUBE, at("14:00")) != first
    assert engine.decided > looked
    other = CountingEngine(SAMPLE)
    openings.next(other, DORA, YOUTUBE, at("14:00"))
    assert other.decided


def test_no_opening_is_looked_for_again_after_a_while() -> None:
    """A month is a long time: what comes after it is seen in due course."""
    engine = CountingEngine(replace(SAMPLE, rules=(Rule("No", Then.BLOCK),)))
    openings = NextOpenings(UsageBook())
    assert openings.next(engine, DORA, TIKTOK, 0.0) is None
    looked = engine.decided
    assert openings.next(engine, DORA, TIKTOK, next_openings._LOOK_AGAIN - 1) is None
    assert engine.decided == looked
    assert openings.next(engine, DORA, TIKTOK, next_openings._LOOK_AGAIN) is None
    assert engine.decided > looked


def test_what_is_free_next() -> None:
    """What is charged now and free at lunch, but not what is closed first or always charged."""
    openings, engine = NextOpenings(UsageBook()), Engine(SAMPLE)
    assert openings.free(engine, DORA, YOUTUBE, at("11:00")) == NextOpening(
        at("12:00"), "Lunch is yours", None, at("13:30")
    )
    spend = Rule("Fifteen", Then.SPEND, NAME)
    closed = Rule("Noon", Then.BLOCK, when=When(between=((12 * 3600, 13 * 3600),)))
    assert openings.free(with_rules(closed, spend), DORA, YOUTUBE, at("11:00")) is None
    assert openings.free(with_rules(spend), DORA, YOUTUBE, at("11:00")) is None
