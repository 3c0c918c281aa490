"""The password file of the proxy sign-in: one `user:argon2id-hash` a line, made by
`allowance people add`.

* Read whole and checked whole. A file that becomes wrong, or vanishes, while the proxy runs changes
  nothing: the last good one stays in force and the log says why. A file that is not there at the
  start is empty.
* Written entirely, to a temporary file that then replaces it, mode 0600, under a lock for several
  writers.
* Names are compared in the form that `person_name` gives, and kept in it, so that one person is one
  person however the name was typed.
* Asking for a user who is not in the file takes as long as a wrong password.

Cost of a hash: 19 MiB, 2 passes, 1 lane, the least that OWASP advises for argon2id. RFC 9106's
low-memory profile (64 MiB, 3 passes, 4 lanes) takes four times the CPU on the machine that also
relays everybody's traffic, when a whole office signs in at nine o'clock. Hashes made with other
parameters stay valid and are made again at the next sign-in.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from proxy_addon.config.settings import SettingsError
from proxy_addon.system import private_files

LONGEST_NAME = 128  # characters
LONGEST_PASSWORD = 1024  # characters

# A fixed name, because log filters rely on it: not the name of the module, which may move.
_log = logging.getLogger("proxy_addon.passwords")
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
_HEADER = "# user:argon2id-hash, written by `allowance people add`\n"


class PasswordFileError(SettingsError):
    """The file cannot be read or written, or is wrong. The message names it, the line and the
    remedy.

    A SettingsError, because the setting `passwords` names a file that cannot be used: every command
    ends on it with one line.
    """


class _Stamp(NamedTuple):
    """Tells one version of the file from the next."""

    device: int
    inode: int
    size: int
    modified: int  # ns


def person_name(text: str) -> str:
    """The one form of a person's name: Unicode NFC, case folded, no blanks around it.

    Raises ValueError, with a sentence that says why, for a name that nobody can have: empty, too
    long, with ":" or control characters, or with "#" in front.
    """
    name = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())
    if not name:
        raise ValueError("a name cannot be empty")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"a name has at most {LONGEST_NAME} characters")
    if ":" in name or name.startswith("#") or not name.isprintable():
        raise ValueError('a name has no ":" and no control characters in it, and no "#" in front')
    return name


def check_password(password: str) -> None:
    """Raise ValueError, with a sentence that says why, for a password that nobody can have."""
    if not password:
        raise ValueError("a password cannot be empty")
    if len(password) > LONGEST_PASSWORD:
        raise ValueError(f"a password has at most {LONGEST_PASSWORD} characters")
    if any(unicodedata.category(character) == "Cc" for character in password):
        raise ValueError("a password has no control characters in it")


class Attempt(NamedTuple):
    """The answer to a sign-in, and what it rests on: it holds while `fingerprint(name)` is the
    same.

    `name` is "" for an invalid name; `fingerprint` is None for a person who is not in the file.
    """

    name: str
    right: bool
    fingerprint: str | None


class PasswordFile:
    """People and the hashes of their passwords. Safe to use from several threads and processes.

    Everything here may wait for a disk, `attempt` also for a CPU: not for the event loop. The two
    exceptions are `people` and `fingerprint`, which read memory.
    """

    def __init__(self, path: Path, kept: Path | None = None) -> None:
        """Read the file; PasswordFileError if it is there and cannot be used. `kept`: a copy of it,
        which is read in its place where it has gone or cannot be used."""
        self.path = path
        self._loading = threading.Lock()
        self._seen: _Stamp | None = None  # the last one looked at, good or bad
        self._hashes: Mapping[str, str] = MappingProxyType({})
        self._dummy_hash = _hasher.hash(os.urandom(16))
        try:
            if (stamp := self._look()) is not None:
                self._take(self._read(), stamp)
            elif kept is not None and kept.exists() and kept.stat().st_size:
                raise PasswordFileError(f"{path} has gone")
        except PasswordFileError as error:
            if kept is None or not kept.exists():
                raise
            self._hashes = PasswordFile(kept)._hashes
            _log.error("%s; the passwords read before stay in force", error)

    def keep(self, copy: Path) -> None:
        """Write what is in the file now to another one, which nobody else can read. Raises
        PasswordFileError, OSError; a copy of before stays then, and where the file has gone. The
        copy of none is empty."""
        if self.path.exists():
            PasswordFile(self.path)  # whole, and right
            private_files.replace(copy, self.path.read_bytes())
        elif not copy.exists():
            private_files.replace(copy, b"")

    @property
    def people(self) -> int:
        """How many people can sign in, as last read."""
        return len(self._hashes)

    def fingerprint(self, name: str) -> str | None:
        """Changes when this person's password does; None for nobody. `name` as `person_name` gives
        it."""
        return self._hashes.get(name)

    def users(self) -> tuple[str, ...]:
        """The names in the file now, sorted."""
        self.refresh()
        return tuple(sorted(self._hashes))

    def refresh(self) -> None:
        """Read the file again if it has changed. Never raises: a wrong file is logged once, and
        left."""
        with self._loading:
            try:
                stamp = self._look()
                if stamp == self._seen:
                    return
                self._seen = stamp
                if stamp is None:
                    _log.error("%s has gone; the passwords read before stay in force", self.path)
                    return
                self._take(self._read(), stamp)
            except PasswordFileError as error:
                _log.error("%s; the passwords read before stay in force", error)

    def attempt(self, user: str, password: str) -> Attempt:
        """Whether the password is this user's. As slow for a user who does not exist."""
        self.refresh()
        try:
            name = person_name(user)
        except ValueError:
            name = ""
        known = self._hashes.get(name)
        secret = _prepared(password)
        try:
            _hasher.verify(known or self._dummy_hash, secret)
        except (VerifyMismatchError, InvalidHashError):
            return Attempt(name, False, known)
        if known is None:
            return Attempt(name, False, None)
        if _hasher.check_needs_rehash(known):
            known = self._renew(name, known, secret)
        return Attempt(name, True, known)

    def add(self, user: str, password: str) -> bool:
        """Add a person, or change a password; True when the person is new. ValueError as the checks
        above."""
        name = person_name(user)
        check_password(password)
        hashed = _hasher.hash(_prepared(password))
        new = False

        def put(hashes: dict[str, str]) -> None:
            nonlocal new
            new = name not in hashes
            hashes[name] = hashed

        self._change(put)
        return new

    def remove(self, user: str) -> bool:
        """Remove a person; False when there was none of that name."""
        name = person_name(user)
        found = False

        def drop(hashes: dict[str, str]) -> None:
            nonlocal found
            found = hashes.pop(name, None) is not None

        self._change(drop)
        return found

    def _renew(self, name: str, old: str, secret: bytes) -> str:
        """Store a hash with the current parameters, unless somebody changed the password meanwhile.

        Returns the hash that is stored now.
        """
        stored = old
        hashed = _hasher.hash(secret)

        def put(hashes: dict[str, str]) -> None:
            nonlocal stored
            if hashes.get(name) == old:
                hashes[name] = stored = hashed

        try:
            self._change(put)
        except PasswordFileError as error:
            # A read-only file is a fair way to run the proxy; the old hash stays valid.
            _log.debug("the hash of a password was not renewed: %s", error)
            return old
        return stored

    def _change(self, change: Callable[[dict[str, str]], None]) -> None:
        """Read, change and replace the file while no other writer can."""
        with self._loading, self._only_writer():
            before = self._read() if self._look() else {}
            after = dict(before)
            change(after)
            if after == before:
                # above all: a file that has vanished is not made again without anybody in it
                return
            self._replace(after)
            if (stamp := self._look()) is not None:
                self._take(after, stamp)

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        # The lock is a file of its own: the password file is replaced, and a lock on it would go
        # with it.
        lock = self.path.with_name(f"{self.path.name}.lock")
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PasswordFileError(f"{lock}: cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _replace(self, hashes: Mapping[str, str]) -> None:
        text = _HEADER + "".join(f"{name}:{hashes[name]}\n" for name in sorted(hashes))
        try:
            private_files.replace(
                self.path, text.encode(), lambda fresh: _keep_owner(self.path, fresh)
            )
        except OSError as error:
            raise PasswordFileError(f"{self.path}: cannot be written: {error.strerror}") from None

    def _look(self) -> _Stamp | None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PasswordFileError(f"{self.path}: cannot be read: {error.strerror}") from None
        return _Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def _take(self, hashes: dict[str, str], stamp: _Stamp) -> None:
        self._hashes = MappingProxyType(hashes)
        self._seen = stamp

    def _read(self) -> dict[str, str]:
        try:
            text = self.path.read_text(encoding="utf-8")
            open_to_others = self.path.stat().st_mode & 0o077
        except OSError as error:
            raise PasswordFileError(f"{self.path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise PasswordFileError(f"{self.path}: is not UTF-8 text") from None
        if open_to_others:
            _log.warning(
                "%s can be read by other users of this machine; run: chmod 600 %s",
                self.path,
                self.path,
            )
        return dict(self._entries(text))

    def _entries(self, text: str) -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            user, _, hashed = line.strip().partition(":")
            place = f"{self.path}:{number}"
            try:
                name = person_name(user)
                if extract_parameters(hashed).type is not Type.ID:
                    raise InvalidHashError
            except ValueError:
                # The line is not quoted: somebody may have written a password into it.
                remedy = "write user:hash with a hash made by `allowance people add`"
                raise PasswordFileError(
                    f"{place}: is not a user and an argon2id hash; {remedy}"
                ) from None
            if name in seen:
                raise PasswordFileError(f"{place}: {name} is there twice; remove one of the lines")
            seen.add(name)
            yield name, hashed


def _prepared(password: str) -> bytes:
    """What is hashed: NFC, because keyboards differ in how they compose an accent."""
    return unicodedata.normalize("NFC", password[: LONGEST_PASSWORD + 1]).encode(
        "utf-8", "surrogatepass"
    )


def _keep_owner(old: Path, new: Path) -> None:
    """An administrator who works as root must not take the file away from the proxy's user."""
    try:
        status = old.stat() if old.exists() else old.parent.stat()
        if os.geteuid() == 0 and (status.st_uid, status.st_gid) != (0, 0):
            os.chown(new, status.st_uid, status.st_gid)
    except OSError as error:
        _log.warning("%s: the owner could not be kept: %s", old, error.strerror)
