"""The certificate authority of this proxy: created once and kept in `confdir`, with a key that only
we can read. Nothing of a CA that is there is ever overwritten: every device would distrust
another."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import certifi
import structlog
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_parameters,
)
from mitmproxy.certs import DEFAULT_DHPARAM, create_ca

from proxy_addon.proxy.ca_check import CaError, CheckedCa, check, read_certificates, read_key
from proxy_addon.system import private_files
from proxy_addon.system.clock import readings

log = structlog.get_logger("allowance.run")

BASENAME = "mitmproxy"  # the file names that mitmproxy's TLS add-on looks for
KEY_BITS = 2048
SOON_SECONDS = 30 * 86_400.0  # a CA that ends sooner is a warning
_FILES = ("ca.pem", "ca.p12", "ca-cert.pem", "ca-cert.cer", "ca-cert.p12")

__all__ = [
    "CaError",
    "CheckedCa",
    "alone",
    "certificate",
    "checked",
    "expires",
    "found",
    "key",
    "parameters",
    "prepare",
    "trusted",
]


def certificate(confdir: Path) -> Path:
    """Where the CA certificate is, PEM, without its key."""
    return confdir / f"{BASENAME}-ca-cert.pem"


def key(confdir: Path) -> Path:
    """Where the CA's private key is, PEM, with the certificate behind it."""
    return confdir / f"{BASENAME}-ca.pem"


def parameters(confdir: Path) -> Path:
    """Where the parameters of key exchanges are, which follow from nothing and protect nothing."""
    return confdir / f"{BASENAME}-dhparam.pem"


def prepare(confdir: Path, *, makes: bool = True) -> bool:
    """Check the CA as a whole; make one where nothing of a CA is. True when it was made now. Raises
    CaError. Without `makes` there has to be one."""
    if not makes and not found(confdir):
        raise CaError(f"{confdir}: there is no CA any more", "restore it from the backup")
    try:
        private_files.make_folder(confdir)
        made = not found(confdir) and _make(confdir)
        if not os.path.lexists(key(confdir)):
            raise CaError(
                f"{key(confdir)}: the key is missing, but {found(confdir)[0].name} is there",
                "restore it from the backup, or name another folder for a new CA, which every "
                "device has to trust",
            )
        for secret in (key(confdir), key(confdir).with_suffix(".p12")):
            if secret.exists():
                _close(secret)
        _complete(confdir)
    except OSError as error:
        raise CaError(
            f"{confdir}: {error.strerror or error}", "give a folder that this user can write to"
        ) from None
    usable = checked(confdir)
    if (left := usable.expires - readings()[0]) < SOON_SECONDS:
        log.warning("the CA ends soon", file=str(key(confdir)), days=int(left // 86_400))
    return made


def checked(confdir: Path) -> CheckedCa:
    """The CA of a folder, which can be used now. Raises CaError."""
    return check(key(confdir), certificate(confdir), readings()[0])


def found(confdir: Path) -> list[Path]:
    """What is there of a CA, in the order of importance."""
    files = (confdir / f"{BASENAME}-{name}" for name in _FILES)
    return [file for file in files if os.path.lexists(file)]


def _make(confdir: Path) -> bool:
    """A new CA, unless another process has just made one; True when it was made here.

    The file of the key has all of it and comes first, in one step: whatever ends this process
    leaves no CA or one that can be completed.
    """
    with alone(confdir):
        if found(confdir):
            return False
        private, root = create_ca("Allowance", "Allowance proxy CA", KEY_BITS)
        form = (Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        content = private.private_bytes(*form) + root.public_bytes(Encoding.PEM)
        private_files.make_once(key(confdir), content)
        return True


@contextmanager
def alone(confdir: Path) -> Iterator[None]:
    """No other process makes a CA in this folder meanwhile."""
    folder = os.open(confdir, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _close(secret: Path) -> None:
    """Nobody else can read the key."""
    if stat.S_IMODE(secret.stat().st_mode) & 0o077:
        try:
            secret.chmod(0o600)
        except OSError as error:
            raise CaError(
                f"{secret}: others can read it, and its mode cannot be changed: {error.strerror}",
                "give a file with mode 0600 that belongs to this user",
            ) from None


def _complete(confdir: Path) -> None:
    """The files that follow from that of the key. Raises OSError and CaError."""
    public = certificate(confdir)
    if not os.path.lexists(public):
        chain = read_key(key(confdir))
        root = chain[-1] if chain[-1].issuer == chain[-1].subject else chain[0]
        private_files.make_once(public, root.public_bytes(Encoding.PEM))
    file = parameters(confdir)
    if not os.path.lexists(file):
        private_files.make_once(file, DEFAULT_DHPARAM)
    try:
        load_pem_parameters(file.read_bytes())
    except ValueError:
        raise CaError(f"{file}: it is damaged", "remove it: it is made again") from None


def expires(confdir: Path) -> float:
    """The instant at which the CA ends: the first of its certificates, valid now or not. Raises
    CaError."""
    all_of_it = [*read_certificates(certificate(confdir))]
    with suppress(CaError):  # the certificate is the one that devices have
        all_of_it += read_certificates(key(confdir))
    return min(each.not_valid_after_utc.timestamp() for each in all_of_it)


def trusted(confdir: Path, extra: Path | None) -> Path | None:
    """One file with the public CAs and the office's own, for connections to sites; None = the
    public ones.

    Each worker makes it when it starts, while others may be reading it. mitmproxy keeps what it has
    read for as long as the process lives, so nobody may ever find a part of it: without its last
    certificate every site behind the office's own CA would be refused.
    """
    if extra is None:
        return None
    both = confdir / "upstream-ca.pem"
    try:
        wanted = Path(certifi.where()).read_bytes() + b"\n" + extra.read_text("utf-8").encode()
        if not both.exists() or both.read_bytes() != wanted:
            private_files.replace(both, wanted)
    except (OSError, UnicodeDecodeError) as error:
        raise CaError(
            f"{extra}: {error}", "give a PEM file with the CA certificate", "upstream_ca"
        ) from None
    return both
