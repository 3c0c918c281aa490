"""Pseudonyms: names as keyed hashes, so that a stolen database names nobody.

With `privacy: {pseudonyms: true}` every name is mapped before it reaches the ledger, the journal or the balances
in memory. Who asks, by which role and what a page greets them with is still found by the name, which stays in
memory only. A pseudonym cannot be turned back; whoever has the key and a list of names can look for the one
that gives it (`allowance people unmask`). Mapping is idempotent, because a pseudonym has a form that no name has:
`p:` and sixteen letters, 80 bits of HMAC-SHA-256.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from proxy_addon.core.types import Grant, Visit
from proxy_addon.ports import AuditEntry, Erasure, History, Ledger, News, Records, TimeRequest
from proxy_addon.settings import SettingsError

KEY_BYTES: Final = 32
_BYTES: Final = 10  # of a hash; one chance in 10^15 that two of 50,000 people share a pseudonym
_FORM: Final = re.compile(r"p:[a-z2-7]{16}")
_KEPT: Final = 50_000  # names remembered before remembering starts anew
_DOORS: Final = ("cli:", "web:")

type Mask = Callable[[str], str]
"""Turns a name into what the ledger calls that person."""


class PseudonymKeyError(SettingsError):
    """The key cannot be read or made. The message names the file and the remedy."""


class Pseudonyms:
    """Maps names by one key. Safe to call from several threads."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[str, str] = {}
        self.mark = "key " + hmac.digest(key, b"which key is this?", "sha256")[:6].hex()

    def of(self, name: str) -> str:
        """The pseudonym of a name; a pseudonym stays what it is."""
        known = self._known.get(name)
        if known is not None:
            return known
        if is_pseudonym(name):
            return name
        digest = hmac.digest(self._key, name.encode(errors="surrogatepass"), "sha256")[:_BYTES]
        made = "p:" + base64.b32encode(digest).decode().lower()
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[name] = made
        return made

    def actor(self, text: str) -> str:
        """The same for whoever did something: `cli:ada` keeps its door, a node or an erased person its name."""
        for door in _DOORS:
            if text.startswith(door):
                return door + self.of(text.removeprefix(door))
        return text if text.startswith(("node:", "erased:")) else self.of(text)

    def search(self, pseudonym: str, names: Iterable[str]) -> str | None:
        """The one of the names that has this pseudonym, or None."""
        return next((name for name in names if self.of(name) == pseudonym), None)


def settled(ledger: Ledger, path: Path, now: float | None = None) -> Pseudonyms:
    """The pseudonyms of a ledger, by the key of a file. With `now` a ledger that has none yet gets a new key.

    The ledger remembers by which key they were made, so that a second proxy with a key of its own is refused
    instead of giving everybody a second balance. Raises PseudonymKeyError and LedgerError.
    """
    marks = [entry.detail for entry in ledger.audit_log(subject="rules") if entry.action == "pseudonyms"]
    names = Pseudonyms(read_key(path, make=now is not None and not marks))
    if marks and marks[-1] != names.mark:
        raise PseudonymKeyError(
            f"{path}: the pseudonyms of this ledger were made with another key; copy that one from its proxy"
        )
    if not marks and now is not None:
        ledger.audit(AuditEntry(now, "node:start", "pseudonyms", "rules", names.mark))
    return names


def is_pseudonym(text: str) -> bool:
    """Whether a text has the form that no name has."""
    return _FORM.fullmatch(text) is not None


def read_key(path: Path, *, make: bool) -> bytes:
    """The key of a file, 64 hexadecimal digits; with `make` it is made once, for its owner alone, if it is not
    there. Raises PseudonymKeyError."""
    try:
        if make and not path.exists():
            _make_key(path)
        if path.stat().st_mode & 0o077:
            raise PseudonymKeyError(f"{path}: others can read this key; run: chmod 600 {path}")
        key = bytes.fromhex(path.read_text("ascii"))
    except FileNotFoundError:
        raise PseudonymKeyError(
            f"{path}: there is no pseudonym key; copy it from the proxy that made it, or start the proxy once"
        ) from None
    except OSError as error:
        raise PseudonymKeyError(f"{path}: the pseudonym key cannot be used: {error.strerror}") from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise PseudonymKeyError(f"{path}: is no pseudonym key of 64 hexadecimal digits; restore it")
    return key


