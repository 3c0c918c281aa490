"""Twin of proxy_addon/network/lookups.py: names are looked up once, remembered, and shared out."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.network import lookups as module
from proxy_addon.network.lookups import PERSON_SHARE, AddressInfo, Lookups, domain_of

ANSWER: list[AddressInfo] = [(2, 1, 6, "", ("192.0.2.7", 0))]  # type: ignore[list-item]


class NameServer:
    """What the system's resolver does: answers, fails, or hangs until it is released."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self.release = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, name: str) -> list[AddressInfo]:
        with self._lock:
            self.asked.append(name)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        if "dead" in name:
            self.release.wait(20)
        with self._lock:
            self.at_once -= 1
        if "unknown" in name or "dead" in name:
            raise OSError(f"{name}: name or service not known")
        return ANSWER


@pytest.fixture
async def office() -> AsyncIterator[tuple[Lookups, NameServer]]:
    """A fresh set of lookups."""
    server = NameServer()
    lookups = Lookups(server)
    yield lookups, server
    server.release.set()
    lookups.close()


async def ask_all(lookups: Lookups, names: list[str], asker: Callable[[int], str]) -> list[object]:
    """Ask for all of these names, until those that have a share are asked; the tasks."""
    tasks = [
        asyncio.ensure_future(lookups.addresses(name, asker(i))) for i, name in enumerate(names)
    ]
    await asyncio.sleep(0.05)
    server = lookups._ask
    assert isinstance(server, NameServer)
    while server.at_once < lookups._running:  # a thread of the system's may begin late
        await asyncio.sleep(0.01)
    return tasks


async def quickly(lookups: Lookups, name: str, asker: str) -> float:
    """Look one name up; how long that took, seconds."""
    began = time.monotonic()
    assert await lookups.addresses(name, asker) == ANSWER
    return time.monotonic() - began


async def test_one_person_with_forty_names_that_hang_delays_nobody(office):
    """The others' new names are there at once, and so is that person's when there is room."""
    lookups, server = office
    tasks = await ask_all(lookups, [f"a{i}.dead{i}.example" for i in range(40)], lambda i: "dora")
    assert server.at_once == PERSON_SHARE
    for i in range(20):
        assert await quickly(lookups, f"new{i}.example", "emil") < 0.2
    server.release.set()
    assert all(isinstance(e, OSError) for e in await asyncio.gather(*tasks, return_exceptions=True))


async def test_a_tracker_whose_name_servers_are_dead_delays_nobody(office):
    """Everybody's pages ask for another of its names; all other names are there at once."""
    lookups, server = office
    names = [f"pixel{i}.dead-tracker.co.uk" for i in range(200)]
    tasks = await ask_all(lookups, names, lambda i: f"person{i}")
    assert server.at_once == module.DOMAIN_SHARE
    for i in range(20):
        assert await quickly(lookups, f"new{i}.co.uk", f"person{i}") < 0.2
    for task in tasks:
        task.cancel()


async def test_many_people_with_names_that_hang_delay_nobody(office):
    """Shares become small before the threads run out."""
    lookups, server = office
    names = [f"a{i}.dead{i}.example{i}" for i in range(600)]
    tasks = await ask_all(lookups, names, lambda i: f"person{i % 15}")
    assert server.at_once <= module.THREADS
    for i in range(15):
        assert await quickly(lookups, f"new{i}.example", f"new{i}") < 0.2
    for task in tasks:
        task.cancel()


async def test_questions_for_one_name_are_one(office):
    """Thirty people open the same site in the same second."""
    lookups, server = office
    answers = await asyncio.gather(
        *(lookups.addresses("x.example", f"person{i}") for i in range(30))
    )
    assert answers == [ANSWER] * 30
    assert await lookups.addresses("x.example", "late") == ANSWER
    assert server.asked == ["x.example"]


async def test_one_of_several_askers_with_room_is_enough(office):
    """Somebody asks for a name that waits in the queue of a person whose share is used up."""
    lookups, _ = office
    tasks = await ask_all(lookups, [f"a.dead{i}.example" for i in range(40)], lambda i: "dora")
    tasks += await ask_all(lookups, ["wanted.example"], lambda i: "dora")
    assert not tasks[-1].done()
    assert await quickly(lookups, "wanted.example", "emil") < 0.2
    assert tasks[-1].done()
    for task in tasks:
        task.cancel()


