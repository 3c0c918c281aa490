"""The short form of the soak, which kills real proxies under load. `make soak` is the long one."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from proxy_addon.core.intervals import measure
from proxy_addon.core.types import Interval
from tests.faults.mixed_load import WAYS, Person
from tests.faults.soak import Kill, ProxyUnderLoad, account, judge, perform, table

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.mark.parametrize(
    ("engine", "workers", "killed", "fault"),
    [
        pytest.param("sqlite", 1, "all processes", None, marks=pytest.mark.long),
        pytest.param("postgres", 2, "one worker", "frozen", marks=pytest.mark.postgres),
    ],
)
def test_a_kill_loses_two_seconds_at_most(
    engine: str, workers: int, killed: str, fault: str | None
) -> None:
    """Nobody loses more, whatever they were doing, nothing is charged that nobody used, and
    ordinary requests go on as long as a worker lives."""
    target = ProxyUnderLoad(engine, workers)
    try:
        kill = perform(target, random.Random(5), killed=killed, fault=fault)
    finally:
        target.close()
    assert kill.wrong == []
    assert kill.used > len(WAYS)  # everybody used something
    assert kill.asked > 0


def person(*used: tuple[float, float]) -> Person:
    """Somebody who used something between these instants."""
    return Person("pat", "127.0.0.1", "films", [Interval(*each) for each in used])


def test_the_truth_joins_what_is_close_and_adds_a_tail() -> None:
    """A gap of less than 40 s is use, a longer one is not, and nothing after the kill counts."""
    truth = person((0.0, 5.0), (30.0, 30.0), (100.0, 104.0)).truth(108.0, 10.0)
    assert truth == (Interval(0.0, 40.0), Interval(100.0, 108.0))


def test_what_is_missing_and_what_is_too_much_is_found() -> None:
    """The account is in seconds of the worst person, and says what that person did."""
    kill = Kill("sqlite, 1 worker", "all processes", "nothing")
    other = replace(person((10.0, 20.0)), name="kim", way="pages")
    charged = {"pat": (Interval(10.0, 17.0),), "kim": (Interval(10.0, 35.0),)}
    account(kill, [person((10.0, 20.0)), other], charged, 20.0)
    assert (kill.used, kill.lost, kill.worst, kill.way) == (20.0, 3.0, 3.0, "films")
    assert kill.extra == pytest.approx(35.0 - 30.0 - 1.0)
    judge(kill)
    assert [wrong.split(" s ")[1] for wrong in kill.wrong] == [
        "lost of films",
        "charged that nobody used",
    ]
    assert measure(charged["pat"]) == 7.0
    assert "| **all** | | | 1 | 20.0 s | 3.00 s | 3.00 s |" in list(table([kill]))[-1]
