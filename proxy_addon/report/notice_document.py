"""Who has read the written policies, as JSON and as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from proxy_addon.presentation.durations import iso
from proxy_addon.report.notice_status import NoticeStatus, Reader, Stage

COUNTS: Final = ("notice", "version", "role", "people", "acknowledged", "waiting")
NAMES: Final = (
    "notice",
    "version",
    "name",
    "roles",
    "state",
    "last version",
    "confirmed at",
    "met at",
    "grace until",
)


def document(
    statuses: Iterable[NoticeStatus],
    zone: ZoneInfo,
    names: Mapping[str, Sequence[Reader]] | None = None,
) -> dict[str, Any]:
    """`{"notices": {NAME: {…}}}`. `names`: those who have not read each, where they may be seen."""
    return {"notices": {each.notice.name: _notice(each, zone, names) for each in statuses}}


def _notice(
    status: NoticeStatus, zone: ZoneInfo, names: Mapping[str, Sequence[Reader]] | None
) -> dict[str, Any]:
    notice = status.notice
    made: dict[str, Any] = {
        "version": str(notice.version),
        "digest": notice.digest,
        "people": len(status.readers),
        "acknowledged": status.acknowledged,
        "waiting": len(status.waiting),
        "ask": notice.ask.value,
        "not_met": len(status.at(Stage.NOT_MET)),
        "in_grace": len(status.at(Stage.GRACE)),
        "overdue": len(status.at(Stage.OVERDUE)),
        "by_role": {
            role: {"people": people, "acknowledged": have}
            for role, (have, people) in status.by_role.items()
        },
    }
    if names is not None:
        made["names"] = [_reader(each, zone) for each in names[notice.name]]
    return made


def _reader(reader: Reader, zone: ZoneInfo) -> dict[str, Any]:
    """Somebody who has not read it; instants in the zone of the policy."""
    return {
        "user": reader.name,
        "roles": list(reader.roles),
        "state": reader.stage.value,
        "last_version": None if reader.read is None else str(reader.read.version),
        "confirmed": None if reader.read is None else iso(reader.read.at, zone),
        "met": None if reader.met is None else iso(reader.met.first, zone),
        "grace_until": None if reader.until is None else iso(reader.until, zone),
    }


def count_rows(statuses: Iterable[NoticeStatus]) -> Iterator[tuple[str, ...]]:
    """A row for each notice and role, as the columns COUNTS."""
    for status in statuses:
        for role, (have, people) in status.by_role.items():
            yield (
                status.notice.name,
                str(status.notice.version),
                role,
                *map(str, (people, have, people - have)),
            )


def name_rows(
    statuses: Iterable[NoticeStatus], names: Mapping[str, Sequence[Reader]], zone: ZoneInfo
) -> Iterator[tuple[str, ...]]:
    """A row for each person who has not read a notice, as the columns NAMES."""
    for status in statuses:
        for reader in names[status.notice.name]:
            told = _reader(reader, zone)
            yield (
                status.notice.name,
                str(status.notice.version),
                reader.name,
                " ".join(reader.roles),
                reader.stage.value,
                *(told[key] or "" for key in ("last_version", "confirmed", "met", "grace_until")),
            )
