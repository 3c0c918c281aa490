"""Twin of proxy_addon/relay/tls_transport.py: a client of OpenSSL, and a connection in memory."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from proxy_addon.relay.tls_transport import TlsTransport
from tests.e2e.authority import Authority

HOST = "allowance.internal"


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = self.aborted = self.paused = False

    def write(self, data) -> None:  # type: ignore[no-untyped-def]
        """See `asyncio.Transport`."""
        self.written += bytes(data)

    def close(self) -> None:
        """See `asyncio.Transport`."""
        self.closed = True

    def abort(self) -> None:
        """See `asyncio.Transport`."""
        self.aborted = self.closed = True

    def is_closing(self) -> bool:
        """See `asyncio.Transport`."""
        return self.closed

    def pause_reading(self) -> None:
        """See `asyncio.Transport`."""
        self.paused = True

    def resume_reading(self) -> None:
        """See `asyncio.Transport`."""
        self.paused = False

    def is_reading(self) -> bool:
        """See `asyncio.Transport`."""
        return not self.paused

    def get_write_buffer_size(self) -> int:
        """See `asyncio.Transport`."""
        return len(self.written)


class Both:
    """Both ends."""

    def __init__(self, folder: Path, version: ssl.TLSVersion, *, trusts: bool = True) -> None:
        authority = Authority(folder)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(authority.leaf_file(HOST))
        client = ssl.create_default_context(cafile=str(authority.ca_file) if trusts else None)
        client.maximum_version = version
        self.context, self.wire = server, Wire()
        self.transport = TlsTransport(self.wire, server)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self.incoming, self.outgoing, server_hostname=HOST)

    def to_client(self) -> None:
        """Deliver what the server has written."""
        self.incoming.write(self.wire.written)
        self.wire.written = b""

    def shake_hands(self, size: int = 100_000) -> None:
        """The whole handshake, the client's bytes in pieces of `size`."""
        for _ in range(4):
            try:
                self.client.do_handshake()
            except ssl.SSLWantReadError:
                pass
            data = self.outgoing.read()
            for at in range(0, len(data), size):
                assert self.transport.received(data[at : at + size]) == b""
            self.to_client()

    def read(self) -> bytes:
        """What the client understands of what was written."""
        self.to_client()
        got = b""
        try:
            while piece := self.client.read(100_000):
                got += piece
        except ssl.SSLWantReadError:
            pass
        return got


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Both:
    """With each version."""
    return Both(tmp_path, request.param)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_bytes_both_ways(both: Both, size: int) -> None:
    """However small the pieces in which they come, and however much is written at once."""
    both.shake_hands(size)
    assert both.transport.established
    both.client.write(b"question")
    data, got = both.outgoing.read(), b""
    for at in range(0, len(data), size):
        got += both.transport.received(data[at : at + size])
    assert got == b"question"
    both.transport.write(b"a" * 300_000)
    assert both.read() == b"a" * 300_000


def test_nothing_is_written_in_plain(both: Both) -> None:
    """What is written before the handshake is dropped."""
    both.transport.write(b"secret")
    assert both.wire.written == b""


def test_the_end_by_the_client(both: Both) -> None:
    """It is noted, and what came before it is delivered."""
    both.shake_hands()
    both.client.write(b"last")
    with pytest.raises(ssl.SSLWantReadError):
        both.client.unwrap()
    assert both.transport.received(both.outgoing.read()) == b"last"
    assert both.transport.ended


def test_the_end_by_us(both: Both) -> None:
    """The client is told, so that it can tell a whole answer from one that was cut off."""
    both.shake_hands()
    both.transport.write(b"whole")
    both.transport.close()
    assert both.wire.closed
    both.to_client()
    assert both.client.read(10) == b"whole"
    assert both.client.read(10) == b""
    both.transport.write(b"more")
    assert both.wire.written == b""


@pytest.mark.parametrize("data", [b"rubbish", b"\x15\x03\x01\x00\x02hi"])
def test_what_is_not_tls(both: Both, data: bytes) -> None:
    """Said by an exception."""
    with pytest.raises(ssl.SSLError):
        both.transport.received(data)


def test_rubbish_after_the_handshake(both: Both) -> None:
    """The client gets an alert."""
    both.shake_hands()
    both.to_client()
    with pytest.raises(ssl.SSLError):
        both.transport.received(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    assert both.wire.written


def test_a_client_that_distrusts_us(tmp_path: Path) -> None:
    """Its alert is an exception, and the handshake never complete."""
    both = Both(tmp_path, ssl.TLSVersion.TLSv1_3, trusts=False)
    with pytest.raises(ssl.SSLError):
        both.shake_hands()
    with pytest.raises(ssl.SSLError):
        both.transport.received(both.outgoing.read())
    assert not both.transport.established


def test_the_rest_is_the_connection_s(both: Both) -> None:
    """Reading, aborting, and what is known of it."""
    transport, wire = both.transport, both.wire
    transport.pause_reading()
    assert not transport.is_reading()
    transport.resume_reading()
    assert transport.is_reading()
    assert (transport.can_write_eof(), transport.get_write_buffer_size()) == (False, 0)
    assert transport.get_extra_info("sslcontext") is both.context
    assert transport.get_extra_info("ssl_object") is transport._tls
    assert transport.get_extra_info("peername", "nobody") == "nobody"
    transport.abort()
    assert wire.aborted
