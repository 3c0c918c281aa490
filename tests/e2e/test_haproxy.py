"""Two nodes on one Postgres behind Debian's HAProxy: docs/deployment-haproxy.md, with its
configuration deploy/haproxy/haproxy.cfg."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.client import Client, Reply, fresh_address
from tests.e2e.haproxy import FROM, MISSING, HAProxy, connections, executable
from tests.e2e.nodes import Nodes, nodes
from tests.e2e.office import spend_all
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until
from tests.postgres import PostgresServer

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(executable() is None, reason=MISSING),
]

LIMIT = 2.0
PASSWORD = "a long enough password"
DORA = f"dora:{PASSWORD}"
PEOPLE = "default_role: staff\nroles: {staff: {}}\ndevices: {127.0.4.0/24: emil}\n"
PAGE = "http://allowance.internal/me.json"
FREE = "https://work.example/"
CHECK_SECONDS = 1.0  # `inter` in haproxy.cfg


class Balanced(Nodes):
    """The nodes, the balancer, and clients that know only it."""

    balancer: HAProxy

    @property
    def client(self) -> Client:
        """They trust the CA of the nodes and that of the sites."""
        return Client(self.balancer.port, self.trust)

    def seat(self, number: int) -> str:
        """An address whose connections go to a node."""
        for _ in range(40):
            address = fresh_address()
            before = self.held(number)
            tunnel = self.tunnel(address)
            if self.held(number) > before:
                tunnel.close()
                return address
            tunnel.close()
        raise AssertionError(f"nobody comes to node {number}")

    def held(self, number: int) -> int:
        """How many connections a node has."""
        node = self.all[number]
        assert node.process is not None
        return connections(node.process.pid, node.port)

    def tunnel(self, source: str) -> socket.socket:
        """A relayed tunnel, through which a byte has passed."""
        status, tunnel = self.client.tunnel("echo.example", source=source)
        assert status == 200
        assert answers(tunnel)
        return tunnel


def is_dora(client: Client, seat: str) -> bool:
    """Whether who signs in as dora is dora."""
    return bool(client.get(PAGE, source=seat, user=DORA).json()["user"] == "dora")


def answers(tunnel: socket.socket) -> bool:
    """Whether a byte still comes back."""
    try:
        tunnel.sendall(b"\x00")
        return tunnel.recv(1) == b"\x00"
    except OSError:
        return False


@pytest.fixture(scope="module")
def balanced(
    origins: Origins, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Balanced]:
    """Everything; dora signs in, emil is known by his devices."""
    folder = tmp_path_factory.mktemp("haproxy")
    url = postgres_server.url(postgres_server.new_database())
    settings = {"proxy-protocol": [FROM], "front-proxies": [], "drain-notice": "3s"}
    with nodes(Balanced, folder, origins, url, LIMIT, PEOPLE, settings) as made:
        made.add(DORA)
        with HAProxy(folder, *made.all) as made.balancer:
            yield made


def test_who_people_are(balanced: Balanced) -> None:
    """At both nodes, behind the balancer: who signs in is that person, a device is known by its
    address, which HAProxy passes on, and a stranger is asked to sign in."""
    client = balanced.client
    for number in (0, 1):
        seat = balanced.seat(number)
        # A node notices a new password within about two seconds.
        until(lambda seat=seat: is_dora(client, seat), "dora to be known", 4.0)
        assert client.get(PAGE, source=seat).status == 407
        assert client.get(PAGE, source=seat, user="dora:wrong").status == 407
    assert client.get(PAGE, source="127.0.4.7").json()["user"] == "emil"


def test_one_balance_at_two_nodes(balanced: Balanced) -> None:
    """Dora uses up her time at one node, and moves to the other: refused there within two seconds,
    and not more was spent than the limit."""
    client = balanced.client
    first, second = balanced.seat(0), balanced.seat(1)
    spend_all(client, source=first, user=DORA)
    began = time.monotonic()

    def refused() -> bool:
        return client.open("https://www.facebook.com/", source=second, user=DORA).status == 403

    until(refused, "the other node to refuse", 4.0)
    print(f"refused after {time.monotonic() - began:.2f} s")
    spent = balanced.all[0].spent("dora", "short")
    print(f"spent {spent:.2f} s of {LIMIT:g} s")
    assert spent <= LIMIT + 2.0
    for number in (0, 1):
        assert balanced.held(number) <= 2  # those of health checks


class Browsing:
    """People who open ordinary pages all the while, each on new connections."""

    def __init__(self, client: Client, trust: Path, sources: list[str]) -> None:
        self.replies: list[Reply] = []
        self._client, self._trust, self._sources = client, trust, sources
        self._done = threading.Event()
        self._people = ThreadPoolExecutor(len(sources))

    def __enter__(self) -> Browsing:
        for source in self._sources:
            self._people.submit(self._browse, source)
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._people.shutdown()

    def _browse(self, source: str) -> None:
        while not self._done.is_set():
            self.replies.append(self._client.get(FREE, source=source, trust=self._trust))
            time.sleep(0.1)


def test_a_node_that_is_drained(balanced: Balanced) -> None:
    """SIGTERM: /readyz says 503, HAProxy sends new connections to the other node, then the port
    closes; no request fails on the way."""
    node, seat = balanced.all[0], balanced.seat(0)
    with Browsing(balanced.client, balanced.origins.ca_file, [seat, fresh_address()]) as browsing:
        code, seconds = node.stop()
        time.sleep(0.3)
    print(f"{len(browsing.replies)} requests, the node ended after {seconds:.1f} s")
    assert code == 0
    assert len(browsing.replies) > 10
    assert [reply for reply in browsing.replies if reply.status != 200] == []
    assert "nodes/node1 is DOWN" in balanced.balancer.log
    node.start()
    until(lambda: "nodes/node1 is UP" in balanced.balancer.log, "HAProxy to see it")


def test_a_database_that_is_away(balanced: Balanced, postgres_server: PostgresServer) -> None:
    """Both nodes say so and stay ready: HAProxy takes neither out for as long as it lasts, no
    request to ordinary sites fails, and people have their own pages."""
    client, trust = balanced.client, balanced.origins.ca_file
    assert client.get(PAGE, source="127.0.4.7").json()["user"] == "emil"
    before = balanced.balancer.log
    seats = [balanced.seat(0), balanced.seat(1)]
    postgres_server.stop()
    try:
        with Browsing(client, trust, seats) as browsing:
            for node in balanced.all:
                until(lambda n=node: not ledger_is_well(n), "the outage to be noticed", 30)
            time.sleep(4 * CHECK_SECONDS)  # HAProxy would have taken them out after two checks
            readiness = [node.web("/readyz") for node in balanced.all]
        assert [status for status, _ in readiness] == [200, 200]
        assert all("down since" in text for _, text in readiness)
        assert len(browsing.replies) > 10
        assert [reply for reply in browsing.replies if reply.status != 200] == []
        assert client.get(PAGE, source="127.0.4.7").json()["user"] == "emil"
        assert "is DOWN" not in balanced.balancer.log[len(before) :]
    finally:
        postgres_server.start()
    until(lambda: all(ledger_is_well(node) for node in balanced.all), "the ledger", 20)


def ledger_is_well(node: OfficeProxy) -> bool:
    """Whether a node says that its ledger is well."""
    return bool(json.loads(node.web("/statusz")[1])["dependencies"]["ledger"]["ok"])


def test_a_node_that_is_killed(balanced: Balanced) -> None:
    """SIGKILL: the connections that it held are lost and no others, and its people are served by
    the other node at once."""
    lost, kept = balanced.seat(0), balanced.seat(1)
    doomed = [balanced.tunnel(lost) for _ in range(3)]
    others = [balanced.tunnel(kept) for _ in range(3)]
    balanced.all[0].kill()
    began = time.monotonic()
    reply = balanced.client.get(FREE, source=lost, trust=balanced.origins.ca_file)
    print(f"served again after {time.monotonic() - began:.2f} s")
    assert (reply.status, reply.error) == (200, "")
    assert time.monotonic() - began < 5.0
    assert [answers(tunnel) for tunnel in doomed] == [False] * 3
    assert [answers(tunnel) for tunnel in others] == [True] * 3
    page = balanced.client.get(PAGE, source=lost, user=DORA).json()
    assert page["allowances"]["short"]["left"] == 0
