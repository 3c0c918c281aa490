"""Twin of proxy_addon/proxy/free_tunnel.py: whoever is free is not read. With the light path and
without it, through a real proxy on a moved clock."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace

import pytest

from proxy_addon.core.metering.evidence import is_estimated
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import Decrypt, Mode, Rule, RuleSet, Then, When
from proxy_addon.core.types import Target
from proxy_addon.proxy.rule_changes import follow
from tests.e2e.client import NAVIGATE, read_all, read_until
from tests.e2e.waiting import until
from tests.proxy.harness import Serving

ME = "ip:127.0.0.1"
HALF_PAST_TWELVE = 12 * 3600 + 1800
LUNCH = When(between=((12 * 3600, HALF_PAST_TWELVE),))
MINUTE = 60.0


def lunch(rules: RuleSet, *platforms: str) -> RuleSet:
    """Until half past twelve these platforms are free."""
    targets = frozenset(Target(name) for name in platforms)
    free = Rule("Lunch", Then.ALLOW, targets=targets, when=LUNCH)
    return replace(rules, rules=(free, *rules.rules))


def put_into_force(proxy: Serving, rules: RuleSet) -> None:
    """Other rules hold from now on, as after a reload."""

    def swap() -> None:
        harness = proxy.harness
        harness.enforcer.swap(CompiledPolicy.of(rules), harness.clock.now())
        follow(harness.addon)

    proxy.on_loop(swap)


def advance(proxy: Serving, seconds: float) -> None:
    """Let time go by, and look at what is due."""

    def move() -> None:
        addon = proxy.harness.addon
        for client in list(addon.acceptor._clients if addon.acceptor else ()):
            client.count()  # as every five seconds
        proxy.harness.clock.advance(seconds)
        addon.in_flight.end_due()

    proxy.on_loop(move)


@pytest.fixture
def office(proxy: Serving) -> Serving:
    """It is noon, and Facebook is free until half past twelve."""
    put_into_force(proxy, lunch(proxy.harness.rules, "facebook"))
    return proxy


def opened(proxy: Serving, connect: str, name: str | None = None) -> tuple[bool, ssl.SSLSocket]:
    """A connection to a site through a tunnel; whether the proxy reads it: its certificate is the
    proxy's."""
    status, tunnel = proxy.client.tunnel(connect)
    assert status == 200
    tls = proxy.client.tls(tunnel, name or connect)
    issuer = dict(part[0] for part in tls.getpeercert()["issuer"])  # type: ignore[index, misc]
    return "Allowance" in str(issuer), tls


def fetch(tls: ssl.SSLSocket, host: str, path: str = "/") -> bytes:
    """A page over a connection that stays open; the head of its answer."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in NAVIGATE.items())
    tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode())
    return read_until(tls, b"\r\n\r\n")


def ends(connection: socket.socket) -> None:
    """The proxy ends this connection."""
    read_all(connection)


def runs(connection: socket.socket, seconds: float = 0.3) -> bool:
    """Whether a connection is still open."""
    connection.settimeout(seconds)
    try:
        while connection.recv(65_536):
            pass
    except TimeoutError:
        return True
    return False


def test_whoever_is_free_is_not_read(office: Serving) -> None:
    """The site's own certificate reaches the client, the tunnel is counted as passed on, and its
    decision is the rule's."""
    reads, tls = opened(office, "www.facebook.com")
    assert not reads
    assert fetch(tls, "www.facebook.com").startswith(b"HTTP/1.1 200")
    counted = office.harness.counted
    until(lambda: counted("tunnels_total", how="passed") == 1, "the tunnel to be counted")
    assert counted("tunnels_total", how="decrypted") == 0
    reads, _ = opened(office, "x.com")
    assert reads, "what is charged is opened as ever"


def test_free_time_is_estimated_from_bytes(office: Serving) -> None:
    """Busy seconds become free time that is marked as estimated, and nobody's attention."""
    _, tls = opened(office, "www.facebook.com")
    fetch(tls, "www.facebook.com", "/big?bytes=40000000")
    for _ in range(8):
        for _ in range(20):
            tls.recv(100_000)
        advance(office, 5.0)
    tls.close()
    office.empty()
    written = office.on_loop(lambda: list(office.harness.visits))
    visits = [visit for visit in written if visit.end > visit.start]  # the others were withdrawn
    assert visits and all(visit.allowance is None for visit in visits)
    assert all(is_estimated(visit.evidence) for visit in visits)


