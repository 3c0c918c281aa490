"""Reads YAML as plain data with the line and column of every key and value; the only YAML import.

Less of YAML is accepted than YAML allows, because rule files are read by people who do not know it:

* no anchors, aliases, merge keys, tags, or several documents in a file;
* a key occurs once in its block;
* keys are always text; of the values only `true`, `false`, `null` and whole numbers are not text,
  so `on`, `12:30` and `2026-11-02` mean what they look like;
* nesting and the number of values are bounded, so hostile input is refused early.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from proxy_addon.core.rules.documents import Document, Path, Position
from proxy_addon.core.rules.parsers import quote
from proxy_addon.core.rules.problems import Code, Place, RuleProblem

MAX_DEPTH = 30
MAX_VALUES = 200_000
# libyaml where it is built in (in every wheel); ten times faster than the parser in Python.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")  # those that come back as they were written
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# What YAML calls printable, without the line ends that editors do not count (NEL, LS, PS).
_UNPRINTABLE = re.compile(
    "[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_WIDE = (
    (codecs.BOM_UTF32_LE, "UTF-32"),  # first: it begins like that of UTF-16
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_TAB_FIRST = re.compile(r"[ -]*\t\s*[^\s#]")
_LINE_END = re.compile(r"\r\n|\r|\n")


class _StopReadingError(Exception):
    """A problem after which the rest of the file means nothing."""

    def __init__(self, mark: Position, code: Code, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.mark, self.code, self.message, self.hint = mark, code, message, hint


def parse(content: bytes, file: str) -> tuple[Document | None, list[RuleProblem]]:
    """A file's bytes as a document, or None, with what is wrong with it. Never raises."""
    try:
        reader = _Reader(file)
        return Document(
            file, reader.read(_text(content)), reader.values, reader.keys
        ), reader.problems
    except _StopReadingError as stop:
        problem = RuleProblem.at(Place(file, *stop.mark), stop.code, stop.message, stop.hint)
        return None, [*reader.problems, problem]


def lines(content: str) -> list[str]:
    """The lines of a file as problems count them."""
    return _LINE_END.split(content)


def text(content: bytes, file: str) -> str | RuleProblem:
    """A file's bytes as text that a rule file may hold, or what is wrong with them."""
    try:
        return _text(content)
    except _StopReadingError as stop:
        return RuleProblem.at(Place(file, *stop.mark), stop.code, stop.message, stop.hint)


def _text(content: bytes) -> str:
    """UTF-8 to text without what YAML cannot hold. A byte order mark at the beginning is let
    pass."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        wide = next((name for mark, name in _WIDE if content.startswith(mark)), None)
        what = (
            f"the file is {wide}, not UTF-8"
            if wide
            else f"byte {content[error.start]:#04x} is not UTF-8"
        )
        raise _StopReadingError(
            _mark_after(before), Code.NOT_UTF8, what, "save the file as UTF-8"
        ) from None
    if bad := _UNPRINTABLE.search(text):
        name = f"U+{ord(bad[0]):04X}"
        hint = "save the file as UTF-8" if bad[0] == "\0" else "remove it"
        message = f"the character {name} is not allowed in a rule file"
        raise _StopReadingError(_mark_after(text[: bad.start()]), Code.BAD_CHARACTER, message, hint)
    return text


def _mark_after(text: str) -> Position:
    before = lines(text)
    return len(before), len(before[-1]) + 1


def _mark(event: Event) -> Position:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


class _Reader:
    """Builds data from the events of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[Path, Position] = {}
        self.keys: dict[Path, Position] = {}
        self.problems: list[RuleProblem] = []

    def read(self, text: str) -> dict[str, Any]:
        try:
            return self._document(yaml.parse(text, Loader=_LOADER))
        except yaml.MarkedYAMLError as error:
            raise _syntax(error, text) from None
        except yaml.YAMLError as error:
            raise _StopReadingError((1, 1), Code.YAML_SYNTAX, str(error)) from None

    def _document(self, events: Iterator[Event]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    hint = "remove the line `---`"
                    raise _StopReadingError(
                        _mark(event), Code.YAML_DOCUMENTS, "a second document begins here", hint
                    )
            elif isinstance(event, MappingStartEvent):
                data = self._mapping(event, events, ())
            elif isinstance(event, NodeEvent) and self._node(event, events, ()) is not None:
                message = "a rule file is a block of keys, such as `version: 1`"
                raise _StopReadingError(_mark(event), Code.WRONG_TYPE, message)
        return data

    def _node(self, event: Event, events: Iterator[Event], path: Path) -> Any:
        self._refuse_extras(event)
        if len(path) > MAX_DEPTH:
            raise _StopReadingError(
                _mark(event), Code.TOO_DEEP, "blocks are nested too deeply here"
            )
        if len(self.values) >= MAX_VALUES:
            raise _StopReadingError(
                _mark(event), Code.TOO_LARGE, f"the file has over {MAX_VALUES:,} values"
            )
        self.values.setdefault(path, _mark(event))
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, events, path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(events, path)
        return _scalar(event) if isinstance(event, ScalarEvent) else None

    def _sequence(self, events: Iterator[Event], path: Path) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._node(event, events, (*path, len(items))))
        return items

    def _mapping(
        self, start: MappingStartEvent, events: Iterator[Event], path: Path
    ) -> dict[str, Any]:
        self._refuse_extras(start)
        self.values.setdefault(path, _mark(start))
        found: dict[str, Any] = {}
        for event in events:
            if not isinstance(event, NodeEvent):
                break  # the end of the mapping
            key = self._key(event)
            here = (*path, key)
            if key not in found:
                self.keys[here] = _mark(event)
                found[key] = self._node(next(events), events, here)
                continue
            first = self.keys[here][0]
            message = f"{quote(key)} is already defined on line {first}"
            self.problems.append(
                RuleProblem.at(
                    Place(self.file, *_mark(event)),
                    Code.DUPLICATE_KEY,
                    message,
                    "keep one of the two",
                )
            )
            # Its value is read without keeping places or problems.
            _Reader(self.file)._node(next(events), events, (*here, -1))
        return found

    def _key(self, event: Event) -> str:
        self._refuse_extras(event)
        if not isinstance(event, ScalarEvent) or not event.value.strip():
            hint = "a key is a word, or a text in quotes"
            raise _StopReadingError(_mark(event), Code.BAD_KEY, "this cannot be a key", hint)
        if event.value == "<<" and event.implicit[0]:
            message = "`<<` merges one block into another, which hides what is in force"
            raise _StopReadingError(_mark(event), Code.YAML_MERGE, message, "write the keys out")
        return str(event.value).strip()

    def _refuse_extras(self, event: Event) -> None:
        """Anchors, aliases and tags: the reader of the rules would have to know YAML."""
        if isinstance(event, AliasEvent):
            message = (
                f"`*{event.anchor}` repeats another part of the file, which hides what is in force"
            )
            hint = 'write it out; a pattern needs quotes: "*@brand.example"'
            raise _StopReadingError(_mark(event), Code.YAML_ANCHOR, message, hint)
        if not isinstance(event, ScalarEvent | CollectionStartEvent):
            return
        if event.anchor is not None:
            message = f"`&{event.anchor}` marks a part to be repeated, which hides what is in force"
            raise _StopReadingError(
                _mark(event), Code.YAML_ANCHOR, message, "remove it, or put it in quotes"
            )
        if event.tag is not None and not (isinstance(event, ScalarEvent) and event.tag == "!"):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            message = f"`{tag}` is a YAML tag, which rules do not need"
            raise _StopReadingError(
                _mark(event), Code.YAML_TAG, message, "remove it, or put it in quotes"
            )


