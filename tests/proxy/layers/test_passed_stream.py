"""`proxy_addon/proxy/layers/passed_stream.py` with real sites: uploads that ask first, and answers
that come before an upload is complete. (Requests that are sent again: `test_http1_site.py`,
`test_http2_site.py`.)"""

from __future__ import annotations

import inspect
import time

import pytest
from mitmproxy.proxy.layers.http import HttpStream

from tests.proxy.odd_client import Got, OneClient, TwoClient
from tests.proxy.odd_office import DEAD, LIMITED_PLAIN, UNTRUSTED, WAYS, OddOffice
from tests.proxy.odd_site import OK, Script

EXPECTS = ("expect", "100-continue")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BODY = bytes(100_000)
BIG = bytes(8_000_000)
REFUSALS = [413, 401, 417, 500]


class Upload:
    """An upload that waits for the word of the proxy or of the site."""

    def __init__(self, client: OneClient | TwoClient, body: bytes = BODY) -> None:
        self._client, self._body = client, body
        fields = [EXPECTS, ("content-length", str(len(body)))]
        if isinstance(client, OneClient):
            client.begin("/upload", "POST", fields)
            self._stream = 0
        else:
            self._stream = client.begin("/upload", "POST", fields, ends=False)

    def send(self) -> None:
        """The body."""
        client = self._client
        if isinstance(client, OneClient):
            client.wire.sendall(self._body)
            return
        for start in range(0, len(self._body), 10_000):
            piece = self._body[start : start + 10_000]
            while client.h2.local_flow_control_window(self._stream) < len(piece):
                client.h2.receive_data(client.wire.recv(65_536))
            client.h2.send_data(self._stream, piece)
            client.flush()
        client.h2.end_stream(self._stream)
        client.flush()

    def finish(self) -> Got:
        """The answer."""
        client = self._client
        return client.finish() if isinstance(client, OneClient) else client.finish(self._stream)


def refusal(status: int, *, ends: bool) -> Script:
    """A site that answers as soon as it has seen the head."""
    close = "Connection: close\r\n" if ends else ""
    head = f"HTTP/1.1 {status} No\r\n{close}Content-Length: 2\r\n\r\nno".encode()
    return Script(
        early=head, answer=b"", then="early close" if ends else "keep", status=status, body=b"no"
    )


@pytest.mark.parametrize("way", WAYS)
def test_the_site_is_asked(office: OddOffice, way: str) -> None:
    """Its word is passed on before the client has sent anything, and the body reaches it."""
    office.site(way).scripts["/upload"] = [Script(early=CONTINUE, informational=[(100, ())])]
    client = office.client(way)
    upload = Upload(client)
    if isinstance(client, OneClient):
        assert client._until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    upload.send()
    got = upload.finish()
    assert (got.status, got.body, got.end) == (200, b"ok", "complete")
    (seen,) = office.site(way).to("/upload")
    assert (seen.fields["expect"], seen.body) == ("100-continue", BODY)


@pytest.mark.parametrize("way", WAYS)
def test_a_site_that_does_not_know_it(office: OddOffice, way: str) -> None:
    """The client sends its body when it has waited long enough."""
    upload = Upload(office.client(way))
    time.sleep(0.2)
    upload.send()
    got = upload.finish()
    assert (got.informational, got.status, got.body) == ([], 200, b"ok")


@pytest.mark.parametrize("way", [way for way in WAYS if way != "h2-h2"])
@pytest.mark.parametrize("ends", [False, True], ids=["stays", "ends"])
@pytest.mark.parametrize("status", REFUSALS)
def test_a_site_that_refuses(office: OddOffice, status: int, ends: bool, way: str) -> None:
    """Its answer comes without the body, whole, and is the only one."""
    office.site(way).scripts["/upload"] = [refusal(status, ends=ends)]
    got = Upload(office.client(way)).finish()
    assert (got.informational, got.status, got.body, got.end) == ([], status, b"no", "complete")


def test_a_site_that_refuses_in_http2(office: OddOffice) -> None:
    """The same, with RST_STREAM after the answer."""
    office.two.scripts["/upload"] = [Script(then="early", status=413, body=b"no")]
    got = Upload(office.client("h2-h2")).finish()
    assert (got.status, got.body, got.end) == (413, b"no", "complete")


WAYS_IN = ["plain", "h1-h1", "h2-h1"]
# In clear text there are no certificates.
UNREACHABLE = [(DEAD, way) for way in WAYS_IN] + [(UNTRUSTED, way) for way in WAYS_IN[1:]]


@pytest.mark.parametrize(("host", "way"), UNREACHABLE)
def test_a_site_that_cannot_be_reached(office: OddOffice, host: str, way: str) -> None:
    """Our page, before the body is sent; nobody is told to go on."""
    got = Upload(office.client(way, host)).finish()
    assert (got.informational, got.status, got.end) == ([], 502, "complete")


