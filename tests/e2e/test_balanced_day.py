"""The same day behind HAProxy with one worker and with four, minute by minute."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.attention_script import OfficeTime
from tests.e2e.client import NAVIGATE, Client, read_all, read_until
from tests.e2e.haproxy import FROM, MISSING, HAProxy, connections, executable
from tests.e2e.office import HOSTS, noon_zone
from tests.e2e.origins import Origins
from tests.e2e.process import LIGHT_PATH, OfficeProxy
from tests.e2e.test_live_minutes import TimedOffice
from tests.e2e.test_workers import alive
from tests.e2e.waiting import until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(executable() is None, reason=MISSING),
]

SPEED = 8.0  # office seconds in one of ours
LENGTH = 72.0  # office seconds of the day
LIMIT = 25.0  # of `feed`
ALIKE = 4.0  # office seconds, 0.5 of ours: what two clients on a busy machine differ by
RULES = """
version: 1
timezone: {zone}
allowances:
  feed: {{limit: {limit:g}s per day}}
  board: {{limit: 3h per day}}
rules:
  - {{name: Feeds, platforms: [facebook], then: {{spend: feed}}}}
  - {{name: Boards, platforms: [x], then: {{spend: board}}}}
otherwise: allow
"""
# Each person with the devices that they use in turn, what they open, and how often.
SEATS = {
    "pat": ("x.com", 6.0, ["127.0.4.1", "127.0.4.2", "127.0.4.3"]),
    "sam": ("www.facebook.com", 5.0, ["127.0.4.4", "127.0.4.5"]),
    "kim": ("x.com", 15.0, ["127.0.4.6"]),
}
PEOPLE = "default_role: staff\nroles: {{staff: {{}}}}\ndevices:\n{}".format(
    "".join(f"  {address}: {name}\n" for name, (*_, seats) in SEATS.items() for address in seats)
)


class Act(NamedTuple):
    """Somebody opens a page; `at` is in office seconds from the beginning of the day."""

    at: float
    host: str
    source: str


def plan(name: str) -> list[Act]:
    """What somebody does that day: pages at irregular intervals, each on the next device."""
    host, every, seats = SEATS[name]
    chance = random.Random(name)
    acts, at = [], 2.0
    while at < LENGTH:
        acts.append(Act(at, host, seats[len(acts) % len(seats)]))
        at += chance.uniform(0.5, 1.5) * every
    return acts


def opened(client: Client, act: Act) -> int:
    """The status of a page, on a connection of its own."""
    status, plain = client.tunnel(act.host, source=act.source)
    if status != 200:
        return status
    with client.tls(plain, act.host) as tls:
        fields = {"Host": act.host, "Connection": "close", **NAVIGATE}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        tls.sendall(f"GET / HTTP/1.1\r\n{head}\r\n".encode())
        line = read_until(tls, b"\r\n")
        read_all(tls)
    return int(line.split()[1])


class Branch(NamedTuple):
    """An office behind a balancer of its own, and its clients, which know only the balancer."""

    proxy: OfficeProxy
    client: Client


def office(folder: Path, origins: Origins, workers: int, clock: OfficeTime) -> OfficeProxy:
    """An office with so many workers; not started yet."""
    made = TimedOffice(
        folder,
        origins,
        RULES.format(zone=noon_zone(), limit=LIMIT),
        people=PEOPLE,
        hosts=HOSTS,
        resolve=[origins.resolve_raw("echo.example", "echo")],
        settings={"workers": workers, "proxy-protocol": [FROM], "flush": "250ms"},
    )
    made.clock = clock
    return made


@pytest.fixture(scope="module")
def branches(
    origins: Origins, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, Branch]]:
    """One with one worker, one with four, by that number."""
    clock = OfficeTime(SPEED, time.time())  # noqa: TID251
    made = {}
    with ExitStack() as stack:
        folders = {n: tmp_path_factory.mktemp(f"workers-{n}") for n in (1, 4)}
        offices = {n: office(folder, origins, n, clock) for n, folder in folders.items()}
        for each in offices.values():
            stack.push(each)
        with ThreadPoolExecutor() as starting:
            list(starting.map(OfficeProxy.start, offices.values()))
        for number, each in offices.items():
            until(lambda log=each: "Allowance is running" in log.log, "the start notice")
            # Both of the balancer's nodes are this one.
            balancer = stack.enter_context(HAProxy(folders[number], each, each))
            made[number] = Branch(each, Client(balancer.port, each.client.trust))
        yield made


def lived(branch: Branch, name: str, began: float) -> list[int]:
    """The answers that somebody gets on that day, which began at this instant of our clock."""
    answers = []
    for act in plan(name):
        time.sleep(max(0.0, began + act.at / SPEED - time.monotonic()))
        answers.append(opened(branch.client, act))
    return answers


def balances(branch: Branch, name: str) -> Any:
    """What somebody's page says of their allowances, by name."""
    seat = SEATS[name][2][0]
    page = branch.client.get("http://allowance.internal/me.json", source=seat)
    return page.json()["allowances"]


def test_a_day_is_charged_alike(branches: dict[int, Branch]) -> None:
    """Three people, two of whom change devices with every page, each page on a new connection: four
    workers charge what one does, and an allowance that is used up is overspent at neither."""
    for branch in branches.values():  # certificates are made before the day begins
        for host in ("x.com", "www.facebook.com"):
            assert opened(branch.client, Act(0.0, host, "127.0.4.6")) == 200
    began = time.monotonic() + 0.2
    with ThreadPoolExecutor(len(branches) * len(SEATS)) as people:
        running = {
            (workers, name): people.submit(lived, branch, name, began)
            for workers, branch in branches.items()
            for name in SEATS
        }
    answers = {key: future.result() for key, future in running.items()}
    time.sleep(2.5)  # until what was read last costs nothing more
    charged = {
        (workers, name): {
            name: allowance["spent"] for name, allowance in balances(branch, name).items()
        }
        for workers, branch in branches.items()
        for name in SEATS
    }
    for key, found in charged.items():
        print(key, found, answers[key])
    for name in SEATS:
        assert charged[4, name] == pytest.approx(charged[1, name], abs=ALIKE)
        assert answers[4, name].count(403) == pytest.approx(answers[1, name].count(403), abs=1)
    for workers in branches:
        assert charged[workers, "sam"]["feed"] == pytest.approx(LIMIT, abs=0.5)
        assert 403 in answers[workers, "sam"]
        assert set(answers[workers, "pat"]) == {200}


def test_load_is_spread(branches: dict[int, Branch]) -> None:
    """Sixty tunnels of one device, which all come from the address of the balancer: each of the
    four workers relays its share. Without the light path all are decided about by the engine, which
    is that of the person's worker."""
    branch = branches[4]
    tunnels = []
    for _ in range(60):
        status, tunnel = branch.client.tunnel("echo.example", source="127.0.4.6")
        assert status == 200
        tunnel.sendall(b"\x00")
        assert tunnel.recv(1) == b"\x00"
        tunnels.append(tunnel)
    port = branch.proxy.port
    shares = {n: connections(pid, port) for n, pid in alive(branch.proxy).items()}
    print(f"tunnels of each worker: {shares}")
    assert sum(shares.values()) >= 60
    if not LIGHT_PATH:
        assert max(shares.values()) >= 60
        return
    assert min(shares.values()) >= 3
    assert max(shares.values()) <= 36
