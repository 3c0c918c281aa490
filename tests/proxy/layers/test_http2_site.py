"""`proxy_addon/proxy/layers/http2_site.py` with real sites: requests that were not processed are
sent again, and answers that have begun are finished."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import h2.connection
import pytest
from mitmproxy import ctx

from tests.e2e.waiting import until
from tests.proxy.layers.test_termination import sockets_of
from tests.proxy.odd_client import TwoClient
from tests.proxy.odd_office import OddOffice
from tests.proxy.odd_site import Script

METHODS = ["GET", "POST"]
WAY = "h2-h2"


def client_of(office: OddOffice) -> TwoClient:
    """A client whose proxy has an open connection to the site."""
    client = office.client(WAY)
    assert isinstance(client, TwoClient)
    assert client.ask("/first").body == b"ok"
    return client


@pytest.mark.parametrize("then", ["refuse", "goaway"])
@pytest.mark.parametrize("method", METHODS)
def test_what_was_not_processed_is_sent_again(office: OddOffice, method: str, then: str) -> None:
    """REFUSED_STREAM, and GOAWAY that names an earlier stream: whatever the method, with its body,
    on another connection."""
    client = client_of(office)
    office.two.scripts["/again"] = [Script(then=then), Script()]
    body = b"body" if method == "POST" else None
    got = client.ask("/again", method, body=body)
    assert (got.status, got.body, got.end) == (200, b"ok", "complete")
    first, second = office.two.to("/again")
    assert first.connection != second.connection
    assert second.body == (body or b"")
    assert client.ask("/next").body == b"ok"


@pytest.mark.parametrize("then", ["refuse", "goaway"])
def test_also_on_a_new_connection(office: OddOffice, then: str) -> None:
    """The site has said that it did nothing."""
    office.two.scripts["/new"] = [Script(then=then), Script()]
    assert office.client(WAY).ask("/new", "POST", body=b"body").body == b"ok"


@pytest.mark.parametrize("then", ["refuse", "goaway"])
def test_never_a_third_time(office: OddOffice, then: str) -> None:
    """A site that refuses each time gives a 502."""
    client = client_of(office)
    office.two.scripts["/never"] = [Script(then=then)]
    assert client.ask("/never").status == 502
    assert len(office.two.to("/never")) == 2


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 502)])
def test_a_connection_that_ends_without_a_word(office: OddOffice, method: str, status: int) -> None:
    """One that was used before: only what may be repeated is."""
    client = client_of(office)
    office.two.scripts["/closed"] = [Script(then="silent close"), Script()]
    got = client.ask("/closed", method, body=b"body" if method == "POST" else None)
    assert got.status == status
    assert len(office.two.to("/closed")) == (2 if status == 200 else 1)


def test_answers_go_on_after_goaway(office: OddOffice) -> None:
    """A site that accepts no more requests finishes its answers; the next request goes to another
    connection meanwhile."""
    client = client_of(office)
    slow = Script(then="graceful", body=[b"s", b"l", b"o", b"w"], wait=0.2)
    office.two.scripts["/slow"] = [slow]
    stream = client.begin("/slow")
    assert client.ask("/next").body == b"ok"
    got = client.finish(stream)
    assert (got.status, got.body, got.end) == (200, b"slow", "complete")
    assert office.two.to("/slow")[0].connection != office.two.to("/next")[-1].connection


def test_many_streams_when_the_site_goes_away(office: OddOffice) -> None:
    """Those that it had not taken, and those that waited for a free stream (it allows 20), are all
    answered, on one other connection."""
    client = client_of(office)
    office.two.scripts["/many"] = [Script(then="goaway"), Script()]
    before = office.two.connections
    streams = [client.begin("/many") for _ in range(90)]
    assert [client.finish(stream).status for stream in streams] == [200] * 90
    assert office.two.connections == before + 1


@pytest.mark.parametrize("then", ["http1", "http1 goaway"])
@pytest.mark.parametrize("method", METHODS)
def test_a_site_that_asks_for_http1(office: OddOffice, method: str, then: str) -> None:
    """HTTP_1_1_REQUIRED, of a stream or of the connection: the request is sent again over HTTP/1.1
    (RFC 9113, 9.2.2), and so is what follows on the client's connection; the client still speaks
    HTTP/2."""
    client = client_of(office)
    office.two.scripts["/one"] = [Script(then=then), Script()]
    got = client.ask("/one", method, body=b"body" if method == "POST" else None)
    assert (got.status, got.body, got.end) == (200, b"ok", "complete")
    first, second = office.two.to("/one")
    assert ":method" in first.fields and ":method" not in second.fields
    assert second.body == (b"body" if method == "POST" else b"")
    assert client.ask("/next").body == b"ok"
    assert ":method" not in office.two.to("/next")[-1].fields


def test_a_site_that_asks_for_http1_too_late(office: OddOffice) -> None:
    """Of an upload that is not kept there is nothing to send again: a 502."""
    client = client_of(office)
    office.two.scripts["/long"] = [Script(then="http1")]
    assert client.ask("/long", "POST", body=[bytes(10_000)] * 6 + [bytes(5_000)] * 2).status == 502
    assert len(office.two.to("/long")) == 1


@pytest.fixture
def impatient(office: OddOffice) -> Iterator[OddOffice]:
    """mitmproxy would keep idle connections alive every second."""
    proxy = office.proxy
    before = proxy.on_loop(lambda: ctx.options.http2_ping_keepalive)
    proxy.on_loop(lambda: ctx.options.update(http2_ping_keepalive=1))
    yield office
    proxy.on_loop(lambda: ctx.options.update(http2_ping_keepalive=before))


def test_a_connection_without_requests_is_closed(impatient: OddOffice) -> None:
    """Instead of being kept alive for as long as its client stays; the next request goes to another
    one."""
    client = client_of(impatient)
    until(lambda: sockets_of(impatient.proxy) == 0, "the connection to the site to be gone")
    assert client.ask("/next").body == b"ok"
    (first,), (second,) = impatient.two.to("/first"), impatient.two.to("/next")
    assert first.connection != second.connection


def test_a_connection_in_use_is_kept_alive(impatient: OddOffice) -> None:
    """An answer that takes its time."""
    client = client_of(impatient)
    impatient.two.scripts["/slow"] = [Script(body=[b"o", b"", b"k"], wait=1.5)]
    got = client.ask("/slow")
    assert (got.body, got.end) == (b"ok", "complete")


def test_what_h2_does_with_goaway() -> None:
    """It takes it for the end of the connection, and looks the method up on the instance."""
    source = inspect.getsource(h2.connection.H2Connection)
    assert "GoAwayFrame: self._receive_goaway_frame" in source
    assert "ConnectionInputs.RECV_GOAWAY" in inspect.getsource(
        h2.connection.H2Connection._receive_goaway_frame
    )
