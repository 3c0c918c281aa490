"""Pseudonyms: names as keyed hashes, and the key that makes them."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from proxy_addon.config.settings import SettingsError
from proxy_addon.system import private_files

KEY_BYTES: Final = 32
_BYTES: Final = 10  # of a hash; one chance in 10^15 that two of 50,000 people share a pseudonym
_FORM: Final = re.compile(r"p:[a-z2-7]{16}")
_KEPT: Final = 50_000  # names cached; the cache is cleared when it is full
_ACTOR_PREFIXES: Final = ("cli:", "web:")


type Mask = Callable[[str], str]
"""Turns a name into what the ledger calls that person."""


class PseudonymKeyError(SettingsError):
    """The key cannot be read or made. The message names the file and the remedy."""


class Pseudonyms:
    """Maps names by one key. Safe to call from several threads.

    Without a key there are pseudonyms all the same, by one that nobody else has: they tell people
    apart in this process, and nothing may be stored under them.
    """

    def __init__(self, key: bytes | None) -> None:
        """`key`: None while it cannot be read."""
        self._use(secrets.token_bytes(KEY_BYTES) if key is None else key)
        self.has_key = key is not None

    def take(self, key: bytes) -> None:
        """The key can be read now. Only for an object that has none."""
        self._use(key)
        self.has_key = True

    def _use(self, key: bytes) -> None:
        # In one step, so that no other thread keeps a pseudonym of one key for the other.
        self._keyed: tuple[bytes, dict[str, str]] = (key, {})
        self.key_id = "key " + hmac.digest(key, b"which key is this?", "sha256")[:6].hex()

    def of(self, name: str) -> str:
        """The pseudonym of a name; a pseudonym is returned unchanged."""
        key, known = self._keyed
        found = known.get(name)
        if found is not None:
            return found
        if is_pseudonym(name):
            return name
        digest = hmac.digest(key, name.encode(errors="surrogatepass"), "sha256")[:_BYTES]
        pseudonym = "p:" + base64.b32encode(digest).decode().lower()
        if len(known) >= _KEPT:
            known.clear()
        known[name] = pseudonym
        return pseudonym

    def actor(self, text: str) -> str:
        """The same for whoever did something: `cli:ada` keeps its prefix, a node or an erased
        person its name."""
        for prefix in _ACTOR_PREFIXES:
            if text.startswith(prefix):
                return prefix + self.of(text.removeprefix(prefix))
        return text if text.startswith(("node:", "erased:")) else self.of(text)

    def search(self, pseudonym: str, names: Iterable[str]) -> str | None:
        """The one of the names that has this pseudonym, or None."""
        return next((name for name in names if self.of(name) == pseudonym), None)


def is_pseudonym(text: str) -> bool:
    """Whether a text has the form that no name has."""
    return _FORM.fullmatch(text) is not None


def read_key(path: Path, *, make: bool) -> bytes:
    """The key of a file, 64 hexadecimal digits; with `make` it is made once, for its owner alone,
    if it is not there. Raises PseudonymKeyError."""
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
        raise PseudonymKeyError(
            f"{path}: the pseudonym key cannot be used: {error.strerror}"
        ) from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise PseudonymKeyError(
            f"{path}: is not a pseudonym key of 64 hexadecimal digits; restore it"
        )
    return key


def _make_key(path: Path) -> None:
    """Whole or not at all, and never over one that another process has just made."""
    private_files.make_folder(path.parent)
    private_files.make_once(path, secrets.token_hex(KEY_BYTES).encode())
