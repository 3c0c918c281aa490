"""`proxy_addon/web/employee_view.py`: what is left, what is free and who can see it, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.ruleset import Limit, Mode, People, Period
from proxy_addon.core.types import Balance, Visit
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.interface import AuditEntry
from proxy_addon.web.employee_view import NO_RECORDS, Day, Visitor, day_of
from proxy_addon.web.opens_view import Outlook
from proxy_addon.web.own_records import OwnRecords
from tests.core.policies import SAMPLE
from tests.web.office import MINUTE, NOW, FixedProxyState, balance, visit
from tests.web.test_opens_view import SampleState

DORA = Visitor("dora", True, "10.0.7.33")


def page(
    state: FixedProxyState,
    records: OwnRecords | None = NO_RECORDS,
    shown: date | None = None,
    at: float = NOW,
    person: str = "dora",
) -> Day:
    """The page of somebody."""
    one = state.person_now(person)._replace(at=at)
    return day_of(state, Outlook(state), DORA, one, records, shown)


def daily(**facts: float) -> Balance:
    """A balance of a day."""
    return replace(balance(**facts), period="day")  # type: ignore[arg-type]


def facts(day: Day) -> dict[str, list[str]]:
    """The overview as it is read."""
    return {
        each.label: [f"{line.strong} {line.text}".strip() for line in each.lines]
        for each in day.facts
    }


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"extensions": None},
        {"extensions": {}},
        {"extensions": {"allowance.person": "dora"}},
        {"extensions": {"allowance.person": {"identified": True}}},
    ],
)
def test_no_word_from_the_proxy_is_nobody(scope: dict[str, object]) -> None:
    """A scope without a proper entry names nobody."""
    assert Visitor.of(scope) is None


def test_visitor_from_the_scope() -> None:
    """The adapter's entry is taken as it is; what it leaves out is unknown."""
    assert Visitor.of({"extensions": {"allowance.person": {"name": "dora"}}}) == Visitor(
        "dora", False, ""
    )


@pytest.mark.parametrize(
    ("held", "heading", "tone"),
    [
        ((), "Nothing is limited for you", "free"),
        ((daily(),), "15 minutes left today", "ok"),
        ((daily(spent=780.0),), "2 minutes left today", "low"),
        ((daily(spent=890.0),), "10 seconds left today", "low"),
        ((daily(spent=900.0),), "Used up today: more tomorrow at 00:00", "out"),
        ((balance(spent=900.0),), "Used up: more tomorrow at 00:00", "out"),
        ((balance(spent=900.0, resets_at=None),), "Used up", "out"),
        ((balance(limit=0.0),), "No time for limited platforms", "out"),
    ],
)
def test_the_heading(held: tuple[Balance, ...], heading: str, tone: str) -> None:
    """What is left, when more comes; nobody used up what gives no time, and none comes back."""
    day = page(FixedProxyState(held=held))
    assert (day.heading, day.tone) == (heading, tone)


def test_the_scarcest_is_the_heading() -> None:
    """The others are cards; what gives no time at all comes last."""
    held = (
        balance("a", spent=0),
        balance("b", limit=0.0),
        balance("c", spent=600),
        balance("d", spent=900),
    )
    day = page(FixedProxyState(held=held))
    assert day.first is not None
    assert [day.first.name, *(card.name for card in day.cards)] == ["d", "c", "a", "b"]
    assert (day.first.ring, day.cards[1].ring) == (0.0, 100.0)
    assert day.cards[0].lead == "You get more tomorrow at 00:00."
    assert [card.nothing for card in day.cards] == [False, False, True]


@given(st.floats(0, 2000), st.floats(0, 600))
def test_used_and_left_add_up_on_the_page(spent: float, granted: float) -> None:
    """Whatever was used: heading, lead and the sum of the day say one time in one rounding."""
    total = 900.0 + granted
    used = min(spent, total)
    seen = (visit("facebook", used / 60, used / 60),) if used > 0 else ()
    day = page(FixedProxyState(held=(daily(spent=spent, granted=granted),), seen=seen))
    assert day.first is not None and day.visits is not None
    left, whole = _seconds(day.first.bar.left), _seconds(day.first.bar.total)
    short = day.first.bar.spent
    spent_words = _seconds(f"{short} minutes" if short.isdigit() else short)
    assert spent_words + left == whole
    if day.visits.charged:
        assert _seconds(day.visits.charged) == spent_words


