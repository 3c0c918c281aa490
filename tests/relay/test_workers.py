"""Twin of proxy_addon/relay/workers.py: who is served where."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from pathlib import Path

import pytest

from proxy_addon.relay.handoff import Handoff
from proxy_addon.relay.workers import WorkerPlace, Workers, listeners_of, worker_of

PEOPLE = [f"person{number}" for number in range(2000)] + [f"ip:10.0.7.{n}" for n in range(200)]


@pytest.mark.parametrize("workers", [2, 4, 7])
def test_people_are_spread(workers: int) -> None:
    """Each worker serves about its share of them."""
    shares = Counter(worker_of(name, workers) for name in PEOPLE)
    assert set(shares) == set(range(workers))
    assert max(shares.values()) < 1.25 * len(PEOPLE) / workers


def test_the_worker_of_somebody_stays_the_same() -> None:
    """In each process, at each start: fixed values."""
    assert [worker_of(name, 4) for name in ("dora", "emil", "ip:10.0.7.33", "zoë")] == [3, 2, 0, 2]


def test_alone_everybody_is_served_here() -> None:
    """One worker passes nothing on."""
    assert WorkerPlace().serves("dora")
    assert not WorkerPlace().shared
    places = [WorkerPlace(number, 4) for number in range(4)]
    assert [place.serves("dora") for place in places] == [False, False, False, True]


async def test_from_one_to_another(tmp_path: Path) -> None:
    """A connection reaches the worker of its person; when that retires, its successor, also from
    itself."""
    sockets = listeners_of(tmp_path, 2)
    name = next(each for each in PEOPLE if worker_of(each, 2) == 1)
    first, old, new = (
        Workers(WorkerPlace(number, 2), tmp_path, sockets[number].dup()) for number in (0, 1, 1)
    )
    at: dict[str, list[tuple[socket.socket, Handoff]]] = {"old": [], "new": []}
    old.start(lambda *sent: at["old"].append(sent))
    results: list[bool] = []
    kept, mine = socket.socketpair()
    with kept, mine:
        assert (first.serves(name), old.serves(name)) == (False, True)
        first.send(name, kept.fileno(), Handoff(b"1"), results.append)
        await reached(results, 1)
        new.start(lambda *sent: at["new"].append(sent))
        old.retire()
        assert not old.serves(name)
        first.send(name, kept.fileno(), Handoff(b"2"), results.append)
        old.send(name, kept.fileno(), Handoff(b"3"), results.append)
        await reached(results, 3)
    assert [handoff.data for _, handoff in at["old"]] == [b"1"]
    assert sorted(handoff.data for _, handoff in at["new"]) == [b"2", b"3"]
    assert results == [True] * 3
    for each in (first, old, new):
        each.stop()
    for each in (*sockets, *(sock for sent in at.values() for sock, _ in sent)):
        each.close()


async def reached(results: list[bool], number: int) -> None:
    """Wait for so many results."""
    async with asyncio.timeout(3):
        while len(results) < number:
            await asyncio.sleep(0.005)
