"""Whether the files of a CA can be used: complete, readable, one pair, in their time.

`mitmproxy-ca.pem` has the private key, the certificate that belongs to it, and behind that, where
this is not a root, those of the CAs above it, each the issuer of the one before.
`mitmproxy-ca-cert.pem` is the certificate that devices trust: one of these, or the root above them.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

RESTORE = "restore the folder from its backup, see docs/backup.md"
REPLACE = "see docs/runbook.md, Change the CA"


class CaError(Exception):
    """The CA cannot be used; one line. `fact`: what is wrong, `remedy`: what helps."""

    def __init__(self, fact: str, remedy: str, setting: str = "confdir") -> None:
        super().__init__(f"{setting}: {fact}; {remedy}")
        self.fact, self.remedy = fact, remedy


class CheckedCa(NamedTuple):
    """A CA that can be used. `signing`: the certificate of the key, then those above it. `trusted`:
    the certificate that devices are given."""

    signing: tuple[x509.Certificate, ...]
    trusted: x509.Certificate

    @property
    def expires(self) -> float:
        """The instant at which the first of the certificates ends, seconds since 1970."""
        ends = (each.not_valid_after_utc.timestamp() for each in (*self.signing, self.trusted))
        return min(ends)


def check(key_file: Path, certificate_file: Path, now: float) -> CheckedCa:
    """Both files, which can be used now. Raises CaError."""
    checked = read(key_file, certificate_file)
    for certificate in dict.fromkeys((*checked.signing, checked.trusted)):
        file = key_file if certificate in checked.signing else certificate_file
        _check_is_ca(certificate, file)
        _check_time(certificate, file, now)
    return checked


def read(key_file: Path, certificate_file: Path) -> CheckedCa:
    """Both files, which belong together. Raises CaError."""
    signing = read_key(key_file)
    found = read_certificates(certificate_file)
    checked = CheckedCa(signing, found[0])
    if checked.trusted not in signing and not _is_issued_by(signing[-1], checked.trusted):
        raise CaError(
            f"{certificate_file}: it does not belong to the key in {key_file.name}: no device would "
            "accept what that signs",
            "restore both files from one backup",
        )
    return checked


def read_key(file: Path) -> tuple[x509.Certificate, ...]:
    """The certificates behind the private key, which is checked. Raises CaError."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CaError(f"{file}: {error.strerror}", RESTORE) from None
    try:
        key = load_pem_private_key(content, None)
    except TypeError:
        way = f"write it without one: openssl pkey -in {file.name}, then its certificates behind it"
        raise CaError(f"{file}: the key has a passphrase", way) from None
    except Exception:  # ValueError, UnsupportedAlgorithm and what OpenSSL makes of damaged keys
        raise CaError(f"{file}: there is no readable private key in it", RESTORE) from None
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise CaError(f"{file}: no browser accepts this kind of key", "use RSA or EC (P-256)")
    certificates = read_certificates(file)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != certificates[0].public_key().public_bytes(*form):
        raise CaError(
            f"{file}: the first certificate does not belong to the key",
            f"put the certificate of the key first, those of the CAs above it behind, or {RESTORE}",
        )
    if not all(_is_issued_by(one, above) for one, above in pairwise(certificates)):
        raise CaError(
            f"{file}: its certificates are not a chain", "each has to be issued by the next one"
        )
    return certificates


def read_certificates(file: Path) -> tuple[x509.Certificate, ...]:
    """All in a file, in order, at least one. Raises CaError."""
    try:
        content = file.read_bytes()
        found = x509.load_pem_x509_certificates(content) if b"BEGIN CERT" in content else ()
    except OSError as error:
        raise CaError(f"{file}: {error.strerror}", RESTORE) from None
    except ValueError:
        raise CaError(f"{file}: a certificate in it cannot be read", RESTORE) from None
    if not found:
        raise CaError(f"{file}: there is no certificate in it", RESTORE)
    return tuple(found)


def _is_issued_by(one: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_is_ca(certificate: x509.Certificate, file: Path) -> None:
    try:
        found = certificate.extensions
        allowed = found.get_extension_for_class(x509.BasicConstraints).value.ca
        usage = [each.value for each in found if isinstance(each.value, x509.KeyUsage)]
    except (x509.ExtensionNotFound, ValueError):
        allowed, usage = False, []
    if not allowed or not all(each.key_cert_sign for each in usage):
        raise CaError(
            f"{file}: {certificate.subject.rfc4514_string()} may not sign other certificates",
            "give the folder of a CA",
        )


def _check_time(certificate: x509.Certificate, file: Path, now: float) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins.timestamp():
        raise CaError(f"{file}: the certificate is valid from {begins:%Y-%m-%d}", "set the clock")
    if now >= ends.timestamp():
        raise CaError(f"{file}: the certificate ended on {ends:%Y-%m-%d}", REPLACE)
