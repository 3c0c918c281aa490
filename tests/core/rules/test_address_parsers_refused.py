"""Networks, hosts and paths: what each form means, and what is said about the others."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.hosts import HostTable
from proxy_addon.core.rules import address_parsers
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code

quick = settings(max_examples=100, deadline=None)
FORMS = "write example.com for the name and all below it, or =example.com for that name alone"


def refused(parse, value: object) -> tuple[Code, str, str]:
    """Code, message and hint of what a parser says about a value that it cannot read."""
    with pytest.raises(BadValue) as caught:
        parse(value)
    return caught.value.code, caught.value.message, caught.value.hint


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (" 10.0.7.21 ", "10.0.7.21/32"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.8.0/255.255.255.0", "10.0.8.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::1", "::1/128"),
        ("FD00:0:0::/48", "fd00::/48"),
        ("::/0", "::/0"),
    ],
)
def test_networks_are_read(written: str, found: str) -> None:
    """An address is the network of it alone; masks and long spellings have a short one."""
    assert str(address_parsers.network(written)) == found


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("10.0.8.1/24", "10.0.8.0/24"),
        ("10.0.8.1/31", "10.0.8.0/31"),
        ("1.0.0.0/0", "0.0.0.0/0"),
        ("fd00::1/8", "fd00::/8"),
    ],
)
def test_bits_after_the_prefix(written: str, right: str) -> None:
    """The hint is the network that the address lies in."""
    message = f'"{written}" has bits set after its prefix'
    assert refused(address_parsers.network, written) == (
        Code.BAD_ADDRESS,
        message,
        f"write {right}",
    )


@pytest.mark.parametrize(
    "written", ["10.0.7", "10.0.7.256", "10.0.7.21/33", "::/129", "10.0.0.1-9", "lobby", "", "1:2"]
)
def test_addresses_that_are_refused(written: str) -> None:
    """What neither family knows, and prefixes that are one too long."""
    message = f'"{written}" is not an address or a network'
    hint = "write 10.0.7.21 or 10.0.8.0/24"
    assert refused(address_parsers.network, written) == (Code.BAD_ADDRESS, message, hint)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_network_is_read_as_it_prints(number: int, prefix: int) -> None:
    """Writing a network and reading it again gives the same network."""
    network = ip_network((number >> (32 - prefix) << (32 - prefix), prefix))
    assert address_parsers.network(str(network)) == network


@quick
@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_the_hint_for_extra_bits_is_always_right(number: int, prefix: int) -> None:
    """Whoever writes what the hint says is understood, and gets the network around the address."""
    written = f"{ip_network(number).network_address}/{prefix}"
    try:
        found = address_parsers.network(written)
    except BadValue as error:
        found = address_parsers.network(error.hint.removeprefix("write "))
    assert found == ip_network(written, strict=False)


@pytest.mark.parametrize(
    ("pattern", "hit", "missed"),
    [
        ("x.com", "api.x.com", "netflix.com"),
        ("*.x.com", "x.com", "ax.com"),
        ("=x.com", "x.com", "api.x.com"),
        ("a*.x.com", "ab.x.com", "ba.x.com"),
        ("=a*.x.com", "ab.x.com", "c.ab.x.com"),
        ("X.Com.", "x.com", "x.com.uk"),
        ("bücher.example", "xn--bcher-kva.example", "bucher.example"),
    ],
)
def test_what_a_host_means(pattern: str, hit: str, missed: str) -> None:
    """Each form finds the hosts that it should, and not the ones beside them."""
    table = HostTable([(address_parsers.host(pattern), True)])
    assert table.find(hit) is True
    assert table.find(missed) is None


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("https://x.com", "write x.com"),
        ("HTTP://x.com/home?a=b", "write x.com"),
        ("x.com/home", "write x.com"),
        ("x.com:8080", "write x.com"),
        ("https://x.com:443/a", "write x.com"),
        ("x.com:http", FORMS),
        ("com", FORMS),
        ("*.com", FORMS),
        ("=com", FORMS),
        ("=*.x.com", FORMS),
        ("https://com/", FORMS),
        ("x..com", FORMS),
        (".x.com", FORMS),
        ("x com", FORMS),
        ("a@x.com", FORMS),
        ("x.com*", FORMS),
        ("==x.com", FORMS),
        ("*", FORMS),
    ],
)
def test_hosts_that_are_refused(written: str, hint: str) -> None:
    """The hint is the host in a URL where there is one, and the two forms where there is none."""
    assert refused(address_parsers.host, written) == (
        Code.BAD_HOST,
        f'"{written}" is not a host',
        hint,
    )


@pytest.mark.parametrize(
    "written", ["/", "/a", "*/a", "*a", "*/", "x.com/", "=x.com/a*", "*.x.com/a"]
)
def test_paths(written: str) -> None:
    """A path begins with a slash or a star, alone or behind a host."""
    assert address_parsers.path(written) == address_parsers.evidence(written) == written


@pytest.mark.parametrize("written", ["x.com", "=x.com", "a.b.c"])
def test_a_host_is_evidence_but_no_path(written: str) -> None:
    """A section needs more than a host under `paths`; `embeds` takes a host as well."""
    assert address_parsers.evidence(written) == written
    message = f'"{written}" is not a path'
    hint = "a path begins with / or *: /learning/*"
    assert refused(address_parsers.path, written) == (Code.BAD_PATH, message, hint)


@pytest.mark.parametrize(
    "written", ["a", "a/b", "*", "/a b", "/a\tb", "https://x.com/a", "com/a", "=*.x.com/a"]
)
def test_what_is_neither_host_nor_path(written: str) -> None:
    """A word, a star alone, spaces, a URL, or a path behind what is no host."""
    code, message, hint = refused(address_parsers.evidence, written)
    shown = written.replace("\t", "\N{REPLACEMENT CHARACTER}")
    assert (code, message) == (Code.BAD_PATH, f'"{shown}" is not a host or a path')
    assert hint == "write example.com, /embed/* or example.com/embed/*"
    assert refused(address_parsers.path, written)[0] is Code.BAD_PATH


@quick
@given(st.text("a.*=/-: ", min_size=1, max_size=10))
def test_a_path_is_evidence(word: str) -> None:
    """Whatever is a path stands under `embeds` too, and so does each host."""
    for parse in (address_parsers.path, address_parsers.host):
        try:
            found = parse(word)
        except BadValue:
            continue
        assert address_parsers.evidence(word) == found
