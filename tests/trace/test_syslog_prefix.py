"""What syslog writes in front."""

from __future__ import annotations

import pytest

from proxy_addon.trace.syslog_prefix import without_prefix

LINE = (
    "1793610120.123 120000 10.0.7.33 TCP_TUNNEL/200 9 CONNECT x.com:443 dora HIER_DIRECT/1.2.3.4 -"
)


@pytest.mark.parametrize(
    "prefix",
    [
        "Oct 30 03:31:46 gw (squid-1): ",
        "Oct  3 03:31:46 gw squid[812]: ",
        "<134>Oct 30 03:31:46 gw squid: ",
        "Oct 30 2026 03:31:46.120 gw squid-access: ",
        "2026-10-30T03:31:46.123456+00:00 gw squid[812]: ",
        "<134>2026-10-30T03:31:46Z gw (squid-1)[77]: ",
        "<134>1 2026-10-30T03:31:46.123Z gw squid 812 - - ",
        '<134>1 2026-10-30T03:31:46Z gw squid 812 access [meta seq="7"][x y="\\]"] \ufeff',
        "squid-1  | ",
    ],
)
def test_prefixes(prefix: str) -> None:
    """RFC 3164, RFC 5424, the ISO form and containers."""
    assert without_prefix(prefix + LINE) == LINE


@pytest.mark.parametrize("line", [LINE, "2026-10-30T03:31:46 120000 2001:db8::1 TCP_HIT/200 9", ""])
def test_lines_without_one(line: str) -> None:
    """The native format is not taken for a prefix."""
    assert without_prefix(line) is None
