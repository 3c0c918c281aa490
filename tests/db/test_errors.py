"""Twin of db/errors.py: what cannot easily be provoked in a real engine is told by its code."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from db.errors import translate
from proxy_addon.ledger.interface import (
    LedgerError,
    LedgerRefused,
    LedgerUnavailable,
    LedgerUnusable,
)


class _StatePostgres(Exception):
    """An error as psycopg raises it once the connection stands."""

    def __init__(self, sqlstate: str, message: str = "words\nDETAIL: Key (person)=(ana)") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("state", "error", "kind"),
    [
        ("53100", LedgerUnavailable, "full"),
        ("53300", LedgerUnavailable, "busy"),
        ("55P03", LedgerUnavailable, "locked"),
        ("57014", LedgerUnavailable, "slow"),
        ("57P01", LedgerUnavailable, "stopped"),
        ("40P01", LedgerUnavailable, "conflict"),
        ("25006", LedgerUnavailable, "read-only"),
        ("58030", LedgerUnavailable, "io"),
        ("XX000", LedgerUnavailable, "io"),
        ("08006", LedgerUnavailable, "unreachable"),
        ("42P01", LedgerUnusable, "schema"),
        ("42501", LedgerUnusable, "forbidden"),
        ("28P01", LedgerUnusable, "sign-in"),
        ("23514", LedgerRefused, "refused"),
        ("22P05", LedgerRefused, "refused"),
        ("54000", LedgerRefused, "refused"),
    ],
)
def test_postgres_states(state: str, error: type[LedgerError], kind: str) -> None:
    """Each class of SQLSTATE gets its answer, and the message is one line without the row."""
    told = translate(
        OperationalError("INSERT", {}, _StatePostgres(state)), "Postgres database d on h"
    )
    assert (type(told), told.kind) == (error, kind)
    assert str(told).startswith("Postgres database d on h ")
    assert "ana" not in str(told)


@pytest.mark.parametrize(
    ("code", "error", "kind"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, LedgerUnavailable, "locked"),
        (sqlite3.SQLITE_FULL, LedgerUnavailable, "full"),
        (sqlite3.SQLITE_READONLY_DBMOVED, LedgerUnavailable, "read-only"),
        (sqlite3.SQLITE_IOERR_FSYNC, LedgerUnavailable, "io"),
        (sqlite3.SQLITE_CANTOPEN, LedgerUnusable, "missing"),
        (sqlite3.SQLITE_CORRUPT, LedgerUnusable, "damaged"),
        (sqlite3.SQLITE_CONSTRAINT_CHECK, LedgerRefused, "refused"),
    ],
)
def test_sqlite_codes(code: int, error: type[LedgerError], kind: str) -> None:
    """SQLite's extended codes are told by their primary code."""
    problem = sqlite3.OperationalError("words")
    problem.sqlite_errorcode = code
    told = translate(problem, "SQLite file x.db")
    assert (type(told), told.kind) == (error, kind)