def _seconds(said: str) -> int:
    units = {"hour": 3600, "minute": 60, "second": 1}
    numbers = said.split()
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return sum(int(number) * units[unit.removesuffix("s")] for number, unit in pairs)


def test_the_overview() -> None:
    """What it counts for, what is free soon and when, what is never limited."""
    found = facts(page(SampleState(held=(daily(),))))
    assert found == {
        "Counts for": ["Facebook, Instagram, Threads, X, LinkedIn and 6 more"],
        "Free soon": [
            "Tomorrow at 12:00, until 13:30 Facebook, Instagram, X, LinkedIn, Youtube and 6 more "
            "(“Lunch is yours”)"
        ],
        "Never limited": [
            "Learning is work: LinkedIn Learning",
            "Everything else: mail, banks, news and all other sites",
        ],
    }


def test_used_up() -> None:
    """Somebody whose minutes are used up is told of lunch, also where minutes come back first."""
    seen = (visit("facebook", 60, 15),)
    lunch = "Facebook, Instagram, X, LinkedIn, Youtube and 6 more (“Lunch is yours”)"
    found = facts(page(SampleState(held=(daily(spent=900.0),), seen=seen)))
    assert found["Free soon"] == [f"Tomorrow at 12:00, until 13:30 {lunch}"]
    early = replace(seen[0], start=NOW - 6 * 3600, end=NOW - 6 * 3600 + 900)
    state = SampleState(held=(daily(spent=900.0),), seen=(early,))
    found = facts(page(state, at=NOW - 4 * 3600))
    assert found["Free soon"] == [f"Today at 12:00, until 13:30 {lunch}"]


def test_at_lunch() -> None:
    """What is free now, and until when."""
    found = facts(page(SampleState(held=(daily(),)), at=NOW - 110 * MINUTE))
    assert found["Free for you now"][0].startswith("Until 13:30: Facebook, Instagram")
    assert "Free soon" not in found


def test_for_marketing() -> None:
    """What is free for ever is not what the allowance counts for."""
    day = page(SampleState(held=(daily(),)), person="maria")
    assert "Facebook" not in facts(day)["Counts for"][0]
    assert facts(day)["Free for you now"] == [
        "Facebook, Instagram, X, LinkedIn and Youtube (“Marketing runs our channels”)"
    ]


def test_a_rule_without_an_end() -> None:
    """It opens, and is not known to close again."""
    lunch = next(rule for rule in SAMPLE.rules if rule.name == "Lunch is yours")
    opens = replace(
        lunch.when or object(), days=None, between=(), dates=((date(2026, 11, 4), date.max),)
    )  # type: ignore[type-var]
    rules = tuple(replace(r, when=opens) if r is lunch else r for r in SAMPLE.rules)
    found = facts(page(SampleState(held=(daily(),), changes={"rules": rules})))
    assert found["Free soon"][0].startswith("On Wednesday at 00:00 Facebook")


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ((), ""),
        ((visit("facebook", 9, 5),), ""),
        ((visit("facebook", 2, 2.1),), "The clock is running: Facebook."),
        (
            (visit("facebook", 2, 2.1, None),),
            "You are using Facebook, and nothing is charged.",
        ),
        ((visit("gone", 2, 2.1),), "The clock is running: gone."),
    ],
)
def test_what_is_running(seen: tuple[Visit, ...], said: str) -> None:
    """Somebody sees that the clock runs, and for what."""
    assert page(FixedProxyState(held=(daily(),), seen=seen)).going == said


@pytest.mark.parametrize(
    ("modes", "observed"),
    [
        ((Mode.OBSERVE, Mode.OBSERVE), True),
        ((Mode.OBSERVE, Mode.ENFORCE), False),
        ((Mode.ENFORCE,), False),
        ((), False),
    ],
)
def test_an_allowance_that_is_only_tried_out_says_so(
    modes: tuple[Mode, ...], observed: bool
) -> None:
    """Only when none of its rules is enforced."""
    spend = SAMPLE.rules[-1]
    rules = tuple(replace(spend, name=f"r{n}", mode=mode) for n, mode in enumerate(modes))
    first = page(SampleState(held=(daily(spent=60),), changes={"rules": rules})).first
    assert first is not None
    assert first.observed is observed


