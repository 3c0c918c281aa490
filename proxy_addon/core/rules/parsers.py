"""Plain values in rule files: names, flags, numbers, and how messages quote what cannot be read.

A parser takes plain data and gives the typed value, or raises `BadValue` with a code, a message and
a hint. Times are in `time_parsers.py`, hosts and addresses in `address_parsers.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping

from proxy_addon.core.rules.documents import Path
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.text import printable

_MEANT_BY = dict.fromkeys(("on", "yes", "y", "1"), "true") | dict.fromkeys(
    ("off", "no", "n", "0"), "false"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")


class BadValue(ValueError):
    """A value that cannot be read. `at` leads from the value to the part that is wrong.

    `near` is a misspelt name with the names it could have been, for a "did you mean".
    """

    def __init__(
        self,
        code: Code,
        message: str,
        hint: str = "",
        *,
        at: Path = (),
        near: tuple[str, Collection[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.at, self.near = code, message, hint, at, near


def quote(value: object) -> str:
    """A value as messages show it: in double quotes, short, on one line, without control
    characters.

    A list or a block is named, not printed.
    """
    if value is None or isinstance(value, Mapping | list | tuple):
        return kind(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = printable(text, spaces=False)
    return f'"{text[:59]}…"' if len(text) > 60 else f'"{text}"'


def kind(value: object) -> str:
    """What a value is, in the words of a person who writes YAML."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, Mapping):
        return "a block of keys"
    if isinstance(value, list | tuple):
        return "a list"
    return "a number" if isinstance(value, int | float) else "text"


def short(value: object) -> str:
    """A text of at most 100 characters, else "": a longer one is never valid, and may be slow to
    parse."""
    return value.strip() if isinstance(value, str) and len(value) <= 100 else ""


def given(value: object) -> object:
    """The value; BadValue when there is none."""
    if value is None:
        raise BadValue(
            Code.WRONG_TYPE, "nothing is written here", "fill it in, or leave the key out"
        )
    return value


def text(value: object) -> str:
    """A name or a sentence; numbers are names as well (an employee's number)."""
    given(value)
    if isinstance(value, bool):
        raise BadValue(
            Code.WRONG_TYPE,
            f"{quote(value)} means yes or no here, not a name",
            "put it in quotes if it is one",
        )
    if not isinstance(value, str | int):
        raise BadValue(Code.WRONG_TYPE, f"text is expected here, not {kind(value)}")
    stripped = str(value).strip()
    if not stripped:
        raise BadValue(Code.EMPTY_TEXT, "the text is empty", "fill it in, or leave the key out")
    if _CONTROL.search(stripped):
        raise BadValue(Code.BAD_CHARACTER, f"{quote(stripped)} contains a control character")
    return stripped


def name(value: object) -> str:
    """A name of a person, role, rule or allowance: one line, at most 200 characters."""
    word = text(value)
    if len(word) > 200 or not word.isprintable():
        raise BadValue(
            Code.BAD_NAME,
            f"{quote(word)} is not a valid name",
            "a name is one line of up to 200 characters",
        )
    return word


def slug(value: object) -> str:
    """A name of a platform, section or group: lower-case letters, digits, `-`, `_` and `.`."""
    word = text(value)
    if len(word) > 60 or not _SLUG.fullmatch(word):
        raise BadValue(
            Code.BAD_NAME,
            f"{quote(word)} is not a valid name here",
            "use lower-case letters, digits and hyphens",
        )
    return word


def flag(value: object) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        meant = _MEANT_BY.get(str(value).lower(), "true or false")
        raise BadValue(
            Code.WRONG_TYPE, f"{quote(value)} is neither true nor false", f"write {meant}"
        )
    return value


def version(value: object) -> int:
    """The version of the rule language: 1."""
    if isinstance(value, bool) or value != 1:
        raise BadValue(
            Code.BAD_VERSION, f"{quote(value)} is not a supported version", "write version: 1"
        )
    return 1


def number(value: object) -> float:
    """A finite number, zero or more."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found) or found < 0:
        raise BadValue(Code.BAD_NUMBER, f"{quote(value)} is not a number of zero or more")
    return found
