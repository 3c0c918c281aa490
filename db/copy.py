"""Copies one ledger to another database, of either engine: in batches, resumable, and compared at
the end.

The source is read in one snapshot, so a proxy may go on writing to it; what it writes meanwhile is
not in the copy. Both sides are read in the order of their keys. A row that the target has already
must equal the source's, or be an earlier state of it (`_GROWS`): so an interrupted copy
continues where it stopped, and a database with any other content is refused before the first row is
written. At the end the target gets the id of the source (`db/identity.py`), so that what belongs to
the ledger finds the copy: a part of a copy is not that ledger yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    Table,
    Text,
    collate,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.engine import Connection, Engine

from db.address import Address, parse
from db.engine import is_due, open_engine, require_head, writing
from db.errors import translated
from db.identity import carry
from db.models import COMPATIBILITY, IDENTITY, Base
from db.types import Instant
from db.upgrade import upgrade
from proxy_addon.ledger.interface import LedgerUnusable

BATCH = 2_000  # rows in one transaction of the target
FETCH = 5_000  # rows read at once

# The tables whose rows change, with the column that grows whenever one does.
_GROWS = {
    "visits": "rev",
    "acknowledgements": "acknowledged_at",
    "notice_meetings": "updated_at",
}

_OTHERWISE = (COMPATIBILITY, IDENTITY)  # tables that are not compared and copied row by row

type OnProgress = Callable[[str, int, int], None]
"""Called with the progress: table, rows compared, rows in total."""

type _Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Copied:
    """One table: its rows, how many had to be written now, and the digest that both sides have."""

    table: str
    rows: int
    written: int
    digest: str


@dataclass(frozen=True, slots=True)
class LedgerCopy:
    """A copy that is whole: the ledger's id, which both sides have now, and its tables."""

    identity: str
    tables: tuple[Copied, ...]


def copy(
    source_url: str, target_url: str, step: OnProgress = lambda table, done, rows: None
) -> LedgerCopy:
    """Copy all tables and compare them. Raises LedgerError; the target then holds an earlier part
    of the copy."""
    source, target = parse(source_url), parse(target_url)
    if source.url == target.url or (
        source.is_sqlite and target.is_sqlite and source.file.resolve() == target.file.resolve()
    ):
        raise LedgerUnusable(
            "FROM_URL and TO_URL name the same database; name another one", kind="url"
        )
    with ExitStack() as stack:
        origin = stack.enter_context(_snapshot(source))
        _require_ours(source, origin)
        upgrade(target_url)
        with translated(target.place):
            engine = open_engine(target, "copy")
            stack.callback(engine.dispose)
        tables = [table for table in Base.metadata.sorted_tables if table not in _OTHERWISE]
        for table in tables:
            with _snapshot(target) as known:
                for _ in _missing(origin, known, table, target.place):
                    pass
        copied = tuple(_copied(origin, target, engine, table, step) for table in tables)
        with translated(target.place), writing(engine).begin() as connection:
            return LedgerCopy(carry(origin, connection), copied)


def _copied(
    origin: Connection, target: Address, engine: Engine, table: Table, step: OnProgress
) -> Copied:
    rows = origin.execute(select(func.count()).select_from(table)).scalar_one()
    written = 0
    done = 0
    step(table.name, 0, rows)
    with _snapshot(target) as known:
        batch: list[tuple[bool, _Row]] = []
        for done, kind, row in _missing(origin, known, table, target.place):
            if kind is not None:
                batch.append((kind, row))
            if len(batch) >= BATCH:
                written += _write(target, engine, table, batch)
                batch = []
            if done % BATCH == 0:
                step(table.name, done, rows)
        written += _write(target, engine, table, batch)
    _count_on(target, engine, table)
    step(table.name, done, rows)
    with _snapshot(target) as copied:
        ours, theirs = _digest(origin, table), _digest(copied, table)
    if ours != theirs:
        raise LedgerUnusable(
            f"{target.place}: {table.name} has rows: {theirs[0]}, digest {theirs[1][:12]}, "
            f"the source rows: {ours[0]}, digest {ours[1][:12]}; somebody else writes to it: stop that, empty it "
            "and copy again",
            kind="copy",
        )
    return Copied(table.name, ours[0], written, ours[1])


