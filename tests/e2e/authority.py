"""A certificate authority that lives for one test run, and the server certificates it signs on
demand."""

from __future__ import annotations

import base64
import hashlib
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID


def spki_hash(certificate_file: Path) -> str:
    """The SHA-256 of a certificate's public key, in the base64 form that Chromium's SPKI list
    takes."""
    certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(public).digest()).decode()


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


class Authority:
    """Signs a leaf for any name it is asked for; files go to `folder`, the trust anchor to
    `ca_file`."""

    def __init__(self, folder: Path, title: str = "Test origins", *, usage: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.title = title
        self._usage = usage  # False: as old CAs of offices are, without saying what the key may do
        self.ca_file = folder / "origin-ca.pem"
        self._lock = threading.Lock()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
        self._certificate = self._sign(self._name, self._key.public_key(), [], is_ca=True)
        self.ca_file.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def leaf_file(self, *names: str) -> Path:
        """A PEM file with key, leaf for `names` and the CA; made on first use."""
        path = self.folder / f"leaf-{'+'.join(names)}.pem"
        with self._lock:
            if not path.exists():
                subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
                leaf = self._sign(subject, self._leaf_key.public_key(), list(names), is_ca=False)
                key = self._leaf_key.private_bytes(
                    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
                )
                chain = leaf.public_bytes(Encoding.PEM) + self._certificate.public_bytes(
                    Encoding.PEM
                )
                path.write_bytes(key + chain)
        return path

    def server_context(self, alpn: list[str], default_name: str, seen: list[str]) -> ssl.SSLContext:
        """A server context that shows each client a leaf for the name it asked for, noted in
        `seen`."""
        contexts: dict[str, ssl.SSLContext] = {}

        def named(name: str) -> ssl.SSLContext:
            if name not in contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.set_alpn_protocols(alpn)
                context.load_cert_chain(self.leaf_file(name))
                contexts[name] = context
            return contexts[name]

        def choose(
            connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext
        ) -> None:
            seen.append(name or "")
            connection.context = named(name or default_name)

        front = named(default_name)
        front.sni_callback = choose
        return front

    def _sign(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        names: list[str],
        *,
        is_ca: bool,
    ) -> x509.Certificate:
        now = datetime.now(UTC)  # noqa: TID251 - a real certificate needs the real date
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if self._usage:
            builder = builder.add_extension(_key_usage(signs=is_ca), critical=True)
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self._key, hashes.SHA256())
