"""Opens the ledger of a proxy process. A proxy serves without it: what is needed from it is read at
the first contact, at the start or whenever the database is there.

Until then nothing else may query it (`permit`), because its tables may be missing, older, or those
of another program.
"""

from __future__ import annotations

import math
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from db.address import Address, journal_folder, parse
from db.errors import translated
from db.ledger import SqlLedger
from db.sqlite import create_file
from db.upgrade import upgrade
from proxy_addon.config.settings import Settings
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Visit
from proxy_addon.identity.pseudonyms import PseudonymKeyError, Pseudonyms, read_key
from proxy_addon.ledger.interface import LedgerError, LedgerUnavailable, LedgerUnusable
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.ledgers_seen import LedgersSeen
from proxy_addon.ledger.pseudonymous import PseudonymLedger, require_same_key
from proxy_addon.runtime.housekeeping import JournalSweeper
from proxy_addon.system.clock import Clock

log = structlog.get_logger("allowance.run")

KEY: Final = "pseudonym-key"
# What no database heals by itself: a start that meets it ends with one line.
_SETTINGS: Final = frozenset({"url", "foreign", "newer", KEY})
_SQLITE_SETTINGS: Final = frozenset({"missing", "forbidden", "read-only"})  # the path, its rights


class LedgerOpening:
    """The ledger of one process, its journal, and its pseudonyms. Opening it touches no
    database."""

    def __init__(
        self, settings: Settings, rules: RuleSet, clock: Clock, *, is_strict: bool = True
    ) -> None:
        """Raises LedgerUnusable for a URL that names no database, and with `is_strict`
        PseudonymKeyError, and LedgerUnusable for a file or a journal folder that can never be
        written."""
        self._settings, self._clock = settings, clock
        self._address: Address = parse(settings.database)
        self._joiner: int | None = None  # the thread that makes the first contact
        self._is_joined = False
        self._because = "it has not answered yet"
        self.node = f"{socket.gethostname()}:{secrets.token_hex(4)}"
        self.ledger = SqlLedger(
            settings.database, self.node, self._permit, listen_url=settings.listen_database
        )
        _make_file(self._address, is_strict=is_strict)
        self.names, self._made_key = _local_pseudonyms(rules, settings, is_strict=is_strict)
        folder = journal_folder(settings.journal, settings.database)
        taker = PseudonymLedger(self.ledger, self.names) if self.names else self.ledger
        self._seen = LedgersSeen(settings.state)
        address = self._address.identity
        us = JournalOwner(address, self._seen.all().get(address), self._key_id())
        self.sweeper = JournalSweeper(folder, us, taker, self._seen.all)
        self.journal = Journal(folder, self.node, us, is_strict=is_strict)

    @property
    def is_joined(self) -> bool:
        """Whether the first contact has been made."""
        return self._is_joined

    def is_for_settings(self, problem: LedgerError) -> bool:
        """Whether a problem at the start is one of the settings, which no waiting heals."""
        if problem.kind in _SETTINGS:
            return True
        return self._address.is_sqlite and problem.kind in _SQLITE_SETTINGS

    def close(self) -> None:
        """Leave nothing behind of a start that fails."""
        self.journal.close()
        self.ledger.close()

    def left(self) -> Sequence[Visit]:
        """What the journals of this host hold that the ledger may not have: for balances while it
        is away."""
        return self.sweeper.left()

    def join[Known](self, read: Callable[[], Known]) -> tuple[Known, float]:
        """Make the first contact: bring the tables up to date, hand over what earlier processes
        left, and read what is there. With it the cursor at which news begin. Any thread, one at a
        time; raises LedgerError."""
        self._joiner = threading.get_ident()
        try:
            upgrade(self._settings.database)
            self.ledger.check()
            self._check_key()
            self._identify()
            self.sweeper.take_over(warns=True)
            if self.names and (changed := self.ledger.mask_names(self.names.of, self.names.actor)):
                log.info("names in the ledger became pseudonyms", names=changed)
            cursor = self.ledger.news(math.inf).cursor
            known = read()
        except LedgerError as problem:
            self._because = str(problem)
            raise
        finally:
            self._joiner = None
        self._is_joined = True
        return known, cursor

    def _identify(self) -> None:
        """Journals belong to the ledger, not to its address."""
        ledger = self.ledger.identity()
        self._seen.remember(self._address.identity, ledger)
        self.sweeper.belongs_to(ledger, self._key_id())
        self.journal.belongs_to(ledger, self._key_id())

    def _key_id(self) -> str | None:
        return self.names.key_id if self.names is not None and self.names.has_key else None

    def _permit(self) -> None:
        if not self._is_joined and threading.get_ident() != self._joiner:
            raise LedgerUnavailable(
                f"the ledger has not been joined: {self._because}", kind="not-joined"
            )

    def _check_key(self) -> None:
        """The pseudonyms of this ledger have to be those of our key, which may be readable only
        now."""
        if self.names is None:
            return
        path = self._settings.pseudonym_key
        try:
            key = None if self.names.has_key else read_key(path, make=False)
            names = self.names if key is None else Pseudonyms(key)
            require_same_key(self.ledger, names, path, self._clock.now())
            if key is not None:
                self.names.take(key)
        except PseudonymKeyError as problem:
            self._take_back_key(path)
            raise LedgerUnusable(str(problem), kind=KEY) from None

    def _take_back_key(self, path: Path) -> None:
        """A key that was made only because the ledger could not be asked: the right one has to be
        put there."""
        made, self._made_key = self._made_key, None
        with suppress(PseudonymKeyError, OSError):
            if made is not None and read_key(path, make=False) == made:
                path.unlink()


def _make_file(address: Address, *, is_strict: bool) -> None:
    """A path that can never be written is a mistake of the settings, which is said before anything
    else is made. Raises LedgerUnusable."""
    if address.is_sqlite:
        passing = LedgerUnavailable if is_strict else LedgerError  # such as a full disk
        with suppress(passing), translated(address.place):
            create_file(address.file)


def _local_pseudonyms(
    rules: RuleSet, settings: Settings, *, is_strict: bool
) -> tuple[Pseudonyms | None, bytes | None]:
    """The pseudonyms by the key of this host, and that key if it has just been made; None: the
    ledger keeps names. Raises PseudonymKeyError with `is_strict`; otherwise they have no key until
    it can be read, and none is made.

    Whether it is the key of the ledger is known at the first contact only. Until then it is used
    all the same, because no name may reach the journal.
    """
    if not rules.pseudonyms:
        return None, None
    path: Path = settings.pseudonym_key
    is_new = not path.exists()
    try:
        key = read_key(path, make=is_strict)
    except PseudonymKeyError:
        if is_strict:
            raise
        return Pseudonyms(None), None  # the first contact says why
    return Pseudonyms(key), key if is_new else None
