"""Twin of db/startup_query.py: packed visits are the visits."""

from __future__ import annotations

import time

from proxy_addon.core.types import EvidenceSummary
from proxy_addon.ledger.interface import Ledger
from tests.db.visits import START, visit


def test_histories_are_the_same_visits(ledger: Ledger) -> None:
    """Packed by person, the visits are those that `visits` gives, to the last field, and can be had
    again."""
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
