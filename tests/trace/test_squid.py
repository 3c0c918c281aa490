"""Squid's native columns."""

from __future__ import annotations

import pytest

from proxy_addon.trace.event import BadRecordError, TraceFault
from proxy_addon.trace.log_line import LogLine
from proxy_addon.trace.squid import is_native, line_of

GET = "1793610001.250   1250 10.0.0.7 TCP_MISS/200 51234 GET http://x.com/a?b=1 ana HIER_DIRECT/1.2.3.4 text/html"


def read(text: str) -> LogLine:
    """A line that is one."""
    fields = text.split()
    assert is_native(fields)
    found = line_of(fields)
    assert found is not None
    return found


def test_columns() -> None:
    """Each in its place; milliseconds are seconds."""
    assert read(GET) == LogLine(
        1793610001.25, 1.25, "10.0.0.7", "ana", "GET", "http://x.com/a?b=1", 200, 51234, "text/html"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("text/html", ""),
        ("text/html", "-"),
        ("text/html", "text/html;"),
        ("text/html", "text/html [Host: a\\r\\n b KHTML/6 c] [HTTP/1.1 200 OK]"),
        ("text/html", 'text/html "Mozilla/5.0 (X11) OPR/7 Safari/5"'),
        ("HIER_DIRECT/1.2.3.4", "HIER_DIRECT/2001:db8::1"),
        ("HIER_DIRECT/1.2.3.4", "DEFAULT_PARENT/"),
        ("HIER_DIRECT/1.2.3.4", "NONE/-"),
        ("HIER_DIRECT/1.2.3.4", "-"),
        ("HIER_DIRECT/1.2.3.4", "TIMEOUT_FIRSTUP_PARENT/p"),
        ("1793610001.250", "2026-11-02T09:00:01.250"),
        ("1793610001.250", "2026-11-02 09:00:01.250"),
        ("http://x.com/a?b=1", "http://x.com/a?b=1 bob HIER_DIRECT/1 text/html"),
        ("http://x.com/a?b=1", "http://x.com/ b - NONE/- -"),
    ],
)
def test_the_person_is_certain_in_each_variant(old: str, new: str) -> None:
    """Whatever stands in the URL or behind the type, the name is the column before the
    hierarchy."""
    line = read(GET.replace(old, new))
    assert line.user == "ana"
    assert (line.ended, line.status, line.sent) == (1793610001.25, 200, 51234)
    assert line.url.startswith("http://x.com/")


def test_what_is_ambiguous_is_not_read() -> None:
    """Blanks in the URL and columns that an office added, both with what may be a hierarchy."""
    text = GET.replace("?b=1", " bob HIER_DIRECT/1 x").replace("text/html", "text/html a b")
    with pytest.raises(BadRecordError) as caught:
        read(text)
    assert caught.value.reason is TraceFault.SYNTAX


def test_a_clock_that_was_set_gives_no_negative_time() -> None:
    """The transfer took no time."""
    assert read(GET.replace("1250 10", "-12 10")).elapsed == 0.0


def test_questions_between_caches_are_not_requests() -> None:
    """ICP lines and clients that hang up before they ask."""
    assert line_of(GET.replace("TCP_MISS/200", "UDP_MISS/000").split()) is None
    assert line_of(GET.replace("http://x.com/a?b=1", "error:invalid-request").split()) is None


@pytest.mark.parametrize("text", ["", "1793610001.250 12 10.0.0.7", "a b c d/200 5 GET x"])
def test_other_lines(text: str) -> None:
    """The fourth column tells."""
    assert not is_native(text.split())
