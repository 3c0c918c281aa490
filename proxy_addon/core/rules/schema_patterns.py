"""Patterns for the values of rule files in JSON Schema, which editors use to complete and check
them.

A schema knows the form of a value but not its meaning; `allowance rules check` knows both. So a
pattern accepts everything that the parsers accept, and refuses what cannot be valid.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, WithJsonSchema, create_model, with_config
from typing_extensions import TypedDict

from proxy_addon.core.period_table import CALENDAR
from proxy_addon.core.ruleset import Metering


def _any_case(word: str) -> str:
    return "".join(f"[{c.upper()}{c}]" for c in word)


_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = "(?:" + "|".join(f"{_any_case(day[:3])}(?:{_any_case(day[3:])})?" for day in _WEEK) + ")"
_PART = r"(?:\d{1,6}(?:\.\d{1,3})?%s)"
_D, _H, _M, _S = (_PART % unit for unit in "dhms")
_LENGTH = rf"(?:0|(?=\d){_D}?\s*{_H}?\s*{_M}?\s*{_S}?)"
_CLOCK = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_DATE = r"\d{4}-\d{2}-\d{2}"
_SLUG = r"[a-z0-9](?:[a-z0-9._\-]*[a-z0-9])?"


def _text(pattern: str, **more: int) -> Any:
    return Annotated[
        str, WithJsonSchema({"type": "string", "pattern": rf"^\s*{pattern}\s*$", **more})
    ]


NAME = Annotated[str, Field(min_length=1)] | int
SLUG = _text(_SLUG, maxLength=60)
TARGET = _text(rf"{_SLUG}(?:/{_SLUG})?")
LENGTH = _text(_LENGTH) | Literal[0]
LIMIT = _text(rf"{_LENGTH}\s+per\s+(?:{'|'.join(CALENDAR)}|rolling\s+{_LENGTH})")
TIME = _text(_CLOCK)
BETWEEN = _text(rf"{_CLOCK}\s*[\-–]\s*(?:{_CLOCK}|24:00)")
DAYS = _text(rf"{_DAY}(?:\s*[\-–]\s*{_DAY})?")
WEEKDAY = _text(_DAY)
DATES = _text(rf"{_DATE}(?:(?:\s*\.\.\s*|\s+[\-–]\s+){_DATE})?")
HOST = _text(r"=?(?:[\w*\-]+\.)+[\w\-]+\.?")
PATH = _text(r"(?:\*|\S*/)\S*")
EVIDENCE = _text(r"\S+")
ZONE = _text(r"[A-Za-z][\w+\-/]*")
ICS = _text(r"(?:[^/\\]+/)?[^/\\]+\.ics")
NOTICE_FILE = _text(r"(?:[^/\\]+/)?[^/\\]+\.md")
NOTICE_VERSION = _text(r"(?:0|[1-9]\d{0,5})(?:\.(?:0|[1-9]\d{0,5}))?") | int
LANGUAGE = _text("[a-z]{2}")
DATE = _text(_DATE)
YEARS_OR_LENGTH = _text(rf"(?:\d{{1,3}}y|{_LENGTH})") | Literal[0]
YEARS = _text(r"\d{4}(?:\s*(?:-|–|\.\.)\s*\d{4})?") | int

# Of test files.
_MOMENT = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:Z|[+\-]\d{2}:?\d{2})?"
MOMENT = _text(rf"(?:{_DATE}[ T])?{_MOMENT}")
DATED_MOMENT = _text(rf"{_DATE}[ T]{_MOMENT}")
URL = _text(r"(?:[Hh][Tt][Tt][Pp]|[Ww][Ss])[Ss]?://\S.*")
NAMES = Annotated[list[NAME], Field(min_length=1)]

_closed = with_config(ConfigDict(extra="forbid"))


@_closed
class Spend(TypedDict):
    """The time is charged to an allowance."""

    spend: NAME


@_closed
class InRole(TypedDict):
    """Whoever it is has this role."""

    role: NAME


@_closed
class DeviceEntry(TypedDict):
    """The user and role of an address."""

    user: NotRequired[NAME]
    role: NotRequired[NAME]


@_closed
class IcsFile(TypedDict):
    """Every event of a calendar file."""

    ics: ICS  # type: ignore[valid-type]


@_closed
class Holidays(TypedDict):
    """Public holidays of a country, or of a region of it."""

    holidays: NAME
    region: NotRequired[NAME]
    years: NotRequired[YEARS]  # type: ignore[valid-type]


MINUTES = Annotated[int, Field(ge=1, le=240)]
TIMES = Annotated[int, Field(ge=1, le=100)]
THEN = Literal["allow", "block"] | Spend
UNIDENTIFIED = Literal["refuse"] | InRole
DEVICE_USER = NAME | DeviceEntry
CALENDAR_ITEM = DATES | IcsFile | Holidays
METERING = create_model(
    "Metering",
    __config__=ConfigDict(extra="forbid"),
    **dict.fromkeys(Metering.__dataclass_fields__, (LENGTH | Annotated[float, Field(ge=0)], None)),  # type: ignore[call-overload]
)
