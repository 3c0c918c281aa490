"""Who has confirmed which written policy, and who has met it: what the ledger knows, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from proxy_addon.core.notices.gate import Confirmation, Meeting, Standing, standing
from proxy_addon.core.notices.notice import Notice, Version


class Overtaken(NamedTuple):
    """A notice in force whose version is older than one that `people` have confirmed already."""

    notice: str
    version: Version
    confirmed: Version
    people: int


class NoticeBook:
    """Event loop only. `mask` turns a name into the one that the ledger knows."""

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        self._mask = mask
        self._confirmations: dict[str, tuple[Confirmation, ...]] = {}
        self._meetings: dict[tuple[str, str, int], Meeting] = {}
        self.is_known = False  # whether the ledger has been read: before, nobody is asked

    def load(
        self,
        confirmations: Iterable[tuple[str, Confirmation]],
        meetings: Iterable[tuple[str, Meeting]],
    ) -> None:
        """Add what the ledger has, by the names that it knows. May be called again with the
        same."""
        for person, confirmation in confirmations:
            self._confirm(person, confirmation)
        for person, meeting in meetings:
            self._meet(person, meeting)

    def confirm(self, person: str, confirmation: Confirmation) -> None:
        """Somebody has confirmed, and the ledger has it."""
        self._confirm(self._mask(person), confirmation)

    def meet(self, person: str, meeting: Meeting) -> Meeting:
        """Somebody has met a version; as it is known now: the earliest beginning counts, and the
        latest "later"."""
        return self._meet(self._mask(person), meeting)

    def met(self, person: str, notice: Notice) -> Meeting | None:
        """Somebody's meeting with this version."""
        return self._meetings.get((self._mask(person), notice.name, notice.version.major))

    def confirmations(self, person: str) -> tuple[Confirmation, ...]:
        """Everything that somebody has confirmed, oldest first."""
        return self._confirmations.get(self._mask(person), ())

    def standing(self, person: str, notice: Notice, now: float, *, signed_in: bool) -> Standing:
        """What somebody has to do about a notice at the instant `now`."""
        return standing(
            notice,
            self.confirmations(person),
            self.met(person, notice),
            now,
            signed_in=signed_in,
        )

    def everybody(self) -> Mapping[str, tuple[Confirmation, ...]]:
        """All confirmations, by the names that the ledger knows."""
        return self._confirmations

    def overtaken(self, notices: Iterable[Notice]) -> list[Overtaken]:
        """Those of the notices that are older than what somebody has confirmed: nobody is asked
        about them who should be. Any thread."""
        everybody, found = list(self._confirmations.values()), list[Overtaken]()
        for notice in notices:
            later = [
                max(mine)
                for each in everybody
                if (mine := [c.version for c in each if c.notice == notice.name])
                and max(mine) > notice.version
            ]
            if later:
                found.append(Overtaken(notice.name, notice.version, max(later), len(later)))
        return found

    def drop(self, person: str) -> None:
        """Forget somebody who was erased."""
        self._drop(self._mask(person))

    def drop_known(self, is_erased: Callable[[str], bool]) -> int:
        """Forget everybody whose name in the ledger was erased; how many they were."""
        names = {*self._confirmations, *(name for name, *_ in self._meetings)}
        gone = [name for name in names if is_erased(name)]
        for name in gone:
            self._drop(name)
        return len(gone)

    def _drop(self, name: str) -> None:
        self._confirmations.pop(name, None)
        self._meetings = {key: met for key, met in self._meetings.items() if key[0] != name}

    def _confirm(self, name: str, confirmation: Confirmation) -> None:
        others = [
            each
            for each in self._confirmations.get(name, ())
            if (each.notice, each.digest) != (confirmation.notice, confirmation.digest)
            or each.at > confirmation.at
        ]
        found = sorted({*others, confirmation}, key=lambda each: (each.at, each.version))
        self._confirmations[name] = tuple(found)

    def _meet(self, name: str, meeting: Meeting) -> Meeting:
        key = (name, meeting.notice, meeting.major)
        known = self._meetings.get(key)
        if known is not None:
            meeting = known._replace(
                first=min(known.first, meeting.first), later=max(known.later, meeting.later)
            )
        self._meetings[key] = meeting
        return meeting
