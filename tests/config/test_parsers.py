"""Twin of proxy_addon/config/parsers.py: what a person may write, and what comes of it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.config import parsers
from proxy_addon.config.parsers import HostPort, Redirect, TargetPattern


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0:8080", HostPort("0.0.0.0", 8080)),
        ("[::1]:8080", HostPort("::1", 8080)),
        ("[::]:8080", HostPort("::", 8080)),
        (":8080", HostPort("", 8080)),
        ("8080", HostPort("", 8080)),
        (8080, HostPort("", 8080)),
        ("*:8080", HostPort("", 8080)),
        ("proxy.office.example:0", HostPort("proxy.office.example", 0)),
    ],
)
def test_host_port(text, expected):
    """Every usual way to write an address to listen on is understood."""
    assert parsers.host_port(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "x:",
        "::1:8080",
        "[::1]",
        "x:99999",
        "a b:1",
        "[zz]:1",
        "x:-1",
        "x:１",
        "http://x:1",
    ],
)
def test_host_port_refuses(text):
    """What cannot be an address to listen on is refused with an example."""
    with pytest.raises(ValueError, match=r"write HOST:PORT, for example"):
        parsers.host_port(text)


@given(st.sampled_from(["", "127.0.0.1", "::1", "fe80::1", "host.example"]), st.integers(0, 65_535))
def test_host_port_round_trip(host, port):
    """What we print of an address is read back as the same."""
    assert parsers.host_port(str(HostPort(host, port))) == HostPort(host, port)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x.com:443=127.0.0.1:8443", Redirect("x.com", 443, "127.0.0.1", 8443)),
        ("X.COM.:443=[::1]:8443", Redirect("x.com", 443, "::1", 8443)),
        ("[2001:DB8::1]:443=10.0.0.1:1", Redirect("2001:db8::1", 443, "10.0.0.1", 1)),
        ("*:443=127.0.0.1:1", Redirect("*", 443, "127.0.0.1", 1)),
        ("bücher.example:80=127.0.0.1:1", Redirect("xn--bcher-kva.example", 80, "127.0.0.1", 1)),
    ],
)
def test_redirect(text, expected):
    """The lines of the resolve table are read as curl reads them, hosts in one spelling."""
    assert parsers.redirect(text) == expected


@pytest.mark.parametrize(
    "text", ["x.com", "x.com=1.2.3.4", "x.com:443=y.com:1", "x.com:443", ":443=1.2.3.4:1", "=:"]
)
def test_redirect_refuses(text):
    """A line of the resolve table that is incomplete, or leads to a name, is refused with an
    example."""
    with pytest.raises(ValueError, match="write HOST:PORT=ADDRESS:PORT"):
        parsers.redirect(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("intranet.example", TargetPattern("intranet.example", None, None)),
        ("Intranet.example.:8443", TargetPattern("intranet.example", None, 8443)),
        ("127.0.0.1", TargetPattern(None, ip_network("127.0.0.1/32"), None)),
        ("127.0.0.1:9000", TargetPattern(None, ip_network("127.0.0.1/32"), 9000)),
        ("::1", TargetPattern(None, ip_network("::1/128"), None)),
        ("[::1]", TargetPattern(None, ip_network("::1/128"), None)),
        ("[::1]:9000", TargetPattern(None, ip_network("::1/128"), 9000)),
        ("169.254.0.0/16", TargetPattern(None, ip_network("169.254.0.0/16"), None)),
    ],
)
def test_target(text, expected):
    """A target is a name, an address, a network, or one of the first two with a port."""
    assert parsers.target(text) == expected


@pytest.mark.parametrize("text", ["", "a b", "http://x", "x:y", "10.0.0.0/99"])
def test_target_refuses(text):
    """What is none of these is refused."""
    with pytest.raises(ValueError, match="write"):
        parsers.target(text)


def test_network_with_host_bits_names_the_right_one():
    """The error for a network with bits behind its prefix contains the network that was meant."""
    with pytest.raises(ValueError, match=r"write 10\.0\.0\.0/8"):
        parsers.network("10.1.2.3/8")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1.0), ("500ms", 0.5), ("2m", 120.0), ("1h", 3600.0), (3, 3.0), ("1.5 s", 1.5)],
)
def test_duration(text, seconds):
    """Durations are read with their units, and bare numbers as seconds."""
    assert parsers.duration(0, 3600)(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "1d", "-1s", "2h", True, "inf", "nan", "1s2"])
def test_duration_refuses(text):
    """What is not a duration, or lies outside the bounds, is refused with the bounds."""
    with pytest.raises(ValueError, match="from 0s to 3600s"):
        parsers.duration(0, 3600)(text)


@given(st.lists(st.integers(1, 65_535), max_size=5))
def test_lists_may_be_one_text(ports):
    """A list is the same list whether it is a TOML array, a comma list or a list with blanks."""
    parse = parsers.many(parsers.whole_number(1, 65_535))
    assert (
        parse(ports)
        == parse(",".join(map(str, ports)))
        == parse(" ".join(map(str, ports)))
        == tuple(ports)
    )


def test_upstream_proxy_keeps_its_password_to_itself():
    """Credentials of the upstream proxy are there to be used, and in no text that could be
    logged."""
    proxy = parsers.upstream_proxy("http://us%40er:pa%3Ass@[::1]:3128")
    assert proxy is not None
    assert (proxy.credentials, proxy.url) == ("us@er:pa:ss", "http://[::1]:3128")
    assert "pa" not in repr(proxy).replace("UpstreamProxy", "")
    assert "pa:ss" not in str(proxy)


@pytest.mark.parametrize(
    "text", ["proxy:3128", "socks5://p:1", "http://", "http://p:x", "http://p/path", "http://[::1"]
)
def test_upstream_proxy_refuses(text):
    """Only http and https proxies, told by host and port, can be next."""
    with pytest.raises(ValueError, match="write http://HOST:PORT"):
        parsers.upstream_proxy(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqlite:///var/a.db", "sqlite:///var/a.db"),
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
    ],
)
def test_database(text, expected):
    """The short forms of a Postgres URL get the driver that is installed."""
    assert parsers.database(text) == expected


def test_direct_database() -> None:
    """The server behind a pooler is a Postgres, or none is named."""
    assert parsers.direct_database(" ") == ""
    assert parsers.direct_database("postgres://h/d") == "postgresql+psycopg://h/d"
    with pytest.raises(ValueError, match="write postgresql://"):
        parsers.direct_database("sqlite:///a.db")


@pytest.mark.parametrize("text", ["http://u:p w@h:1", "http://u:p@@h", "x://u:p/w@h"])
def test_credentials_are_hidden(text):
    """Nothing between the scheme and the host of a URL is shown, however badly it is written."""
    assert "p" not in parsers.hide_credentials(text).removeprefix("http")


@pytest.mark.parametrize("value", [True, "true", "Yes", " on ", "1"])
def test_switch_on(value):
    """A switch is on by the words that people and environments use."""
    assert parsers.yes_or_no(value) is True


@pytest.mark.parametrize("value", [False, "false", "NO", "off", "0"])
def test_switch_off(value):
    """And off by theirs."""
    assert parsers.yes_or_no(value) is False


@pytest.mark.parametrize("value", ["", "maybe", None, 2])
def test_switch_refuses(value):
    """What is neither is refused."""
    with pytest.raises(ValueError, match="write true or false"):
        parsers.yes_or_no(value)


def test_path_or_none():
    """None is none; what is given has to be a path."""
    assert parsers.path_or_none(None) is None
    assert str(parsers.path_or_none("a/b")) == "a/b"
    with pytest.raises(ValueError, match="path of a file or folder"):
        parsers.path_or_none(" ")


@pytest.mark.parametrize(
    ("written", "part"), [("0", 0.0), (1, 1.0), (0.25, 0.25), (" 10% ", 0.1), ("100 %", 1.0)]
)
def test_parts_of_a_whole(written: object, part: float) -> None:
    """As a number or in per cent."""
    assert parsers.fraction(written) == part


@pytest.mark.parametrize("written", ["", "2", "-0.1", "101%", "1e-3", True, "half", "0.1.1", None])
def test_no_parts_of_a_whole(written: object) -> None:
    """The message says what to write."""
    with pytest.raises(ValueError, match=r"from 0 to 1, such as 0\.1 or 10%"):
        parsers.fraction(written)


@pytest.mark.parametrize(
    ("written", "seconds"), [("30d", 30 * 86_400.0), (" 1d ", 86_400.0), ("12h", 43_200.0)]
)
def test_long_durations(written: str, seconds: float) -> None:
    """Commands take days as well."""
    assert parsers.long_duration(written) == seconds


@pytest.mark.parametrize("written", ["", "d", "-1d", "1.5d", "36501d", "1 d", "soon"])
def test_no_long_durations(written: str) -> None:
    """Whole days, up to a hundred years."""
    with pytest.raises(ValueError, match="write a time"):
        parsers.long_duration(written)


@pytest.mark.parametrize(
    ("listens", "asked"),
    [
        (":8081", "127.0.0.1:8081"),
        ("0.0.0.0:8081", "127.0.0.1:8081"),
        ("[::]:8081", "[::1]:8081"),
        ("10.0.0.5:8081", "10.0.0.5:8081"),
    ],
)
def test_an_address_as_seen_from_here(listens: str, asked: str) -> None:
    """What listens on all addresses is reached by loopback."""
    assert str(parsers.host_port(listens).from_here) == asked
