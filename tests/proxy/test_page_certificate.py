"""Twin of proxy_addon/proxy/page_certificate.py."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from proxy_addon.proxy import ca
from proxy_addon.proxy.page_certificate import RENEW_SECONDS, PageCertificate, page_context
from tests.virtual_clock import VirtualClock

HOST = "allowance.internal"
NOON = 1793620800.0


def shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """The client's end after a handshake between both."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname=HOST)
    for side in (theirs, ours, theirs, ours):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            pass
    return theirs


@pytest.fixture
def confdir(tmp_path: Path) -> Path:
    """A folder with a CA."""
    ca.prepare(tmp_path / "ca")
    return tmp_path / "ca"


def test_clients_that_trust_our_ca(confdir: Path) -> None:
    """They accept it for our host; of the protocols that they offer HTTP/1.1 is taken."""
    client = ssl.create_default_context(cafile=str(ca.certificate(confdir)))
    client.set_alpn_protocols(["h2", "http/1.1"])
    made = shaken(page_context(confdir, HOST), client)
    assert made.selected_alpn_protocol() == "http/1.1"
    subject = made.getpeercert()
    assert subject is not None
    assert ("DNS", HOST) in subject["subjectAltName"]


def test_old_versions_of_tls(confdir: Path) -> None:
    """Nothing before 1.2."""
    assert page_context(confdir, HOST).minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_ca_that_cannot_be_used(confdir: Path) -> None:
    """Said at the start, not to the first client."""
    ca.key(confdir).write_text("no key")
    with pytest.raises(ValueError):
        page_context(confdir, HOST)


async def test_it_is_renewed_in_good_time(confdir: Path) -> None:
    """A month later a new one is made, while the old one goes on; a failure keeps the old one."""
    clock = VirtualClock(NOON)
    kept = PageCertificate(confdir, HOST, clock.now)
    first = kept.context()
    clock.advance(RENEW_SECONDS + 1)
    assert kept.context() is first
    async with asyncio.timeout(5):
        while kept.context() is first:
            await asyncio.sleep(0.01)
    second = kept.context()
    ca.key(confdir).write_text("no key")
    clock.advance(RENEW_SECONDS + 1)
    kept.context()
    async with asyncio.timeout(5):
        while kept._renewing is not None:
            await asyncio.sleep(0.01)
    assert kept._context is second
