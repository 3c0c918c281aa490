"""`proxy_addon/report/page.py`: a page that stands alone."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from proxy_addon.ledger.interface import PlainVisit
from proxy_addon.report.page import page
from tests.core.policies import at
from tests.report.scene import DAILY, NOW, RULE, made, observing, office

VOID = {"meta", "link", "br"}


class Tags(HTMLParser):
    """Checks that tags are closed in order, and keeps what was seen."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    """The tags of a well-formed page."""
    parser = Tags()
    parser.feed(text)
    assert parser.open == []
    return parser.seen


@pytest.fixture(scope="module")
def text() -> str:
    """The page of the office."""
    return page(office(), NOW, by_person=False)


def test_it_needs_nothing_else(text: str) -> None:
    """No script, and nothing is loaded from anywhere; the page forbids it to itself."""
    seen = tags(text)
    assert "script" not in {tag for tag, _ in seen}
    for tag, attributes in seen:
        for name in ("src", "href", "data", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:"), (tag, value)
    assert "url(" not in text
    assert "default-src 'none'" in text


def test_every_chart_has_title_unit_and_table(text: str) -> None:
    """For eyes and for ears: what it is, what it counts, and the numbers as text."""
    seen = tags(text)
    ids = {attributes["id"] for _, attributes in seen if "id" in attributes}
    pictures = [
        attributes for tag, attributes in seen if tag == "svg" and attributes.get("role") == "img"
    ]
    assert len(pictures) == 4
    for picture in pictures:
        assert picture["aria-labelledby"] in ids
        assert picture["aria-describedby"] in ids
    figures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    assert len(figures) == 4
    for figure in figures:
        assert re.search(r"In (hours|minutes)\.|Minutes by hour", figure)
        assert "<table>" in figure


def test_the_numbers_are_there(text: str) -> None:
    """Those of the sums."""
    for words in (
        "3 people",
        "1 h 20 min",
        "40 min",
        "Daily social",
        "15 minutes a day",
        "Facebook",
        "marketing",
    ):
        assert words in text, words
    assert "Most on Monday from 09:00 to 10:00: 35 min." in text


def test_no_names_unless_asked(text: str) -> None:
    """People are on it only by `--by person`."""
    assert "dora" not in text
    assert "dora" in page(office(by_person=True), NOW, by_person=True)


def test_everything_is_escaped() -> None:
    """A name of a platform, a rule or a person is text."""
    evil = "<img src=x onerror=alert(1)>"
    report = made(PlainVisit(evil, evil, evil, evil, at("09:00"), at("09:10")), by_person=True)
    text = page(report, NOW, by_person=True)
    assert "<img" not in text
    assert text.count("&lt;img src=x") >= 3
    tags(text)


def test_what_observed_rules_would_have_stopped() -> None:
    """Said with the minutes, and that nobody was stopped."""
    report = made(PlainVisit("dora", "x", DAILY, RULE, at("09:00"), at("09:40")), rules=observing())
    text = page(report, NOW, by_person=False)
    tags(text)
    assert "What observed rules would have stopped" in text
    assert "only observed" in text
    assert "25 min" in text


def test_nobody() -> None:
    """An empty time says so, and what to do."""
    text = page(made(), NOW, by_person=False)
    tags(text)
    assert "Nobody used a limited platform" in text
    assert "allowance doctor" in text
    assert "<figure" not in text
