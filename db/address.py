"""Where the ledger is: a database URL, checked, with a name that may be printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from db import hosts
from proxy_addon.ledger.interface import LedgerError, LedgerUnusable

FORMS = "use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"

_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
# A ledger is written to: the other values of libpq ask for a server that takes no writes.
_ATTRIBUTES = ("any", "read-write", "primary")


@dataclass(frozen=True, slots=True)
class Address:
    """A database URL. `place` names it for people and for logs and never holds a password.

    Several hosts stand in the query of the URL, as `host=a,b&port=5432,5432`, however they were
    written.
    """

    url: URL
    place: str

    @property
    def is_sqlite(self) -> bool:
        """True for a file on this host, false for Postgres."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path:
        """The database file; SQLite only."""
        return Path(self.url.database or "")

    @property
    def identity(self) -> str:
        """Identifies the database, for files that belong to it; without user and password. The
        order of several hosts does not matter."""
        if self.is_sqlite:
            return str(self.file.absolute())
        if several := hosts.several(self.url):
            return f"{','.join(sorted(several))}/{self.url.database or ''}"
        host = self.url.host or self.url.query.get("host") or ""
        return f"{host}:{self.url.port or 5432}/{self.url.database or ''}"


def parse(text: str) -> Address:
    """Read a database URL. Raises LedgerUnusable for what no ledger can be kept in."""
    try:
        url = hosts.read(text, make_url)
        driver = _DRIVERS.get(url.drivername)
    except (ArgumentError, ValueError):
        # The text is not repeated: it may hold a password.
        raise LedgerUnusable(f"the database URL cannot be read; {FORMS}", kind="url") from None
    if driver is None:
        raise LedgerUnusable(f"{url.drivername!r} databases are not supported; {FORMS}", kind="url")
    url = url.set(drivername=driver)
    if url.get_backend_name() == "sqlite":
        return Address(url, _sqlite_place(url))
    wanted = url.query.get("target_session_attrs", "any")
    if wanted not in _ATTRIBUTES:
        raise LedgerUnusable(
            f"target_session_attrs of the database URL is {wanted!r}: a ledger is written to; "
            "use read-write",
            kind="url",
        )
    return Address(url, _postgres_place(url))


def journal_folder(wanted: Path | None, database: str) -> Path:
    """Where visits wait while a database is away: the folder that is wanted, else one beside a
    SQLite file, else in `var`. A URL that cannot be read is no reason to have none."""
    if wanted is not None:
        return wanted
    try:
        address = parse(database)
    except LedgerError:
        return Path("var") / "journal"
    return (address.file.parent if address.is_sqlite else Path("var")) / "journal"


def _sqlite_place(url: URL) -> str:
    if url.host:
        # sqlite://var/x.db names a host, which is always a slash forgotten.
        raise LedgerUnusable(
            "a SQLite URL has three slashes, four for an absolute path; " + FORMS, kind="url"
        )
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise LedgerUnusable(
            f"SQLite needs the name of a file, in memory nothing would last; {FORMS}", kind="url"
        )
    return f"SQLite file {url.database}"


def _postgres_place(url: URL) -> str:
    """Only user, host, port and database: the query part of a URL can carry passwords as well."""
    user = f"{url.username}@" if url.username else ""
    name = url.database or url.username or ""
    if several := hosts.several(url):
        return f"Postgres database {name} on {user}{','.join(several)}"
    host = url.host or url.query.get("host") or "local socket"
    port = f":{url.port}" if url.port else ""
    return f"Postgres database {name} on {user}{host}{port}"