async def test_answers_hold_for_their_time_and_failures_for_seconds(office, monkeypatch):
    """Then the name is asked for again."""
    lookups, server = office
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(module, "FAILURE_SECONDS", 0.1)
    for name in ("x.example", "unknown.example"):
        for _ in range(3):
            await asyncio.gather(lookups.addresses(name, "dora"), return_exceptions=True)
        assert server.asked.count(name) == 1
        await asyncio.sleep(0.15)
        await asyncio.gather(lookups.addresses(name, "dora"), return_exceptions=True)
        assert server.asked.count(name) == 2


async def test_a_failure_is_the_same_for_all(office):
    """Whoever waited and whoever asks again get the system's own error."""
    lookups, _ = office
    for _ in range(2):
        with pytest.raises(OSError, match="not known"):
            await lookups.addresses("unknown.example", "dora")


async def test_an_answer_that_cannot_be_reached_is_forgotten(office):
    """The site has moved: the next question asks the system."""
    lookups, server = office
    await lookups.addresses("x.example", "dora")
    lookups.forget("x.example")
    await lookups.addresses("x.example", "dora")
    assert len(server.asked) == 2


async def test_patience_ends(office, monkeypatch):
    """A name that hangs is an error after a while, and at once for those who ask for it later."""
    lookups, server = office
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    with pytest.raises(TimeoutError, match=r"name resolution of x\.dead\.example timed out"):
        await lookups.addresses("x.dead.example", "dora")
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await lookups.addresses("x.dead.example", "emil")
    assert time.monotonic() - began < 0.1
    assert server.asked == ["x.dead.example"]


async def test_a_question_for_nobody_is_not_asked(office):
    """Clients that have gone away cost no thread."""
    lookups, server = office
    hanging = await ask_all(lookups, [f"a.dead{i}.example" for i in range(16)], lambda i: "dora")
    gone = await ask_all(lookups, [f"gone{i}.example" for i in range(50)], lambda i: "dora")
    for task in gone:
        task.cancel()
    server.release.set()
    await asyncio.gather(*hanging, *gone, return_exceptions=True)
    assert await quickly(lookups, "x.example", "dora") < 0.2
    assert not any("gone" in name for name in server.asked)


async def test_too_many_at_once_are_refused(office):
    """The queue of one person is bounded; others ask as ever."""
    lookups, _ = office
    tasks = await ask_all(
        lookups, [f"a.dead{i}.example" for i in range(module.WAITING_EACH + 9)], lambda i: "dora"
    )
    refused = [t for t in tasks if t.done() and "too many names" in str(t.exception())]
    assert len(refused) == 9
    assert await quickly(lookups, "x.example", "emil") < 0.2
    for task in tasks:
        task.cancel()


async def test_nothing_is_left_of_questions_that_are_over(office):
    """No counter grows with the people and names that were seen."""
    lookups, server = office
    await asyncio.gather(*(lookups.addresses(f"x{i}.example{i}", f"p{i}") for i in range(50)))
    assert not lookups._open and not lookups._waiting
    assert not lookups._of_person and not lookups._of_domain and not lookups._waits_of
    assert server.at_once == 0


async def test_memory_is_bounded(office, monkeypatch):
    """Of the names that were asked for the last ones are remembered."""
    lookups, _ = office
    monkeypatch.setattr(module, "KEPT", 10)
    for i in range(30):
        await lookups.addresses(f"x{i}.example", "dora")
    assert list(lookups._known) == [f"x{i}.example" for i in range(20, 30)]


def test_a_loop_that_has_ended_is_no_error():
    """An answer that comes after the end of the proxy reaches nobody."""
    server = NameServer()
    lookups = Lookups(server)

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lookups.addresses("x.dead.example", "dora"), 0.05)

    asyncio.run(leave())
    server.release.set()
    lookups.close()


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("www.example.com", "example.com"),
        ("a.b.tracker.co.uk.", "tracker.co.uk"),
        ("x.y.com.au", "y.com.au"),
        ("co.uk", "co.uk"),
        ("printer", "printer"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("A.EXAMPLE.org", "example.org"),
    ],
)
def test_domain(name: str, domain: str) -> None:
    """The part of a name that one owner's name servers answer for."""
    assert domain_of(name) == domain


@given(st.text(max_size=40))
def test_every_name_has_a_domain(name: str) -> None:
    """Whatever a client sends, and the domain of a domain is itself."""
    assert domain_of(domain_of(name)) == domain_of(name)


async def test_a_resolver_that_fails_in_its_own_way_is_a_failure_like_others() -> None:
    """Whoever connects expects OSError, and nothing else."""

    def broken(name: str) -> list[AddressInfo]:
        raise KeyError(name)

    lookups = Lookups(broken)
    with pytest.raises(OSError, match=r"name resolution of a\.example failed: KeyError"):
        await lookups.addresses("a.example", "dora")
    lookups.close()
