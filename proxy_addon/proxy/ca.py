"""The certificate authority of this proxy: created once and kept in `confdir`, with a key that only
we can read."""

from __future__ import annotations

from pathlib import Path

import certifi
from cryptography import x509
from mitmproxy.certs import CertStore

from proxy_addon.system import private_files

BASENAME = "mitmproxy"  # the file names that mitmproxy's TLS add-on looks for
KEY_BITS = 2048


class CaError(Exception):
    """The CA folder cannot be used; one line with the remedy."""


def certificate(confdir: Path) -> Path:
    """Where the CA certificate is, PEM, without its key."""
    return confdir / f"{BASENAME}-ca-cert.pem"


def key(confdir: Path) -> Path:
    """Where the CA's private key is, PEM, with the certificate behind it."""
    return confdir / f"{BASENAME}-ca.pem"


def prepare(confdir: Path) -> bool:
    """Make the CA unless there is one; True when it was made now. Raises CaError."""
    private = key(confdir)
    copy = private.with_suffix(".p12")
    try:
        private_files.make_folder(confdir)
        made = not private.exists()
        if made:
            CertStore.create_store(confdir, BASENAME, KEY_BITS, "Allowance", "Allowance proxy CA")
            copy.unlink(
                missing_ok=True
            )  # a second copy of the key, without a password; nothing needs it
        for secret in (private, copy):
            if secret.exists():
                secret.chmod(0o600)
        private.read_bytes()
    except OSError as error:
        raise CaError(
            f"confdir: {confdir}: {error.strerror or error}; give a folder that this user can write to"
        ) from None
    return made


def expires(confdir: Path) -> float:
    """The instant at which the CA certificate ends. Raises CaError."""
    try:
        return x509.load_pem_x509_certificate(
            certificate(confdir).read_bytes()
        ).not_valid_after_utc.timestamp()
    except (OSError, ValueError) as error:
        raise CaError(
            f"confdir: {certificate(confdir)}: {error}; give the folder of a complete CA"
        ) from None


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
            f"upstream_ca: {extra}: {error}; give a PEM file with the CA certificate"
        ) from None
    return both
