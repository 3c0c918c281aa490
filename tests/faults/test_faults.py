"""The short form of the fault harness. The long one, with every fault and a hundred kills, is
`make soak`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

import pytest

from tests.faults.databases import FaultyDatabase, PostgresDatabase, SqliteDatabase
from tests.faults.harness import Plan, judge, work

SQLITE = (
    Plan("locked", kill=False, during=1.6),
    Plan("disk full", kill=True, during=1.8),
    Plan(None, kill=True, during=0.7, replay_kills=1),
)
POSTGRES = (
    Plan("network cut", kill=False, during=1.6),
    Plan("frozen", kill=True, during=1.8, replay_kills=1),
)


def possible(database: FaultyDatabase, plans: Sequence[Plan]) -> list[Plan]:
    """Those whose fault can be had here: a small disk needs the right to mount one."""
    return [plan for plan in plans if plan.fault is None or plan.fault in database.faults()]


REFUSALS = tuple(
    Plan(name, kill=kill, during=2.6)
    for name in ("refuses all", "refuses some")
    for kill in (True, False)
)


def no_harm(sqlite: Sequence[Plan], postgres: Sequence[Plan], seconds: float) -> float:
    """Whether each run leaves every visit in the ledger, once; how many seconds were written."""
    out: SimpleQueue[object] = SimpleQueue()
    makes: list[tuple[Callable[[], FaultyDatabase], Sequence[Plan]]] = [
        (SqliteDatabase, sqlite),
        (PostgresDatabase, postgres),
    ]
    threads = [
        threading.Thread(
            target=work, args=(make, lambda database, p=plans: possible(database, p), 1, out)
        )
        for make, plans in makes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
    results = [out.get() for _ in range(out.qsize())]
    assert results.count(None) == 2
    accounts = [result for result in results if result is not None]
    assert len(accounts) >= 4
    for name, plan, account in accounts:  # type: ignore[misc]
        judge(plan, account)
        assert account.wrong == [], (name, plan)
        assert account.doubled == 0.0
    return sum(account.written for _, _, account in accounts)  # type: ignore[misc]


@pytest.mark.postgres
@pytest.mark.long
def test_nothing_is_lost_but_two_seconds_of_a_kill() -> None:
    """Outages lose nothing, kill -9 loses at most two seconds of anybody, and nothing is there
    twice."""
    assert no_harm(SQLITE, POSTGRES, 110.0) > 20.0


@pytest.mark.postgres
@pytest.mark.long
@pytest.mark.timeout(400)
def test_nothing_that_is_refused_is_lost() -> None:
    """A database that refuses visits for a while, all of them or those of two people, and somebody
    who removes the journal during an outage: nothing is lost, with kill -9 two seconds at most."""
    removed = Plan("journal removed", kill=True, during=1.2)
    assert no_harm((*REFUSALS, removed), REFUSALS, 380.0) > 20.0
