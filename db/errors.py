"""Translates errors of drivers to one line: which database, what is wrong, what to do.

Three answers are possible (`proxy_addon.ledger.interface`): it may work again later, a person has
to help, or these rows will never be taken. A writer must recognise the last one, or one bad row
blocks all others.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from proxy_addon.ledger.interface import (
    LedgerError,
    LedgerRefused,
    LedgerUnavailable,
    LedgerUnusable,
)


class _Answer(NamedTuple):
    error: type[LedgerError]
    kind: str
    text: str


_UNREACHABLE = _Answer(
    LedgerUnavailable, "unreachable", "cannot be reached; check that it runs, host and port"
)
_LOCKED = _Answer(LedgerUnavailable, "locked", "is locked by another process; end it or wait")
_FULL = _Answer(LedgerUnavailable, "full", "cannot be written, the disk is full; free some space")
_SLOW = _Answer(LedgerUnavailable, "slow", "took too long to answer; check its load")
_BUSY = _Answer(
    LedgerUnavailable, "busy", "has no connection free; allow more or stop other programs"
)
_DOWN = _Answer(LedgerUnavailable, "stopped", "is starting or stopping; wait or start it")
_CONFLICT = _Answer(
    LedgerUnavailable, "conflict", "was changed by others at the same time; try again"
)
_READ_ONLY = _Answer(
    LedgerUnavailable, "read-only", "takes no writes; use the primary server, or a writable file"
)
_BROKEN = _Answer(
    LedgerUnavailable, "io", "cannot be read or written; check the disk and the permissions"
)
_SCHEMA = _Answer(LedgerUnusable, "schema", "does not have our tables; run `allowance db upgrade`")
_SIGN_IN = _Answer(
    LedgerUnusable, "sign-in", "refuses this user or password; check the database URL"
)
_MISSING = _Answer(
    LedgerUnusable, "missing", "does not exist; create it, or check the database URL"
)
_FORBIDDEN = _Answer(
    LedgerUnusable, "forbidden", "does not let this user do that; grant the rights or be its owner"
)
_NO_FILE = _Answer(
    LedgerUnusable, "missing", "cannot be opened; check that folder and file exist and are writable"
)
_NOT_OURS = _Answer(
    LedgerUnusable, "damaged", "is damaged or no database; restore a backup or name another file"
)
_NO_DATABASE = _NOT_OURS._replace(kind="foreign")
_DAMAGED = _Answer(
    LedgerUnusable,
    "damaged",
    "says that its data are damaged; restore a backup, or replace its disk",
)
_CLOSED = _Answer(
    LedgerUnavailable, "stopped", "takes no connections now; allow them again, or wait"
)
_SHORT = _Answer(
    LedgerUnavailable, "busy", "lacks memory or another resource; allow more or stop other programs"
)
_POOLER = _Answer(
    LedgerUnavailable,
    "pooler",
    "is behind a pooler that mixes up sessions; let it pool by session, or name the server itself",
)
_PARAMETERS = _Answer(
    LedgerUnusable, "url", "does not accept the parameters of the database URL; check its last part"
)
_UNEXPECTED = _Answer(
    LedgerUnavailable, "other", "cannot do what it was asked; the log of the server says more"
)
_REFUSED = _Answer(LedgerRefused, "refused", "will not take these rows")

_GONE = _Answer(LedgerUnavailable, "gone", "was moved or removed while it was in use; put it back")

_SQLITE = {
    sqlite3.SQLITE_READONLY_DBMOVED: _GONE,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_IOERR: _BROKEN,
    sqlite3.SQLITE_CANTOPEN: _NO_FILE,
    sqlite3.SQLITE_PERM: _FORBIDDEN,
    sqlite3.SQLITE_CORRUPT: _NOT_OURS,
    sqlite3.SQLITE_NOTADB: _NO_DATABASE,
    sqlite3.SQLITE_CONSTRAINT: _REFUSED,
    sqlite3.SQLITE_TOOBIG: _REFUSED,
    sqlite3.SQLITE_MISMATCH: _REFUSED,
}

# Making the file and its folder.
_FILES = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EIO: _BROKEN}

# SQLSTATE: a code, or else its class; never the words of a message, which a server writes in its
# own language. `tests/db/test_errors.py` has all codes that there are.
_POSTGRES = {
    "08": _UNREACHABLE,
    "22": _REFUSED,
    "23": _REFUSED,
    "25006": _READ_ONLY,
    "25P03": _SLOW,
    "25P04": _SLOW,
    "26": _POOLER,
    "28": _SIGN_IN,
    "3D": _MISSING,
    "3F": _SCHEMA,
    "40": _CONFLICT,
    "42501": _FORBIDDEN,
    "42703": _SCHEMA,
    "42704": _SCHEMA,
    "42883": _SCHEMA,
    "42P01": _SCHEMA,
    "42P05": _POOLER,
    "42P10": _SCHEMA,
    "44": _REFUSED,
    "53": _SHORT,
    "53100": _FULL,
    "53300": _BUSY,
    "54": _REFUSED,
    "55000": _CLOSED,
    "55006": _LOCKED,
    "55P03": _LOCKED,
    "57": _DOWN,
    "57014": _SLOW,
    "57P04": _MISSING,
    "57P05": _UNREACHABLE,
    "58": _BROKEN,
    "72": _CONFLICT,
    "XX": _BROKEN,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
# A server that refuses a connection was not asked to store anything: it objects to the parameters.
_POSTGRES_AT_CONNECT = {**_POSTGRES, "22": _PARAMETERS, "42": _PARAMETERS, "42704": _PARAMETERS}


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn whatever a driver raises inside into a LedgerError about `place`."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, UnicodeError, OverflowError) as problem:
        raise translate(problem, place) from problem


def translate(problem: Exception, place: str) -> LedgerError:
    """The LedgerError for a driver's exception."""
    cause = (
        problem.orig if isinstance(problem, DBAPIError) and problem.orig is not None else problem
    )
    objects = _objects_to_a_value(problem) and state_of(cause) is None
    answer = _REFUSED if objects else _answer(cause)
    detail = _one_line(cause)
    return answer.error(f"{place} {answer.text} ({detail})", kind=answer.kind)


