"""`proxy_addon/report/notice_reminders.py`: a reminder for each."""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.notices.gate import Meeting
from proxy_addon.core.notices.notice import Office
from proxy_addon.report.notice_reminders import COLUMNS, reminder_for, reminder_rows
from tests.report.test_notice_status import NOTICE, NOW, RULES, status

RULES_WITH_CONTACT = replace(RULES, office=Office(contact="ext. 100"))
STATUS = status(
    rules=replace(RULES, notices=(replace(NOTICE, grace=60.0),)),
    meetings={"ada": [Meeting("social", 3, NOW - 90)]},
)


def test_rows() -> None:
    """As many cells as there are columns; to each what is true of them."""
    rows = list(reminder_rows(STATUS.notice, STATUS.waiting, RULES_WITH_CONTACT, NOW))
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert [row[1] for row in rows] == ["ada", "carl", "cora", "maria"]
    assert rows[0][3:5] == ("overdue", "2026-11-02T08:59:30+00:00")
    assert "stay closed to you" in rows[0][7]
    assert rows[1][4] == ""
    assert "Hello carl," in rows[1][7]


def test_whom_to_ask() -> None:
    """The policy's own contact, else the office's."""
    assert reminder_for(NOTICE, None, RULES_WITH_CONTACT, NOW).text.endswith("ext. 100")
    own = replace(NOTICE, contact="ext. 120")
    assert reminder_for(own, None, RULES_WITH_CONTACT, NOW).text.endswith("ext. 120")
    assert "Questions" not in reminder_for(NOTICE, None, RULES, NOW).text
