"""Nobody's request is another one for the site than it was for the rules: a body is a body, in
whatever way its end is marked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.origins import Origins
from tests.proxy.odd_office import OddOffice
from tests.proxy.odd_site import Script

INNER = b"GET /inner HTTP/1.1\r\nHost: www.facebook.com\r\n\r\n"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, origins: Origins) -> Iterator[OddOffice]:
    """One proxy for all."""
    with OddOffice(tmp_path_factory.mktemp("odd"), origins) as made:
        yield made


@pytest.fixture(autouse=True)
def unharmed(office: OddOffice) -> Iterator[None]:
    """Nothing has crashed, and no site has seen the request inside the body."""
    office.failures()
    yield
    assert office.failures() == []
    assert office.serves()
    assert office.one.to("/inner") == office.two.to("/inner") == office.plain.to("/inner") == []


@pytest.mark.parametrize("way", ["h2-h1", "h2-h2"])
@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "DELETE", "PATCH", "PROPFIND"])
def test_a_body_without_a_length(office: OddOffice, method: str, way: str) -> None:
    """In one piece, in several, and with empty ones between them: it reaches the site as the body
    of its request, in chunks where that speaks HTTP/1.1."""
    for number, body in enumerate((INNER, [INNER[:9], b"", INNER[9:]], [b"", INNER], [INNER, b""])):
        path = f"/without/{method}/{number}"
        assert office.ask(way, path, Script(), method=method, body=body).body == b"ok"
        (seen,) = office.site(way).to(path)
        assert (seen.method, seen.body) == (method, INNER)
        if way == "h2-h1":
            assert seen.fields["transfer-encoding"] == "chunked"


@pytest.mark.parametrize("way", ["h2-h1", "h2-h2"])
def test_no_body(office: OddOffice, way: str) -> None:
    """A request that ends with its head, or with an empty piece, has none."""
    for body in (None, b""):
        for method in ("GET", "POST"):
            path = f"/empty/{method}/{body}"
            assert office.ask(way, path, Script(), method=method, body=body).body == b"ok"
            assert [seen.body for seen in office.site(way).to(path)] == [b""]


@pytest.mark.parametrize("way", ["h2-h1", "h2-h2"])
def test_a_right_length(office: OddOffice, way: str) -> None:
    """It stays."""
    fields = [("content-length", str(len(INNER)))]
    office.ask(way, "/length", Script(), method="POST", fields=fields, body=INNER)
    seen = office.site(way).to("/length")[-1]
    assert (seen.body, seen.fields["content-length"]) == (INNER, str(len(INNER)))


WRONG = {
    "too short": ([("content-length", "5")], INNER, ()),
    "too long": ([("content-length", "500")], INNER, ()),
    "too long, no body": ([("content-length", "5")], None, ()),
    "too long, ends with trailers": ([("content-length", "500")], INNER, [("x-a", "b")]),
    "twice": ([("content-length", "5"), ("content-length", str(len(INNER)))], INNER, ()),
    "with a sign": ([("content-length", f"+{len(INNER)}")], INNER, ()),
    "chunks": ([("transfer-encoding", "chunked")], b"0\r\n\r\n" + INNER, ()),
    "chunks and a length": (
        [("transfer-encoding", "chunked"), ("content-length", str(len(INNER)))],
        INNER,
        (),
    ),
    "connection": ([("connection", "transfer-encoding")], INNER, ()),
    "line feed in a value": ([("x-a", "b\nTransfer-Encoding: chunked")], b"0\r\n\r\n" + INNER, ()),
    "line end in a value": ([("x-a", "b\r\n\r\nGET /inner HTTP/1.1")], INNER, ()),
    "line end in a name": ([("x-a: b\r\ncontent-length", "0")], INNER, ()),
    "colon in a name": ([("content-length: 0", "0")], INNER, ()),
}


@pytest.mark.parametrize("way", ["h2-h1", "h2-h2"])
@pytest.mark.parametrize("what", WRONG)
def test_what_two_programs_could_read_differently(office: OddOffice, what: str, way: str) -> None:
    """A 400, or the end of the stream or of the connection; what the site has seen was no whole
    request."""
    fields, body, trailers = WRONG[what]
    got = office.ask(
        way, "/wrong", Script(), method="POST", fields=fields, body=body, trailers=trailers
    )
    assert got.status == 400 or (got.status == 0 and got.end == "closed"), got
    assert office.site(way).to("/wrong") == []


@pytest.mark.parametrize("way", ["h2-h1", "h2-h2"])
def test_a_length_of_zero_and_a_body(office: OddOffice, way: str) -> None:
    """The site may have its whole request, which has no body, before what is too much comes; that
    ends the stream, or the connection, and reaches nobody."""
    fields = [("content-length", "0")]
    got = office.ask(way, "/zero", Script(), method="POST", fields=fields, body=INNER)
    assert got.status in (0, 200, 400), got
    assert {seen.body for seen in office.site(way).to("/zero")} <= {b""}


@pytest.mark.parametrize("way", ["plain", "limited plain", "h1-h1"])
@pytest.mark.parametrize(
    "fields",
    [
        [("Content-Length", "3"), ("Transfer-Encoding", "chunked")],
        [("Content-Length", "3"), ("Content-Length", "5")],
        [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")],
        [("Transfer-Encoding", "xchunked")],
        [("Transfer-Encoding", "chunked, identity")],
        [("Content-Length", "3 3")],
    ],
    ids=str,
)
def test_two_framings_in_http1(office: OddOffice, fields: list[tuple[str, str]], way: str) -> None:
    """A 400."""
    client = office.client(way)
    client.begin("/two", "POST", fields)
    client.wire.sendall(b"0\r\n\r\n" + INNER)
    assert client.finish().status == 400
    assert office.site(way).to("/two") == []


def test_an_answer_of_http2_without_a_length_has_an_end(office: OddOffice) -> None:
    """Over HTTP/1.1 it is sent in chunks, and empty pieces are none; so a client knows when it
    breaks off. (Sites choose by what their client offers: here the proxy is told to.)"""
    assert office.ask("h2-h2", "/open", Script(body=[b"o", b"", b"k"])).body == b"ok"
