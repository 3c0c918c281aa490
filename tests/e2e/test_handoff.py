"""Three workers behind a front proxy, which pass what is limited on to the worker of its person:
restarts one after the other, and a worker that dies or stands still."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from proxy_addon.relay.workers import worker_of
from tests.e2e.client import NAVIGATE, Client, Reply
from tests.e2e.office import FRONT_PROXY, office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.test_workers import alive, replaced
from tests.e2e.waiting import until

WORKERS = 3
PEOPLE = {  # worker -> two people whom it serves
    number: [
        name for name in map("person{}".format, range(40)) if worker_of(name, WORKERS) == number
    ][:2]
    for number in range(WORKERS)
}
EVERYBODY = [name for names in PEOPLE.values() for name in names]
LIMITED, FREE = "https://x.com/", "https://work.example/"


RULES = policy("10m").replace(
    "rules:\n",
    "rules:\n  - {name: Marketing, users: ['*-marketing'], platforms: [x], then: allow}\n",
)


@pytest.fixture(scope="module")
def several(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """They run."""
    settings = {"workers": WORKERS}
    with office(tmp_path_factory.mktemp("handoff"), origins, RULES, settings=settings) as p:
        until(lambda: len(alive(p)) == WORKERS, "all workers")
        until(lambda: "Allowance is running" in p.log, "the start notice", 30)
        yield p


def opened(proxy: OfficeProxy, url: str, person: str) -> Reply:
    """What somebody gets whom the front proxy names."""
    return patient(proxy.client, url, person)


def patient(client: Client, url: str, person: str) -> Reply:
    """The same, from somebody who waits longer than a worker may stand still."""
    wait = ("--connect-timeout", "30")
    user = f"{person}:unused"
    return client.get(url, *wait, headers=NAVIGATE, source=FRONT_PROXY, user=user)


def browsing(
    proxy: OfficeProxy, url: str, people: list[str], meanwhile: Callable[[], None]
) -> list[Reply]:
    """What people get who open pages all the while that something happens."""
    done, replies = threading.Event(), list[Reply]()
    client = proxy.client

    def browse(person: str) -> None:
        while not done.is_set():
            replies.append(patient(client, url, person))
            time.sleep(0.2)

    with ThreadPoolExecutor(len(people)) as pool:
        for person in people:
            pool.submit(browse, person)
        try:
            meanwhile()
        finally:
            done.set()
    return replies


def test_a_rolling_restart(several: OfficeProxy) -> None:
    """SIGHUP replaces every worker, and nobody's request to a limited site fails: what is handed to
    a worker that drains reaches its successor."""
    before = alive(several)
    assert several.process is not None
    supervisor = several.process.pid

    def restart() -> None:
        os.kill(supervisor, signal.SIGHUP)
        until(lambda: replaced(several, before), "three new workers", 90.0)
        time.sleep(1.0)

    replies = browsing(several, LIMITED, EVERYBODY[::2], restart)
    print(f"{len(replies)} requests")
    assert len(replies) > 10
    assert [reply for reply in replies if reply.status != 200] == []


def test_who_is_free_is_not_read(several: OfficeProxy) -> None:
    """Tunnels of those who are free are relayed, whichever worker they come to: nobody decrypts
    them."""
    people = [f"{number}-marketing" for number in range(6)]
    for person in people:
        trust = several.origins.ca_file  # not our own CA
        user = f"{person}:unused"
        reply = several.client.get(LIMITED, source=FRONT_PROXY, user=user, trust=trust)
        assert (reply.status, reply.error) == (200, "")


def test_a_worker_that_stands_still(several: OfficeProxy) -> None:
    """Its people are told after some seconds, in our words. Others do not notice, unless the kernel
    gave their connection to that worker."""
    stuck = alive(several)[0]
    theirs, other = PEOPLE[0][0], PEOPLE[1][0]
    for person in (theirs, other):
        assert opened(several, LIMITED, person).status == 200
    began = time.monotonic()
    os.kill(stuck, signal.SIGSTOP)
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(opened, several, LIMITED, theirs) for _ in range(8)]
        others = [pool.submit(opened, several, LIMITED, other) for _ in range(8)]
        time.sleep(max(0.0, began + 6.0 - time.monotonic()))
        os.kill(stuck, signal.SIGCONT)
    connects = [future.result().connect for future in asked]
    served = [future.result() for future in others]
    print(f"answers to CONNECT: {connects}")
    assert 503 in connects
    assert set(connects) <= {503, 200}  # it has the others itself, and goes on with them
    assert {reply.status for reply in served} == {200}
    assert min(reply.seconds for reply in served) < 4.0
    until(lambda: opened(several, LIMITED, theirs).status == 200, "the worker to serve again")


def test_a_worker_that_dies(several: OfficeProxy) -> None:
    """SIGKILL: what is handed to it waits for its successor, and ordinary traffic goes on."""
    time.sleep(2.5)  # who dies within two seconds of its birth is made again after a pause only
    before = alive(several)
    (theirs, _) = PEOPLE[2]

    def die() -> None:
        os.kill(before[2], signal.SIGKILL)
        until(lambda: alive(several)[2] != before[2], "a new worker", 10.0)
        until(lambda: opened(several, LIMITED, theirs).status == 200, "the new worker to serve", 20)

    replies = browsing(several, FREE, PEOPLE[2], die)
    failed = [reply for reply in replies if reply.status != 200]
    print(f"{len(replies)} ordinary requests, {len(failed)} of which the dead worker held")
    assert len(failed) <= 2 * len(PEOPLE[2])
