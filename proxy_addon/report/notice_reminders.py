"""Reminders for those who have not read a written policy, one for each, for the mail merge of an
office program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from proxy_addon.core.notices.notice import Notice
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.presentation.durations import iso
from proxy_addon.presentation.languages import spoken
from proxy_addon.presentation.notice_reminder import Reminder, address, reminder
from proxy_addon.report.notice_status import Reader

COLUMNS: Final = ("notice", "name", "roles", "state", "grace until", "address", "subject", "text")


def reminder_for(notice: Notice, reader: Reader | None, rules: RuleSet, now: float) -> Reminder:
    """For somebody, or for anybody, in the language that is spoken."""
    return reminder(
        notice,
        now,
        rules.zone,
        name="" if reader is None else reader.name,
        until=None if reader is None else reader.until,
        contact=notice.contact_in(spoken()) or rules.office.contact,
    )


def reminder_rows(
    notice: Notice, readers: Iterable[Reader], rules: RuleSet, now: float
) -> Iterator[tuple[str, ...]]:
    """A row for each, as COLUMNS."""
    for reader in readers:
        made = reminder_for(notice, reader, rules, now)
        yield (
            notice.name,
            reader.name,
            " ".join(reader.roles),
            reader.stage.value,
            "" if reader.until is None else iso(reader.until, rules.zone),
            address(notice),
            made.subject,
            made.text,
        )
