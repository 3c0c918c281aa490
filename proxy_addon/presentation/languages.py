"""The languages of our pages: catalogues of messages, and which of them a reader gets.

Messages are written in English where they are used, as `_("…")` or `ngettext("…", "…", n)`, in
templates as `{% trans %}`. A catalogue has the same messages in another language
(`locales/de.po`); the proxy reads them before it serves (`read_all`). Which language is spoken is a
matter of the page that is being made: `with speaking(language):`. Commands and logs are English.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from proxy_addon.core.notices.notice import PAGE_LANGUAGES

LANGUAGES: Final = PAGE_LANGUAGES
_FOLDER: Final = Path(__file__).parent / "locales"
_WISH: Final = re.compile(
    r"\s*([a-zA-Z]{2,3})(?:-[\w-]+)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*"
)
_PARTS_OF_LOCALES: Final = ("days", "months", "date_formats", "list_patterns", "languages")
_MAX_WISHES: Final = 20  # of a browser; more is not a wish

_spoken: ContextVar[str] = ContextVar("allowance_language", default="en")


@cache
def catalogue(language: str) -> NullTranslations:
    """The messages of a language; English has none, since messages are English."""
    file = _FOLDER / f"{language}.po"
    if language not in LANGUAGES or not file.exists():
        return NullTranslations()
    compiled = io.BytesIO()
    with file.open("rb") as lines:
        write_mo(compiled, read_po(lines, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def read_all() -> None:
    """Read the messages of all languages, and how they write dates and lists. On an event loop the
    first page in a language would else wait for the disk."""
    for language in LANGUAGES:
        catalogue(language)
        for part in _PARTS_OF_LOCALES:
            getattr(_locale(language), part)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Messages inside are in this language."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def spoken() -> str:
    """The language of the page that is being made."""
    return _spoken.get()


def locale() -> Locale:
    """How dates and numbers are written in it."""
    return _locale(spoken())


@cache
def _locale(language: str) -> Locale:
    # English as it is written in Britain: the day before the month, 24 hours.
    return Locale.parse("en_GB" if language == "en" else language)


def gettext(message: str) -> str:
    """The message in the language that is spoken."""
    return catalogue(spoken()).gettext(message) if message else ""


def ngettext(one: str, many: str, number: float) -> str:
    """The message in the form that fits the number; `%(n)s` stands for it."""
    whole = int(number) if number == int(number) else 2
    return catalogue(spoken()).ngettext(one, many, whole)


def wished(header: str | None) -> tuple[str, ...]:
    """The languages of an `Accept-Language` header, the dearest first; what cannot be read is left
    out."""
    found: list[tuple[float, str]] = []
    for part in (header or "").split(",")[:_MAX_WISHES]:
        wish = _WISH.fullmatch(part)
        if wish is not None and (weight := float(wish[2] or 1)) > 0:
            found.append((-weight, wish[1].lower()))
    return tuple(dict.fromkeys(language for _, language in sorted(found, key=lambda each: each[0])))


def chosen(header: str | None, offered: Sequence[str]) -> str:
    """The language for a reader: the first of their wishes that the office offers and we have, else
    the office's first."""
    known = [language for language in offered if language in LANGUAGES] or ["en"]
    return next((wish for wish in wished(header) if wish in known), known[0])


def marked(message: str) -> str:
    """The message as it is: for constants that are translated where they are used. `make messages`
    finds it."""
    return message


def marked_plural(one: str, many: str) -> tuple[str, str]:
    """The same for a message with a plural: the arguments of `ngettext`."""
    return one, many


def name_of(language: str) -> str:
    """What a language calls itself: "Deutsch"."""
    name = Locale.parse(language).get_display_name(language)
    return (name or language).capitalize()
