"""What the protocols allow and mitmproxy does not know: each oddity, in clear text and opened, from
HTTP/1.1 and HTTP/2 to HTTP/1.1 and HTTP/2.

The client gets what it would get without a proxy, or the alternative that the test names; nothing
crashes, nothing hangs, and the next request is answered.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.origins import Origins
from tests.proxy.odd_office import WAYS, OddOffice
from tests.proxy.odd_site import Script

TO_ONE = [way for way in WAYS if way != "h2-h2"]
FROM_TWO = ["h2-h1", "h2-h2"]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, origins: Origins) -> Iterator[OddOffice]:
    """One proxy for all."""
    with OddOffice(tmp_path_factory.mktemp("odd"), origins) as made:
        yield made


@pytest.fixture(autouse=True)
def unharmed(office: OddOffice) -> Iterator[None]:
    """Nothing has crashed, and all is as it was."""
    office.failures()
    yield
    assert office.failures() == []
    assert office.serves()


def one(head: str, body: bytes = b"") -> Script:
    """An answer in HTTP/1.1, line by line."""
    return Script(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)


def closing(head: str, body: bytes = b"") -> Script:
    """The same, and the connection ends."""
    return Script(one(head, body).answer, then="close")


H1_ANSWERS = {
    "no reason": (one("HTTP/1.1 200\nContent-Length: 2", b"ok"), 200, b"ok"),
    "line feeds alone": (Script(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), 200, b"ok"),
    "until the connection ends": (closing("HTTP/1.0 200 OK", b"ok"), 200, b"ok"),
    "the same length twice": (
        one("HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 2", b"ok"),
        200,
        b"ok",
    ),
    "the same length twice in a line": (
        one("HTTP/1.1 200 OK\nContent-Length: 2, 2", b"ok"),
        200,
        b"ok",
    ),
    "two lengths": (
        closing("HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 3", b"oka"),
        502,
        None,
    ),
    "length and chunks": (
        one(
            "HTTP/1.1 200 OK\nContent-Length: 3\nTransfer-Encoding: chunked",
            b"2\r\nok\r\n0\r\n\r\n",
        ),
        200,
        b"ok",
    ),
    "extensions of chunks": (
        one("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b'2;a=b;c="d"\r\nok\r\n0;e\r\n\r\n'),
        200,
        b"ok",
    ),
    "folded line": (one("HTTP/1.1 200 OK\nX-A: b\n  c\nContent-Length: 2", b"ok"), 200, b"ok"),
    "folded first line": (one("HTTP/1.1 200 OK\n  c\nContent-Length: 2", b"ok"), 200, b"ok"),
    "field without a name": (
        one("HTTP/1.1 200 OK\nX-E:\n: x\nContent-Length: 2", b"ok"),
        200,
        b"ok",
    ),
    "line that is no field": (
        one("HTTP/1.1 200 OK\nnothing\nContent-Length: 2", b"ok"),
        200,
        b"ok",
    ),
    "space before the colon": (one("HTTP/1.1 200 OK\nContent-Length : 2", b"ok"), 200, b"ok"),
    "Latin-1": (one("HTTP/1.1 200 OK\nX-N: J\xfcrgen\nContent-Length: 2", b"ok"), 200, b"ok"),
    "not gzip": (
        one("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 5", b"hello"),
        200,
        b"hello",
    ),
    "status 999": (one("HTTP/1.1 999 Denied\nContent-Length: 2", b"ok"), 999, b"ok"),
    "empty lines first": (
        Script(b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        200,
        b"ok",
    ),
    "204 with a length": (one("HTTP/1.1 204 No Content\nContent-Length: 0"), 204, b""),
    "204 with chunks": (one("HTTP/1.1 204 No Content\nTransfer-Encoding: chunked"), 204, b""),
    "304 with a length": (one("HTTP/1.1 304 Not Modified\nContent-Length: 99"), 304, b""),
    "many cookies": (
        one("HTTP/1.1 200 OK\n" + "Set-Cookie: a=b; Path=/\n" * 300 + "Content-Length: 2", b"ok"),
        200,
        b"ok",
    ),
    "60 KB of fields": (
        one(f"HTTP/1.1 200 OK\nX-A: {'a' * 60_000}\nContent-Length: 2", b"ok"),
        200,
        b"ok",
    ),
    "300 KB of fields": (
        one("HTTP/1.1 200 OK\n" + f"X-A: {'a' * 30_000}\n" * 10 + "Content-Length: 2", b"ok"),
        200,
        b"ok",
    ),
    "more fields than anybody sends": (
        closing("HTTP/1.1 200 OK\n" + f"X-A: {'a' * 60_000}\n" * 20),
        502,
        None,
    ),
    "a protocol that was not asked for": (
        closing("HTTP/1.1 101 Switching Protocols\nUpgrade: x"),
        502,
        None,
    ),
    "no HTTP": (Script(b"220 hello\r\n\r\n", then="close"), 502, None),
}


@pytest.mark.parametrize("way", TO_ONE)
@pytest.mark.parametrize("what", H1_ANSWERS)
def test_answers_of_http1(office: OddOffice, what: str, way: str) -> None:
    """Heads and lengths as sites send them."""
    script, status, body = H1_ANSWERS[what]
    got = office.ask(way, "/answer", script)
    assert got.status == status
    assert got.end == "complete" or (got.end == "until close" and "ends" in what)
    assert body is None or got.body == body


NO_STATUSES = ["1000", "99", "0", "-1", "2e2", "20", "2_00", "+200", "0200", "ok"]


@pytest.mark.parametrize("way", TO_ONE)
@pytest.mark.parametrize("status", NO_STATUSES)
def test_what_is_no_status_of_http1(office: OddOffice, status: str, way: str) -> None:
    """Anything but three digits is a 502."""
    script = closing(f"HTTP/1.1 {status} Hello\nContent-Length: 2", b"ok")
    got = office.ask(way, "/status", script)
    assert (got.informational, got.status, got.end) == ([], 502, "complete")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [599, 600, 777, 999])
def test_statuses_that_sites_make_up(office: OddOffice, status: int, way: str) -> None:
    """They are passed on: the site's own programs understand them."""
    script = Script(one(f"HTTP/1.1 {status} Own\nContent-Length: 2", b"ok").answer, status=status)
    got = office.ask(way, "/own", script)
    assert (got.status, got.body, got.end) == (status, b"ok", "complete")


