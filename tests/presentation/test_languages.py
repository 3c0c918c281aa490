"""Which language a reader gets, and what is said in it."""

from __future__ import annotations

import subprocess
import sys
from gettext import NullTranslations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.presentation.languages import (
    LANGUAGES,
    catalogue,
    chosen,
    gettext,
    locale,
    marked,
    marked_plural,
    ngettext,
    speaking,
    spoken,
    wished,
)


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        (None, ()),
        ("", ()),
        ("de", ("de",)),
        ("de-AT,de;q=0.9,en;q=0.8", ("de", "en")),
        ("en;q=0.2, fr;q=0.9", ("fr", "en")),
        ("fr ; q=0.5 , es", ("es", "fr")),
        ("en;q=0, de", ("de",)),
        ("*, de;q=0.3", ("de",)),
        ("zh-Hant-TW", ("zh",)),
        ("de;q=x, <script>, en", ("en",)),
    ],
)
def test_what_a_browser_wishes(header: str | None, languages: tuple[str, ...]) -> None:
    """By weight, then by place; what cannot be read is left out."""
    assert wished(header) == languages


@pytest.mark.parametrize(
    ("header", "offered", "language"),
    [
        ("de", ("en", "de"), "de"),
        ("de", ("en",), "en"),
        ("it, fr;q=0.2", ("en", "fr"), "fr"),
        ("it", ("es", "en"), "es"),
        (None, ("fr", "en"), "fr"),
        ("de", (), "en"),
        ("de", ("xx",), "en"),
    ],
)
def test_what_a_reader_gets(header: str | None, offered: tuple[str, ...], language: str) -> None:
    """The first wish that the office offers, else the office's own language."""
    assert chosen(header, offered) == language


@given(st.text(max_size=200))
def test_any_header(header: str) -> None:
    """Nothing that a client sends stops us."""
    assert chosen(header, LANGUAGES) in LANGUAGES


def test_english_is_spoken_unless_somebody_else_is_meant() -> None:
    """Commands and logs do not follow a page."""
    assert spoken() == "en"
    with speaking("de"):
        with speaking("fr"):
            assert spoken() == "fr"
        assert (spoken(), locale().language) == ("de", "de")
    assert (spoken(), locale().territory) == ("en", "GB")


def test_marked_messages_are_themselves() -> None:
    """What is translated later is English until then."""
    assert marked("a day") == "a day"
    assert marked_plural("a day", "%(n)d days") == ("a day", "%(n)d days")


def test_messages_without_a_translation_are_english() -> None:
    """They are shown, not lost; nothing stays nothing."""
    assert type(catalogue("en")) is NullTranslations
    for language in LANGUAGES:
        with speaking(language):
            assert gettext("no such message") == "no such message"
            assert gettext("") == ""
            assert ngettext("one thing", "many things", 1) == "one thing"
            assert ngettext("one thing", "many things", 0.5) == "many things"


def test_once_read_no_page_reads_a_file() -> None:
    """After `read_all` messages, dates and lists of every language come from memory."""
    program = """
import sys, time
from datetime import date
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from proxy_addon.presentation import languages
from babel.dates import get_timezone
languages.read_all()
opened = []
sys.addaudithook(lambda event, given: event == "open" and opened.append(given[0]))
for language in languages.LANGUAGES:
    with languages.speaking(language):
        languages.gettext("My time"), languages.name_of(language)
        where = languages.locale()
        format_date(date(2026, 11, 2), "full", where), format_date(date(2026, 11, 2), "EEEE", where)
        format_skeleton("MMMMd", date(2026, 11, 2), locale=where), format_list(["a", "b"], locale=where)
print([name for name in opened if str(name).endswith((".po", ".dat"))])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
