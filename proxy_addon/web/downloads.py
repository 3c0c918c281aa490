"""Files for setting up a browser: the CA certificate and the proxy auto-configuration."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import ssl
from typing import Final

_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\r?\n?"
)
_NAME: Final = re.compile(r"(?!-)[a-z0-9_-]+(\.(?!-)[a-z0-9_-]+)*\.?", re.IGNORECASE | re.ASCII)

_PAC: Final = """\
function FindProxyForURL(url, host) {
  if (isPlainHostName(host) || dnsDomainIs(host, ".localhost") || shExpMatch(host, "127.*") ||
      host === "::1" || host === "[::1]") {
    return "DIRECT";
  }
  return "PROXY %s";
}
"""


def certificate(pem: bytes) -> bytes | None:
    """The first certificate in `pem` and nothing else: a private key in the same file is never
    returned."""
    found = _CERTIFICATE.search(pem)
    return found.group() if found else None


def to_der(pem: bytes) -> bytes:
    """The binary form that phones and Windows need."""
    return ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))


def fingerprint(pem: bytes) -> str:
    """SHA-256 as certificate windows show it: "AB:CD:…"."""
    return hashlib.sha256(to_der(pem)).digest().hex(":").upper()


def pac(host: str, port: int) -> str:
    """Everything except this machine and plain host names goes to the proxy. `host` must come from
    `safe_host`."""
    return _PAC % f"{host}:{port}"


def safe_host(authority: str) -> str | None:
    """The host of "host", "host:port" or "[v6]:port", safe to use in a script; None when it is not
    a host."""
    if authority.startswith("["):
        return _address(authority[1:].partition("]")[0])
    if authority.count(":") > 1:
        return _address(authority)
    host = authority.partition(":")[0]
    return host.lower() if len(host) <= 253 and _NAME.fullmatch(host) else None


def _address(text: str) -> str | None:
    """An IPv6 address in brackets, without a zone."""
    try:
        return f"[{ipaddress.IPv6Address(text.partition('%')[0])}]"
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether a host from `safe_host` is this machine's address for itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
