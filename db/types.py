"""Column types and SQL functions that mean the same on SQLite and on Postgres."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import DateTime, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from proxy_addon.core.metering.evidence import packed, unpacked
from proxy_addon.core.types import EvidenceSummary

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


class Instant(TypeDecorator[float]):
    """An instant: epoch seconds in Python, an aware UTC time with microseconds in the database.

    Postgres has `timestamptz` for it. SQLite has no such type, so it gets text of one width, always
    with microseconds and `+00:00`; such text sorts as the instants do. Instants outside the years 1
    to 9999, infinity included, become the first or last instant that can be stored.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of this engine."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(32))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: float | None, dialect: Dialect) -> Any:
        """Epoch seconds to what the driver stores."""
        if value is None:
            return None
        moment = to_datetime(value)
        return moment.isoformat(" ", "microseconds") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:
        """What the driver read to epoch seconds."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else cast(datetime, value)
        return moment.timestamp()


class EvidenceColumn(TypeDecorator[EvidenceSummary]):
    """An evidence summary in Python, a short text in the database (`core/metering/evidence.py`)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: EvidenceSummary | None, dialect: Dialect) -> str | None:
        """A summary to its text."""
        return None if value is None else packed(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> EvidenceSummary | None:
        """The text to a summary; None for text that is not one."""
        return unpacked(value)


class TextsColumn(TypeDecorator[Mapping[str, str]]):
    """Texts by language in Python, JSON in the database; their order stays."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, str] | None, dialect: Dialect) -> str | None:
        """The texts to JSON, in which any character can be stored."""
        return None if value is None else json.dumps(dict(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Mapping[str, str] | None:
        """JSON to the texts."""
        return None if value is None else cast(Mapping[str, str], json.loads(value))


def to_datetime(instant: float) -> datetime:
    """An aware UTC time to the microsecond, held within the years that can be stored."""
    if instant <= _EARLIEST.timestamp():
        return _EARLIEST
    if instant >= _LATEST.timestamp():
        return _LATEST
    return datetime.fromtimestamp(instant, UTC)


class database_now(FunctionElement[float]):  # noqa: N801
    """The database's clock at this very moment, not at the start of the transaction."""

    type = Instant()
    inherit_cache = True


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: Any, **_: Any) -> str:
    # The host's clock: SQLite runs inside the process. It knows milliseconds, the text needs all
    # six digits.
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000+00:00')"


@compiles(database_now, "postgresql")
def _postgres_now(element: database_now, compiler: Any, **_: Any) -> str:
    return "clock_timestamp()"
