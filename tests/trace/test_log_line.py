"""From columns to an event."""

from __future__ import annotations

import pytest

from proxy_addon.trace.event import BadRecordError, TraceEvent, TraceFault
from proxy_addon.trace.log_line import LogLine, event_of, figure, sent_bytes, status_code

GET = LogLine(
    1793610001.0, 1.0, "10.0.0.7", "ana", "GET", "https://x.com/a?b=1", 200, 900, "text/html"
)
CONNECT = GET._replace(method="CONNECT", url="x.com:443", content_type="-")


def read(line: LogLine, user: str | None = None) -> TraceEvent:
    """A line that is a request."""
    found = event_of(line, user)
    assert found is not None
    return found


def test_the_start_is_the_end_less_the_duration() -> None:
    """An answer of HTML to a GET was a page that a browser asked for."""
    event = read(GET)
    assert (event.at, event.duration, event.kind) == (1793610000.0, 1.0, "request")
    assert (event.host, event.path, event.query) == ("x.com", "/a", "b=1")
    assert event.headers == {"accept": "text/html"}


def test_tunnels() -> None:
    """CONNECT, and the dash of e2guardian; refused ones carried nothing, and are requests."""
    assert read(CONNECT).kind == "tunnel"
    dash = GET._replace(method="-", url="https://www.facebook.com", status=0, content_type="-")
    assert (read(dash).kind, read(dash).host) == ("tunnel", "www.facebook.com")
    assert read(dash._replace(status=403)).kind == "request"
    assert read(dash._replace(url="https://x.com/a")).kind == "request"
    assert read(CONNECT._replace(status=403)).kind == "request"
    assert read(CONNECT._replace(url="https://x.com:443/")).host == "x.com"
    assert read(CONNECT._replace(url="[2001:db8::1]:443")).host == "2001:db8::1"


def test_a_tunnel_without_a_duration_is_estimated() -> None:
    """It ended when the line was written, and was at least as long as its bytes say."""
    event = read(CONNECT._replace(elapsed=None, sent=4_000_000))
    assert event.estimated
    assert (event.at, event.duration) == (1793609901.0, 100.0)
    assert not read(CONNECT).estimated


def test_a_type_that_the_format_lacks_is_guessed() -> None:
    """From the path; what an app's own agent asks for is no page."""
    bare = GET._replace(content_type=None)
    assert read(bare).headers == {"accept": "text/html"}
    assert read(bare._replace(url="https://x.com/a.js")).content_type == "text/javascript"
    combined = bare._replace(referer="https://news.example/", agent="okhttp/4")
    assert read(combined).headers == {
        "referer": "https://news.example/",
        "user-agent": "okhttp/4",
    }


@pytest.mark.parametrize(
    ("name", "client", "who"),
    [
        ("dora", "10.0.0.7", "dora"),
        ("a%20b", "10.0.0.7", "a b"),
        ("OFFICE%5cdora", "10.0.0.7", "OFFICE\\dora"),
        ("dora@OFFICE.EXAMPLE", "10.0.0.7", "dora@OFFICE.EXAMPLE"),
        ("J%C3%B6rg", "10.0.0.7", "Jörg"),
        ("J%F6rg", "10.0.0.7", "Jörg"),
        ("-", "10.0.0.7", "ip:10.0.0.7"),
        ("10.0.0.7", "10.0.0.7", "ip:10.0.0.7"),
    ],
)
def test_names(name: str, client: str, who: str) -> None:
    """Without their escapes, as UTF-8 or Latin-1; an address is no name."""
    assert read(GET._replace(user=name, client=client)).user == who


def test_people_without_a_name() -> None:
    """The option stands for them; without name and address there is nobody."""
    assert read(GET._replace(user="-"), "bo").user == "bo"
    assert read(GET._replace(user="-", client="-"), "bo").user == "bo"
    with pytest.raises(BadRecordError) as caught:
        event_of(GET._replace(user="-", client="-"))
    assert caught.value.reason is TraceFault.MISSING


@pytest.mark.parametrize(
    "line",
    [
        GET._replace(url="error:transaction-end-before-headers"),
        GET._replace(url="cache_object://localhost/info"),
        GET._replace(method="NONE"),
        GET._replace(method="ICP_QUERY"),
    ],
)
def test_what_is_not_a_request(line: LogLine) -> None:
    """The proxy's own affairs."""
    assert event_of(line) is None


def test_figures() -> None:
    """A dash is none; other text is a fault."""
    assert (sent_bytes("-"), sent_bytes("12"), status_code("-"), status_code("200")) == (
        0,
        12,
        0,
        200,
    )
    with pytest.raises(BadRecordError):
        figure("x", "bytes")
