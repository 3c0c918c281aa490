"""The part of the memory ledger about written policies: confirmations, meetings and texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from proxy_addon.core.notices.gate import ConfirmationInForce
from proxy_addon.core.notices.notice import major_of
from proxy_addon.ledger.interface import AUDIT_LONGER, Acknowledgement, NoticeMeeting, NoticeVersion


class MemoryNotices:
    """Dictionaries; whoever calls holds the lock of the ledger. `number` gives the number of a
    write."""

    def __init__(self, number: Callable[[], int]) -> None:
        self._number = number
        self._done: dict[tuple[str, str], tuple[int, Acknowledgement]] = {}
        self._met: dict[tuple[str, str, int], tuple[int, NoticeMeeting]] = {}
        self._texts: dict[str, NoticeVersion] = {}

    def acknowledge(self, done: Acknowledgement) -> bool:
        """Store a confirmation, unless an equal or a later one is there."""
        key = (done.person, done.digest)
        if key in self._done and self._done[key][1].at >= done.at:
            return False
        self._done[key] = (self._number(), done)
        return True

    def acknowledgements(
        self, person: str | None = None, notice: str | None = None, after: float = 0.0
    ) -> Sequence[Acknowledgement]:
        """Those that fit and were written after a number, oldest first."""
        found = [
            done
            for number, done in self._done.values()
            if number > after and person in (None, done.person) and notice in (None, done.notice)
        ]
        return sorted(found, key=lambda done: (done.at, done.person, done.digest))

    def meet(self, meeting: NoticeMeeting) -> None:
        """Store a meeting, or merge it with the stored one."""
        key = (meeting.person, meeting.notice, meeting.major)
        _, known = self._met.get(key, (0, meeting))
        first, later = min(known.first, meeting.first), max(known.later, meeting.later)
        merged = replace(meeting, first=first, later=later)
        if key not in self._met or merged != known:
            self._met[key] = (self._number(), merged)

    def meetings(self, person: str | None = None, after: float = 0.0) -> Sequence[NoticeMeeting]:
        """Those that fit and were written after a number, oldest first."""
        found = [
            met
            for number, met in self._met.values()
            if number > after and person in (None, met.person)
        ]
        return sorted(found, key=lambda met: (met.first, met.person, met.notice, met.major))

    def keep(self, version: NoticeVersion) -> None:
        """Store the texts of a notice, unless they are there."""
        self._texts.setdefault(version.digest, version)

    def versions(self, notice: str | None = None) -> Sequence[NoticeVersion]:
        """The texts that fit, oldest first."""
        found = [each for each in self._texts.values() if notice in (None, each.notice)]
        return sorted(found, key=lambda each: (each.at, each.digest))

    def erase(self, person: str) -> None:
        """Delete everything about a person."""
        self._done = {key: row for key, row in self._done.items() if key[0] != person}
        self._met = {key: row for key, row in self._met.items() if key[0] != person}

    def prune(self, before: float, kept: Collection[ConfirmationInForce]) -> int:
        """Delete what is old and not in force; the count."""
        in_force = {(each.notice, each.major) for each in kept}
        stored = len(self._done) + len(self._met) + len(self._texts)

        def counts(done: Acknowledgement) -> bool:
            return any(
                done.notice == each.notice and done.major >= each.major and done.at >= each.since
                for each in kept
            )

        self._done = {
            key: row for key, row in self._done.items() if row[1].at >= before or counts(row[1])
        }
        self._met = {
            key: row
            for key, row in self._met.items()
            if row[1].first >= before or (row[1].notice, row[1].major) in in_force
        }
        read = {digest for _, digest in self._done}
        self._texts = {
            key: each
            for key, each in self._texts.items()
            if each.at >= before - AUDIT_LONGER
            or key in read
            or (each.notice, major_of(each.version)) in in_force
        }
        return stored - len(self._done) - len(self._met) - len(self._texts)
