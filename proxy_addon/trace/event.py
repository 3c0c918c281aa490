"""One recorded event, whatever file it came from, and the checks that every reader shares.

A reader that meets something wrong raises `BadRecordError` with a stable reason; the file loop
counts it and goes on. Only the headers that say *why* a request was made are kept: cookies never
leave the reader.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, NamedTuple

type EventKind = Literal["request", "websocket", "tunnel"]

WEEK: Final = 7 * 86_400.0
LATEST: Final = 32_503_680_000.0  # the year 3000
LARGEST: Final = 2**50  # bytes; no body and no tunnel is larger
KEPT_HEADERS: Final = frozenset(
    {
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-fetch-user",
        "sec-purpose",
        "purpose",
        "x-moz",
        "referer",
        "origin",
        "upgrade",
        "accept",
        "range",
        "service-worker",
        "user-agent",
        "x-apollo-operation-name",
        "x-fb-friendly-name",
    }
)
NO_HEADERS: Final[Mapping[str, str]] = {}


class ResponseTiming(NamedTuple):
    """How an answer came, where the file knows more than its size and its end.

    `head`: seconds until its head was there; `told`: its size in bytes according to the head, 0 =
    unknown. `passed`: when its bytes passed, as (seconds after the start, bytes) in the order of
    time; () = evenly.
    """

    head: float
    told: int
    passed: tuple[tuple[float, int], ...] = ()


class TraceEvent(NamedTuple):
    """A request, a WebSocket message or a tunnel. Instants and durations in seconds, sizes in
    bytes.

    `at` is the start. `host` is lower case without port; `path` has no query. `headers` has
    lower-case names and only those of `KEPT_HEADERS`. `bytes` came from the server, `bytes_up` from
    the client; bodies and tunnels flow evenly over `duration`. `direction` is "client" or "server"
    for a WebSocket message, else "". `status` 0 means that there was no answer. `client` tells
    devices of one person apart where the file can. `course` tells more of how the answer came, or
    the bytes of a tunnel. `estimated`: how long a tunnel was open is worked out from its bytes.
    """

    at: float
    user: str
    kind: EventKind
    method: str
    scheme: str
    host: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = NO_HEADERS
    status: int = 0
    content_type: str = ""
    bytes: int = 0
    bytes_up: int = 0
    duration: float = 0.0
    direction: str = ""
    client: str = ""
    course: ResponseTiming | None = None
    estimated: bool = False


class TraceFault(StrEnum):
    """Why something could not be read; stable words for counters and `--json`."""

    ENCODING = "not UTF-8"
    SYNTAX = "not readable"
    TOO_LONG = "too long"
    MISSING = "a field is missing"
    TYPE = "a field has the wrong type"
    TIME = "impossible time"
    SIZE = "impossible size"
    DURATION = "impossible duration"
    STATUS = "impossible status"
    KIND = "unknown kind"
    URL = "not a URL"
    LATE = "out of order"
    CUT_OFF = "the file ends early"
    FORMAT = "unknown format"
    FILE = "the file cannot be opened"


class BadRecordError(ValueError):
    """One record cannot be used. The detail names the field, never a URL."""

    def __init__(self, reason: TraceFault, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def instant(value: object, field: str = "at") -> float:
    """A number as an instant between 1970 and the year 3000."""
    number = _number(value, field, TraceFault.TIME)
    if not 0.0 < number < LATEST:
        raise BadRecordError(TraceFault.TIME, f"{field} is outside 1970 to 3000")
    return number


def size(value: object, field: str = "bytes") -> int:
    """A number of bytes; nothing at all is 0."""
    if type(value) is int and 0 <= value <= LARGEST:
        return value
    if value is None:
        return 0
    number = _number(value, field, TraceFault.SIZE)
    if not 0 <= number <= LARGEST:
        raise BadRecordError(TraceFault.SIZE, f"{field} is negative or larger than any body")
    return int(number)


def duration(value: object, field: str = "duration") -> float:
    """Seconds, at most a week; nothing at all is 0."""
    if value is None:
        return 0.0
    number = _number(value, field, TraceFault.DURATION)
    if not 0.0 <= number <= WEEK:
        raise BadRecordError(TraceFault.DURATION, f"{field} is negative or longer than a week")
    return number


def status(value: object) -> int:
    """An HTTP status, or 0 where there was no answer."""
    if value is None:
        return 0
    number = _number(value, "status", TraceFault.STATUS)
    if number != int(number) or not 0 <= number <= 999:
        raise BadRecordError(TraceFault.STATUS, "status is not 0 to 999")
    return int(number)


def text(value: object, field: str) -> str:
    """A string; nothing at all is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRecordError(TraceFault.TYPE, f"{field} is not text")
    return value


def person(value: object, otherwise: str | None) -> str:
    """Whose event it is: as recorded, or as the caller says where the record is silent."""
    if isinstance(value, str) and value:
        return value
    if value not in (None, ""):
        raise BadRecordError(TraceFault.TYPE, "user is not text")
    if otherwise:
        return otherwise
    raise BadRecordError(TraceFault.MISSING, "user")


def kept(headers: object) -> Mapping[str, str]:
    """The headers that we judge by, names in lower case."""
    if not headers:
        return NO_HEADERS
    if not isinstance(headers, dict):
        raise BadRecordError(TraceFault.TYPE, "headers is not an object")
    found = {low: value for name, value in headers.items() if (low := name.lower()) in KEPT_HEADERS}
    for value in found.values():
        if value.__class__ is not str:
            raise BadRecordError(TraceFault.TYPE, "a header is not text")
    return found


def _number(value: object, field: str, reason: TraceFault) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        if value is None:
            raise BadRecordError(TraceFault.MISSING, field)
        raise BadRecordError(TraceFault.TYPE, f"{field} is not a number")
    try:
        number = float(value)
    except OverflowError:
        raise BadRecordError(reason, f"{field} is too large") from None
    if not math.isfinite(number):
        raise BadRecordError(reason, f"{field} is not finite")
    return number
