"""A notice: the written policy that people read, in one version and one or several languages.

It is part of the rule set. `version` decides who is asked again: a new number before the dot (3 to
4) asks everybody, one behind it (3 to 3.1) nobody. `digest` names the very text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from proxy_addon.core.notices.headings import Heading
from proxy_addon.core.types import Person

PAGE_LANGUAGES = ("en", "de", "fr", "es")  # in which there are pages; English is the fallback
_VERSION = re.compile(r"(0|[1-9]\d{0,5})(?:\.(0|[1-9]\d{0,5}))?", re.ASCII)


class AskWhen(StrEnum):
    """What happens before somebody uses a limited platform."""

    BEFORE_FIRST_USE = "before-first-use"  # it has to be confirmed
    SHOWN = "shown"  # it is shown once for each version
    OFF = "off"  # it can be read, and nobody is asked


class Version(NamedTuple):
    """The version of a notice, ordered."""

    major: int
    minor: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}" if self.minor else str(self.major)

    def covers(self, other: Version) -> bool:
        """Whether who has confirmed this version need not be asked about another one: it is older,
        or differs only behind the dot."""
        return self.major >= other.major


def version(text: str) -> Version:
    """`3` or `3.1`. Raises ValueError."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return Version(int(found[1]), int(found[2] or 0))


def major_of(text: str) -> int:
    """The number before the dot; 0 for what is no version."""
    try:
        return version(text).major
    except ValueError:
        return 0


@dataclass(frozen=True, slots=True)
class NoticeText:
    """The text in one language, as Markdown without its front matter. `summary` is the policy in a
    few lines, `changes` what is new in this version; both may be empty. `owner` and `contact` in
    the words of this language; empty: those of the notice."""

    language: str
    title: str
    markdown: str
    headings: tuple[Heading, ...] = ()
    summary: tuple[str, ...] = ()
    changes: str = ""
    owner: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A written policy, and who is asked about it.

    `texts` has each language once, the office's own first. `grace`: seconds from when somebody
    first meets a version until it has to be confirmed. `again_after`: seconds after which a
    confirmation has to be repeated; None: never. `roles`: whom it is for; empty: everybody.
    """

    name: str
    version: Version
    texts: Mapping[str, NoticeText]
    digest: str  # SHA-256 of all its files, hex
    owner: str = ""
    contact: str = ""
    effective: date | None = None
    ask: AskWhen = AskWhen.BEFORE_FIRST_USE
    grace: float = 0.0
    again_after: float | None = None
    roles: frozenset[str] = frozenset()

    def is_for(self, person: Person) -> bool:
        """Whether somebody with these roles has to know it."""
        return not self.roles or not self.roles.isdisjoint(person.roles)

    def text(self, languages: tuple[str, ...]) -> NoticeText:
        """The text in the first of these languages that there is, else in its own first."""
        for language in languages:
            if language in self.texts:
                return self.texts[language]
        return next(iter(self.texts.values()))

    def owner_in(self, language: str) -> str:
        """Who looks after it, as the text in this language says."""
        text = self.texts.get(language)
        return (text.owner if text else "") or self.owner

    def contact_in(self, language: str) -> str:
        """Whom to ask, as the text in this language says."""
        text = self.texts.get(language)
        return (text.contact if text else "") or self.contact


@dataclass(frozen=True, slots=True)
class Office:
    """What pages call the office: `languages` in order of preference, the first where the browser
    wishes none of them."""

    name: str = ""
    contact: str = ""
    languages: tuple[str, ...] = ("en",)


def notice_for(notices: tuple[Notice, ...], person: Person) -> Notice | None:
    """The notice for somebody: of several the first that fits."""
    return next((notice for notice in notices if notice.is_for(person)), None)
