"""`proxy_addon/report/notice_document.py`: what programs and spreadsheets get."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from proxy_addon.core.notices.gate import Meeting
from proxy_addon.report.notice_document import COUNTS, NAMES, count_rows, document, name_rows
from tests.report.test_notice_status import NOTICE, NOW, RULES, confirmed, status

UTC = ZoneInfo("UTC")
STATUS = status(
    "dora",
    "emil",
    rules=replace(RULES, notices=(replace(NOTICE, grace=60.0),)),
    confirmations={"dora": confirmed(3), "carl": confirmed(3), "emil": confirmed(2, NOW - 3600)},
    meetings={"emil": [Meeting("social", 3, NOW - 30)], "ada": [Meeting("social", 3, NOW - 90)]},
)


def test_the_document() -> None:
    """The keys that others rely on, and beside them how far those are who wait, by role."""
    made = document([STATUS], UTC)["notices"]["social"]
    fixed = {key: made[key] for key in ("version", "digest", "people", "acknowledged", "waiting")}
    assert fixed == {
        "version": "3",
        "digest": "d3",
        "people": 6,
        "acknowledged": 2,
        "waiting": 4,
    }
    assert (made["not_met"], made["in_grace"], made["overdue"]) == (2, 1, 1)
    assert made["by_role"]["care"] == {"people": 2, "acknowledged": 1}
    assert made["ask"] == "before-first-use"
    assert "names" not in made
    assert document([], UTC) == {"notices": {}}


def test_names() -> None:
    """Each with roles, how far they are, and what they confirmed last."""
    found = document([STATUS], UTC, {"social": STATUS.waiting})["notices"]["social"]["names"]
    emil = next(each for each in found if each["user"] == "emil")
    assert emil == {
        "user": "emil",
        "roles": ["staff"],
        "state": "in grace",
        "last_version": "2",
        "confirmed": "2026-11-02T08:00:00+00:00",
        "met": "2026-11-02T08:59:30+00:00",
        "grace_until": "2026-11-02T09:00:30+00:00",
    }
    cora = next(each for each in found if each["user"] == "cora")
    assert (cora["last_version"], cora["met"], cora["grace_until"]) == (None, None, None)


def test_rows() -> None:
    """Each has as many cells as there are columns."""
    counts = list(count_rows([STATUS]))
    assert counts[1] == ("social", "3", "care", "2", "1", "1")
    rows = list(name_rows([STATUS], {"social": STATUS.waiting}, UTC))
    assert [row[2] for row in rows] == ["ada", "cora", "emil", "maria"]
    assert rows[1] == ("social", "3", "cora", "care", "not met", "", "", "", "")
    assert {len(row) for row in counts} == {len(COUNTS)}
    assert {len(row) for row in rows} == {len(NAMES)}
