"""Which ledger this host has seen at which address: so a proxy that starts without its ledger knows
which one that is, and a journal of a former address is found to be its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from proxy_addon.system import private_files

FILE: Final = "ledgers.json"

log = structlog.get_logger("allowance.ledger")


class LedgersSeen:
    """A file in the folder of `state`. All methods block on the disk, and none fails because of
    it."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE

    def all(self) -> Mapping[str, str]:
        """The ids of ledgers, by address (`db.address.Address.identity`)."""
        try:
            found = json.loads(self._path.read_text("utf-8", "surrogateescape"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {str(address): str(ledger) for address, ledger in found.items()}

    def remember(self, address: str, ledger: str) -> None:
        """That ledger is at this address now."""
        known = self.all()
        if known.get(address) == ledger:
            return
        text = json.dumps({**known, address: ledger}, indent=1)
        try:
            private_files.make_folder(self._path.parent)
            private_files.replace(self._path, text.encode("utf-8", "surrogateescape"))
        except OSError as problem:
            log.warning("the id of the ledger cannot be kept", because=problem.strerror)
