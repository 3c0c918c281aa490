"""`allowance db replay [JOURNAL]`: what journals of this host hold is written to the ledger."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from db.address import journal_folder, parse
from db.ledger import SqlLedger
from db.upgrade import upgrade_existing
from proxy_addon.cli.common import AsJson, Config, exit_with, print_json, say
from proxy_addon.cli.db.common import Database, database_errors
from proxy_addon.cli.ledger_access import masked_ledger
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.ledger.interface import Ledger
from proxy_addon.ledger.journal_files import taken
from proxy_addon.ledger.journal_owner import JournalOwner, Whose, read_owner, whose
from proxy_addon.ledger.journal_records import read
from proxy_addon.ledger.ledgers_seen import LedgersSeen
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from proxy_addon.ledger.replay import journals_in, replay_one
from proxy_addon.presentation.durations import count
from proxy_addon.rules import folder as rules_folder

IN_USE = "in use"
REPLAYED = "replayed"
LEFT = "left alone"


@dataclass(frozen=True, slots=True)
class JournalReport:
    """One journal: `belongs_to` in words, `ledger` and `address` as its lock says, and what was
    done with it. `visits`: written, or waiting where it was not replayed."""

    file: str
    belongs_to: str
    ledger: str | None
    address: str | None
    done: str
    visits: int
    damaged: int = 0
    refused: int = 0


def replay_command(
    journal: Annotated[
        Path | None,
        typer.Argument(
            metavar="[JOURNAL]",
            help="One of its files. Default: all that belong to this ledger or to nobody.",
        ),
    ] = None,
    database: Database = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="DIR", help="The rules folder. Default: rules")
    ] = None,
    config: Config = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask, also for one of another ledger.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write to the ledger what proxies of this host that are gone have left in their journals.

    The proxy does so by itself for journals of its own ledger. Repeating it changes nothing: a
    visit is stored once. What the database refuses stays in its journal."""
    with database_errors():
        settings = load_settings({"database": database, "rules": rules}, config)
        with _opened(settings) as (ledger, us):
            found = (
                _all(settings, ledger, us)
                if journal is None
                else [_one(journal, settings, ledger, us, yes=yes)]
            )
        if as_json:
            print_json(
                {
                    "database": parse(settings.database).place,
                    "ledger": us.ledger,
                    "journals": [asdict(each) for each in found],
                }
            )
            return
        for each in found:
            say(_line(each))
        if not found:
            say(f"No journals wait in {journal_folder(settings.journal, settings.database)}.")


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Ledger, JournalOwner]]:
    """The ledger, addressed by names, and what tells which journals are its own."""
    rule_set = rules_folder.load(settings.rules)
    upgrade_existing(settings.database)
    with closing(SqlLedger(settings.database, "db replay")) as ledger:
        ledger.check()
        asked = masked_ledger(ledger, rule_set, settings)
        key = asked.names.key_id if isinstance(asked, PseudonymLedger) else None
        yield asked, JournalOwner(parse(settings.database).identity, ledger.identity(), key)


def _all(settings: Settings, ledger: Ledger, us: JournalOwner) -> Sequence[JournalReport]:
    seen = LedgersSeen(settings.state).all()
    found = []
    for lock_file in journals_in(journal_folder(settings.journal, settings.database)):
        with taken(lock_file) as is_free:
            owner = whose(lock_file, us, seen) if lock_file.exists() else None
            if owner is None:
                continue  # its process has just removed it
            if is_free and owner in (Whose.OURS, Whose.NOBODYS):
                found.append(_replayed(lock_file, owner, ledger))
            else:
                found.append(_left(lock_file, owner, IN_USE if not is_free else LEFT))
    return found


def _one(
    path: Path, settings: Settings, ledger: Ledger, us: JournalOwner, *, yes: bool
) -> JournalReport:
    """One journal, whoever it belongs to, after showing that. Exits with 1 where nobody agrees."""
    lock_file = path.with_suffix(".lock")
    if not lock_file.exists():
        exit_with(f"{path}: there is no such journal; it may have been replayed already")
    with taken(lock_file) as is_free:
        if not is_free:
            exit_with(f"{path}: a process that runs keeps this journal; it writes it by itself")
        owner = whose(lock_file, us, LedgersSeen(settings.state).all())
        if owner is not Whose.OURS and not yes:
            say(_line(_left(lock_file, owner, "waiting")), err=True)
            say(f"The ledger is {us.ledger} in {parse(settings.database).place}.", err=True)
            if not sys.stdin.isatty():
                exit_with(f"{path}: belongs to {owner.value}; add --yes to write it to this one")
            typer.confirm("Write it to this ledger?", abort=True)
        return _replayed(lock_file, owner, ledger)


def _replayed(lock_file: Path, owner: Whose, ledger: Ledger) -> JournalReport:
    before = _left(lock_file, owner, REPLAYED)
    with redirect_stdout(sys.stderr):  # what it logs is not the answer of this command
        done = replay_one(lock_file, ledger)
    return JournalReport(
        before.file,
        before.belongs_to,
        before.ledger,
        before.address,
        REPLAYED,
        done.visits,
        done.torn,
        done.refused,
    )


def _left(lock_file: Path, owner: Whose, done: str) -> JournalReport:
    marked = read_owner(lock_file)
    visits, damaged = read(lock_file)
    ledger, address = (marked.ledger, marked.address) if marked else (None, None)
    return JournalReport(str(lock_file), owner.value, ledger, address, done, len(visits), damaged)


def _line(each: JournalReport) -> str:
    whose_it_is = f"belongs to {each.belongs_to}"
    details = [part for part in (each.ledger, each.address) if part]
    if details:
        whose_it_is += f" ({', '.join(details)})"
    lost = f", {count(each.damaged, 'damaged line')} skipped" if each.damaged else ""
    lost += f", {each.refused} refused by the database and kept" if each.refused else ""
    return f"{each.file}: {each.done}, {count(each.visits, 'visit')}{lost}; {whose_it_is}"
