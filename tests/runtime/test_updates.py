"""`proxy_addon/runtime/updates.py`: news, erasures and other rules reach the memory of a proxy."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import Period
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import News
from proxy_addon.metering.assembly import MeteringComponents, assemble, numbered
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.runtime.loop_handle import LoopHandle
from proxy_addon.runtime.notices import NoticesInLedger
from proxy_addon.runtime.updates import MERGED_AT_ONCE, LedgerNews, RulesInForce
from tests.ledger.memory_ledger import MemoryLedger
from tests.proxy.harness import NOON, ProxyHarness
from tests.virtual_clock import VirtualClock


@pytest.fixture
def metering(tmp_path: Path) -> MeteringComponents:
    """By the rules of the proxy harness, on a clock that is moved."""
    harness = ProxyHarness(tmp_path)
    harness.close()
    return assemble(harness.rules, lambda _: None, numbered("v"), "here")


def used(at: float) -> Visit:
    """A minute of dora."""
    return Visit(f"u{at}", "dora", "x", None, "short", "A little every day", at - 60.0, at, "there")


async def test_news_are_taken_up_on_the_loop(metering: MeteringComponents) -> None:
    """Nothing before the start; afterwards what others wrote is in the book at the next turn."""
    loop = LoopHandle()
    notices = NoticesInLedger(MemoryLedger(), metering.enforcer.gate.book, str)
    news = LedgerNews(loop, metering, str, None, notices)
    news.arrived(News((used(NOON),), (), 0.0))
    loop.attach(asyncio.get_running_loop())
    await asyncio.sleep(0)
    assert len(metering.book) == 0
    news.arrived(News((used(NOON),), (), 0.0))
    await asyncio.sleep(0.01)
    assert metering.book.of("dora").spent("short", 0.0, NOON) == 60.0


async def test_rules_with_a_longer_window_bring_the_past_that_they_need(
    metering: MeteringComponents,
) -> None:
    """A start reads today; once a month counts, what was used weeks ago is read, and open
    connections follow."""
    ledger, loop, followed = MemoryLedger(), LoopHandle(), list[float]()
    ledger.write_visits([used(NOON), used(NOON - 86_400.0)])
    clock = VirtualClock(NOON)
    rules = RulesInForce(
        loop,
        clock,
        metering,
        ledger,
        PrometheusMetrics(),
        lambda: followed.append(clock.now()),
        NoticesInLedger(ledger, metering.enforcer.gate.book, str),
    )
    rules.begin()
    rules.adopt(rules.read())
    assert list(metering.book.of("dora").visits) == [f"u{NOON}"]
    loop.attach(asyncio.get_running_loop())
    clock.advance(5.0)
    old = metering.enforcer.rules
    longer = replace(
        old.allowances["short"],
        limits=(replace(old.allowances["short"].limits[0], period=Period.MONTH),),
    )
    rules.swap(CompiledPolicy.of(replace(old, allowances={"short": longer})))
    assert (rules.since, followed) == (NOON + 5.0, [NOON + 5.0])
    async with asyncio.timeout(5):
        while len(metering.book.of("dora").visits) < 2:
            await asyncio.sleep(0.01)


async def test_people_who_were_seen_before_the_ledger_was_there(
    metering: MeteringComponents,
) -> None:
    """What the ledger has is added to what they used meanwhile, some people in each turn; a visit
    that both have counts once."""
    ledger, loop = MemoryLedger(), LoopHandle()
    names = [f"p{number}" for number in range(MERGED_AT_ONCE + 5)]
    old = [replace(used(NOON - 600.0), id=f"old-{name}", person=name) for name in names]
    new = [replace(used(NOON), id=f"new-{name}", person=name) for name in names]
    ledger.write_visits([*old, *new])
    metering.book.ledger_away(True)
    metering.book.load(new, ())
    notices = NoticesInLedger(ledger, metering.enforcer.gate.book, str)
    clock, metrics = VirtualClock(NOON), PrometheusMetrics()
    rules = RulesInForce(loop, clock, metering, ledger, metrics, lambda: None, notices)
    loop.attach(asyncio.get_running_loop())
    told = list[str]()
    for name in names:
        metering.book.of(name).watcher = Told(told, name)
    past = rules.read()
    rules.adopt(past)
    assert len(told) == MERGED_AT_ONCE
    assert (
        metering.book.of(names[-1]).spent("short", 0.0, NOON) == 120.0
    )  # asked for before its turn
    async with asyncio.timeout(5):
        while len(told) < len(names):
            await asyncio.sleep(0.01)
    assert {metering.book.of(name).spent("short", 0.0, NOON) for name in names} == {120.0}


class Told:
    """Notes whose usage has changed."""

    def __init__(self, told: list[str], name: str) -> None:
        self._told, self._name = told, name

    def used(self, start: float, end: float) -> None:
        """See UsageWatcher."""

    def changed(self) -> None:
        """See UsageWatcher."""
        self._told.append(self._name)