def _scalar(event: ScalarEvent) -> str | int | bool | None:
    """Plain words of YAML 1.2 that are not text, if nothing is lost by it; everything else is
    text."""
    if not event.implicit[0]:
        return str(event.value)
    if event.value in _WORDS:
        return _WORDS[event.value]
    return int(event.value) if _INT.fullmatch(event.value) else str(event.value)


_SYNTAX_HINT = "compare brackets, quotes and indentation of this line and the line above it"


def _syntax(error: yaml.MarkedYAMLError, text: str) -> _StopReadingError:
    alias = "an alias" in (error.context or "") or "an anchor" in (error.context or "")
    mark = error.context_mark if alias else error.problem_mark or error.context_mark
    if mark is None:
        return _StopReadingError((1, 1), Code.YAML_SYNTAX, str(error.problem), _SYNTAX_HINT)
    place = (mark.line + 1, mark.column + 1)
    line = [*lines(text), ""][mark.line]
    before = line[: mark.column + 1]
    if "\t" in before and not before.strip(" \t-"):
        return _StopReadingError(place, Code.TAB, "the line begins with a tab", "use spaces")
    if (tab := _tab_near(mark.line, error, text)) is not None:
        return _StopReadingError(tab, Code.TAB, "the line begins with a tab", "use spaces")
    hint = _SYNTAX_HINT
    if alias:
        hint = 'a pattern needs quotes: "*@brand.example"'
    elif line[mark.column : mark.column + 1] in ("@", "`", "%") and "any token" in str(
        error.problem
    ):
        hint = "text that begins with this character needs quotes"
    elif error.problem and "mapping values are not allowed" in error.problem:
        hint = "text that contains a colon and a space needs quotes; a nested key needs a line of its own"
    elif error.problem and "incompatible YAML" in error.problem:
        hint = "remove the line that begins with %YAML"
    context = f" ({error.context})" if error.context else ""
    return _StopReadingError(
        place, Code.YAML_SYNTAX, f"this is not valid YAML: {error.problem}{context}", hint
    )


def _tab_near(number: int, error: yaml.MarkedYAMLError, text: str) -> Position | None:
    """A tab in front of a line beside the one that the parser blames.

    After plain text the parser takes such a line for more of the text, and stumbles over the text
    or the next line.
    """
    if error.problem is None or "alias" in (error.context or "") or "flow" in (error.context or ""):
        return None
    if not any(
        words in error.problem for words in ("expected key", "expected '-'", "mapping values")
    ):
        return None
    every = lines(text)
    for near in (number, number + 1, number - 1):
        if 0 <= near < len(every) and _TAB_FIRST.match(every[near]):
            return near + 1, every[near].index("\t") + 1
    return None
