"""Networks, hosts and paths."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.hosts import HostTable
from proxy_addon.core.rules import address_parsers
from proxy_addon.core.rules.parsers import BadValue


def test_networks() -> None:
    """Addresses and networks of both families."""
    assert address_parsers.network("10.0.7.21") == ip_network("10.0.7.21/32")
    assert address_parsers.network("fd00::/8") == ip_network("fd00::/8")


@pytest.mark.parametrize(
    "written", ["x.com", "=t.co", "*.x.com", "scontent*.fbcdn.net", "bücher.example", "x.com."]
)
def test_hosts_that_are_let_in_can_be_looked_up(written: str) -> None:
    """What passes here compiles in the table of hosts."""
    HostTable([(address_parsers.host(written), True)])


@given(st.text(alphabet="ab.*=-_/ü:", min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_no_host_that_is_let_in_breaks_the_table(word: str) -> None:
    """The table never raises for a host that was let in."""
    try:
        host = address_parsers.host(word)
    except BadValue:
        return
    HostTable([(host, True)])


@pytest.mark.parametrize(
    "written", ["/embed/*", "*/realtime/*", "t.co/i/adsct*", "=t.co/a", "*client_event"]
)
def test_paths_with_and_without_a_host(written: str) -> None:
    """The forms that the catalogue knows."""
    assert address_parsers.path(written) == address_parsers.evidence(written) == written
