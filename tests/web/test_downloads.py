"""`proxy_addon/web/downloads.py`: certificate and proxy auto-configuration."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.web.downloads import certificate, fingerprint, pac, safe_host, to_der
from tests.web.office import CA_PEM


def test_only_the_certificate_comes_out() -> None:
    """Of a file with key and certificates, the first certificate comes out."""
    key = b"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"
    assert certificate(key + CA_PEM + CA_PEM) == CA_PEM
    assert certificate(key) is None


def test_fingerprint_is_the_one_that_certificate_windows_show() -> None:
    """SHA-256 of the binary form, in pairs."""
    plain = hashlib.sha256(to_der(CA_PEM)).hexdigest()
    assert fingerprint(CA_PEM).replace(":", "").lower() == plain
    assert fingerprint(CA_PEM).count(":") == 31


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("Proxy.Example:8081", "proxy.example"),
        ("10.0.0.5:8081", "10.0.0.5"),
        ("[::1]:8081", "[::1]"),
        ("2001:db8::5", "[2001:db8::5]"),
        ("fe80::1%eth0", "[fe80::1]"),
        ("[nonsense]", None),
        ("a..b", None),
        ("a" * 254, None),
        ("", None),
    ],
)
def test_safe_host(authority: str, host: str | None) -> None:
    """Names and addresses pass without their port; anything else does not."""
    assert safe_host(authority) == host


@given(st.text(max_size=40))
def test_no_text_breaks_out_of_the_script(text: str) -> None:
    """Whatever a client sends as its host, quotes, backslashes and line ends never reach the
    script."""
    host = safe_host(text)
    assert host is None or not set(host) & set("\"'\\\n\r\u2028 ;<>()")


def test_pac_leaves_this_machine_alone() -> None:
    """Loopback and plain names go directly; there is no way around the proxy for the rest."""
    script = pac("proxy.example", 8080)
    assert script.count('return "PROXY proxy.example:8080";') == 1
    assert "isPlainHostName(host)" in script
    assert '"127.*"' in script
    assert "; DIRECT" not in script
