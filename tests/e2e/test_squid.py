"""Debian's Squid in front of two nodes on one Postgres: docs/deployment-squid.md, with its
configuration deploy/squid/squid.conf."""

from __future__ import annotations

import base64
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.e2e.client import Client, read_until
from tests.e2e.nodes import Nodes, nodes
from tests.e2e.office import spend_all
from tests.e2e.origins import Origins
from tests.e2e.process import ROOT, OfficeProxy
from tests.e2e.squid import FROM, MISSING, Squid, executable
from tests.e2e.test_workers import metric
from tests.e2e.waiting import until
from tests.postgres import PostgresServer

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(executable() is None, reason=MISSING),
]

LIMIT = 2.0
PEOPLE = {name: f"the password of {name}" for name in ("pat", "sam", "kim", "max", "eva", "ida")}
SIGN_IN = {name: f"{name}:{password}" for name, password in PEOPLE.items()}
ROLES = "default_role: staff\nroles: {staff: {}}\n"
PAGE = "http://allowance.internal/me.json"
LIMITED = "https://www.youtube.com/"


class BehindSquid(Nodes):
    """The nodes, Squid, and clients that know only it."""

    squid: Squid

    @property
    def client(self) -> Client:
        """They trust the CA of the nodes and that of the sites."""
        return Client(self.squid.port, self.trust)

    def node_of(self, name: str) -> OfficeProxy:
        """The node to which Squid sends somebody."""
        before = [requests(node) for node in self.all]
        assert self.client.open(LIMITED, user=SIGN_IN[name]).status == 200
        (found,) = until(
            lambda: [n for n, b in zip(self.all, before, strict=True) if requests(n) > b],
            "the request to be counted",
        )
        return found


def requests(node: OfficeProxy) -> float:
    """How many requests to limited platforms a node has decided."""
    return metric(node, "allowance_requests_total")


@pytest.fixture(scope="module")
def behind(
    origins: Origins, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BehindSquid]:
    """Everything; each node has two workers."""
    folder = tmp_path_factory.mktemp("squid")
    url = postgres_server.url(postgres_server.new_database())
    settings = {
        "front-proxies": [FROM],
        "front-proxy-header": "",
        "sign-in": "off",
        "client-networks": [FROM],
        "workers": 2,
    }
    with nodes(BehindSquid, folder, origins, url, LIMIT, ROLES, settings) as made:
        listed = subprocess.run(
            [sys.executable, "-m", "deploy.squid.domains", str(made.all[0].rules)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        hosts, tls = ("work.example", "news.example"), origins.port("tls")
        with Squid(made, PEOPLE, listed.stdout, hosts, tls) as made.squid:
            yield made


def test_who_people_are(behind: BehindSquid) -> None:
    """Who signs in at Squid is that person behind it, although requests of different people follow
    each other on Squid's connections; whoever does not sign in gets no further than Squid."""
    client = behind.client
    for _ in range(2):
        for name, user in SIGN_IN.items():
            assert client.get(PAGE, user=user).json()["user"] == name
    before = [requests(node) for node in behind.all]
    for user in (None, "pat:wrong"):
        reply = client.get(LIMITED, user=user)
        assert (reply.status, reply.connect) == (0, 407)
    assert [requests(node) for node in behind.all] == before


def test_only_what_is_limited_comes_to_us(behind: BehindSquid) -> None:
    """Squid connects to other sites itself: the site is reached, and the nodes see nothing."""
    before = [metric(node, "allowance_connections_accepted_total") for node in behind.all]
    url = f"https://work.example:{behind.origins.port('tls')}/"
    for name in ("pat", "sam"):
        assert behind.client.get(url, user=SIGN_IN[name]).status == 200
    after = [metric(node, "allowance_connections_accepted_total") for node in behind.all]
    assert after == before
    assert behind.client.get(LIMITED, user=SIGN_IN["pat"]).status == 200
    until(
        lambda: [metric(n, "allowance_connections_accepted_total") for n in behind.all] != before,
        "the connection to be counted",
    )


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_limits_hold_for_each_person(behind: BehindSquid, scheme: str) -> None:
    """Pat uses up the time, in tunnels or with plain requests; sam still has some. Not more than
    the limit is spent, with two workers at the node as with one."""
    name, other = {"https": ("pat", "sam"), "http": ("kim", "max")}[scheme]
    url = f"{scheme}://www.facebook.com/"
    spend_all(behind.client, url, user=SIGN_IN[name])
    assert behind.client.open(url, user=SIGN_IN[other]).status == 200

    def spent() -> float:
        page = behind.client.get(PAGE, user=SIGN_IN[name]).json()
        return float(page["allowances"]["short"]["spent"])

    # A page that is read a moment before the clock stops shows a little more.
    until(lambda: spent() <= LIMIT, "the clock to stop at the limit", 2.0)


def test_a_node_that_is_killed(behind: BehindSquid) -> None:
    """SIGKILL: the connections that it held are lost and no others. Its people are served by the
    other node, with the balance that they had."""
    client = behind.client
    spend_all(client, user=SIGN_IN["eva"])
    node = behind.node_of("eva")
    stays = next(name for name in ("sam", "max", "ida", "kim") if behind.node_of(name) != node)
    tunnels = {}
    for name in ("eva", stays):
        tunnels[name] = opened(behind, name)
        assert asked(tunnels[name]) == b"HTTP/1.1 200"
    time.sleep(1.0)  # until the other node knows what was spent at this one
    node.kill()
    began = time.monotonic()
    answer = until(
        lambda: client.open("https://www.facebook.com/", user=SIGN_IN["eva"]), "an answer"
    )
    print(f"eva gets {answer.status} {answer.reason} after {time.monotonic() - began:.2f} s")
    assert (answer.status, answer.reason) == (403, "exhausted")
    assert client.get(PAGE, user=SIGN_IN["eva"]).json()["user"] == "eva"
    assert asked(tunnels["eva"]) == b""
    assert asked(tunnels[stays]) == b"HTTP/1.1 200"


def opened(behind: BehindSquid, name: str) -> ssl.SSLSocket:
    """A connection to a limited site that somebody keeps open."""
    token = base64.b64encode(SIGN_IN[name].encode()).decode()
    fields = f"Proxy-Authorization: Basic {token}\r\n"
    status, plain = behind.client.tunnel("www.youtube.com", headers=fields)
    assert status == 200
    return behind.client.tls(plain, "www.youtube.com")


def asked(tunnel: ssl.SSLSocket) -> bytes:
    """The beginning of the answer to a request; nothing when the connection is lost."""
    try:
        tunnel.sendall(b"HEAD / HTTP/1.1\r\nHost: www.youtube.com\r\n\r\n")
        return read_until(tunnel, b"\r\n\r\n")[:12]
    except OSError:
        return b""
