"""`proxy_addon/proxy/responses/messages.py`: what we say, and to whom."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from proxy_addon.core.policy.urgent import UrgentOffer
from proxy_addon.core.ruleset import Period
from proxy_addon.core.types import Balance, Decision, Reason, Verdict
from proxy_addon.metering.next_openings import NextOpening
from proxy_addon.proxy.responses.messages import PageContext, block_message, comes_back, urgent_text
from tests.core.policies import SAMPLE, SOCIAL, VIDEO

NOW = 1793631000.0  # Monday 2 November 2026, 14:50 in London
CONTEXT = PageContext("dora", ("staff",), "LinkedIn", None, None, ZoneInfo("Europe/London"), NOW)


def no(reason: Reason, *, until: float | None = None, rule: str | None = "A rule") -> Decision:
    """A decision that blocks."""
    return Decision(Verdict.BLOCK, reason, "linkedin", rule=rule, until=until)


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        (
            no(Reason.EXHAUSTED, until=NOW + 600),
            "Your time for LinkedIn is used up. You have time again today at 15:00.",
        ),
        (
            no(Reason.EXHAUSTED, until=1798761600.0),  # a limit per quarter, or per year
            "Your time for LinkedIn is used up. You have time again on 1 January 2027 at 00:00.",
        ),
        (
            no(Reason.EXHAUSTED),
            "Your time for LinkedIn is used up. You get it back as the time you have used moves into the past.",
        ),
        (
            no(Reason.BLOCKED, until=NOW + 20),
            "LinkedIn is closed for now. This changes in 20 seconds.",
        ),
        (
            no(Reason.BLOCKED),
            "LinkedIn is not available here. A rule of your office keeps it closed.",
        ),
        (
            no(Reason.OTHERWISE, rule=None),
            "LinkedIn is not available here. No rule of your office opens it.",
        ),
    ],
)
def test_two_sentences(decision: Decision, text: str) -> None:
    """Every refusal is told in what happened and what comes next."""
    assert block_message(decision, CONTEXT).text == text


def test_an_allowance_of_nothing_was_never_used_up() -> None:
    """Somebody with a limit of zero is not told that they used it."""
    nothing = Balance("daily-social", 0.0, 0.0, 0.0, 0.0, 0.0, NOW + 600)
    told = block_message(no(Reason.EXHAUSTED, until=NOW + 600), CONTEXT._replace(balance=nothing))
    assert told.headline == "You have no time for LinkedIn"


def test_an_allowance_of_nothing_does_not_come_back() -> None:
    """And where no other limit opens it again, nothing is promised."""
    nothing = Balance("daily-social", 0.0, 0.0, 0.0, 0.0, 0.0, NOW + 600)
    told = block_message(no(Reason.EXHAUSTED), CONTEXT._replace(balance=nothing))
    assert told.text == "You have no time for LinkedIn. The rules of your office give you none."


def test_a_platform_without_a_title() -> None:
    """What has no name is "this site", with a capital where a sentence begins."""
    told = block_message(no(Reason.BLOCKED), CONTEXT._replace(platform_title=None))
    assert told.headline == "This site is not available here"


@pytest.mark.parametrize("reason", [Reason.UNIDENTIFIED, Reason.ACKNOWLEDGE, Reason.UNAVAILABLE])
def test_the_other_reasons_name_the_platform(reason: Reason) -> None:
    """Whatever the reason, the reader learns which platform it was about."""
    assert "LinkedIn" in block_message(no(reason), CONTEXT).text


def test_the_way_to_ask_for_more_is_quoted() -> None:
    """An allowance's name cannot break out of the query, and without a place to ask there is no
    link."""
    context = CONTEXT._replace(request_more=True)
    assert context.ask_url("a&b=c d") == "http://allowance.internal/ask?allowance=a%26b%3Dc+d"
    assert context.ask_url(None) is None
    assert CONTEXT.ask_url("daily") is None


LUNCH = NextOpening(NOW + 4200, "Lunch is yours", None, NOW + 9600)
ONE_DAY = 86_400.0


@pytest.mark.parametrize(
    ("decision", "opening", "text"),
    [
        (
            no(Reason.EXHAUSTED, until=NOW + 33_000),
            LUNCH,
            "Your time for LinkedIn is used up. LinkedIn opens today at 16:00: Lunch is yours. It is free"
            " until 17:30. You have time again tomorrow at 00:00.",
        ),
        (
            no(Reason.EXHAUSTED, until=NOW + 33_000),
            NextOpening(NOW + 33_000, "Fifteen", None, NOW + 33_000 + 2 * ONE_DAY),
            "Your time for LinkedIn is used up. LinkedIn opens tomorrow at 00:00: Fifteen. It is free until"
            " Thursday, 00:00. You have time again tomorrow at 00:00.",
        ),
        (
            no(Reason.BLOCKED),
            NextOpening(NOW + 600, None),
            "LinkedIn is closed for now. LinkedIn opens today at 15:00.",
        ),
        (
            no(Reason.BLOCKED),
            NextOpening(NOW + 600, "Fifteen", "daily-social"),
            "LinkedIn is closed for now. LinkedIn opens today at 15:00, and then counts towards “Daily"
            " social”.",
        ),
        (
            no(Reason.BLOCKED, until=NOW + 600),
            None,
            "LinkedIn is not available here. A rule of your office keeps it closed.",
        ),
        (
            no(Reason.EXHAUSTED, until=NOW + 33_000),
            None,
            "Your time for LinkedIn is used up. No time is known at which LinkedIn opens. You have time"
            " again tomorrow at 00:00.",
        ),
        (
            no(Reason.EXHAUSTED, until=NOW + 60 * ONE_DAY),
            None,
            "Your time for LinkedIn is used up. You have time again on 1 January 2027 at 14:50.",
        ),
    ],
)
def test_the_next_opening_comes_first(
    decision: Decision, opening: NextOpening | None, text: str
) -> None:
    """What opens next, by which rule, then when there are minutes again; and where no opening is
    known, that is said."""
    told = block_message(decision, CONTEXT._replace(opening=opening, looked_ahead=True))
    assert told.text == text


@pytest.mark.parametrize(
    ("decision", "opening", "instant"),
    [
        (no(Reason.EXHAUSTED, until=NOW + 33_000), LUNCH, NOW + 4200),
        (no(Reason.EXHAUSTED, until=NOW + 33_000), None, None),
        (no(Reason.EXHAUSTED, until=NOW + 60 * ONE_DAY), None, NOW + 60 * ONE_DAY),
        (no(Reason.BLOCKED, until=NOW + 60), None, None),
        (no(Reason.BLOCKED, until=NOW + 60), LUNCH, NOW + 4200),
    ],
)
def test_when_to_come_back(
    decision: Decision, opening: NextOpening | None, instant: float | None
) -> None:
    """At the next opening; without one not at a change that opens nothing. Where nobody could look
    ahead it is the instant of the decision."""
    context = CONTEXT._replace(opening=opening, looked_ahead=True)
    assert comes_back(decision, context) == instant
    assert comes_back(decision, CONTEXT) == decision.until


def test_the_rules_own_sentence_comes_first() -> None:
    """And "closed for now" never stands beside it."""
    own = replace(no(Reason.BLOCKED), message="LinkedIn is not available on office devices.")
    for opening in (None, LUNCH):
        told = block_message(own, CONTEXT._replace(opening=opening, looked_ahead=True))
        assert told.headline == "LinkedIn is closed"
        assert told.next.startswith("LinkedIn is not available on office devices.")
        assert "for now" not in told.text
        assert ("16:00" in told.text) == (opening is not None)


def test_the_allowance_by_its_name() -> None:
    """What it counts for and its period, never its key; and in the reader's language."""
    spent = Balance("daily-social", 900.0, 900.0, 0.0, 0.0, 0.0, NOW + 600, "week")
    rules = replace(SAMPLE, groups={"social": SOCIAL, "video": VIDEO})
    context = CONTEXT._replace(rules=rules, allowance="daily-social", balance=spent)
    told = block_message(no(Reason.EXHAUSTED, until=NOW + 600), context)
    assert told.headline == "Your social and video time is used up for this week"
    assert context.allowance_title == "Social and video time"
    assert "Facebook" in context.counts_for


def test_names_are_escaped_once() -> None:
    """A rule's name cannot become part of the page."""
    opening = NextOpening(NOW + 600, "<b>%(when)s & co", None)
    (line,) = block_message(
        no(Reason.BLOCKED), CONTEXT._replace(opening=opening, looked_ahead=True)
    ).lines
    assert "&lt;b&gt;%(when)s &amp; co" in line.html
    assert "<strong>today at 15:00</strong>" in line.html
    assert "<b>%(when)s & co" in line.text


def test_what_leads_to_urgent_minutes() -> None:
    """A link while some are left, a sentence when none are."""
    offer = UrgentOffer(600.0, 1, 2, Period.DAY, NOW + 33_000)
    some = CONTEXT._replace(urgent=offer, back="sealed")
    assert some.urgent_url("a b") == "http://allowance.internal/urgent?allowance=a+b&back=sealed"
    assert urgent_text(some) == ""
    none = some._replace(urgent=offer._replace(left=0))
    assert none.urgent_url("a b") is None
    assert "tomorrow at 00:00" in urgent_text(none)
    assert CONTEXT.urgent_url("a b") is None
    assert urgent_text(CONTEXT) == ""
