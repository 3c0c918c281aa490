"""A language in which every message shows where it begins and ends: ⟦15 of ⟨…⟩ used⟧.

What a page says outside of ⟦ ⟧ did not go through a catalogue: it is a name, a number, or a text
that nobody can translate. What was put into a message stands in ⟨ ⟩, and is looked at in the same
way. Dates and lists, which come from CLDR, are German meanwhile, so that English ones stand out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import NullTranslations
from html.parser import HTMLParser
from unittest.mock import patch

from babel import Locale

from proxy_addon.presentation import languages

OPENING = {"⟧": "⟦", "⟩": "⟨"}
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
_SPOKEN = ("title", "alt", "aria-label", "aria-valuetext", "aria-description", "placeholder")
_BUTTONS = ("submit", "button", "reset")
_NOT_TEXT = ("style", "script", "code", "pre", "kbd")
_VOID = ("meta", "link", "br", "input", "img", "wbr", "hr", "rect", "circle", "path", "line")


def marked(message: str) -> str:
    """The message as it is said in this language."""
    return f"⟦{_PLACEHOLDER.sub(r'⟨\g<0>⟩', message)}⟧"


class PseudoTranslations(NullTranslations):
    """The catalogue of this language."""

    def gettext(self, message: str) -> str:
        return marked(message)

    def ngettext(self, msgid1: str, msgid2: str, n: float) -> str:
        return marked(msgid1 if n == 1 else msgid2)


@contextmanager
def spoken() -> Iterator[None]:
    """All pages speak this language, whatever their reader asks for."""
    catalogue = PseudoTranslations()
    with (
        patch.object(languages, "catalogue", lambda _: catalogue),
        patch.object(languages, "_locale", lambda _: Locale.parse("de")),
    ):
        yield


class _Texts(HTMLParser):
    """The texts of a page that are not part of a message, with those that were put into one."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self._open: list[str] = []
        self._tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in _VOID:
            self._tags.append(tag)
        texts = [found.get(name) for name in _SPOKEN]
        if tag == "input" and found.get("type") in _BUTTONS:
            texts.append(found.get("value"))
        for text in texts:
            if text:
                self.outside += outside(text)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._tags.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in self._tags:
            while self._tags.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not set(_NOT_TEXT) & set(self._tags):
            self.outside += _outside(data, self._open)


def outside(text: str) -> list[str]:
    """The parts of a text that are not said by a message."""
    return _outside(text, [])


def _outside(text: str, opened: list[str]) -> list[str]:
    """The same, where these brackets are open; those of the text are added to them."""
    parts, part = [], ""
    for character in text:
        if character in OPENING.values() or character in OPENING:
            parts.append(part)
            part = ""
            if character in OPENING:
                assert opened.pop() == OPENING[character], text
            else:
                opened.append(character)
        elif not opened or opened[-1] == "⟨":
            part += character
    return [found for each in [*parts, part] if (found := " ".join(each.split()))]


def texts(page: str) -> list[str]:
    """What a page says without a message."""
    parser = _Texts()
    parser.feed(page)
    parser.close()
    assert not parser._open, "a message without an end"
    return parser.outside