@pytest.mark.parametrize(("host", "way"), UNREACHABLE)
def test_without_asking_a_site_that_cannot_be_reached(
    office: OddOffice, host: str, way: str
) -> None:
    """A client that sends eight megabytes at once gets our page, too, and no reset."""
    client = office.client(way, host)
    if isinstance(client, OneClient):
        client.begin("/upload", "POST", [("Content-Length", str(len(BIG)))])
        client.wire.sendall(BIG)
        got = client.finish()
    else:
        got = client.ask("/upload", "POST", body=[BODY[:10_000]] * 5)
    assert (got.status, got.end) == (502, "complete")


def test_nobody_is_asked_in_http1_0(office: OddOffice) -> None:
    """The expectation of a client that cannot wait is dropped (RFC 9110, 10.1.1)."""
    got = office.ask(
        "plain", "/ten", Script(), method="POST", version="HTTP/1.0", fields=[EXPECTS], body=b"b"
    )
    assert (got.status, "expect" in office.plain.to("/ten")[0].fields) == (200, False)


def test_our_own_pages_say_go_on(office: OddOffice) -> None:
    """What we read ourselves, we ask for."""
    client = office.client("plain", "allowance.internal")
    assert isinstance(client, OneClient)
    client.begin("/ask", "POST", [EXPECTS, ("Content-Length", "3")])
    assert client._until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    client.wire.sendall(b"a=b")
    assert client.finish().end == "complete"


EARLY = [
    Script(early=b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno", answer=b""),
    Script(
        early=b"HTTP/1.1 413 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
        answer=b"",
    ),
    Script(early=b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno", then="early slowly"),
    Script(
        early=b"HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
        then="early slowly",
    ),
    Script(early=b"HTTP/1.1 413 No\r\nConnection: close\r\n\r\nno", then="early slowly"),
    # What is left unread makes this a reset, which may reach us while we write.
    Script(early=b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno", then="early close"),
]


@pytest.mark.parametrize("way", [way for way in WAYS if way != "h2-h2"])
@pytest.mark.parametrize("number", range(len(EARLY)))
def test_answers_while_the_upload_goes_on(office: OddOffice, number: int, way: str) -> None:
    """The whole answer comes before the upload is complete, however the site marks its end and
    whether or not it reads on; and a client that sends everything first gets it, too."""
    office.site(way).scripts["/upload"] = [EARLY[number]]
    length = [("Content-Length", str(len(BIG)))]
    if way == "h2-h1":
        client = office.client(way)
        assert isinstance(client, TwoClient)
        stream = client.begin("/upload", "POST", [("content-length", str(len(BIG)))], ends=False)
        got = client.finish(stream)
        assert client.ask("/next").body == b"ok"
    else:
        for sends in (False, True, True, True):
            one = office.client(way)
            assert isinstance(one, OneClient)
            one.begin("/upload", "POST", length)
            if sends:
                one.wire.sendall(BIG)
            got = one.finish()
            assert (got.status, got.body) == (413, b"no")
    assert (got.status, got.body) == (413, b"no")
    assert got.end in ("complete", "until close")


def test_a_connection_goes_on_after_an_early_answer(office: OddOffice) -> None:
    """The site reads to the end: what follows is the next request, on the same connections."""
    office.plain.scripts["/upload"] = [EARLY[0]]
    client = office.client("plain")
    assert isinstance(client, OneClient)
    client.begin("/upload", "POST", [("Content-Length", str(len(BODY)))])
    assert client.finish().status == 413
    client.wire.sendall(BODY)
    assert client.ask("/next").body == b"ok"
    (upload,), (after,) = office.plain.to("/upload"), office.plain.to("/next")
    assert (upload.body, upload.connection) == (BODY, after.connection)


def test_early_answers_of_http2(office: OddOffice) -> None:
    """RST_STREAM without an error after an answer is no error (RFC 9113, 8.1)."""
    client = office.client("h2-h2")
    assert isinstance(client, TwoClient)
    office.two.scripts["/upload"] = [Script(then="early", status=413, body=b"no")]
    stream = client.begin("/upload", "POST", ends=False)
    got = client.finish(stream)
    assert (got.status, got.body, got.end) == (413, b"no", "complete")
    assert client.ask("/next").body == b"ok"


def test_metering_of_clear_text(office: OddOffice) -> None:
    """A limited host in clear text goes the same way."""
    got = office.ask("limited plain", "/seen", Script(OK))
    assert got.body == b"ok" and office.plain.to("/seen")[0].fields["host"] == LIMITED_PLAIN


def test_what_is_used_of_mitmproxy() -> None:
    """It looks at the expectation after `check_invalid`, and ends an exchange in `flow_done`."""
    source = inspect.getsource(HttpStream.state_wait_for_request_headers)
    assert source.index("self.check_invalid(True)") < source.index('.get("expect"')
    assert "self.flow_done()" in inspect.getsource(HttpStream.state_stream_request_body)
    assert "self.flow_done()" in inspect.getsource(HttpStream.send_response)
