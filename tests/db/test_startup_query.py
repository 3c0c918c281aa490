"""Twin of db/startup_query.py: packed visits are the visits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import EvidenceSummary, Visit
from proxy_addon.ledger.interface import Ledger
from tests.db.engines import ENGINES, new_url
from tests.ledger.memory_ledger import MemoryLedger

START = 1_793_610_000.0


@pytest.fixture(params=["memory", *ENGINES])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with nothing in it."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    url = new_url(request.param, request, tmp_path)
    upgrade(url)
    ledger = SqlLedger(url, "a")
    yield ledger
    ledger.close()


def visit(number: int = 1, **changes: object) -> Visit:
    """A visit of ten seconds; `number` moves it and gives it its id."""
    start = START + number * 60
    made = Visit(f"v{number}", "ana", "x", None, "daily", "Fifteen", start, start + 10.0, "a")
    return replace(made, **changes)


def test_histories_are_the_same_visits(ledger: Ledger) -> None:
    """Packed by person, the visits are those that `visits` gives, to the last field, and can be had again."""
    ledger.write_visits(
        [
            visit(1),
            visit(
                2,
                person="bo",
                section="learning",
                allowance=None,
                rule=None,
                start=START + 0.123457,
            ),
            visit(3, rev=7, node="ä\"'\\", end=START + 999.999999),
            visit(4, person="old", end=START + 245.0, start=START + 241.0),
        ]
    )
    since = START + 245.0
    packed = list(ledger.histories(since))
    expected = list(ledger.visits(since))
    assert {each.person for each in packed} == {row.person for row in expected}
    for _ in range(2):
        unpacked = [row for each in packed for row in each.unpack()]
        assert sorted(unpacked, key=lambda row: (row.start, row.id)) == expected
    for each in packed:
        assert each.latest == max(row.end for row in expected if row.person == each.person)
        assert {row.person for row in each.unpack()} == {each.person}


def test_histories_bring_evidence_of_these_days(ledger: Ledger) -> None:
    """What a person's page shows comes with the visit; of what is older only the times do."""
    now = time.time()  # noqa: TID251 - the database has the clock of this machine
    summary = EvidenceSummary(("page-opened", 1.5))
    ledger.write_visits(
        [
            visit(n, start=now - ago, end=now - ago, evidence=summary)
            for n, ago in enumerate((60.0, 4 * 86_400.0))
        ]
    )
    found = {row.id: row.evidence for each in ledger.histories(0.0) for row in each.unpack()}
    assert found["v0"] == summary
    assert found["v1"] in (None, summary)  # a ledger in memory has it anyway
