"""`proxy_addon/web/device_files.py`: profiles and policies that set devices up."""

from __future__ import annotations

import base64
import json
import plistlib
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.web import device_files as files
from proxy_addon.web.downloads import to_der
from tests.web.office import CA_PEM, NEXT_PEM

SCRIPT = "http://10.0.0.5:8080/proxy.pac"


def profile(office: str = "Example Ltd", network: str | None = None) -> dict[str, Any]:
    """A profile, read again."""
    read = plistlib.loads(files.profile((CA_PEM,), office, SCRIPT, network))
    assert isinstance(read, dict)
    return read


def test_the_certificate_is_a_root() -> None:
    """The keys that Apple's systems demand of a profile and of each payload, and the certificate
    itself."""
    made = profile()
    assert made["PayloadType"] == "Configuration"
    (root,) = made["PayloadContent"]
    assert root["PayloadType"] == "com.apple.security.root"
    assert root["PayloadContent"] == to_der(CA_PEM)
    for each in (made, root):
        assert each["PayloadVersion"] == 1
        assert each["PayloadIdentifier"].startswith("internal.allowance")
        assert uuid.UUID(each["PayloadUUID"]).version == 5
        assert each["PayloadDisplayName"] == "Example Ltd · Allowance"
        assert each["PayloadOrganization"] == "Example Ltd"
    assert made["PayloadUUID"] != root["PayloadUUID"]


def test_the_same_certificate_makes_the_same_profile() -> None:
    """Whenever it is made, and whatever the office is called: a newer one replaces the one
    before."""
    once, again = profile(), profile("Another name")
    assert once["PayloadUUID"] == again["PayloadUUID"]
    assert files.profile((CA_PEM,), "A", SCRIPT) == files.profile((CA_PEM,), "A", SCRIPT)


def test_a_network() -> None:
    """With a network its proxy is set, by the automatic configuration."""
    _, wifi = profile(network="Office")["PayloadContent"]
    assert wifi["PayloadType"] == "com.apple.wifi.managed"
    assert (wifi["SSID_STR"], wifi["ProxyType"], wifi["ProxyPACURL"]) == ("Office", "Auto", SCRIPT)
    _, other = profile(network="Guests")["PayloadContent"]
    assert other["PayloadUUID"] != wifi["PayloadUUID"]


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_name(office: str, network: str) -> None:
    """Whatever the office and a network are called, the profile can be read."""
    named = files.network_named(network)
    made = profile(office.encode("utf-8", "replace").decode(), named)
    assert len(made["PayloadContent"]) == (1 if named is None else 2)


@pytest.mark.parametrize("name", ["", "x" * 33, "ü" * 17, "a\nb", "a\x00", "\u202eoffice"])
def test_names_that_no_network_has(name: str) -> None:
    """Too short, too long in bytes, or with what nobody sees."""
    assert files.network_named(name) is None


def test_firefox() -> None:
    """The proxy, and the certificate by the name under which it is offered."""
    policies = json.loads(files.firefox(SCRIPT))["policies"]
    assert policies["Proxy"] == {"Mode": "autoConfig", "AutoConfigURL": SCRIPT}
    assert policies["Certificates"]["Install"] == ["allowance-ca.pem"]


def test_chrome() -> None:
    """The proxy, and the certificate itself."""
    policies = json.loads(files.chrome(SCRIPT, (CA_PEM,)))
    assert policies["ProxySettings"] == {"ProxyMode": "pac_script", "ProxyPacUrl": SCRIPT}
    assert [base64.b64decode(each) for each in policies["CACertificates"]] == [to_der(CA_PEM)]


def test_the_next_ca() -> None:
    """Where one stands ready, devices that are set up by a file get both certificates at once; with
    another CA the profile is another one, but replaces the one before."""
    made = plistlib.loads(files.profile((CA_PEM, NEXT_PEM), "Example Ltd", SCRIPT))
    first, second = made["PayloadContent"]
    assert [first["PayloadContent"], second["PayloadContent"]] == [
        to_der(CA_PEM),
        to_der(NEXT_PEM),
    ]
    assert first["PayloadIdentifier"] != second["PayloadIdentifier"]
    assert first["PayloadUUID"] != second["PayloadUUID"]
    assert made["PayloadIdentifier"] == profile()["PayloadIdentifier"]
    assert made["PayloadUUID"] != profile()["PayloadUUID"]
    firefox = json.loads(files.firefox(SCRIPT, has_next=True))["policies"]
    assert firefox["Certificates"]["Install"] == ["allowance-ca.pem", "allowance-ca-next.pem"]
    chrome = json.loads(files.chrome(SCRIPT, (CA_PEM, NEXT_PEM)))
    assert len(chrome["CACertificates"]) == 2
