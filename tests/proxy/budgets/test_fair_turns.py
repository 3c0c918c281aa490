"""`proxy_addon/proxy/budgets/fair_turns.py`."""

from __future__ import annotations

import asyncio

import pytest

from proxy_addon.proxy.budgets import fair_turns
from proxy_addon.proxy.budgets.fair_turns import EACH, QUEUE, SLOTS, FairTurns, QueueFull


class Crowd:
    """People who have turns until they are told to end them."""

    def __init__(self) -> None:
        self.turns = FairTurns()
        self.having: list[str] = []
        self.begun: list[str] = []
        self.refused: list[str] = []
        self._ends = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def _turn(self, person: str) -> None:
        try:
            async with self.turns.turn(person):
                self.begun.append(person)
                self.having.append(person)
                await self._ends.wait()
                self.having.remove(person)
        except QueueFull:
            self.refused.append(person)

    async def ask(self, *people: str) -> None:
        """Each of them asks for a turn."""
        self._tasks += [asyncio.ensure_future(self._turn(each)) for each in people]
        await asyncio.sleep(0)

    async def leave(self) -> None:
        """All of them give up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def end(self) -> None:
        """Every turn that there is ends, now and later."""
        self._ends.set()
        await asyncio.gather(*self._tasks)


def test_one_person_does_not_take_all_turns() -> None:
    """However many somebody asks for, they have two at a time, and others begin at once."""

    async def check() -> None:
        crowd = Crowd()
        await crowd.ask(*["ana"] * 15)
        assert crowd.having == ["ana"] * EACH
        await crowd.ask("ben")
        assert crowd.having == ["ana"] * EACH + ["ben"]
        await crowd.end()
        assert len(crowd.begun) == 16

    asyncio.run(check())


def test_queues_have_their_turn_one_after_the_other() -> None:
    """Where all turns are taken, the next go to each of those who wait, not to the longest
    queue."""

    async def check() -> None:
        crowd = Crowd()
        await crowd.ask(*[f"person {number}" for number in range(SLOTS)])
        await crowd.ask(*["ana"] * 10, "ben", "cy")
        assert len(crowd.having) == SLOTS
        await crowd.end()
        assert crowd.begun[SLOTS : SLOTS + 3] == ["ana", "ben", "cy"]

    asyncio.run(check())


def test_a_full_queue_refuses_its_person_only() -> None:
    """Who has too many waiting is refused; somebody else waits."""

    async def check() -> None:
        crowd = Crowd()
        await crowd.ask(*["ana"] * (EACH + QUEUE + 3))
        assert crowd.refused == ["ana"] * 3
        await crowd.ask("ben")
        assert "ben" in crowd.having
        await crowd.end()

    asyncio.run(check())


def test_who_leaves_makes_room() -> None:
    """Requests whose clients have gone, before their turn and in it, leave nothing behind."""

    async def check() -> None:
        crowd = Crowd()
        await crowd.ask(*["ana"] * 10)
        await crowd.leave()
        assert not crowd.turns._waiting and not crowd.turns._running
        await crowd.ask("ana")
        assert crowd.begun[-1] == "ana" and len(crowd.turns._running) == 1
        await crowd.end()

    asyncio.run(check())


def test_a_rate_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than somebody's rate waits until it is made up for, and then goes on by itself."""
    monkeypatch.setattr(fair_turns, "RATE", fair_turns.Allotment(50, 3))

    async def check() -> None:
        loop, crowd = asyncio.get_running_loop(), Crowd()
        begun = loop.time()
        for _ in range(8):
            await crowd.ask("ana")
        await crowd.end()
        assert len(crowd.begun) == 8
        assert loop.time() - begun >= 3 / 50

    asyncio.run(check())
