"""Opens the ledger of a proxy process: its schema, what earlier processes left, the journal of this
one, and its pseudonyms."""

from __future__ import annotations

import secrets
import socket
from typing import NamedTuple

import structlog

from db.address import journal_folder, parse
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.config.settings import Settings
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.pseudonymous import ledger_pseudonyms
from proxy_addon.runtime.housekeeping import JournalSweeper

log = structlog.get_logger("allowance.run")


class OpenedLedger(NamedTuple):
    """A ledger that can be written to. `node` is this process in visits and in sessions."""

    ledger: SqlLedger
    node: str
    sweeper: JournalSweeper
    journal: Journal


def open_ledger(settings: Settings) -> OpenedLedger:
    """The ledger of the settings, with tables of this version, after it was given what processes
    that are gone have left. Raises LedgerError."""
    upgrade(settings.database)
    node = f"{socket.gethostname()}:{secrets.token_hex(4)}"
    ledger = SqlLedger(settings.database, node)
    ledger.check()
    folder = journal_folder(settings.journal, settings.database)
    identity = parse(settings.database).identity
    sweeper = JournalSweeper(folder, identity, ledger)
    sweeper.take_over(warns=True)
    return OpenedLedger(ledger, node, sweeper, Journal(folder, node, identity))


def pseudonyms_of(
    ledger: SqlLedger, rules: RuleSet, settings: Settings, now: float
) -> Pseudonyms | None:
    """The pseudonyms of the ledger; None: it keeps names. Names from before are replaced first.
    Raises LedgerError, PseudonymKeyError."""
    if not rules.pseudonyms:
        return None
    names = ledger_pseudonyms(ledger, settings.pseudonym_key, now)
    if changed := ledger.mask_names(names.of, names.actor):
        log.info("names in the ledger became pseudonyms", names=changed)
    return names
