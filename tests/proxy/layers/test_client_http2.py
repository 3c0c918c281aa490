"""`proxy_addon/proxy/layers/client_http2.py`, with a real client: what is wrong with one stream
ends one stream."""

from __future__ import annotations

import h2.errors
import pytest

from tests.proxy.odd_client import TwoClient
from tests.proxy.odd_office import OddOffice
from tests.proxy.odd_site import Script

TO = ["h2-h1", "h2-h2"]


@pytest.mark.parametrize("way", TO)
@pytest.mark.parametrize("trailers", [(), [("x-sum", "7")]], ids=["head", "trailers"])
def test_a_request_shorter_than_its_length(
    office: OddOffice, trailers: list[tuple[str, str]], way: str
) -> None:
    """Its stream is reset, and the next one on the connection is answered."""
    client = office.client(way)
    assert isinstance(client, TwoClient)
    body = b"1234" if trailers else None
    fields = [("content-length", "5")]
    assert client.ask("/short", "POST", fields, body, trailers).end == "closed"
    assert client.ask("/next").body == b"ok"
    assert office.site(way).to("/short") == []


@pytest.mark.parametrize("way", TO)
def test_a_head_that_is_too_long(office: OddOffice, way: str) -> None:
    """A 431 for its stream, also when a body follows."""
    client = office.client(way)
    assert isinstance(client, TwoClient)
    got = client.ask("/long", "POST", [("x-a", "a" * 20_000)] * 5, b"body")
    assert (got.status, got.end) == (431, "complete")
    assert client.ask("/next").body == b"ok"
    assert office.site(way).to("/long") == []


@pytest.mark.parametrize("way", TO)
def test_a_client_that_asks_for_nothing_more(office: OddOffice, way: str) -> None:
    """GOAWAY of a client: what it has asked for is answered."""
    site = office.site(way)
    site.scripts["/slow"] = [Script(wait=0.3, body=[b"o", b"k"], answer=b"\0\0" + Script().answer)]
    client = office.client(way)
    assert isinstance(client, TwoClient)
    stream = client.begin("/slow")
    client.wire.sendall(b"\0\0\x08\x07\0\0\0\0\0" + bytes(8))
    got = client.finish(stream)
    assert (got.status, got.body, got.end) == (200, b"ok", "complete")


def test_a_connection_that_is_ended_for_an_error(office: OddOffice) -> None:
    """GOAWAY with an error ends all."""
    client = office.client("h2-h2")
    assert isinstance(client, TwoClient)
    client.ask("/next")
    client.h2.close_connection(h2.errors.ErrorCodes.PROTOCOL_ERROR)
    client.flush()
    office.proxy.empty()
