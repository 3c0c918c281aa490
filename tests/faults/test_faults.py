"""The short form of the fault harness: each fault once, kills at random points, seconds counted."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.harness import MOST_LOST, Plan, kills, perform
from tests.faults.stands import PostgresStand, SqliteStand, Stand


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    """A real database that can be broken."""
    stand = SqliteStand() if request.param == "sqlite" else PostgresStand(slow=3.0)
    yield stand
    stand.close()


def test_an_outage_loses_nothing(stand: Stand) -> None:
    """Whatever is wrong for some seconds, afterwards the ledger is what an undisturbed run would have written."""
    names = list(stand.faults()) if stand.name == "sqlite" else ["frozen", "network cut", "slow"]
    for number, name in enumerate(names):
        account = perform(stand, Plan(name, kill=False, during=1.6), number, random.Random(number))
        assert account.wrong == []
        assert account.written > 1.0
        assert (account.lost, account.doubled) == (0.0, 0.0)


@pytest.mark.parametrize("seed", [4])
def test_a_kill_loses_two_seconds_at_most(stand: Stand, seed: int) -> None:
    """kill -9 with nothing wrong, in an outage and during the replay: of nobody more than two seconds are lost."""
    dice = random.Random(seed)
    for number, plan in enumerate(kills(stand, 3, dice)):
        account = perform(stand, plan, 100 + number, dice)
        assert account.wrong == []
        assert account.doubled == 0.0
        assert account.worst <= MOST_LOST and account.late <= MOST_LOST
