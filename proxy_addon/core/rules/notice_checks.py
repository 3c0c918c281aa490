"""Values of written policies: their files, versions, languages and days."""

from __future__ import annotations

import re
from datetime import date

from proxy_addon.core.notices.notice import PAGE_LANGUAGES, Version
from proxy_addon.core.notices.notice import version as parse_version
from proxy_addon.core.rules import parsers, time_parsers
from proxy_addon.core.rules.parsers import BadValue, quote, short
from proxy_addon.core.rules.problems import Code

_FILE = re.compile(r"(?:[^/\\]+/)?[^/\\.][^/\\]*\.md")
_LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)
_YEARS = re.compile(r"(\d{1,3})\s*y", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def one_or_more(value: object) -> object:
    """A block, or a list of blocks; nothing is none (all its lines are commented out)."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def file(value: object) -> str:
    """The name of a Markdown file in the rules folder, or in a folder in it."""
    name = parsers.name(value)
    if not _FILE.fullmatch(name) or name.startswith("../"):
        raise BadValue(
            Code.BAD_NAME,
            f"{quote(name)} is not the name of a written policy",
            "write, for example, notices/social-media.md",
        )
    return name


def version(value: object) -> Version:
    """`3` or `3.1`."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else short(value)
    try:
        return parse_version(text)
    except ValueError:
        raise BadValue(
            Code.BAD_NOTICE,
            f"{quote(value)} is not the version of a written policy",
            "write a number such as 3, or 3.1 where nobody has to read it again",
        ) from None


def language(value: object) -> str:
    """A language by its two letters."""
    word = short(value)
    if not _LANGUAGE.fullmatch(word):
        raise BadValue(
            Code.BAD_CHOICE, f"{quote(value)} is not a language", "write two letters, such as en"
        )
    return word


def page_language(value: object) -> str:
    """A language in which there are pages."""
    word = short(value)
    if word not in PAGE_LANGUAGES:
        raise BadValue(
            Code.BAD_CHOICE,
            f"{quote(value)} is not a language of our pages",
            f"write {', '.join(PAGE_LANGUAGES[:-1])} or {PAGE_LANGUAGES[-1]}",
        )
    return word


def day(value: object) -> date:
    """A day such as 2026-11-02."""
    word = short(value)
    try:
        if not _DATE.fullmatch(word):
            raise ValueError
        return date.fromisoformat(word)
    except ValueError:
        raise BadValue(
            Code.BAD_DATES, f"{quote(value)} is not a day", "write, for example, 2026-11-02"
        ) from None


def again_after(value: object) -> float:
    """`1y`, or a length of time, in seconds."""
    years = _YEARS.fullmatch(short(value))
    seconds = int(years[1]) * 365.0 * time_parsers.DAY if years else time_parsers.duration(value)
    if seconds <= 0:
        raise BadValue(
            Code.BAD_DURATION,
            "everybody would be asked again at once",
            "write, for example, 1y, or leave it out: then nobody is asked again",
        )
    return seconds