def test_it_ends_at_a_pause_when_lunch_is_over(office: Serving) -> None:
    """And is opened when its client comes back."""
    _, tls = opened(office, "www.facebook.com")
    fetch(tls, "www.facebook.com")
    advance(office, 29 * MINUTE)
    assert runs(tls)
    advance(office, MINUTE + 1)
    for _ in range(5):
        advance(office, 5.0)
    ends(tls)
    reads, again = opened(office, "www.facebook.com")
    assert reads
    assert fetch(again, "www.facebook.com").startswith(b"HTTP/1.1 200")


def test_it_ends_within_seconds_for_somebody_who_is_blocked(office: Serving) -> None:
    """Their fifteen minutes are used up already."""
    office.spend(ME)
    _, tls = opened(office, "www.facebook.com")
    fetch(tls, "www.facebook.com")
    advance(office, 30 * MINUTE + 1)
    advance(office, 4.0)
    ends(tls)
    _, again = opened(office, "www.facebook.com")
    assert fetch(again, "www.facebook.com").startswith(b"HTTP/1.1 403")


def test_one_that_was_opened_stays_opened(proxy: Serving) -> None:
    """A tunnel of before lunch goes on being read, and is free."""
    reads, tls = opened(proxy, "www.facebook.com")
    assert reads
    put_into_force(proxy, lunch(proxy.harness.rules, "facebook"))
    assert fetch(tls, "www.facebook.com").startswith(b"HTTP/1.1 200")
    assert runs(tls)


def test_a_greeting_for_another_platform(office: Serving) -> None:
    """CONNECT to what is free and a ClientHello for what is charged: it is opened."""
    reads, _ = opened(office, "www.facebook.com", "x.com")
    assert reads


def test_two_free_platforms_in_one_tunnel(proxy: Serving) -> None:
    """CONNECT to one and a ClientHello for another are opened, although both are free: only one of
    them would be watched, and the tunnel would go on when the other is charged again."""
    put_into_force(proxy, lunch(proxy.harness.rules, "facebook", "x"))
    assert not opened(proxy, "www.facebook.com")[0]
    assert not opened(proxy, "x.com")[0]
    assert opened(proxy, "www.facebook.com", "x.com")[0]


def test_platforms_of_one_operator(proxy: Serving) -> None:
    """With one of them free and the other charged both are opened, because a connection to one can
    carry requests for the other."""
    rules = proxy.harness.rules
    together = {
        name: replace(platform, operator="one") if name in ("facebook", "x") else platform
        for name, platform in rules.platforms.items()
    }
    put_into_force(proxy, lunch(replace(rules, platforms=together), "facebook"))
    assert opened(proxy, "www.facebook.com")[0]
    put_into_force(proxy, lunch(replace(rules, platforms=together), "facebook", "x"))
    assert not opened(proxy, "www.facebook.com")[0]
    assert not opened(proxy, "x.com")[0]


def test_what_is_free_is_opened_where_the_policy_says_so(proxy: Serving) -> None:
    """`decrypt: limited`."""
    rules = replace(proxy.harness.rules, decrypt=Decrypt.LIMITED)
    put_into_force(proxy, lunch(rules, "facebook"))
    assert opened(proxy, "www.facebook.com")[0]


def test_a_policy_that_is_tried_out(proxy: Serving) -> None:
    """An observed rule counts as if it were enforced: charged is opened, allowed is relayed."""
    rules = replace(proxy.harness.rules, mode=Mode.OBSERVE)
    put_into_force(proxy, lunch(rules, "facebook"))
    assert not opened(proxy, "www.facebook.com")[0]
    assert opened(proxy, "x.com")[0]


def test_rules_that_charge_what_was_free(office: Serving) -> None:
    """A reload in the middle of lunch: it is charged from then on and ends at a pause."""
    _, tls = opened(office, "www.facebook.com")
    fetch(tls, "www.facebook.com")
    put_into_force(office, office.harness.rules)
    assert runs(tls)
    for _ in range(5):
        advance(office, 5.0)
    ends(tls)
