"""Open connections after a change of rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import connection

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import Mode, People, RuleSet
from proxy_addon.core.types import Person
from proxy_addon.proxy.rule_changes import follow
from tests.proxy.harness import NOON, PAGE, ProxyHarness, connect, inside, request


class RecordingTerminator:
    """Stands where mitmproxy closes connections, and writes them down."""

    def __init__(self) -> None:
        self.clients: list[connection.Client] = []

    def client(self, client: connection.Client) -> None:
        """End a client connection."""
        self.clients.append(client)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ProxyHarness]:
    """An office of which nobody is signed in."""
    made = ProxyHarness(tmp_path, sign_in="off")
    yield made
    made.close()


def swap(harness: ProxyHarness, rules: RuleSet) -> RecordingTerminator:
    """Put other rules into force, as the proxy does; what was closed."""
    terminator: Any = RecordingTerminator()
    harness.addon.in_flight._terminator = terminator
    harness.enforcer.swap(CompiledPolicy.of(rules), harness.clock.now())
    follow(harness.addon)
    return terminator


def without(harness: ProxyHarness, rule: str) -> RuleSet:
    """The rules without one of them."""
    rules = tuple(each for each in harness.rules.rules if each.name != rule)
    limited = frozenset(
        t.platform for each in rules for t in each.targets or () if each.then != "allow"
    )
    return replace(harness.rules, rules=rules, limited=limited)


def seated(harness: ProxyHarness, name: str | None, role: str | None = None) -> RuleSet:
    """The rules with somebody else at the device of 127.0.3.1."""
    people = People("staff", {"staff": ()}, ((ip_network("127.0.3.1"), name, role),))
    return replace(harness.rules, people=people)


async def tunnel(harness: ProxyHarness, authority: str, address: str = "127.0.3.1") -> Any:
    """A CONNECT that was let through."""
    flow = connect(authority, address=address)
    harness.addon.client_connected(flow.client_conn)
    await harness.addon.http_connect(flow)
    return flow


async def test_relayed_tunnels_to_what_is_limited_now_are_closed(harness: ProxyHarness) -> None:
    """Only they: others go on untouched."""
    everything = harness.rules
    swap(harness, without(harness, "Not here"))
    now_limited, other = (
        await tunnel(harness, "www.tiktok.com:443"),
        await tunnel(harness, "news.example:443"),
    )
    for flow in (now_limited, other):
        harness.addon.connections.of(flow.client_conn).passed = True
    assert swap(harness, everything).clients == [now_limited.client_conn]


async def test_nobody_is_closed_by_a_change_that_frees(harness: ProxyHarness) -> None:
    """A platform that was taken out goes on until its client closes."""
    await tunnel(harness, "www.facebook.com:443")
    assert swap(harness, without(harness, "A little every day")).clients == []


async def test_another_person_sits_at_the_device(harness: ProxyHarness) -> None:
    """Requests in a tunnel that is open, and what runs in it, are theirs from now on."""
    outer = await tunnel(harness, "www.facebook.com:443")
    flow = inside(outer, "https://www.facebook.com/", PAGE)
    await harness.addon.requestheaders(flow)
    flight = harness.addon.in_flight.flight(flow)
    assert flight is not None
    assert flight.person == Person("dora", ("staff",))
    swap(harness, seated(harness, "zoe"))
    assert flight.person == Person("zoe", ("staff",))
    later = inside(outer, "https://www.facebook.com/", PAGE)
    await harness.addon.requestheaders(later)
    found = harness.addon.in_flight.flight(later)
    assert found is not None
    assert found.person.name == "zoe"


async def test_a_role_of_the_device_follows(harness: ProxyHarness) -> None:
    """Given and taken."""
    flow = request("http://www.facebook.com/", headers=PAGE, address="127.0.3.1")
    outer = await tunnel(harness, "chatter.example:443")
    flight = harness.addon.connections.of(outer.client_conn).flight
    assert flight is not None
    swap(harness, seated(harness, None, "visitor"))
    assert flight.person == Person("ip:127.0.3.1", ("visitor",))
    swap(harness, seated(harness, "dora"))
    assert flight.person == Person("dora", ("staff",))
    await harness.addon.requestheaders(flow)
    plain = harness.addon.in_flight.flight(flow)
    assert plain is not None
    swap(harness, seated(harness, "dora"))
    assert plain.person.name == "dora"


async def test_strangers_who_are_refused_now(harness: ProxyHarness) -> None:
    """`unidentified: refuse` holds for the next request in an open tunnel."""
    outer = await tunnel(harness, "www.facebook.com:443", "127.0.8.8")
    swap(harness, replace(harness.rules, unidentified_role=None))
    flow = inside(outer, "https://www.facebook.com/", PAGE)
    await harness.addon.requestheaders(flow)
    assert flow.response is not None
    assert flow.response.headers["X-Allowance-Reason"] == "unidentified"


async def test_strangers_while_observing(harness: ProxyHarness) -> None:
    """They go on, uncharged, and are counted as would-block: in requests and in closed tunnels."""
    swap(harness, replace(harness.rules, unidentified_role=None, mode=Mode.OBSERVE))
    flow = request("http://www.facebook.com/", headers=PAGE, address="127.0.8.8")
    await harness.addon.requestheaders(flow)
    assert flow.response is None
    labels = {
        "platform": "facebook",
        "role": "nobody",
        "verdict": "would_block",
        "reason": "unidentified",
    }
    assert harness.counted("requests_total", **labels) == 1
    outer = await tunnel(harness, "chatter.example:443", "127.0.8.8")
    assert outer.response is None
    assert harness.visits == []
    assert harness.clock.now() == NOON
