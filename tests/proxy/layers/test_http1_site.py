"""`proxy_addon/proxy/layers/http1_site.py` with real sites: connections that end when a request
reaches them. (What else it understands: `tests/proxy/test_odd_sites.py`.)"""

from __future__ import annotations

import h11
import pytest
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer

from proxy_addon.proxy.layers import http1_site
from proxy_addon.proxy.layers.http1_site import WithTrailers
from tests.e2e.waiting import until
from tests.proxy.layers.test_termination import sockets_of
from tests.proxy.odd_client import OneClient
from tests.proxy.odd_office import OddOffice
from tests.proxy.odd_site import Script

REUSING = ["plain", "limited plain", "h1-h1"]
ENDS = ["silent close", "silent reset"]
SAFE = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]


def used(office: OddOffice, way: str) -> OneClient:
    """A client whose proxy has an open connection to the site."""
    client = office.client(way)
    assert isinstance(client, OneClient)
    assert client.ask("/first").body == b"ok"
    return client


@pytest.mark.parametrize("way", REUSING)
@pytest.mark.parametrize("then", ENDS)
@pytest.mark.parametrize("method", SAFE)
def test_repeated_once_where_that_is_safe(
    office: OddOffice, method: str, then: str, way: str
) -> None:
    """A connection that was used before ends before the answer: the request is sent on another one,
    with its body, and the client does not notice."""
    client = used(office, way)
    office.site(way).scripts["/again"] = [Script(then=then), Script()]
    body = b"body" if method == "PUT" else b""
    got = client.ask("/again", method, body=body)
    assert (got.status, got.end) == (200, "complete")
    first, second = office.site(way).to("/again")
    assert first.connection != second.connection
    assert second.body == body


@pytest.mark.parametrize("way", REUSING)
@pytest.mark.parametrize("then", ENDS)
def test_never_twice_what_may_have_been_done(office: OddOffice, then: str, way: str) -> None:
    """A POST is a 502, and the site has seen it once."""
    client = used(office, way)
    office.site(way).scripts["/post"] = [Script(then=then), Script()]
    assert client.ask("/post", "POST", body=b"body").status == 502
    assert len(office.site(way).to("/post")) == 1


@pytest.mark.parametrize("way", REUSING)
def test_never_a_third_time(office: OddOffice, way: str) -> None:
    """A site that closes each time gives a 502."""
    client = used(office, way)
    office.site(way).scripts["/never"] = [Script(then="silent close")]
    assert client.ask("/never").status == 502
    assert len(office.site(way).to("/never")) == 2


@pytest.mark.parametrize("way", [*REUSING, "h2-h1"])
def test_not_on_a_connection_that_is_new(office: OddOffice, way: str) -> None:
    """A site that closes a new connection does not want this request."""
    office.site(way).scripts["/new"] = [Script(then="silent close"), Script()]
    assert office.client(way).ask("/new").status == 502
    assert len(office.site(way).to("/new")) == 1


@pytest.mark.parametrize("way", REUSING)
@pytest.mark.parametrize("begun", [b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 20"])
def test_not_after_a_byte_of_the_answer(office: OddOffice, begun: bytes, way: str) -> None:
    """The site has begun to process it."""
    client = used(office, way)
    office.site(way).scripts["/begun"] = [Script(early=begun, then="silent close"), Script()]
    assert client.ask("/begun").status == 502
    assert len(office.site(way).to("/begun")) == 1


@pytest.mark.parametrize("way", REUSING)
def test_a_long_body_is_not_kept(office: OddOffice, way: str) -> None:
    """More than 64 KiB are not sent again: the site reads them all, and closes."""
    client = used(office, way)
    office.site(way).scripts["/long"] = [Script(b"", then="close"), Script()]
    assert client.ask("/long", "PUT", body=bytes(1_000_000)).status == 502
    assert [len(each.body) for each in office.site(way).to("/long")] == [1_000_000]


@pytest.mark.parametrize("way", REUSING)
def test_sites_that_close_after_every_answer(office: OddOffice, way: str) -> None:
    """Although they said nothing of it: a hundred requests in a row are all answered."""
    office.site(way).scripts["/closes"] = [Script(then="close")]
    client = office.client(way)
    assert [client.ask("/closes").status for _ in range(100)] == [200] * 100


@pytest.mark.parametrize("way", REUSING)
def test_a_connection_without_requests_is_closed(
    office: OddOffice, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its client stays; the next request goes to another one."""
    monkeypatch.setattr(http1_site, "IDLE_SECONDS", 0.3)
    client = used(office, way)
    until(lambda: sockets_of(office.proxy) == 0, "the connection to the site to be gone")
    assert client.ask("/next").body == b"ok"
    (first,), (second,) = office.site(way).to("/first"), office.site(way).to("/next")
    assert first.connection != second.connection


def test_a_connection_in_use_is_not_closed(
    office: OddOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither between requests that follow each other, nor while an answer is waited for."""
    monkeypatch.setattr(http1_site, "IDLE_SECONDS", 0.3)
    client = used(office, "plain")
    office.plain.scripts["/slow"] = [Script(b"\0\0" + Script().answer, wait=1.5)]
    assert client.ask("/slow").body == b"ok"
    (first,), (second,) = office.plain.to("/first"), office.plain.to("/slow")
    assert first.connection == second.connection


def test_trailers_of_a_reader() -> None:
    """h11's reader gives them with the end of the body; here they are told beside it."""
    told: list[object] = []
    reader, buffer = WithTrailers(ChunkedReader(), told.append), ReceiveBuffer()
    buffer += b"2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"
    events = []
    while (event := reader(buffer)) is not None and len(events) < 2:
        events.append(event)
    assert isinstance(events[0], h11.Data)
    assert isinstance(events[1], h11.EndOfMessage) and not events[1].headers
    assert told == [[(b"X-Sum", b"7")]]
