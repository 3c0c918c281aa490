"""The database and the journal beside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from typing import Final

from db.address import Address, journal_folder, parse
from db.engine import HEAD
from db.ledger import SqlLedger
from db.probe import DatabaseHealth, describe_schema, health
from db.upgrade import has_ledger
from proxy_addon.config.settings import Settings
from proxy_addon.doctor.check import AS_THE_PROXY, Check, error, not_checked, ok, warning
from proxy_addon.doctor.host import existing, hidden, skew
from proxy_addon.ledger import journal_records
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.ledger.journal_owner import JournalOwner, Whose, whose
from proxy_addon.ledger.ledgers_seen import LedgersSeen
from proxy_addon.ledger.replay import journals_in
from proxy_addon.presentation.durations import count

SLOW: Final = 0.25  # seconds for one small write; the ledger is written once a second
_REMEDIES: Final = {
    "schema": "`allowance run` brings it up to date, or `allowance db upgrade` now",
    "newer": "install the version that made it, or name another database with --database",
    "foreign": "name a database of its own with --database",
    "url": "write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
    "full": "free some space on its disk",
    "locked": "find out which program has locked it",
    "unreachable": "start the database, and check host, port and firewall; docs/runbook.md, ledger down",
}


def database_checks(settings: Settings, now: float) -> Iterator[Check]:
    """Whether the ledger opens, has our schema and can be written to quickly."""
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
        reported = warning if problem.kind == "schema" else error
        yield reported(
            "database",
            str(problem),
            _REMEDIES.get(problem.kind, "see docs/runbook.md, ledger down"),
        )
        return
    yield from _report(address, found)
    if not address.is_sqlite:
        yield from skew(found.clock - (now + found.asked), "the database")


def _report(address: Address, found: DatabaseHealth) -> Iterator[Check]:
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
            "database speed", fact, "check for a slow disk or network; see docs/runbook.md"
        )
    else:
        yield ok("database speed", fact)


def _file(address: Address) -> Iterator[Check]:
    """The SQLite file: it exists or can be created, and only its owner can read it."""
    if (closed := hidden(address.file)) is not None:
        yield error("database", f"{closed} cannot be read by this user", AS_THE_PROXY)
        return
    if not address.file.exists():
        folder = existing(address.file.absolute().parent)
        if os.access(folder, os.W_OK | os.X_OK):
            yield not_checked(
                "database", f"{address.place} does not exist yet", "`allowance run` creates it"
            )
        else:
            yield error(
                "database",
                f"{address.place} cannot be created: {folder} cannot be written to",
                "give the proxy's user that folder, or name another with --database",
            )
        return
    mode = stat.S_IMODE(address.file.stat().st_mode)
    if mode & 0o007:
        yield warning(
            "database file",
            f"mode {mode:04o}: every user of this machine can read it",
            f"chmod 600 {address.file}",
        )
    else:
        yield ok("database file", f"mode {mode:04o}")


def _us(settings: Settings) -> tuple[JournalOwner, Mapping[str, str]]:
    """What tells which journals are of this ledger, as far as it answers, and which ledgers were
    seen at which addresses."""
    address, seen = parse(settings.database).identity, LedgersSeen(settings.state).all()
    ledger = seen.get(address)
    with suppress(LedgerError):
        if has_ledger(settings.database):
            with closing(SqlLedger(settings.database, "doctor")) as asked:
                ledger = asked.identity()
    return JournalOwner(address, ledger), seen


def journal_checks(settings: Settings) -> Iterator[Check]:
    """What the journal folder holds that is not in the ledger."""
    folder = journal_folder(settings.journal, settings.database)
    if not folder.is_dir():
        place = existing(folder)
        if os.access(place, os.W_OK | os.X_OK):
            yield ok("journal", f"{folder} does not exist yet: no visits wait")
        else:
            yield error(
                "journal", f"{folder} cannot be created", "name a writable folder with --journal"
            )
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield error(
            "journal",
            f"{folder} cannot be read and written by this user",
            "make the proxy's user its owner",
        )
        return
    journals, visits, torn, foreign, left = 0, 0, 0, 0, 0
    us, seen = _us(settings)
    for lock_file in journals_in(folder):
        try:
            is_ours = whose(lock_file, us, seen) is Whose.OURS
            found, damaged = journal_records.read(lock_file)
        except FileNotFoundError:
            continue  # its process has just removed it
        if is_ours:
            journals, visits, torn = journals + 1, visits + len(found), torn + damaged
        elif found:
            foreign, left = foreign + 1, left + len(found)
    if foreign:
        yield warning(
            "journal",
            f"{count(left, 'visit')} in {count(foreign, 'journal')} of {folder} are not known to be of this "
            "ledger; the proxy leaves them alone",
            "`allowance db replay JOURNAL` shows whose it is; docs/runbook.md, which journal belongs to which ledger",
        )
    fact = f"{count(visits, 'visit')} not in the ledger yet, in {count(journals, 'journal')} of {folder}"
    if torn:
        fact += f", {torn} damaged lines are skipped"
    if visits or torn:
        yield warning(
            "journal",
            fact,
            "a running proxy writes its own once the database is back; the next start writes those that others left",
        )
    else:
        yield ok("journal", f"no visits wait in {folder}")
