"""`allowance run --workers 2` on Postgres: one balance, grants for all, and an outage in which a
worker dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from db.ledger import SqlLedger
from tests.e2e.client import Client
from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.test_workers import alive, metric
from tests.e2e.waiting import until
from tests.faults.relay import Relay
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.postgres, pytest.mark.long]

LIMIT = 2.0
OUTAGE = 3.0  # seconds
DESKS = ("127.0.4.1", "127.0.4.2")  # the kernel gives each of them to another worker
STRANGER = "127.0.4.3"
PEOPLE = "devices: {127.0.4.1: pat, 127.0.4.2: pat, 127.0.4.3: sam}\ndefault_role: staff\nroles: {staff: {}}\n"
PAGE = "https://www.facebook.com/"
FILM = "https://www.youtube.com/stream?seconds=60&rate=100000&type=video/mp4"


class PostgresOffice:
    """The office with two workers, and what stands between it and its database."""

    def __init__(self, proxy: OfficeProxy, relay: Relay, url: str) -> None:
        self.proxy, self.relay, self.url = proxy, relay, url

    @property
    def client(self) -> Client:
        """A client that trusts the proxy's CA."""
        return Client(self.proxy.port, self.proxy.ca_file)

    def rows(self) -> dict[str, tuple[str, float, float]]:
        """Person, start and end of each visit on `long` that the database holds, by id."""
        ledger = SqlLedger(self.url, "test")
        try:
            return {
                v.id: (v.person, v.start, v.end)
                for v in ledger.visits(0.0)
                if v.allowance == "long"
            }
        finally:
            ledger.close()


@pytest.fixture(scope="module")
def several(
    origins: Origins, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgresOffice]:
    """Two workers on a database behind a relay."""
    name = postgres_server.new_database()
    settings = {"workers": 2, "front-proxies": [], "drain": "2s"}
    folder = tmp_path_factory.mktemp("workers-postgres")
    with Relay(postgres_server.port) as relay:
        direct = postgres_server.url(name)
        url = direct.replace(f":{postgres_server.port}/", f":{relay.port}/")
        proxy = office(folder, origins, policy(short=f"{LIMIT:g}s"), PEOPLE, settings)
        proxy.database = url.replace("postgresql://", "postgresql+psycopg://")
        with proxy:
            until(lambda: len(alive(proxy)) == 2, "both workers")
            until(lambda: "Allowance is running" in proxy.log, "the start notice")
            yield PostgresOffice(proxy, relay, direct)


def test_one_balance_and_grants_for_all(several: PostgresOffice) -> None:
    """One person at two workers has one allowance, overspent by no more than the bound; ten minutes
    more reach both workers."""
    client, proxy = several.client, several.proxy

    def refused() -> bool:
        statuses = [
            client.open(PAGE, source=services).status for services in DESKS
        ]  # each of them, every time
        return statuses == [403, 403]

    until(refused, "both desks to be refused", 40, every=0.2)
    spent = until(lambda: proxy.spent("pat", "short"), "usage in the ledger")
    print(f"spent {spent:.2f} s of {LIMIT:g} s at two workers")
    assert spent <= LIMIT + 2 * (0.25 + 0.75)
    assert proxy.cli("grant", "pat", "short", "10m", "--reason", "a customer").returncode == 0
    granted = time.monotonic()
    until(
        lambda: all(client.open(PAGE, source=services).status == 200 for services in DESKS),
        "the grant",
        10,
    )
    print(f"granted at both after {time.monotonic() - granted:.2f} s")


def test_a_worker_that_dies_in_an_outage(several: PostgresOffice) -> None:
    """Killed while the database is away, a worker leaves a journal. The other worker goes on, and
    once the database is back a new worker is there and the journal is in the ledger, without a
    restart of the service."""
    client, proxy = several.client, several.proxy
    replayed = proxy.log.count("a journal was replayed")
    died = proxy.log.count("worker died")
    several.relay.set("pass")
    films = [client.start([FILM], source=services) for services in DESKS]
    until(lambda: all(film.received() > 0 for film in films), "the films to begin")
    until(lambda: len({key.split("-")[0] for key in several.rows()}) == 2, "rows of both workers")
    until(lambda: proxy.ready() and len(alive(proxy)) == 2, "both workers", 20)
    several.relay.set("cut")
    until(lambda: metric(proxy, "allowance_journal_visits") >= 2, "both journals", 30)
    time.sleep(
        OUTAGE
    )  # both have seen more by then than what the database took in at the last moment
    locks = set((proxy.folder / "var" / "journal").glob("*.lock"))
    before, known = alive(proxy), several.rows()
    os.kill(before[0], signal.SIGKILL)
    until(lambda: proxy.log.count("worker died") > died, "the supervisor to notice")
    until(
        lambda: any(client.open(PAGE, source=services).status == 200 for services in DESKS),
        "the other worker to serve",
    )
    assert proxy.log.count("a journal was replayed") == replayed
    several.relay.set("pass")
    until(
        lambda: proxy.log.count("a journal was replayed") > replayed,
        "the journal of the dead worker",
        20,
    )
    until(
        lambda: locks - set((proxy.folder / "var" / "journal").glob("*.lock")),
        "its files to be gone",
    )
    until(lambda: alive(proxy)[0] != before[0] and proxy.ready(), "a new worker", 30)
    until(lambda: client.open(PAGE, source=STRANGER).status == 200, "everybody to be served", 20)
    for film in films:
        film.cancel()

    def grown() -> set[str]:
        """Whose rows are longer than before the outage."""
        rows = several.rows()
        assert set(known) <= set(rows)
        return {key.split("-")[0] for key in known if rows[key][2] > known[key][2]}

    until(lambda: len(grown()) == 2, "what both had seen in the outage", 20)
    spent = proxy.spent("pat", "long")
    rows = several.rows().values()  # asked after it: they may still grow
    assert spent <= max(end for _, _, end in rows) - min(start for _, start, _ in rows) + 0.01


def test_a_dead_worker_is_replaced(several: PostgresOffice) -> None:
    """kill -9 with the database there: the other answers all the while, and a new one takes its
    place."""
    client, proxy = several.client, several.proxy
    trust = several.proxy.origins.ca_file
    several.relay.set("pass")
    until(lambda: proxy.ready() and len(alive(proxy)) == 2, "both workers", 20)
    time.sleep(2.5)  # who dies within two seconds of its birth is made again after a pause only
    before = alive(proxy)
    os.kill(before[1], signal.SIGKILL)
    died = time.monotonic()
    until(lambda: alive(proxy)[1] != before[1], "a new worker", 10)
    print(f"replaced after {time.monotonic() - died:.2f} s")
    replies = [
        client.get("https://work.example/", trust=trust, source=f"127.0.6.{n}") for n in range(1, 5)
    ]
    assert [reply.status for reply in replies] == [200] * 4