def _make_key(path: Path) -> None:
    """Whole or not at all, and never over one that another process has just made."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    file = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(file, secrets.token_hex(KEY_BYTES).encode())
        os.fsync(file)
        os.close(file)
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


class PseudonymLedger:
    """A `ports.Ledger` over another one that it tells no names: questions and rows are mapped on the way in.

    What it gives back has pseudonyms. What an engine's ledger can do beyond the port is passed on as it is.
    """

    def __init__(self, ledger: Ledger, names: Pseudonyms) -> None:
        self._ledger = ledger
        self.names = self._names = names

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def write_visits(self, visits: Sequence[Visit]) -> None:
        """See `ports.Ledger`."""
        self._ledger.write_visits([masked(visit, self._names.of) for visit in visits])

    def visits(
        self, since: float, *, person: str | None = None, people: Collection[str] | None = None
    ) -> Iterable[Visit]:
        """See `ports.Ledger`."""
        some = None if people is None else {self._names.of(name) for name in people}
        return self._ledger.visits(since, person=self._maybe(person), people=some)

    def grants(self, valid_after: float, *, person: str | None = None) -> Sequence[Grant]:
        """See `ports.Ledger`."""
        return self._ledger.grants(valid_after, person=self._maybe(person))

    def add_grant(self, grant: Grant, *, actor: str) -> None:
        """See `ports.Ledger`."""
        self._ledger.add_grant(self._hidden(grant), actor=self._names.actor(actor))

    def ask(self, request: TimeRequest, *, most_open: int) -> bool:
        """See `ports.Ledger`."""
        return self._ledger.ask(replace(request, person=self._names.of(request.person)), most_open=most_open)

    def requests(self, *, person: str | None = None, status: str | None = None) -> Sequence[TimeRequest]:
        """See `ports.Ledger`."""
        return self._ledger.requests(person=self._maybe(person), status=status)

    def decide(
        self, request: str, *, at: float, by: str, actor: str, grant: Grant | None, note: str = ""
    ) -> TimeRequest | None:
        """See `ports.Ledger`."""
        hidden = None if grant is None else self._hidden(grant)
        by, actor = self._names.of(by), self._names.actor(actor)
        return self._ledger.decide(request, at=at, by=by, actor=actor, grant=hidden, note=note)

    def news(self, cursor: float, *, not_from: str | None = None) -> News:
        """See `ports.Ledger`."""
        return self._ledger.news(cursor, not_from=not_from)

    def audit(self, entry: AuditEntry) -> None:
        """See `ports.Ledger`. The subject is taken for a person."""
        subject = self._names.of(entry.subject)
        self._ledger.audit(replace(entry, actor=self._names.actor(entry.actor), subject=subject))

    def audit_log(self, since: float = 0.0, *, subject: str | None = None) -> Sequence[AuditEntry]:
        """See `ports.Ledger`."""
        return self._ledger.audit_log(since, subject=self._maybe(subject))

    def histories(self, since: float) -> Iterable[History]:
        """See `ports.Ledger`."""
        return self._ledger.histories(since)

    def records(self, person: str) -> Records:
        """See `ports.Ledger`."""
        return self._ledger.records(self._names.of(person))

    def erase(self, erasure: Erasure, person: str, *, label: str, actor: str, reason: str) -> Records:
        """See `ports.Ledger`. The sign becomes that of the pseudonym."""
        hidden, doer = self._names.of(person), self._names.actor(actor)
        return self._ledger.erase(
            Erasure.of(hidden, erasure.at), hidden, label=label, actor=doer, reason=reason
        )

    def rules_in_force(self, digest: str, at: float, node: str) -> None:
        """See `ports.Ledger`."""
        self._ledger.rules_in_force(digest, at, node)

    def prune(self, before: float, *, batch: int = 5000) -> int:
        """See `ports.Ledger`."""
        return self._ledger.prune(before, batch=batch)

    def check(self) -> None:
        """See `ports.Ledger`."""
        self._ledger.check()

    def close(self) -> None:
        """See `ports.Ledger`."""
        self._ledger.close()

    def _hidden(self, grant: Grant) -> Grant:
        giver = self._names.of(grant.granted_by)
        return replace(grant, person=self._names.of(grant.person), granted_by=giver)

    def _maybe(self, name: str | None) -> str | None:
        return None if name is None else self._names.of(name)


def masked(visit: Visit, mask: Mask) -> Visit:
    """A visit under the name that the ledger knows."""
    name = mask(visit.person)
    return visit if name == visit.person else replace(visit, person=name)
