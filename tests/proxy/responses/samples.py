"""Requests, decisions and balances to answer, and what a browser would see of an answer."""

from __future__ import annotations

import html
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from proxy_addon.core.types import Balance, Decision, Reason, Verdict
from proxy_addon.proxy.responses.responses import Answer, PageContext, RequestInfo

NOW = 1793631000.0  # Monday 2 November 2026, 14:50 in London
MIDNIGHT = 1793664000.0
ASK = RequestInfo(
    "GET",
    "https://www.facebook.com/feed?a=1&b=2",
    "www.facebook.com",
    "document",
    "navigate",
    "text/html",
)
USED_UP = Balance("daily-social", 900.0, 900.0, 0.0, 0.0, 0.0, MIDNIGHT)
LOW = Balance("daily-social", 900.0, 788.0, 0.0, 0.0, 112.0, MIDNIGHT)
CONTEXT = PageContext(
    "dora", ("staff",), "Facebook", USED_UP, "Daily social", ZoneInfo("Europe/London"), NOW
)
EXHAUSTED = Decision(
    Verdict.BLOCK,
    Reason.EXHAUSTED,
    "facebook",
    None,
    "Fifteen minutes a day",
    "daily-social",
    0.0,
    MIDNIGHT,
)
WITHIN = Decision(
    Verdict.SPEND, Reason.WITHIN, "facebook", None, "Fifteen minutes a day", "daily-social", 112.0
)
BLOCKED = Decision(
    Verdict.BLOCK,
    Reason.BLOCKED,
    "tiktok",
    rule="Not on our network",
    message="Not on our devices.",
)

PAGE, PROBLEM, NOTHING = "text/html; charset=utf-8", "application/problem+json", None


def fields(answer: Answer) -> dict[str, str]:
    """Headers by lower-case name; no name comes twice."""
    made = {name.lower(): value for name, value in answer.headers}
    assert len(made) == len(answer.headers)
    return made


class _Page(HTMLParser):
    """What a browser would see: elements with their attributes' names, links, text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shape: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.shape.append((tag, tuple(name for name, _ in attrs)))
        if tag == "a":
            self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.words.append(data)


def shape_of(answer: Answer) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page."""
    return _Page(answer.body.decode()).shape


def links_of(answer: Answer) -> list[str]:
    """The targets of a page's links."""
    return [html.unescape(link) for link in _Page(answer.body.decode()).links]


def text_of(answer: Answer) -> str:
    """The text of a page, on one line."""
    return " ".join("".join(_Page(answer.body.decode()).words).split())
