"""`proxy_addon/proxy/budgets/shares.py`: what a connection, a site and a person have left."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter

import pytest
import structlog.testing
from mitmproxy.connection import Client, Server
from mitmproxy.proxy import events

from proxy_addon.proxy.budgets import shares
from proxy_addon.proxy.budgets.shares import FRAMES, LIMITS, RESETS, TIME, Budgets, share_of


class Refused(Counter[str]):
    """Counts what is refused."""

    def refused(self, budget: str) -> None:
        """See `Traffic`."""
        self[budget] += 1


class Office:
    """Budgets on a clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.counted = Refused()
        self.budgets = Budgets(self.counted, lambda: self.now)

    def client(self, name: str = "") -> Client:
        """A connection, of somebody if there is a name."""
        made = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))
        self.budgets.connected(made)
        if name:
            self.budgets.belongs(made, name)
        return made


@pytest.fixture
def office() -> Office:
    """See above."""
    return Office()


def test_a_connection_has_a_budget(office: Office) -> None:
    """So many resets, and then no more; the frames are another budget."""
    share = share_of(client := office.client()).of(client)
    assert share.use(RESETS, LIMITS[RESETS].burst)
    assert not share.use(RESETS)
    assert share.use(FRAMES)


def test_new_connections_do_not_help(office: Office) -> None:
    """A person has a budget over all connections; somebody else has their own."""
    used = 0
    for _ in range(10):
        client = office.client("ana")
        while used < 10_000 and share_of(client).of(client).use(RESETS):
            used += 1
    assert used < LIMITS[RESETS].burst * shares.PERSON + 10
    ben = office.client("ben")
    assert share_of(ben).of(ben).use(RESETS, LIMITS[RESETS].burst)


def test_who_floods_is_refused_for_a_while(office: Office) -> None:
    """All new connections of the person are, for some seconds; nobody else's."""
    client = office.client("ana")
    share_of(client).exceeded(client, RESETS)
    again, other = office.client("ana"), office.client("ben")
    assert office.budgets.refused(again) == shares.REFUSED_SECONDS
    assert not office.budgets.refused(other)
    office.now += shares.REFUSED_SECONDS
    assert not office.budgets.refused(again)
    assert office.counted == {RESETS: 1, "flooded": 1}


def test_a_site_that_floods_is_not_its_visitors_fault(office: Office) -> None:
    """The connection to the site ends; whoever opened it is served as before."""
    client = office.client("ana")
    site = Server(address=("site.example", 443))
    share = share_of(client).of(site)
    while share.use(RESETS):
        pass
    share_of(client).exceeded(site, RESETS)
    assert not office.budgets.refused(client)
    assert share_of(client).of(client).use(RESETS)


def test_time_of_the_processor_is_shared(office: Office) -> None:
    """Who makes us work for longer than their share waits, on all connections, until it is made up
    for."""
    first, second, other = office.client("ana"), office.client("ana"), office.client("ben")
    share_of(first).handled(events.DataReceived(first, b"x"), TIME.burst + 1.0)
    expected = pytest.approx(1.0 / TIME.rate, rel=0.01)
    assert share_of(first).of(first).rest() == expected
    assert share_of(second).of(second).rest() == expected
    assert share_of(other).of(other).rest() == 0
    office.now += 1.0 / TIME.rate + 0.01
    assert share_of(first).of(first).rest() == 0


def test_bulk_is_worth_its_time(office: Office) -> None:
    """An upload or a download is not slowed down for the time that its bytes take."""
    client = office.client("ana")
    for _ in range(10_000):
        share_of(client).handled(events.DataReceived(client, bytes(65_536)), 0.003)
    assert share_of(client).of(client).rest() == 0


def test_what_is_handled_later_counts(office: Office) -> None:
    """Frames that had to wait for their turn cost their sender as much as others."""
    client = office.client()
    share = share_of(client)
    share.turn_of = client
    share.handled(events.Start(), TIME.burst + 1.0)
    assert share.of(client).rest() > 0
    assert share.turn_of is None


def test_reading_waits_for_what_is_held() -> None:
    """Nothing more is read from a connection while frames of it wait for their turn."""
    client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))
    share = share_of(client).of(client)

    async def waits() -> bool:
        share.held = 100
        waiting = asyncio.ensure_future(share.rested())
        await asyncio.sleep(0.02)
        waited = not waiting.done()
        share.held = 0
        await asyncio.wait_for(waiting, 10)
        return waited

    assert asyncio.run(waits())


def test_it_is_said_once_a_minute(office: Office) -> None:
    """An attack does not fill the log; every refusal is counted."""
    with structlog.testing.capture_logs() as lines:
        for _ in range(50):
            office.budgets.note(RESETS, "client")
        office.now += shares.LOG_SECONDS
        office.budgets.note(RESETS, "client")
    assert [line["budget"] for line in lines] == [RESETS, RESETS]
    assert office.counted[RESETS] == 51


def test_memory_is_bounded(office: Office) -> None:
    """However many people there are, so many are remembered; those seen last are."""
    for number in range(shares.KEPT + 50):
        office.budgets.connected(client := office.client(f"person {number}"))
    assert len(office.budgets._people) == shares.KEPT
    share_of(client).exceeded(client, RESETS)
    assert office.budgets.refused(office.client(f"person {shares.KEPT + 49}"))


def test_memory_is_bounded_for_a_person(office: Office) -> None:
    """All connections of a person together may have us keep so much; the one that goes beyond has
    to end, and small ones go on. Nobody else's have to, and what has ended does not count."""
    clients = [office.client("ana") for _ in range(9)]
    kept = [share_of(client).of(client) for client in clients]
    for each in kept[:8]:
        assert each.keep(shares.PERSON_BYTES // 8)
    assert kept[8].keep(shares.SMALL_BYTES)
    assert not kept[8].keep(shares.SMALL_BYTES * 2)
    assert not kept[0].keep(shares.PERSON_BYTES // 4)
    ben = office.client("ben")
    assert share_of(ben).of(ben).keep(shares.PERSON_BYTES)
    for each in kept:
        assert each.keep(0)
    assert kept[8].keep(shares.PERSON_BYTES)
    again = office.client("ana")
    assert not share_of(again).of(again).keep(shares.PERSON_BYTES)
    del kept, each, clients
    gc.collect()  # nobody has said that they ended
    assert share_of(again).of(again).keep(shares.PERSON_BYTES - shares.KEPT_STEP)


def test_memory_of_those_who_have_no_name(office: Office) -> None:
    """Behind a front proxy there are many: nobody's connection ends because of others'."""
    for _ in range(3):
        client = office.client()
        assert share_of(client).of(client).keep(2 * shares.PERSON_BYTES)
