"""Lines of formats that an office defined itself (`logformat`), close to Squid's own.

Columns are told by what they look like: method and URL are found first. Before them stand times,
the elapsed milliseconds, the client and up to two names; behind them, in any order, status, bytes,
result, hierarchy and type. Whoever asked has to be certain: a line in which another column might be
taken for the person's is not read.
"""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from ipaddress import ip_address
from typing import NamedTuple

from proxy_addon.trace.event import BadRecordError, TraceFault, duration
from proxy_addon.trace.log_line import LogLine, figure, sent_bytes, status_code
from proxy_addon.trace.log_times import EPOCH, ISO, of_iso, of_server_date
from proxy_addon.trace.squid import HIERARCHY

_TOKENS = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)')
_METHODS = frozenset(
    {"CONNECT", "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "REPORT"}
)
_PLACE = re.compile(r"[a-z][a-z0-9+.-]*://\S+|[\w.-]+:\d{1,5}|\[[0-9a-f:.]+\]:\d{1,5}", re.I)
_DATE = re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?")
_RESULT = re.compile(r"(?:TCP|TAG|NONE|UDP)[A-Z_]*")
_RESULT_STATUS = re.compile(r"((?:TCP|TAG|NONE|UDP)[A-Z_]*)/(\d{1,3}|-)")
_TYPE = re.compile(r"[a-z]+/[\w.+*-]+(?:;.*)?")
_VERSION = re.compile(r"HTTP/\S*")


class _Before(NamedTuple):
    """What stands before the method."""

    ended: float
    elapsed: float | None
    client: str
    user: str | None
    code: str | None
    sent: str | None


class _Behind(NamedTuple):
    """What stands behind the URL."""

    code: str | None
    sent: str | None
    content_type: str | None
    user: str | None


def line_of(text: str, zone: tzinfo = UTC) -> LogLine | None:
    """The columns of one line; None where they are not certain; raises BadRecordError."""
    tokens = _tokens(text)
    at = next(
        (
            i
            for i in range(1, len(tokens) - 1)
            if tokens[i] in _METHODS and _PLACE.fullmatch(tokens[i + 1])
        ),
        None,
    )
    if at is None:
        return None
    before, behind = _before(tokens[:at], zone), _behind(tokens[at + 2 :])
    if before is None:
        return None
    code = before.code or behind.code
    sent = before.sent or behind.sent
    user = before.user if before.user is not None else behind.user
    if code is None or sent is None or user is None:
        return None
    return LogLine(
        before.ended,
        before.elapsed,
        before.client,
        user,
        tokens[at],
        tokens[at + 1],
        status_code(code),
        sent_bytes(sent),
        behind.content_type,
    )


def _tokens(text: str) -> list[str]:
    """Columns; those in quotes or brackets are one, and a request in quotes is its parts."""
    found: list[str] = []
    for quoted, bracketed, plain in _TOKENS.findall(text):
        method, _, rest = quoted.partition(" ")
        if method in _METHODS:
            url, _, version = rest.rpartition(" ")
            found += [method, url, version] if url else [method, rest]
        else:
            found.append(quoted or bracketed or plain or "-")
    return found


def _before(tokens: list[str], zone: tzinfo) -> _Before | None:
    ended: float | None = None
    elapsed = code = sent = None
    rest = list(tokens)
    while rest and (moment := _moment(rest[0], zone)) is not None:
        ended = ended if ended is not None else moment
        rest.pop(0)
    if ended is None:
        return None
    if rest and re.fullmatch(r"-?\d{1,10}", rest[0]):
        elapsed = duration(max(0.0, figure(rest.pop(0), "elapsed") / 1000.0), "elapsed")
    if len(rest) >= 3 and (found := _RESULT_STATUS.fullmatch(rest[-2])) and rest[-1].isdigit():
        code, sent, rest = found.group(2), rest[-1], rest[:-2]
    if not rest or not _is_address(rest[0]) or len(rest) > 3:
        return None
    names = rest[1:]
    if any(_RESULT.match(name) or name.isdigit() for name in names):
        return None
    if names and _is_address(names[-1]) and names[-1] != rest[0]:
        return None  # two addresses: which of them is the person's is not said
    if len(names) == 2 and names[1] == "-" and names[0] != "-":
        if _is_address(names[0]) and names[0] != rest[0]:
            return None
        names = ["-", "-"]  # ident, which anybody can claim
    return _Before(ended, elapsed, rest[0], names[-1] if names else None, code, sent)


def _behind(tokens: list[str]) -> _Behind:
    code = sent = content_type = user = None
    places = [i for i, token in enumerate(tokens) if HIERARCHY.fullmatch(token)]
    if len(places) == 1 and places[0] > 0:
        name = tokens[places[0] - 1]
        if not (_RESULT.fullmatch(name) or _RESULT_STATUS.fullmatch(name) or name.isdigit()):
            user = name
    for token in tokens:
        if _VERSION.fullmatch(token) or HIERARCHY.fullmatch(token):
            continue
        found = _RESULT_STATUS.fullmatch(token)
        if found and code is None:
            code = found.group(2)
        elif code is None and re.fullmatch(r"[1-9]\d\d|0|000", token):
            code = token
        elif code is not None and sent is None and token.isdigit():
            sent = token
        elif content_type is None and _TYPE.fullmatch(token):
            content_type = token
    return _Behind(code, sent, content_type, user)


def _moment(token: str, zone: tzinfo) -> float | None:
    try:
        if EPOCH.fullmatch(token):
            return float(token)
        if ISO.fullmatch(token):
            return of_iso(token, zone)
        if _DATE.fullmatch(token):
            return of_server_date(token, zone)
    except BadRecordError as bad:
        raise BadRecordError(TraceFault.TIME, bad.detail) from None
    return None


def _is_address(token: str) -> bool:
    try:
        ip_address(token.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True
