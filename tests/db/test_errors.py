"""Twin of db/errors.py: what cannot easily be provoked in a real engine is told by its code."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from db import errors
from db.connector import ConnectError
from db.errors import translate
from proxy_addon.ledger.interface import (
    LedgerError,
    LedgerRefused,
    LedgerUnavailable,
    LedgerUnusable,
)
from proxy_addon.observability.metric_families import LEDGER_ERRORS


class _StatePostgres(Exception):
    """An error as psycopg raises it once the connection stands."""

    def __init__(self, sqlstate: str, message: str = "words\nDETAIL: Key (person)=(ana)") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


# Every SQLSTATE of Postgres by the kind that it gives; "42 " and so on is the rest of a class.
KINDS: dict[tuple[type[LedgerError], str], str] = {
    (LedgerUnavailable, "unreachable"): "08000 08001 08003 08004 08006 08007 08P01 57P05",
    (LedgerUnavailable, "read-only"): "25006",
    (LedgerUnavailable, "slow"): "25P03 25P04 57014",
    (LedgerUnavailable, "pooler"): "26000 42P05",
    (LedgerUnavailable, "conflict"): "40000 40001 40002 40003 40P01 72000",
    (LedgerUnavailable, "full"): "53100",
    (LedgerUnavailable, "busy"): "53000 53200 53300 53400",
    (LedgerUnavailable, "locked"): "55006 55P03",
    (LedgerUnavailable, "stopped"): "55000 57000 57P01 57P02 57P03",
    (LedgerUnavailable, "io"): "58000 58030 58P01 58P02 58P03 XX000",
    (LedgerUnusable, "damaged"): "XX001 XX002",
    (LedgerUnusable, "sign-in"): "28000 28P01",
    (LedgerUnusable, "missing"): "3D000 57P04",
    (LedgerUnusable, "forbidden"): "42501",
    (LedgerUnusable, "schema"): "3F000 42703 42704 42883 42P01 42P10",
    (LedgerRefused, "refused"): "22 23 44 54",
    (
        LedgerUnavailable,
        "other",
    ): "02 03 09 0A 0B 0F 0L 0P 0Z 10 20 21 24 25 27 2B 2D 2F 34 38 39 3B 42 55 F0 HV P0",
}
STATES = sorted(
    {
        each.sqlstate
        for each in vars(psycopg.errors).values()
        if isinstance(each, type) and issubclass(each, psycopg.Error) and each.sqlstate
    }
)


def expected(state: str) -> tuple[type[LedgerError], str]:
    """The one row of the table that has the code, or else its class."""
    for part in (state, state[:2]):
        if rows := [row for row, codes in KINDS.items() if part in codes.split()]:
            (row,) = rows
            return row
    raise AssertionError(f"{state} is in no row")


@pytest.mark.parametrize("state", STATES)
def test_postgres_states(state: str) -> None:
    """Each SQLSTATE that psycopg knows gets the answer of the table, whatever the words are, and
    the message is one line without the row."""
    told = translate(
        OperationalError("INSERT", {}, _StatePostgres(state)), "Postgres database d on h"
    )
    assert (type(told), told.kind) == expected(state)
    assert str(told).startswith("Postgres database d on h ")
    assert "ana" not in str(told)
    assert "\n" not in str(told)


def test_the_table_is_whole() -> None:
    """No code or class stands in it that there is not, and none twice."""
    stated = " ".join(KINDS.values()).split()
    assert len(stated) == len(set(stated))
    assert set(stated) <= {*STATES, *(state[:2] for state in STATES)}


@pytest.mark.parametrize(
    "words",
    [
        "the database system is shutting down",
        'FATAL: database "x" does not exist',
        "FATAL: password authentication failed",
        "FATAL: das Datenbanksystem fährt herunter",
    ],
)
def test_words_decide_nothing(words: str) -> None:
    """With a code the words do not matter, and without one they say nothing."""
    problem = OperationalError("", {}, _StatePostgres("57P03", words))
    assert translate(problem, "Postgres database d on h").kind == "stopped"
    unknown = OperationalError("", {}, _StatePostgres("", words))
    unknown.orig.sqlstate = None  # type: ignore[union-attr]
    assert translate(unknown, "Postgres database d on h").kind == "unreachable"


@pytest.mark.parametrize("state", ["22023", "42704", "42601"])
def test_what_a_connection_asks_for(state: str) -> None:
    """A server that objects before anything was stored objects to the parameters of the URL; no
    row is given up for that."""
    told = translate(
        OperationalError("", {}, ConnectError("words", state)), "Postgres database d on h"
    )
    assert (type(told), told.kind) == (LedgerUnusable, "url")


@pytest.mark.parametrize(
    ("code", "error", "kind"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, LedgerUnavailable, "locked"),
        (sqlite3.SQLITE_FULL, LedgerUnavailable, "full"),
        (sqlite3.SQLITE_READONLY_DBMOVED, LedgerUnavailable, "gone"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, LedgerUnavailable, "read-only"),
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


def test_each_kind_is_a_label() -> None:
    """The metric of errors knows every kind, so that none is counted among the others."""
    kinds = {
        each.kind for each in vars(errors).values() if isinstance(getattr(each, "kind", None), str)
    }
    assert len(kinds) > 10
    assert kinds <= set(LEDGER_ERRORS)
