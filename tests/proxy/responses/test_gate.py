"""`proxy_addon/proxy/responses/gate.py`: the page before the first use of a platform."""

from __future__ import annotations

from proxy_addon.core.notices.gate import Need
from proxy_addon.core.types import Decision, Reason, Verdict
from proxy_addon.proxy.responses.gate import GateText, gate
from proxy_addon.proxy.responses.responses import Answer
from tests.proxy.responses.samples import ASK, CONTEXT, NOW, fields, links_of, shape_of, text_of

UNREAD = Decision(Verdict.BLOCK, Reason.ACKNOWLEDGE, "facebook")
TEXT = GateText(
    "en", "Social <media>", ("You have 15 minutes.", "Be <kind>."), 4, Need.ASKED, NOW + 3 * 86_400
)


def page(text: GateText = TEXT, back: str = "sealed", method: str = "GET") -> Answer:
    """The page for somebody who opens Facebook."""
    ask = ASK._replace(method=method)
    return gate(ask, UNREAD, CONTEXT, text, notice="social", back=back, office="Example Ltd")


def test_it_holds_links_only() -> None:
    """It stands on the platform's own origin: no form, no script, and it is not kept."""
    answer = page()
    names = [name for name, _ in shape_of(answer)]
    assert not {"form", "button", "input", "script", "iframe", "img"} & set(names)
    sent = fields(answer)
    assert (answer.status, sent["x-allowance-reason"]) == (403, "acknowledge")
    assert sent["cache-control"] == "no-store"
    assert sent["referrer-policy"] == "no-referrer"


def test_what_it_says() -> None:
    """The summary, how long it takes, and until when it can be put off; what stands in the policy
    is text."""
    words = text_of(page())
    assert "Social <media>" in words and "Be <kind>." in words and "4 minutes" in words
    assert "You can put it off until" in words and "New since yours" not in words


def test_where_its_links_lead() -> None:
    """To our own page, with the name of the policy and the sealed way back; "later" says so."""
    read, later = [link for link in links_of(page()) if "/policy?" in link]
    assert read == f"{CONTEXT.page_url}policy?notice=social&back=sealed"
    assert later == f"{read}&later=1"
    assert not [link for link in links_of(page(back="")) if "back=" in link]


def test_when_it_is_due() -> None:
    """It cannot be put off."""
    answer = page(TEXT._replace(need=Need.DUE, until=None))
    assert not [link for link in links_of(answer) if "later" in link]
    assert "put it off" not in text_of(answer)


def test_when_it_is_only_shown() -> None:
    """There is a way on to the platform, and nothing to confirm; a request that a link cannot
    repeat has none, and one that is too long to be sealed has it."""
    shown = TEXT._replace(need=Need.SHOWN, until=None)
    assert ASK.url in links_of(page(shown))
    assert "confirm" not in text_of(page(shown)).lower()
    assert ASK.url in links_of(page(shown, back=""))
    assert ASK.url not in links_of(page(shown, back="", method="POST"))


def test_what_is_new() -> None:
    """Who has read a version before is told which, and what has changed since then; the way back is
    not lost on the way."""
    shown = page(TEXT._replace(read="2", changes="Images are new."))
    words, address = text_of(shown), f"{CONTEXT.page_url}policy?notice=social&back=sealed&changes=1"
    assert address in links_of(shown)
    assert "You have read version 2." in words and "Images are new." in words


def test_in_the_readers_language() -> None:
    """The page says its language, also where a catalogue is missing."""
    answer = page(TEXT._replace(language="de"))
    assert b'<html lang="de"' in answer.body


def test_a_head_request() -> None:
    """The headers without the page."""
    head = ASK._replace(method="HEAD")
    answer = gate(head, UNREAD, CONTEXT, TEXT, notice="social", back="", office="")
    assert answer.body == b"" and fields(answer)["x-allowance-reason"] == "acknowledge"
