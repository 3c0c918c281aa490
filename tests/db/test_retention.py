"""Twin of db/retention.py: what is older than it may be, table by table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from db.ledger import SqlLedger
from db.models import AcknowledgementRow, RuleVersionRow, TimeRequestRow
from db.upgrade import upgrade
from proxy_addon.core.notices.gate import ConfirmationInForce
from proxy_addon.ledger.interface import AUDIT_LONGER
from tests.db.engines import ENGINES, connected, new_url
from tests.db.test_personal_data import ask
from tests.ledger.test_ledger_contract import START

DAY = 86_400.0


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty ledger."""
    url = new_url(request.param, request, tmp_path)
    upgrade(url)
    return url


def prune(url: str, before: float, kept: Sequence[ConfirmationInForce] = ()) -> int:
    """Delete in very small batches."""
    ledger = SqlLedger(url, "a")
    count = ledger.prune(before, batch=2, kept=kept)
    ledger.close()
    return count


def test_requests(url: str) -> None:
    """Requests go by when they were made."""
    with connected(url) as connection:
        connection.execute(
            insert(TimeRequestRow), [ask(n, "ana", START + n * DAY) for n in range(7)]
        )
    assert prune(url, START + 5 * DAY) == 5
    with connected(url) as connection:
        assert connection.execute(select(TimeRequestRow.id).order_by("id")).scalars().all() == [
            "t5",
            "t6",
        ]


def test_confirmations_that_say_no_version(url: str) -> None:
    """Those from before ledger_0005 say neither notice nor version: none is in force, all go with
    the retention."""
    rows = [("ana", "old", 0), ("ana", "now", 1), ("bo", "now", 6)]
    with connected(url) as connection:
        connection.execute(
            insert(AcknowledgementRow),
            [
                {"person": who, "digest": text, "acknowledged_at": START + day * DAY}
                for who, text, day in rows
            ],
        )
    assert prune(url, START + 5 * DAY, kept=[ConfirmationInForce("social-media", 0, 0.0)]) == 2
    with connected(url) as connection:
        left = connection.execute(select(AcknowledgementRow.person)).scalars().all()
    assert left == ["bo"]


def test_rule_versions_stay_as_long_as_the_audit(url: str) -> None:
    """They go a year after the visits."""
    with connected(url) as connection:
        connection.execute(insert(RuleVersionRow), {"digest": "d", "loaded_at": START, "node": "a"})
    assert prune(url, START + AUDIT_LONGER - 1) == 0
    assert prune(url, START + AUDIT_LONGER + 1) == 1
    with connected(url) as connection:
        assert (
            connection.execute(select(func.count()).select_from(RuleVersionRow)).scalar_one() == 0
        )
