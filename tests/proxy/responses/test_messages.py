"""`proxy_addon/proxy/responses/messages.py`: what we say, and to whom."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from proxy_addon.core.types import Balance, Decision, Reason, Verdict
from proxy_addon.proxy.responses.messages import PageContext, block_message

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
