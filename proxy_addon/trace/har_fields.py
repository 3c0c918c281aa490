"""Single fields of a HAR record, read so that one that is odd never costs the record.

HAR is written by many programs: what is negative, null, of another type or nonsense is what the
standard calls "not known", and is counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from proxy_addon.trace.event import LARGEST, WEEK

type LeaveOut = Callable[[str], None]
"""Told what was left out of a record, in stable words."""

UNKNOWN: Final = -1
_MOST_STATUS = 999


def number(value: Any, field: str, left_out: LeaveOut, most: float) -> float:
    """A figure from 0 to `most`; 0 where it is not known: null, negative, or not a figure."""
    if value is None:
        return 0.0
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        left_out(field)
        return 0.0
    if value == UNKNOWN:
        return 0.0
    if value < 0 or value > most or not math.isfinite(value):
        left_out(field)
        return 0.0
    return float(value)


def size(value: Any, field: str, left_out: LeaveOut) -> int:
    """Bytes."""
    return int(number(value, field, left_out, LARGEST))


def seconds(value: Any, field: str, left_out: LeaveOut) -> float:
    """Milliseconds as seconds."""
    return number(value, field, left_out, WEEK * 1000.0) / 1000.0


def status(value: Any, left_out: LeaveOut) -> int:
    """An HTTP status; 0 where there was no answer, or none is known."""
    return int(number(value, "a status", left_out, _MOST_STATUS))


def text(value: Any, field: str, left_out: LeaveOut) -> str:
    """A string; "" where there is none."""
    if isinstance(value, str):
        return value
    if value is not None:
        left_out(field)
    return ""


def part(value: Any, field: str, left_out: LeaveOut) -> dict[str, Any]:
    """An object; empty where there is none."""
    if isinstance(value, dict):
        return value
    if value is not None:
        left_out(field)
    return {}


def items(value: Any, field: str, left_out: LeaveOut) -> list[Any]:
    """A list; empty where there is none."""
    if isinstance(value, list):
        return value
    if value is not None:
        left_out(field)
    return []


def headers(pairs: Any, left_out: LeaveOut) -> dict[str, str]:
    """HAR has a list of names and values; HTTP/2 puts its pseudo headers among them."""
    if isinstance(pairs, dict):
        pairs = [{"name": name, "value": value} for name, value in pairs.items()]
    found: dict[str, str] = {}
    for pair in items(pairs, "headers", left_out):
        name, value = (pair.get("name"), pair.get("value")) if isinstance(pair, dict) else (0, 0)
        if isinstance(name, str) and isinstance(value, str):
            found[name] = value
        else:
            left_out("a header")
    return found
