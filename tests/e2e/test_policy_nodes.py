"""The written policy with several proxies: confirmed once for the office, put off once for the
office, and nobody is stopped while the ledger is away."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.e2e.client import Client
from tests.e2e.nodes import Nodes, nodes
from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.policy_readers import FACEBOOK, PAGE, Reader, fields, notice, write
from tests.e2e.process import OfficeProxy
from tests.e2e.test_workers import alive
from tests.e2e.waiting import until
from tests.faults.relay import Relay
from tests.postgres import PostgresServer

WITHIN = 2.0  # seconds in which all proxies know
DESKS = ("127.0.4.1", "127.0.4.2", "127.0.4.4", "127.0.4.5")  # more than one worker serves them
PASSWORD = "a long enough password"
PEOPLE = "default_role: staff\nroles: {staff: {}}\n"


@pytest.fixture(scope="module")
def workers(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """Two workers, whose people sign in with passwords."""
    settings = {"workers": 2, "front-proxies": []}
    folder = tmp_path_factory.mktemp("policy-workers")
    proxy = office(folder, origins, policy("10m") + notice(), PEOPLE, settings)
    write(proxy, "3")
    for name in ("dora", "emil"):
        answer = proxy.cli("people", "add", name, "--password-stdin", stdin=PASSWORD)
        assert answer.returncode == 0, answer.stderr
    with proxy:
        until(lambda: len(alive(proxy)) == 2, "both workers")
        until(lambda: "Allowance is running" in proxy.log, "the start notice")
        yield proxy


def reasons(somebody: list[Reader]) -> set[str | None]:
    """The answers to a page, at each desk."""
    return {reader.open(FACEBOOK).reason for reader in somebody}


def seconds_until_open(somebody: list[Reader], began: float) -> float:
    """How long it took until the page opened at every desk."""
    until(lambda: reasons(somebody) == {None}, "the page to open everywhere", 10, every=0.05)
    return time.monotonic() - began


@pytest.mark.parametrize(("name", "how"), [("dora", "confirm"), ("emil", "later")])
def test_two_workers(workers: OfficeProxy, name: str, how: str) -> None:
    """Confirmed or put off at one desk, it is known at all of them within two seconds."""
    client = Client(workers.port, workers.ca_file)
    desks = [Reader(client, f"{name}:{PASSWORD}", source) for source in DESKS]
    assert reasons(desks) == {"acknowledge"}
    began = time.monotonic()
    getattr(desks[0], how)()
    done = time.monotonic()
    took = seconds_until_open(desks, done)
    print(f"known at both after {took:.2f} s (the form took {done - began:.2f} s)")
    assert took < WITHIN + 1.0  # a machine that is busy, and curl with four sign-ins


def written(node: OfficeProxy) -> None:
    """A node whose people have to read the policy."""
    file = node.rules / "policy.yaml"
    file.write_text(file.read_text() + notice() + "on_failure: allow\n")
    write(node, "3")


class TwoNodes(Nodes):
    """Two proxies on one Postgres, behind a relay that can be cut."""

    relay: Relay


@pytest.fixture(scope="module")
def two(
    origins: Origins, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TwoNodes]:
    """Their people come through a front proxy."""
    direct = postgres_server.url(postgres_server.new_database())
    with Relay(postgres_server.port) as relay:
        url = direct.replace(f":{postgres_server.port}/", f":{relay.port}/")
        folder = tmp_path_factory.mktemp("policy-nodes")
        with nodes(TwoNodes, folder, origins, url, 600.0, PEOPLE, {}, policies=written) as made:
            made.relay = relay
            yield made


@pytest.mark.postgres
@pytest.mark.parametrize(("name", "how"), [("dora", "confirm"), ("emil", "later")])
def test_two_proxies(two: TwoNodes, name: str, how: str) -> None:
    """The same with two proxies that share a Postgres; the text that was read is kept there."""
    two.relay.set("pass")
    both = [Reader(Client(node.port, two.trust), name) for node in two.all]
    assert reasons(both) == {"acknowledge"}
    getattr(both[0], how)()
    took = seconds_until_open(both, time.monotonic())
    print(f"known at both after {took:.2f} s")
    assert took < WITHIN
    page = both[1].open(f"{PAGE}/policy").text
    assert ("You have read it" in page) == (how == "confirm")


@pytest.mark.postgres
def test_the_ledger_is_away(two: TwoNodes) -> None:
    """Nobody is asked and nothing is closed; confirming says that the fault is ours, and that
    nothing is lost. Once it is back, whoever has not confirmed is asked, and whoever has is not."""
    first = two.all[0]
    client = Client(first.port, two.trust)
    finn, gina = Reader(client, "finn"), Reader(client, "gina")
    two.relay.set("pass")
    finn.confirm()
    assert gina.open(FACEBOOK).reason == "acknowledge"
    two.relay.set("cut")
    until(lambda: gina.open(FACEBOOK).status == 200, "the gate to notice", 20, every=0.2)
    assert finn.open(FACEBOOK).status == 200
    assert Reader(client, "hugo").open(FACEBOOK).status == 200
    page = gina.open(f"{PAGE}/policy")
    assert page.status == 200
    two.relay.set("pass")
    until(lambda: gina.open(FACEBOOK).reason == "acknowledge", "the ledger", 30, every=0.2)
    assert finn.open(FACEBOOK).status == 200
    gina.confirm()
    assert gina.open(FACEBOOK).status == 200


@pytest.mark.postgres
def test_confirming_while_the_ledger_is_away(two: TwoNodes) -> None:
    """The page says that the fault is ours and that nothing is closed; later it can be done."""
    client = Client(two.all[0].port, two.trust)
    ida = Reader(client, "ida")
    two.relay.set("pass")
    until(lambda: ida.open(FACEBOOK).reason == "acknowledge", "the ledger", 30, every=0.2)
    sent = fields(ida.open(f"{PAGE}/policy"))
    two.relay.set("cut")
    answer = ida.send(f"{PAGE}/policy", **sent, action="confirm", read="yes")
    assert answer.status == 503 and "The fault is ours" in answer.text
    two.relay.set("pass")

    def confirmed() -> bool:
        again = ida.send(f"{PAGE}/policy", **sent, action="confirm", read="yes")
        return again.status == 303

    until(confirmed, "the confirmation", 30, every=0.5)
    assert ida.open(FACEBOOK).status == 200
