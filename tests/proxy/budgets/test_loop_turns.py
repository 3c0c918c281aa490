"""`proxy_addon/proxy/budgets/loop_turns.py`: rounds of the event loop, and whose turn it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.proxy.budgets.loop_turns import MOST_AHEAD, ROUND_SECONDS, LoopTurns, turns_of_loop


class Taker:
    """A connection, as far as turns look at it."""

    def __init__(self, cost: float, used: float = 0.0) -> None:
        self.cost, self.used = cost, used
        self.rounds: list[int] = []  # in which it had a turn


class Rounds:
    """An event loop in which takers have work without end; `number`: of the round."""

    def __init__(self) -> None:
        self.turns, self.number = LoopTurns(), 0
        self.spent: list[float] = []

    async def work(self, taker: Taker) -> None:
        """One event after the other, like a connection that is read again and again."""
        while True:
            if self.turns.is_free:
                await asyncio.sleep(0)
            else:
                await self.turns.turn(taker)
            self.turns.spent(taker, taker.cost)
            self.spent[-1] += taker.cost
            taker.rounds.append(self.number)

    async def run(self, takers: list[Taker], rounds: int) -> None:
        """So many rounds of the loop."""
        tasks = [asyncio.ensure_future(self.work(each)) for each in takers]
        for self.number in range(rounds):
            self.spent.append(0.0)
            await asyncio.sleep(0)
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def ran(
    main: Callable[[], Awaitable[None]], factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Run something on a kind of event loop."""

    async def run() -> None:
        await main()

    asyncio.run(run(), loop_factory=factory)


LOOPS = pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])


@LOOPS
def test_a_round_stays_short(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Three hundred connections with something to do do not lengthen a round, apart from the first
    one, in which it is not known yet what they need."""
    rounds = Rounds()
    takers = [Taker(0.004) for _ in range(300)]
    ran(lambda: rounds.run(takers, 900), factory)
    assert max(rounds.spent[5:]) <= 3 * ROUND_SECONDS
    assert sum(rounds.spent[5:]) / len(rounds.spent[5:]) >= 0.5 * ROUND_SECONDS
    assert min(len(each.rounds) for each in takers) >= 3


@LOOPS
def test_whoever_used_least_goes_first(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Somebody who comes to a crowd has a turn in one of the next rounds, and then as many more as
    their little need allows; each of the crowd waits for a hundred others."""
    rounds = Rounds()
    crowd, late = [Taker(0.002 + n * 37 % 100 * 4e-5) for n in range(100)], Taker(0.0005)

    async def main() -> None:
        async def later() -> None:
            await asyncio.sleep(0)
            while rounds.number < 200:
                await asyncio.sleep(0)
            await rounds.work(late)

        task = asyncio.ensure_future(later())
        await rounds.run(crowd, 260)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    ran(main, factory)
    assert late.rounds[0] <= 204
    assert len(late.rounds) > 10
    assert max(sum(n >= 200 for n in each.rounds) for each in crowd) < 10


@LOOPS
def test_what_was_used_long_ago_is_forgotten(
    factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """A connection that used the processor for an hour while nobody else did waits no longer than
    anybody when there is a crowd."""
    rounds = Rounds()
    crowd, heavy = [Taker(0.002) for _ in range(50)], Taker(0.002, used=3600.0)
    ran(lambda: rounds.run([heavy, *crowd], 400), factory)
    gaps = [b - a for a, b in zip(heavy.rounds, heavy.rounds[1:], strict=False)]
    assert max([heavy.rounds[0], *gaps]) <= 50 * MOST_AHEAD / ROUND_SECONDS


@settings(deadline=None, max_examples=25)
@given(costs=st.lists(st.sampled_from([0.0001, 0.001, 0.01, 0.1]), min_size=2, max_size=40))
def test_everybody_has_turns(costs: list[float]) -> None:
    """However much their events need, nobody waits for ever."""
    rounds, takers = Rounds(), [Taker(cost) for cost in costs]
    ran(lambda: rounds.run(takers, 1500), asyncio.new_event_loop)
    assert min(len(each.rounds) for each in takers) > 2
    assert max(each.rounds[-1] for each in takers) - min(each.rounds[-1] for each in takers) < 700


@LOOPS
def test_how_long_somebody_waited(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """The longest wait is told once."""

    async def main() -> None:
        turns, first, second = LoopTurns(), Taker(0.0), Taker(0.0)
        assert turns.longest() == 0.0
        turns.spent(first, 10 * ROUND_SECONDS)
        waiting = asyncio.ensure_future(turns.turn(second))
        await asyncio.sleep(0)
        time.sleep(0.05)  # noqa: ASYNC251 - somebody else holds the loop
        await waiting
        assert turns.longest() > 0.04  # the clock of a loop stands still within a round
        assert turns.longest() == 0.0

    ran(main, factory)


@LOOPS
def test_who_has_gone_takes_no_turn(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """A connection that ends while it waits is left out."""

    async def main() -> None:
        turns, first, second = turns_of_loop(), Taker(0.0), Taker(0.0, used=1.0)
        assert turns is turns_of_loop() and turns.is_free
        turns.spent(first, ROUND_SECONDS)
        assert not turns.is_free
        gone = asyncio.ensure_future(turns.turn(first))
        stays = asyncio.ensure_future(turns.turn(second))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait_for(stays, 5)
        assert (gone.cancelled() and not turns.is_free) or turns.is_free
        await asyncio.sleep(0)
        assert turns.is_free

    ran(main, factory)
