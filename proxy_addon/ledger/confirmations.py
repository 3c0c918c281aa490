"""What the ledger keeps about written policies, as the rules of the gate know it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from proxy_addon.core.notices.gate import Confirmation, Meeting
from proxy_addon.core.notices.notice import version
from proxy_addon.ledger.interface import Acknowledgement, NoticeMeeting


def confirmation(row: Acknowledgement) -> Confirmation | None:
    """None for a row whose version says nothing."""
    try:
        return Confirmation(row.notice, version(row.version), row.digest, row.at)
    except ValueError:
        return None


def meeting(row: NoticeMeeting) -> Meeting:
    """The same without the person."""
    return Meeting(row.notice, row.major, row.first, row.later)


def confirmations_by_person(
    rows: Iterable[Acknowledgement],
) -> Mapping[str, Sequence[Confirmation]]:
    """Whose they are, in the order of the rows."""
    found: defaultdict[str, list[Confirmation]] = defaultdict(list)
    for row in rows:
        if (each := confirmation(row)) is not None:
            found[row.person].append(each)
    return found


def meetings_by_person(rows: Iterable[NoticeMeeting]) -> Mapping[str, Sequence[Meeting]]:
    """Whose they are, in the order of the rows."""
    found: defaultdict[str, list[Meeting]] = defaultdict(list)
    for row in rows:
        found[row.person].append(meeting(row))
    return found
