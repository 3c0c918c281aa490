"""The instants of a log: seconds since 1970, ISO 8601, or a date as web servers write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from proxy_addon.trace.event import BadRecordError, TraceFault, instant

EPOCH = re.compile(r"\d{9,11}(?:\.\d{1,9})?")
ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?")
_SERVER = "%d/%b/%Y:%H:%M:%S"


def of_iso(text: str, zone: tzinfo = UTC) -> float:
    """An instant from a date in ISO form; `zone` is that of a date without one."""
    try:
        moment = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        raise BadRecordError(TraceFault.TIME, "time is not a date") from None
    return _instant(moment, zone)


def of_server_date(text: str, zone: tzinfo = UTC) -> float:
    """An instant from `30/Oct/2026:03:31:46 +0100`; `zone` is that of a date without one."""
    date, _, offset = text.partition(" ")
    try:
        moment = datetime.strptime(f"{date} {offset or '+0000'}", f"{_SERVER} %z")
    except ValueError:
        raise BadRecordError(TraceFault.TIME, "time is not a date") from None
    return _instant(moment if offset else moment.replace(tzinfo=None), zone)


def of_column(text: str, zone: tzinfo = UTC) -> float:
    """An instant from a column that holds seconds or a date in ISO form."""
    if ISO.fullmatch(text):
        return of_iso(text, zone)
    try:
        return float(text)
    except ValueError:
        raise BadRecordError(TraceFault.TYPE, "time is not a number") from None


def _instant(moment: datetime, zone: tzinfo) -> float:
    try:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return instant(moment.timestamp(), "time")
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadRecordError):
            raise
        raise BadRecordError(TraceFault.TIME, "time is not a date") from None