def test_the_week_and_its_limit() -> None:
    """Past days from the ledger, today from memory; the line is the reader's own limit."""
    seen = (visit("facebook", 60, 5),)
    past = (visit("x", 24 * 60, 11), replace(seen[0], end=seen[0].end + 60))
    day = page(SampleState(held=(daily(spent=300.0),), seen=seen), OwnRecords(past, ()))
    assert day.history.week is not None
    assert [bar.length for bar in day.history.week.bars[-2:]] == ["11 min", "5 min"]
    assert day.history.week.limit_said == "15 minutes"


@pytest.mark.parametrize(
    "changes",
    [
        {
            "allowances": {
                "daily-social": replace(
                    SAMPLE.allowances["daily-social"], limits=(Limit(3600.0, Period.WEEK),)
                )
            }
        },
        {"allowances": {}, "rules": SAMPLE.rules[:1]},
    ],
)
def test_no_line_without_a_limit_of_a_day(changes: dict[str, Any]) -> None:
    """A limit of a week is no line of a day; nor one that the rules have no longer."""
    week = page(SampleState(held=(daily(),), changes=changes)).history.week
    assert week is not None
    assert week.limit is None
    two = page(SampleState(held=(daily(), balance("other")))).history.week
    assert two is not None
    assert two.limit is None


def test_a_past_day() -> None:
    """Its visits are shown, and nothing of the days around it."""
    past = (visit("x", 24 * 60, 11), visit("x", 48 * 60, 3))
    day = page(SampleState(held=(daily(),)), OwnRecords(past, ()), date(2026, 11, 1))
    assert day.visits is not None
    assert [row.length for row in day.visits.rows] == ["11 minutes"]
    assert (day.date, day.is_today) == ("Sunday, 1 November 2026", False)


def test_a_ledger_that_is_away() -> None:
    """Today comes from memory; earlier days are told to be out of reach."""
    day = page(SampleState(held=(daily(),), seen=(visit("x", 9, 2),), known=False), None)
    assert day.visits is not None
    assert len(day.visits.rows) == 1
    assert (day.history.week, day.history.is_known, day.is_known) == (None, False, False)
    assert page(SampleState(held=(daily(),)), None, date(2026, 11, 1)).visits is None


TOLD = "who has not read social 3 (2), guests 1 (0): To remind: them"


def test_who_looked() -> None:
    """Who, when and why; a name that the ledger keeps as a pseudonym is nobody's here."""
    masked = Pseudonyms(b"k" * 32).of("emil")
    looks = (
        AuditEntry(NOW - 60, "web:ada", "unmask", "dora", "A complaint"),
        AuditEntry(NOW - 86_400, "cli:root", "report", "everybody", "by person"),
        AuditEntry(NOW - 86_500, f"web:{masked}", "unmask", "dora"),
        AuditEntry(NOW - 86_600, "web:ada", "unmask", "dora"),
    )
    found = page(FixedProxyState(), OwnRecords((), looks)).history.looks
    assert [each.said for each in found] == [
        "ada looked up your name: Monday, 2 November 2026, 14:49",
        "root looked at everybody by name: Sunday, 1 November 2026, 14:50",
        "Somebody looked up your name: Sunday, 1 November 2026, 14:48",
    ]
    assert found[0].reason == "A complaint"
    asked = AuditEntry(NOW - 60, "web:hanna", "policy", "everybody", TOLD)
    (look,) = page(FixedProxyState(), OwnRecords((), (asked,))).history.looks
    assert look.said.startswith("hanna looked up who has not read the policy: Monday")
    assert look.reason == "To remind: them"


def test_who_answers() -> None:
    """Administrators by name, where the rules name them."""
    named = People("staff", {"admin": ("ada", "*@it.example", "tom")})
    assert page(SampleState(changes={"people": named})).answerers == "ada and tom"
    assert page(FixedProxyState()).answerers == ""
