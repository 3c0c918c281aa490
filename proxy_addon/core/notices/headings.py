"""The headings of a written policy, and what stands below each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from proxy_addon.core.notices.topics import Topic, topics_of

_IDENTIFIER = re.compile(r"\s*\{#([a-z0-9][a-z0-9-]{0,60})\}\s*$")
_NOT_IN_ANCHORS = re.compile(r"[^\w]+")
# Something to copy, and somebody to call: what makes a section useful in a hurry.
_QUOTED = re.compile(r"[\"“”„«].+[\"“”»]", re.DOTALL)
_REACHED = re.compile(r"\{\{\s*contact\s*\}\}|[\w.+-]+@[\w-]+\.|\+?\d(?:[ ()/.-]?\d){2,}")


class Heading(NamedTuple):
    """A heading: `line` counts from 1 in its text, `anchor` is its identifier on the page."""

    level: int
    title: str
    anchor: str
    line: int
    topics: frozenset[Topic] = frozenset()
    has_contact: bool = False  # below it somebody is named in bold, or with a number or address
    has_quote: bool = False  # below it stands a sentence to copy


def parser() -> MarkdownIt:
    """CommonMark with tables. HTML in it is text: whoever writes a policy writes no scripts."""
    return MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table")


def split_title(text: str) -> tuple[str, str]:
    """A heading's title and its identifier, "" where it has none."""
    found = _IDENTIFIER.search(text)
    return (text[: found.start()].strip(), found[1]) if found else (text.strip(), "")


def headings(markdown: str) -> tuple[Heading, ...]:
    """All headings of a text, in order."""
    tokens = parser().parse(markdown)
    found = list(_sections(tokens))
    taken: set[str] = set()
    return tuple(_heading(opening, inline, below, taken) for opening, inline, below in found)


def _sections(tokens: list[Token]) -> Iterator[tuple[Token, Token, list[Token]]]:
    """Each heading: its opening token, its text, and what stands below it."""
    starts = [n for n, token in enumerate(tokens) if token.type == "heading_open"]
    for start, end in pairwise((*starts, len(tokens))):
        yield tokens[start], tokens[start + 1], tokens[start + 3 : end]


def _heading(opening: Token, inline: Token, below: list[Token], taken: set[str]) -> Heading:
    title, identifier = split_title(plain(inline))
    anchor = identifier or _NOT_IN_ANCHORS.sub("-", title.casefold()).strip("-") or "section"
    number, unique = 1, anchor
    while unique in taken:
        number += 1
        unique = f"{anchor}-{number}"
    taken.add(unique)
    text = "\n".join(token.content for token in below if token.type in ("inline", "fence"))
    bold = any(
        child.type == "strong_open"
        for token in below
        if token.type == "inline"
        for child in token.children or ()
    )
    quoted = any(token.type in ("blockquote_open", "fence", "code_block") for token in below)
    return Heading(
        int(opening.tag[1]),
        title,
        unique,
        (opening.map or [0])[0] + 1,
        topics_of(title, identifier),
        bold or _REACHED.search(text) is not None,
        quoted or _QUOTED.search(text) is not None,
    )


def plain(inline: Token) -> str:
    """The text of a heading or paragraph without its marks."""
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in inline.children or ()
    )


def missing_topics(found: tuple[Heading, ...]) -> list[Topic]:
    """The topics that no heading announces, in the order of the list."""
    there = frozenset(topic for heading in found for topic in heading.topics)
    return [topic for topic in Topic if topic not in there]


def html_lines(markdown: str) -> list[int]:
    """The lines, from 1, of blocks in which HTML is written."""
    tokens = MarkdownIt("commonmark").parse(markdown)
    return [
        token.map[0] + 1
        for token in tokens
        if token.map is not None
        and (
            token.type == "html_block"
            or any(child.type == "html_inline" for child in token.children or ())
        )
    ]
