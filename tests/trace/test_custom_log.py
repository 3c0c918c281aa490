"""Formats that offices made."""

from __future__ import annotations

import pytest

from proxy_addon.trace.custom_log import line_of

TIME = "1793610120.123"
DATE = "[30/Oct/2026:03:31:46 +0100]"
FACEBOOK = "CONNECT www.facebook.com:443"
MODERN = f"{TIME} {DATE} 120000 10.0.7.33 - dora {FACEBOOK} HTTP/1.1 - 200 900 TCP_TUNNEL HIER_DIRECT/1.2.3.4 -"

XFF = (
    f"{TIME} {DATE} 91 172.16.16.77 - - GET http://x.com/a? HTTP/1.1 text/plain 200 367 "
    "TCP_MISS HIER_DIRECT/x.com 45"
)


@pytest.mark.parametrize(
    ("text", "user", "elapsed"),
    [
        (MODERN, "dora", 120.0),
        (MODERN.replace("- dora", "dora"), "dora", 120.0),
        (MODERN.replace("- dora", "- -"), "-", 120.0),
        (MODERN.replace(f"{DATE} ", ""), "dora", 120.0),
        (MODERN.replace(f"{TIME} ", ""), "dora", 120.0),
        (MODERN.replace("120000 ", ""), "dora", None),
        (MODERN.replace("120000", "-5"), "dora", 0.0),
        (MODERN.replace("dora", "10.0.7.33"), "10.0.7.33", 120.0),
        (f'{TIME} 120000 10.0.7.33 dora TCP_TUNNEL/200 900 {FACEBOOK} HIER_DIRECT/1.2.3.4', "dora", 120.0),
        (f'{DATE} 10.0.7.33 dora "{FACEBOOK} HTTP/1.1" 200 900 TCP_TUNNEL', "dora", None),
        (f"{TIME} 120000 10.0.7.33 {FACEBOOK} 200 900 TCP_TUNNEL dora HIER_DIRECT/1 -", "dora", 120.0),
        (XFF, "-", 0.091),
    ],
)  # fmt: skip
def test_columns_that_are_certain(text: str, user: str, elapsed: float | None) -> None:
    """Told by what they look like."""
    line = line_of(text)
    assert line is not None
    assert (line.user, line.elapsed, line.status) == (user, elapsed, 200)
    assert line.sent in (900, 367)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one two three four",
        f"{TIME} 5 {FACEBOOK} 200 900 TCP_TUNNEL HIER_DIRECT/1 -",  # nobody
        MODERN.replace("- dora", "192.168.1.9 -"),  # two addresses
        MODERN.replace("- dora", "- 192.168.1.9"),
        MODERN.replace("- dora", "a b dora"),
        MODERN.replace("- dora", "dora 77"),
        MODERN.replace("- dora", "TCP_MISS dora"),
        MODERN.replace("CONNECT ", "LOOK "),
        MODERN.replace(" 200 900", " 200"),
        MODERN.replace(" 200 900", ""),
        MODERN.replace("10.0.7.33", "pc7"),
        f"{TIME} 120000 10.0.7.33 {FACEBOOK} 200 900 TCP_TUNNEL",
    ],
)
def test_columns_that_are_not(text: str) -> None:
    """Whose line it is has to be certain, and how it ended."""
    assert line_of(text) is None


def test_whoever_names_only_an_ident_is_nobody() -> None:
    """Anybody can claim one, so the address counts."""
    line = line_of(MODERN.replace("- dora", "dora -"))
    assert line is not None
    assert line.user == "-"