@pytest.mark.parametrize("status", [0, 99, 2000, 20_000])
def test_what_is_no_status_of_http2(office: OddOffice, status: int) -> None:
    """A 502, and other requests on the connection go on."""
    client = office.client("h2-h2")
    office.two.scripts["/status"] = [Script(status=status)]
    assert client.ask("/status").status == 502
    assert client.ask("/next").body == b"ok"


def test_heads_before_the_answer_of_no_status(office: OddOffice) -> None:
    """What h2 takes for one because it begins with 1."""
    got = office.ask("h2-h2", "/before", Script(informational=[(1000, ())]))
    assert (got.informational, got.status) == ([], 502)


@pytest.mark.parametrize("way", TO_ONE)
def test_trailers_of_http1(office: OddOffice, way: str) -> None:
    """They come after the body, without those that would say how to read it."""
    chunks = b"2\r\nok\r\n0\r\nX-Sum: 7\r\nContent-Length: 5\r\n\r\n"
    script = one("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: X-Sum", chunks)
    got = office.ask(way, "/trailer", script)
    assert (got.status, got.body, got.trailers, got.end) == (
        200,
        b"ok",
        [("x-sum", "7")],
        "complete",
    )


@pytest.mark.parametrize("way", FROM_TWO)
def test_trailers_of_http2_requests(office: OddOffice, way: str) -> None:
    """The body is whole; trailers are passed on in HTTP/2 and dropped in HTTP/1.1."""
    got = office.ask(way, "/up", Script(), method="POST", body=b"four", trailers=[("x-sum", "7")])
    seen = office.site(way).to("/up")[-1]
    assert (got.body, seen.body) == (b"ok", b"four")
    assert seen.trailers == (((b"x-sum", b"7"),) if way == "h2-h2" else ())


def test_trailers_of_http2_answers(office: OddOffice) -> None:
    """They are passed on."""
    got = office.ask("h2-h2", "/trailer2", Script(trailers=[(b"x-sum", b"7")]))
    assert (got.body, got.trailers, got.end) == (b"ok", [("x-sum", "7")], "complete")


