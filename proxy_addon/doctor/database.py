"""The database and the journal beside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Final

from db.address import Address, journal_folder, parse
from db.engine import HEAD
from db.probe import Health, describe_schema, health
from proxy_addon.config.settings import Settings
from proxy_addon.doctor.check import AS_THE_PROXY, Check, count, error, not_checked, ok, warning
from proxy_addon.doctor.host import existing, hidden, skew
from proxy_addon.ledger import journal
from proxy_addon.ledger.interface import LedgerError

SLOW: Final = 0.25  # seconds for one small write; the ledger is written once a second
_REMEDIES: Final = {
    "schema": "`allowance run` brings it up to date, or `allowance db upgrade` now",
    "newer": "install the version that made it, or name another database with --database",
    "foreign": "name a database of its own with --database",
    "url": "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
    "full": "make room on its disk",
    "locked": "see which program holds it",
    "unreachable": "start the database, and check host, port and firewall; docs/runbook.md, ledger down",
}


def database_checks(settings: Settings, now: float) -> Iterator[Check]:
    """Whether the ledger opens, has our schema, takes a row and does so quickly."""
    try:
        address = parse(settings.database)
    except LedgerError as problem:
        yield error("database", str(problem), _REMEDIES["url"])
        return
    if address.is_sqlite:
        yield from _file(address)
        if not address.file.exists():
            return
    try:
        found = health(settings.database)
    except LedgerError as problem:
        fit = warning if problem.kind == "schema" else error
        yield fit(
            "database",
            str(problem),
            _REMEDIES.get(problem.kind, "see docs/runbook.md, ledger down"),
        )
        return
    yield from _report(address, found)
    if not address.is_sqlite:
        yield from skew(found.clock - (now + found.asked), "the database")


def _report(address: Address, found: Health) -> Iterator[Check]:
    if found.written is None:
        yield warning("database", f"{address.place} has no tables yet", _REMEDIES["schema"])
        return
    yield ok(
        "database",
        f"{address.place} opens, has {describe_schema(found.schema or HEAD)} and can be written to",
    )
    fact = f"opened in {found.opened * 1000:.0f} ms, a row written in {found.written * 1000:.0f} ms"
    if found.written > SLOW:
        yield warning(
            "database speed", fact, "look for a slow disk or network; see docs/runbook.md"
        )
    else:
        yield ok("database speed", fact)


def _file(address: Address) -> Iterator[Check]:
    """The file of SQLite: there, or can be made; and for its owner alone."""
    if (closed := hidden(address.file)) is not None:
        yield error("database", f"{closed} cannot be looked into by this user", AS_THE_PROXY)
        return
    if not address.file.exists():
        folder = existing(address.file.absolute().parent)
        if os.access(folder, os.W_OK | os.X_OK):
            yield not_checked(
                "database", f"{address.place} is not there yet", "`allowance run` makes it"
            )
        else:
            yield error(
                "database",
                f"{address.place} cannot be made: {folder} is not ours to write",
                "give the proxy's user that folder, or name another with --database",
            )
        return
    mode = stat.S_IMODE(address.file.stat().st_mode)
    if mode & 0o007:
        yield warning(
            "database file",
            f"mode {mode:04o}: everybody on this machine can read it",
            f"chmod 600 {address.file}",
        )
    else:
        yield ok("database file", f"mode {mode:04o}")


def waiting(settings: Settings) -> Iterator[Check]:
    """What the journal folder holds that is not in the ledger."""
    folder = journal_folder(settings.journal, settings.database)
    if not folder.is_dir():
        place = existing(folder)
        if os.access(place, os.W_OK | os.X_OK):
            yield ok("journal", f"{folder} is not there yet: nothing waits")
        else:
            yield error(
                "journal", f"{folder} cannot be made", "name a writable folder with --journal"
            )
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield error(
            "journal", f"{folder} is not ours to read and write", "give it to the proxy's user"
        )
        return
    journals, visits, torn = 0, 0, 0
    for lock_file in sorted(folder.glob("*.lock")):
        found, damaged = journal.read(lock_file)
        journals, visits, torn = journals + 1, visits + len(found), torn + damaged
    fact = f"{count(visits, 'visit')} not in the ledger yet, in {count(journals, 'journal')} of {folder}"
    if torn:
        fact += f", {torn} damaged lines are left out"
    if visits or torn:
        yield warning(
            "journal",
            fact,
            "a running proxy writes its own when the database is back; what others left, the next start writes",
        )
    else:
        yield ok("journal", f"nothing waits in {folder}")
