"""`proxy_addon/web/ledger_executor.py`: questions to the ledger that hold up nobody."""

from __future__ import annotations

import asyncio
import threading

import pytest

from proxy_addon.ledger.interface import LedgerUnavailable
from proxy_addon.web.ledger_executor import LedgerExecutor


async def test_answers_and_problems_come_back() -> None:
    """What the question returns or raises, from a thread that is not the loop's."""
    executor = LedgerExecutor()
    assert await executor.run(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await executor.run(lambda: 1 // 0)


async def test_a_ledger_that_hangs() -> None:
    """A question that takes too long is given up, the loop goes on meanwhile, and no more than a
    few hang."""
    executor, over = LedgerExecutor(timeout=0.05, max_calls=2), threading.Event()
    try:
        asked = [executor.run(over.wait) for _ in range(3)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(each) for each in answers] == [LedgerUnavailable] * 3
        with pytest.raises(LedgerUnavailable, match="too many"):
            await executor.run(int)
    finally:
        over.set()
    async with asyncio.timeout(10):
        while True:  # once the database has ended them, others may ask again
            try:
                assert await executor.run(int) == 0
                return
            except LedgerUnavailable:
                await asyncio.sleep(0.01)


def test_a_loop_that_ends_first() -> None:
    """An answer that comes when the loop is closed is dropped."""
    over, executor = threading.Event(), LedgerExecutor(timeout=0.01)

    async def give_up() -> None:
        with pytest.raises(LedgerUnavailable):
            await executor.run(over.wait)

    asyncio.run(give_up())
    over.set()
    for thread in threading.enumerate():
        if thread.name == "ledger-page":
            thread.join(5.0)
