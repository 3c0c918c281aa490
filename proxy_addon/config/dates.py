"""Dates and times that people type: options of commands. ISO 8601, within years that every
calculation can bear."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import Final

EARLIEST_YEAR: Final = 1970
LATEST_YEAR: Final = (
    2999  # a window that begins in it ends within the calendar of Python, in every zone
)


class BadDateError(ValueError):
    """What is not a date; one sentence with the value and the remedy."""


def day(text: str) -> date:
    """`2026-12-24`. Raises BadDateError."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadDateError(f"{text!r} is not a date; write it as 2026-12-24") from None
    return _possible(found, text)


def instant(text: str, zone: tzinfo) -> float:
    """`2026-12-24T18:00` or a date, on the clock of `zone` where it has no offset: an instant.
    Raises BadDateError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadDateError(f"{text!r} is not a time; write it as 2026-12-24T18:00") from None
    found = _possible(found, text)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()


def _possible[D: date](found: D, text: str) -> D:
    if EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        return found
    raise BadDateError(
        f"{text!r} is too far away; write a year from {EARLIEST_YEAR} to {LATEST_YEAR}"
    )
