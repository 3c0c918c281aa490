"""`proxy_addon/web/ledger_executor.py`: questions to the ledger that hold up nobody."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from proxy_addon.ledger.interface import LedgerRefused, LedgerUnavailable
from proxy_addon.web.ledger_executor import LedgerExecutor


async def page[Answer](executor: LedgerExecutor, call: Callable[[], Answer]) -> Answer:
    """One call by a page of its own, as each request is a task of its own."""
    (answer,) = await asyncio.gather(executor.run(call))
    return answer


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


async def test_a_second_page_does_not_wait() -> None:
    """While a call that was given up has not come back, another is not even begun; afterwards it
    is."""
    executor, over = LedgerExecutor(timeout=0.05), threading.Event()
    asked: list[str] = []
    try:
        with pytest.raises(LedgerUnavailable, match="in time"):
            await page(executor, over.wait)
        with pytest.raises(LedgerUnavailable, match=r"does not answer$"):
            await page(executor, lambda: asked.append("too early"))
    finally:
        over.set()
    async with asyncio.timeout(10):
        while executor.availability.is_away or not asked:
            with suppress(LedgerUnavailable):
                await page(executor, lambda: asked.append("now"))
            await asyncio.sleep(0.01)
    assert asked == ["now"]


async def test_a_late_refusal_is_an_answer_and_a_late_failure_is_none() -> None:
    """A database that refuses a row works; one that cannot be reached after all does not."""
    for problem, works in ((LedgerRefused("no"), True), (LedgerUnavailable("away"), False)):
        executor, over = LedgerExecutor(timeout=0.05), threading.Event()

        def late(over: threading.Event = over, problem: Exception = problem) -> None:
            over.wait()
            raise problem

        with pytest.raises(LedgerUnavailable):
            await page(executor, late)
        over.set()
        async with asyncio.timeout(10):
            while executor._running:
                await asyncio.sleep(0.01)
        if works:
            assert await page(executor, int) == 0
        else:
            with pytest.raises(LedgerUnavailable, match=r"does not answer$"):
                await page(executor, int)


async def test_a_page_with_several_calls() -> None:
    """What it has waited for in vain is taken from its patience; slow answers cost nothing."""
    executor, over = LedgerExecutor(timeout=1.0), threading.Event()
    for _ in range(3):
        await executor.run(lambda: time.sleep(0.4))
    began = time.monotonic()
    try:
        for seconds in (0.6, None, None):
            with pytest.raises(LedgerUnavailable):
                await executor.run(over.wait, seconds)
    finally:
        over.set()
    assert 0.9 < time.monotonic() - began < 1.5


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
