"""A second CA that stands ready for a planned change: a whole one in the folder `next` of
`confdir`.

Devices may trust both for as long as it takes to reach all of them; nothing is signed with the
second one before `switch` puts it in the place of the first.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from proxy_addon.proxy import ca
from proxy_addon.proxy.ca_check import CaError, read, read_certificates
from proxy_addon.system import private_files

log = structlog.get_logger("allowance.run")


class NextCa(NamedTuple):
    """The CA that stands ready. `pem`: the certificate that devices are given, empty where there is
    none that can be used; `expires`: an instant; `problem`: why one that is there cannot be
    used."""

    pem: bytes = b""
    expires: float = 0.0
    problem: str = ""


def folder(confdir: Path) -> Path:
    """Where the next CA is kept."""
    return confdir / "next"


def find(confdir: Path) -> NextCa:
    """The CA that stands ready, checked as a whole. One that cannot be used is not offered, and
    said in the log: it keeps nobody from being served by the first."""
    place = folder(confdir)
    if not ca.found(place):
        return NextCa()
    try:
        checked = ca.checked(place)
    except CaError as error:
        log.warning("the next CA cannot be used", error=str(error))
        return NextCa(problem=error.fact)
    return NextCa(checked.trusted.public_bytes(Encoding.PEM), checked.expires)


def make(confdir: Path) -> Path:
    """Make the next CA, or check the one that is there; its certificate. Raises CaError."""
    _check_owner(confdir)
    ca.prepare(folder(confdir))
    _require_another(confdir)
    return ca.certificate(folder(confdir))


def switch(confdir: Path) -> Path | None:
    """Put the next CA into the place of the first, whose files are kept; the folder with these,
    None where there were none. Raises CaError, and has changed nothing then.

    At each instant the folder holds one CA that a start can use: the file of the key, with its
    certificates, is exchanged in one step, and what is missing beside it follows from it. A switch
    that was ended half-way is completed by the next one.
    """
    _check_owner(confdir)
    place = folder(confdir)
    if not ca.found(place):
        raise CaError(f"{place}: there is no CA in it", "make one: allowance ca next")
    try:
        with ca.alone(confdir):
            kept = None
            if os.path.lexists(ca.key(place)):
                ca.checked(place)
                _require_another(confdir)
                kept = _keep(confdir)
                for file in ca.found(confdir):
                    if file != ca.key(confdir):
                        file.unlink()
                ca.key(place).replace(ca.key(confdir))
            else:
                read(ca.key(confdir), ca.certificate(place))
            ca.certificate(place).replace(ca.certificate(confdir))
            _clear(place)
            return kept
    except OSError as error:
        raise CaError(f"{confdir}: {error}", "see that this user can write to it") from None


def fingerprint(certificate: Path) -> str:
    """SHA-256 as certificate windows show it: "AB:CD:…". Raises CaError."""
    return read_certificates(certificate)[0].fingerprint(SHA256()).hex(":").upper()


def _check_owner(confdir: Path) -> None:
    """Files of another user could not be read by the proxy."""
    try:
        owner = confdir.stat().st_uid
    except OSError as error:
        raise CaError(
            f"{confdir}: {error.strerror}", "`allowance run` makes the first CA at its first start"
        ) from None
    if owner != os.geteuid():
        raise CaError(
            f"{confdir}: it belongs to another user",
            "run this as the proxy's own user, with sudo -u for example",
        )


def _require_another(confdir: Path) -> None:
    """Raises CaError when the next CA signs with the key of the one in use."""
    place = folder(confdir)
    try:
        same = fingerprint(ca.key(place)) == fingerprint(ca.key(confdir))
    except CaError:  # the one in use is damaged or missing
        return
    if same:
        raise CaError(
            f"{ca.key(place)}: this CA is the one in use",
            f"remove the folder {place}, or put another CA into it",
        )


def _keep(confdir: Path) -> Path | None:
    """Copies of the CA in use, in a folder that is named after the certificate that signs. (The one
    that devices trust may be that of a CA above several.) Raises CaError, OSError."""
    files = ca.found(confdir)
    if not files:
        return None
    try:
        name = fingerprint(ca.key(confdir)).replace(":", "").lower()
    except CaError:  # it is damaged, and kept all the same
        name = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    kept = confdir / f"previous-{name[-8:]}"
    private_files.make_folder(kept)
    for file in files:
        content = file.read_bytes()
        private_files.make_once(kept / file.name, content)
        if (kept / file.name).read_bytes() != content:
            raise CaError(
                f"{kept / file.name}: it is not a copy of {file}, which has to be kept",
                "move the folder to another place",
            )
    return kept


def _clear(place: Path) -> None:
    """Remove what is left of the folder, unless somebody has put something else into it."""
    with suppress(OSError):
        ca.parameters(place).unlink(missing_ok=True)
        for file in ca.found(place):
            file.unlink()
        place.rmdir()
