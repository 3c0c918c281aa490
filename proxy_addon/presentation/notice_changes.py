"""What has changed between two texts of a written policy, by paragraph, for one reader.

Headings, paragraphs and items are compared as they read, without marks of Markdown and with the
values of the rules put in. A paragraph that was rewritten is compared word by word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final, NamedTuple

from proxy_addon.core.notices.headings import parser, plain, split_title
from proxy_addon.core.notices.placeholders import filled
from proxy_addon.presentation.notice_html import Value

_ALIKE: Final = 0.5  # from which share of equal words on a paragraph counts as rewritten
_MOST_BLOCKS: Final = 2_000  # of a text; more are not compared


class Edit(StrEnum):
    """What happened to some words."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


class Words(NamedTuple):
    """Some words, and what happened to them; with a space between them and the next."""

    mark: Edit
    text: str


class Paragraph(NamedTuple):
    """A paragraph that is new, was removed, or (`SAME`) was rewritten in part."""

    mark: Edit
    words: tuple[Words, ...]


class ChangedSection(NamedTuple):
    """What has changed below one heading; "" above the first one."""

    heading: str
    paragraphs: tuple[Paragraph, ...]


class _Block(NamedTuple):
    heading: str
    text: str


def changes(old: str, new: str, value: Value) -> tuple[ChangedSection, ...]:
    """The sections in which two texts differ, in the order of the new one. `old` and `new` are
    Markdown."""
    before, after = list(_blocks(old, value)), list(_blocks(new, value))
    sections: dict[str, list[Paragraph]] = {}
    for heading, paragraph in _compared(before[:_MOST_BLOCKS], after[:_MOST_BLOCKS]):
        sections.setdefault(heading, []).append(paragraph)
    return tuple(ChangedSection(name, tuple(found)) for name, found in sections.items())


def _blocks(markdown: str, value: Value) -> Iterator[_Block]:
    heading, opened = "", ""
    for token in parser().parse(markdown):
        if token.type == "heading_open":
            opened = token.tag
        elif token.type in ("inline", "fence", "code_block"):
            text = plain(token) if token.type == "inline" else token.content
            if opened:
                text = split_title(text)[0]
            text = " ".join(filled(text, value).split())
            if opened == "h1":
                text = ""  # the title of the page
            elif opened:
                heading = text
            if text:
                yield _Block(heading, text)
            opened = ""


def _compared(before: Sequence[_Block], after: Sequence[_Block]) -> Iterator[tuple[str, Paragraph]]:
    texts = [block.text for block in before], [block.text for block in after]
    for how, a, b, c, d in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if how == "equal":
            continue
        gone, come = list(before[a:b]), list(after[c:d])
        for was, becomes in _pairs(gone, come):
            if was is None and becomes is not None:
                yield becomes.heading, _whole(Edit.ADDED, becomes)
            elif was is not None and becomes is None:
                yield was.heading, _whole(Edit.REMOVED, was)
            elif was is not None and becomes is not None:
                yield becomes.heading, Paragraph(Edit.SAME, _rewritten(was.text, becomes.text))


def _pairs(gone: list[_Block], come: list[_Block]) -> Iterator[tuple[_Block | None, _Block | None]]:
    """Each paragraph that came with the one that it replaces, where one is like it; in order."""
    waiting = list(gone)
    for becomes in come:
        like = next((was for was in waiting if _are_alike(was.text, becomes.text)), None)
        if like is None:
            yield None, becomes
            continue
        at = waiting.index(like)
        yield from ((was, None) for was in waiting[:at])
        yield like, becomes
        waiting = waiting[at + 1 :]
    yield from ((was, None) for was in waiting)


def _are_alike(was: str, becomes: str) -> bool:
    matcher = SequenceMatcher(None, was.split(), becomes.split(), autojunk=False)
    return matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE


def _whole(mark: Edit, block: _Block) -> Paragraph:
    return Paragraph(mark, (Words(mark, block.text),))


def _rewritten(was: str, becomes: str) -> tuple[Words, ...]:
    old, new = was.split(), becomes.split()
    found: list[Words] = []
    for how, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if how == "equal":
            found.append(Words(Edit.SAME, " ".join(new[c:d])))
            continue
        if b > a:
            found.append(Words(Edit.REMOVED, " ".join(old[a:b])))
        if d > c:
            found.append(Words(Edit.ADDED, " ".join(new[c:d])))
    return tuple(found)
