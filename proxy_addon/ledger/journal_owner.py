"""Whose a journal is: the id of its ledger, or its address while the id was not known.

The lock file of a journal holds it, as one line with a CRC-32. Journals of earlier versions have an
empty lock, and the address of their database in their name.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JournalOwner:
    """`address`: the database, without user and password. `ledger`: the id of the ledger in it;
    None: not known. `key`: which key made the pseudonyms; None: there are names."""

    address: str
    ledger: str | None = None
    key: str | None = None

    @property
    def mark(self) -> str:
        """Eight digits for names of files."""
        return _mark(self.ledger or self.address)


class Whose(Enum):
    """Whose a journal is, for somebody who has a ledger."""

    OURS = "this ledger"
    NOBODYS = "unknown"  # neither this ledger nor another one is known to be its own
    OTHERS = "another ledger"
    OTHER_KEY = "another pseudonym key"


def write_owner(lock: int, owner: JournalOwner) -> None:
    """Say in a lock file that is open whose the journal is. Raises OSError."""
    text = json.dumps(asdict(owner)).encode()
    os.pwrite(lock, b"%08x %s\n" % (zlib.crc32(text), text), 0)
    os.fdatasync(lock)


def read_owner(lock_file: Path) -> JournalOwner | None:
    """Whose a journal is; None where its lock does not say. Raises OSError."""
    check, _, text = lock_file.read_bytes().partition(b"\n")[0].partition(b" ")
    if check != b"%08x" % zlib.crc32(text):
        return None
    try:
        found = json.loads(text)
        return JournalOwner(**found)
    except (TypeError, ValueError):
        return None


def whose(lock_file: Path, us: JournalOwner, seen: Mapping[str, str]) -> Whose:
    """Whether a journal is ours. `seen`: the ids of ledgers by the addresses at which this host has
    seen them. Raises OSError."""
    owner = read_owner(lock_file)
    if owner is None:
        return _by_name(lock_file.name.partition("-")[0], us, seen)
    if None not in (owner.key, us.key) and owner.key != us.key:
        return Whose.OTHER_KEY
    ledger = owner.ledger or seen.get(owner.address)
    if us.ledger is None or ledger is None:
        return Whose.OURS if owner.address == us.address else Whose.NOBODYS
    return Whose.OURS if ledger == us.ledger else Whose.OTHERS


def _by_name(mark: str, us: JournalOwner, seen: Mapping[str, str]) -> Whose:
    if mark in (_mark(us.address), us.mark):
        return Whose.OURS
    for address, ledger in seen.items():
        if mark in (_mark(address), _mark(ledger)):
            return Whose.OURS if ledger == us.ledger else Whose.OTHERS
    return Whose.NOBODYS


def _mark(text: str) -> str:
    """Tells databases apart without naming them."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
