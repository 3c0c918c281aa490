"""Files that only the proxy's user may read: passwords and the key of the pseudonyms."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from proxy_addon.config.settings import SignIn
from proxy_addon.doctor.check import AS_THE_PROXY, Check, error, not_checked, ok, warning
from proxy_addon.doctor.host import hidden
from proxy_addon.identity.passwords import PasswordFile, PasswordFileError
from proxy_addon.identity.pseudonyms import PseudonymKeyError, read_key


def passwords(file: Path, sign_in: SignIn) -> Iterator[Check]:
    """Whether the password file can be used, and only by its owner."""
    add = "`allowance people add USER` creates it"
    if (folder := hidden(file)) is not None:
        yield error("passwords", f"{folder} cannot be read by this user", AS_THE_PROXY)
        return
    if not file.exists():
        if sign_in == "required":
            yield error("passwords", f"{file} does not exist, and sign-in is required", add)
        else:
            yield not_checked(
                "passwords", f"{file} does not exist: nobody signs in to the proxy", add
            )
        return
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        yield error(
            "passwords", f"{file} has mode {mode:04o}: others can read it", f"chmod 600 {file}"
        )
        return
    try:
        people = PasswordFile(file).people
    except PasswordFileError as problem:
        yield error("passwords", str(problem), "correct that line, or restore the file")
        return
    fact = f"{people} {'person' if people == 1 else 'people'} can sign in, mode {mode:04o}"
    if not people and sign_in == "required":
        yield error("passwords", f"nobody is in {file}, and sign-in is required", add)
    elif sign_in == "off":
        yield warning(
            "passwords", f"{fact}, but sign_in is off", "--sign-in auto, if people are to sign in"
        )
    else:
        yield ok("passwords", fact)


def pseudonyms(file: Path, wanted: bool) -> Iterator[Check]:
    """Whether the key exists, where the policy asks for pseudonyms."""
    if not wanted:
        return
    if not file.exists():
        yield not_checked(
            "pseudonym key",
            f"{file} does not exist yet",
            "the first start creates it; a second proxy on the same database needs a copy",
        )
        return
    try:
        read_key(file, make=False)
    except PseudonymKeyError as problem:
        yield error("pseudonym key", str(problem), "restore it from its backup, mode 0600")
    else:
        yield ok("pseudonym key", "exists; only its owner can read it")