def _missing(
    origin: Connection, known: Connection, table: Table, place: str
) -> Iterator[tuple[int, bool | None, _Row]]:
    """Each row of the source with its number, and whether it is new (True), newer (False) or there
    (None).

    Raises LedgerUnusable for a row of the target that the source does not have.
    """
    with closing(_rows(known, table)) as theirs, closing(_rows(origin, table)) as ours:
        other = next(theirs, None)
        for number, row in enumerate(ours, start=1):
            key = _key(table, row)
            if other is not None and _key(table, other) < key:
                raise _not_ours(place, table)
            if other is None or _key(table, other) != key:
                yield number, True, row
                continue
            if other == row:
                yield number, None, row
            elif _is_earlier(table, other, row):
                yield number, False, row
            else:
                raise _not_ours(place, table)
            other = next(theirs, None)
        if other is not None:
            raise _not_ours(place, table)


def _not_ours(place: str, table: Table) -> LedgerUnusable:
    return LedgerUnusable(
        f"{place} is not empty and no earlier part of this copy: its {table.name} differ from the source; "
        "name an empty database",
        kind="copy",
    )


def _is_earlier(table: Table, known: _Row, row: _Row) -> bool:
    """True for an earlier state of a row, where rows of the table change."""
    if table.name not in _GROWS:
        return False
    place = list(table.columns.keys()).index(_GROWS[table.name])
    return bool(known[place] < row[place])


def _rows(connection: Connection, table: Table) -> Generator[_Row]:
    """All rows in the order of their keys' bytes, which is the same on both engines and in
    Python."""
    keys = [_ordered(connection, column) for column in table.primary_key]
    query = select(*table.columns).order_by(*keys).execution_options(yield_per=FETCH)
    with connection.execute(query) as result:
        for row in result:
            yield tuple(
                _same(column, value) for column, value in zip(table.columns, row, strict=True)
            )


def _ordered(connection: Connection, column: Column[Any]) -> Any:
    is_text = isinstance(column.type, Text)
    return collate(column, "C") if is_text and connection.dialect.name == "postgresql" else column


def _same(column: Column[Any], value: Any) -> Any:
    """A value as both engines give it: instants in whole microseconds."""
    if value is None:
        return None
    if isinstance(column.type, Instant):
        return round(value * 1e6)
    if isinstance(column.type, Boolean):
        return bool(value)
    return value


def _back(column: Column[Any], value: Any) -> Any:
    return value / 1e6 if isinstance(column.type, Instant) and value is not None else value


def _key(table: Table, row: _Row) -> tuple[Any, ...]:
    names = list(table.columns.keys())
    values = (row[names.index(column.key)] for column in table.primary_key)
    return tuple(
        value.encode(errors="surrogatepass") if isinstance(value, str) else value
        for value in values
    )


def _write(
    target: Address, engine: Engine, table: Table, batch: Sequence[tuple[bool, _Row]]
) -> int:
    """One transaction; how many rows."""
    if not batch:
        return 0
    new = [_values(table, row) for is_new, row in batch if is_new]
    newer = [_values(table, row) for is_new, row in batch if not is_new]
    with translated(target.place), writing(engine).begin() as connection:
        if new:
            connection.execute(insert(table), new)
        for values in newer:
            keys = [column == values[column.key] for column in table.primary_key]
            connection.execute(update(table).where(*keys).values(values))
    return len(batch)


def _values(table: Table, row: _Row) -> Mapping[str, Any]:
    return {
        column.key: _back(column, value) for column, value in zip(table.columns, row, strict=True)
    }


def _count_on(target: Address, engine: Engine, table: Table) -> None:
    """Keys that count upwards go on after those that were copied; SQLite does so by itself."""
    (key, *_) = table.primary_key
    if target.is_sqlite or not isinstance(key.type, BigInteger | Integer):
        return
    sequence = f"pg_get_serial_sequence('{table.name}', '{key.name}')"
    # our own names
    highest = f"(SELECT coalesce(max({key.name}), 0) + 1 FROM {table.name})"  # noqa: S608
    with translated(target.place), writing(engine).begin() as connection:
        connection.execute(text(f"SELECT setval({sequence}, {highest}, false)"))


def _digest(connection: Connection, table: Table) -> tuple[int, str]:
    """How many rows, and a SHA-256 of them all."""
    digest = hashlib.sha256()
    count = 0
    for row in _rows(connection, table):
        digest.update(repr(row).encode(errors="surrogatepass"))
        count += 1
    return count, digest.hexdigest()


def _require_ours(source: Address, connection: Connection) -> None:
    if is_due(connection, source.place):
        require_head(connection, source.place)


@contextmanager
def _snapshot(address: Address) -> Iterator[Connection]:
    """A connection that sees one moment, however long it reads."""
    with translated(address.place):
        engine = open_engine(address, "copy")
        try:
            with engine.connect() as connection:
                if not address.is_sqlite:
                    connection.execute(
                        text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    )
                    for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                        connection.execute(text(f"SET LOCAL {limit} = 0"))
                yield connection
        finally:
            engine.dispose()
