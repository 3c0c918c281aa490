"""`common` and `combined`."""

from __future__ import annotations

import pytest

from proxy_addon.trace.common_log import line_of
from proxy_addon.trace.log_line import LogLine

FRONT = "10.0.7.33 - dora [30/Oct/2026:03:31:46 +0100] "


def read(text: str) -> LogLine:
    """A line that is one."""
    found = line_of(text)
    assert found is not None
    return found


def test_common() -> None:
    """Client, user, time of the end, request, status, bytes; no duration and no type."""
    line = read(FRONT + '"CONNECT www.facebook.com:443 HTTP/1.1" 200 900 TCP_TUNNEL:HIER_DIRECT')
    assert line == LogLine(
        1_793_327_506.0, None, "10.0.7.33", "dora", "CONNECT", "www.facebook.com:443", 200, 900
    )


def test_combined() -> None:
    """Referer and User-Agent as well, with escaped quotes in them."""
    tail = r'200 900 "https://x.com/a" "Mozilla/5.0 \"odd\"" TCP_MISS:HIER_DIRECT'
    line = read(FRONT + f'"GET https://x.com/a b?q=1 HTTP/1.1" {tail}')
    assert (line.url, line.referer) == ("https://x.com/a b?q=1", "https://x.com/a")
    assert line.agent.startswith("Mozilla/5.0")


def test_a_user_cannot_be_made_up_in_a_url() -> None:
    """What looks like the end of the request inside of it is escaped by whoever writes the log."""
    line = read(FRONT + r'"GET https://x.com/\" 200 1 HTTP/1.1" 404 - "-" "-"')
    assert (line.user, line.status, line.sent) == ("dora", 404, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        FRONT,
        FRONT + '"GET /index.html HTTP/1.1" 200 5',  # a web server's own log
        FRONT + '"-" 408 -',
        '10.0.7.33 - dora 30/Oct/2026 "GET https://x.com/ HTTP/1.1" 200 5',
    ],
)
def test_other_lines(text: str) -> None:
    """None: they have another form."""
    assert line_of(text) is None