@pytest.mark.parametrize("way", ["plain", "limited plain", "h1-h1"])
def test_trailers_of_http1_requests(office: OddOffice, way: str) -> None:
    """The body is whole."""
    client = office.client(way)
    client.begin("/up1", "POST", [("Transfer-Encoding", "chunked")])
    client.wire.sendall(b"4\r\nfour\r\n0\r\nX-Sum: 7\r\n\r\n")
    assert client.finish().body == b"ok"
    assert office.site(way).to("/up1")[-1].body == b"four"


INFORMATIONAL = {
    "100": ["100 Continue"],
    "102": ["102 Processing"],
    "103": ["103 Early Hints\r\nLink: </a.css>; rel=preload"],
    "several": [
        "100 Continue",
        "102 Processing",
        "103 Early Hints\r\nLink: </a>",
        "103 Early Hints",
    ],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", INFORMATIONAL)
def test_heads_before_the_answer(office: OddOffice, what: str, way: str) -> None:
    """They are passed on, and the answer is the one that follows."""
    lines = INFORMATIONAL[what]
    statuses = [int(line[:3]) for line in lines]
    heads = b"".join(f"HTTP/1.1 {line}\r\n\r\n".encode() for line in lines)
    script = Script(heads + Script().answer, informational=[(status, ()) for status in statuses])
    got = office.ask(way, "/informed", script)
    assert (got.informational, got.status, got.body) == (statuses, 200, b"ok")


@pytest.mark.parametrize("way", TO_ONE)
def test_no_answer_after_an_informational_head(office: OddOffice, way: str) -> None:
    """A site that closes then gives a 502."""
    got = office.ask(way, "/closes", closing("HTTP/1.1 103 Early Hints"))
    assert (got.informational, got.status, got.end) == ([103], 502, "complete")


def test_http1_0_clients(office: OddOffice) -> None:
    """They know neither informational heads nor chunks."""
    chunked = one("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"2\r\nok\r\n0\r\n\r\n")
    chunks = b"HTTP/1.1 103 Early Hints\r\n\r\n" + chunked.answer
    for way in ("plain", "h1-h1"):
        got = office.ask(way, "/ten", Script(chunks), version="HTTP/1.0")
        assert (got.informational, got["transfer-encoding"], got.body) == ([], None, b"ok")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_answers_without_a_body(office: OddOffice, method: str, way: str) -> None:
    """HEAD with a length, and an empty body."""
    length = 99 if method == "HEAD" else 0
    head = f"HTTP/1.1 200 OK\nContent-Length: {length}"
    script = Script(one(head).answer, fields=[(b"content-length", b"%d" % length)], body=b"")
    got = office.ask(way, "/head", script, method=method)
    assert (got.status, got.body, got.end) == (200, b"", "complete")


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body(office: OddOffice, status: int) -> None:
    """Over HTTP/2, with a length that speaks of another answer."""
    script = Script(status=status, fields=[(b"content-length", b"99")], body=b"")
    got = office.ask("h2-h2", "/nothing", script)
    assert (got.status, got.end) == (status, "complete")


@pytest.mark.parametrize("size", [60_000, 300_000, 1_200_000])
def test_long_fields_of_http2(office: OddOffice, size: int) -> None:
    """Up to a mebibyte is passed on; more is a 502."""
    fields = [(b"x-a", b"a" * 20_000)] * (size // 20_000)
    got = office.ask("h2-h2", "/long", Script(fields=fields))
    assert (got.status, got.end) == (200 if size < 1_000_000 else 502, "complete")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [60_000, 300_000])
def test_long_heads_of_requests(office: OddOffice, size: int, way: str) -> None:
    """Up to 64 KiB are passed on; more is a 431, and other requests on the connection go on."""
    client = office.client(way)
    got = client.ask("/head", fields=[("cookie", "a" * (size // 10))] * 10)
    assert (got.status, got.end) == (200 if size < 65_536 else 431, "complete")
    if way.startswith("h2"):
        assert client.ask("/next").body == b"ok"


@pytest.mark.parametrize("way", ["h2-h2"])
def test_empty_frames(office: OddOffice, way: str) -> None:
    """An empty piece of a body is not its end."""
    got = office.ask(way, "/pieces", Script(body=[b"o", b"", b"k"]))
    assert (got.body, got.end) == (b"ok", "complete")


def test_an_answer_shorter_than_its_length(office: OddOffice) -> None:
    """Over HTTP/2, nobody waits for the rest."""
    short = Script(fields=[(b"content-length", b"5")], body=b"")
    assert office.ask("h2-h2", "/short", short).status == 502