def _objects_to_a_value(problem: Exception) -> bool:
    return isinstance(problem, DataError | UnicodeError | OverflowError)


def _answer(cause: BaseException) -> _Answer:
    if isinstance(cause, PoolTimeout):
        return _BUSY
    if isinstance(cause, OSError):
        return _FILES.get(cause.errno or 0, _NO_FILE)
    if isinstance(cause, sqlite3.Error):
        return _sqlite_answer(cause)
    return _postgres_answer(cause)


def _sqlite_answer(cause: sqlite3.Error) -> _Answer:
    code = getattr(cause, "sqlite_errorcode", None)
    if code is None:
        # The driver itself objects to a value; the database was never asked.
        return (
            _REFUSED
            if isinstance(cause, sqlite3.InterfaceError | sqlite3.ProgrammingError)
            else _BROKEN
        )
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_ERROR and "no such" in str(cause):
        return _SCHEMA
    return _SQLITE.get(code) or _SQLITE.get(primary, _BROKEN)


def state_of(cause: BaseException | None) -> str | None:
    """The SQLSTATE of a driver's exception; None where no server said anything."""
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else None


def _postgres_answer(cause: BaseException) -> _Answer:
    state = state_of(cause)
    if state is None:
        return _UNREACHABLE
    table = _POSTGRES_AT_CONNECT if getattr(cause, "at_connect", False) else _POSTGRES
    return table.get(state) or table.get(state[:2]) or _UNEXPECTED


def _one_line(cause: BaseException) -> str:
    """The driver's own words, shortened to one line; they never hold the password."""
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return lines[0][:300].rstrip(".") if lines else type(cause).__name__
