"""Turns stretches of a clock into visits: rows of the ledger, split where the rule changes, with
revisions.

Each new or changed visit goes to the balances at once and to `sink` for the ledger. Provisional
rows (`provisional_visits.py`) go to `sink` alone. Event loop only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proxy_addon.core.metering.activity import Evidence
from proxy_addon.core.metering.evidence import Cause, SummaryBuilder, is_estimated, shown_by
from proxy_addon.core.metering.segments import Piece, joined, split
from proxy_addon.core.metering.timeline import Stretch, Timeline
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import EvidenceSummary, Person, Visit
from proxy_addon.metering.platform_state import PlatformState, RulesPeriod
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.observability.interface import Metrics

type RowKey = tuple[str, str, str | None]
"""Person, platform and section."""


class VisitWriter:
    """Writes visits. `sink` takes each new revision of a visit; `new_id` makes ledger ids."""

    def __init__(
        self,
        book: UsageBook,
        metrics: Metrics,
        sink: Callable[[Visit], None],
        new_id: Callable[[], str],
        node: str,
    ) -> None:
        self._book = book
        self._metrics = metrics
        self._sink = sink
        self._new_id = new_id
        self._node = node
        self.earlier: list[RulesPeriod] = []  # rules that were in force before, oldest first
        self._provisional: dict[RowKey, Visit] = {}  # rows that no visit has taken over, also empty

    def write(
        self,
        engine: Engine,
        person: Person,
        platform: str,
        state: PlatformState,
        old: Timeline,
        cause: Cause,
    ) -> None:
        """Bring the ledger rows of stretches that changed up to date."""
        for stretch in _changed(old.stretches, state.timeline.stretches):
            pieces = self.pieces(engine, person, platform, stretch)
            summary = SummaryBuilder(stretch, state.timeline, old, cause)
            self.write_pieces(person, platform, state, summary, pieces)

    def pieces(
        self, engine: Engine, person: Person, platform: str, stretch: Stretch
    ) -> list[Piece]:
        """The parts of a stretch, each by the rules that were in force then."""
        if not self.earlier:
            return split(engine, person, platform, stretch)
        pieces: list[Piece] = []
        start = stretch.start
        for period in self.earlier:
            end = min(period.until, stretch.end)
            if start < end:
                part = stretch._replace(start=start, end=end)
                pieces += split(period.engine, period.person(person.name, start), platform, part)
                start = end
        if start < stretch.end or start == stretch.start:
            pieces += split(engine, person, platform, stretch._replace(start=start))
        return joined(pieces)

    def write_pieces(
        self,
        person: Person,
        platform: str,
        state: PlatformState,
        summary: SummaryBuilder,
        pieces: list[Piece],
    ) -> None:
        """Bring the rows of one stretch up to date; a row that has no piece any more becomes
        empty."""
        rows = state.rows.setdefault(summary.stretch.serial, [])
        for i, piece in enumerate(pieces):
            if i < len(rows):
                rows[i] = self._update(
                    person, rows[i], piece, summary.updated(rows[i], piece.start, piece.end)
                )
            else:
                rows.append(
                    self._create(person, platform, piece, summary.new(piece.start, piece.end))
                )
        for i in range(len(pieces), len(rows)):
            row = rows[i]
            nothing = Piece(row.start, row.start, row.section, row.allowance, row.rule)
            rows[i] = self._update(person, row, nothing, row.evidence)

    def _create(
        self, person: Person, platform: str, piece: Piece, evidence: EvidenceSummary
    ) -> Visit:
        visit = self._row(person, platform, piece, evidence)
        self._provisional.pop((person.name, platform, piece.section), None)
        self.publish(person, visit, piece.end - piece.start)
        return visit

    def _row(
        self, person: Person, platform: str, piece: Piece, evidence: EvidenceSummary | None
    ) -> Visit:
        """A row for a piece: the provisional one of the same person and section, or a new one."""
        known = self._provisional.get((person.name, platform, piece.section))
        return Visit(
            self._new_id() if known is None else known.id,
            person.name,
            platform,
            piece.section,
            piece.allowance,
            piece.rule,
            piece.start,
            piece.end,
            self._node,
            1 if known is None else known.rev + 1,
            evidence,
        )

    def _update(
        self, person: Person, row: Visit, piece: Piece, evidence: EvidenceSummary | None
    ) -> Visit:
        """The row as it is now. Evidence that moved neither end waits for the next revision that
        does."""
        changed = (row.start, row.end, row.section, row.allowance, row.rule) != piece
        if not changed and (row.evidence is evidence or row.evidence == evidence):
            return row
        visit = Visit(
            row.id,
            row.person,
            row.platform,
            piece.section,
            piece.allowance,
            piece.rule,
            piece.start,
            piece.end,
            self._node,
            row.rev + changed,
            evidence,
        )
        if changed:
            self.publish(person, visit, (piece.end - piece.start) - (row.end - row.start))
        return visit

    # -- provisional rows

    def write_provisional(
        self, person: Person, platform: str, piece: Piece, evidence: Evidence
    ) -> None:
        """Begin a provisional row, or make the one there is as long as `piece` as well."""
        key = (person.name, platform, piece.section)
        known = self._provisional.get(key)
        if known is not None and known.end > known.start and known.rule == piece.rule:
            start = min(known.start, piece.start)
            piece = piece._replace(start=start, end=max(known.end, piece.end))
        summary = shown_by(evidence, piece.start, piece.end)
        row = self._provisional[key] = self._row(person, platform, piece, summary)
        self._sink(row)

    def provisional_end(self, key: RowKey) -> float | None:
        """The instant at which a provisional row ends; None when a visit has taken it over."""
        known = self._provisional.get(key)
        return None if known is None else known.end

    def withdraw_provisional(self, key: RowKey, person: Person) -> None:
        """Make a provisional row empty."""
        known = self._provisional.get(key)
        if known is None:
            return
        _, platform, section = key
        nothing = Piece(known.start, known.start, section, known.allowance, known.rule)
        row = self._provisional[key] = self._row(person, platform, nothing, None)
        self._sink(row)

    def drop_provisional(self, person: str) -> None:
        """Forget the provisional rows of one person."""
        for key in [key for key in self._provisional if key[0] == person]:
            del self._provisional[key]

    def publish(self, person: Person, visit: Visit, grown: float) -> None:
        """Hand on one revision, which is longer than the last by `grown` seconds."""
        self._book.of(visit.person).apply(visit)
        self._sink(visit)
        if is_estimated(visit.evidence):
            return  # free time that nobody has looked at
        if grown > 0:
            self._metrics.attention(person, visit.platform, visit.allowance, grown)
        elif grown < 0:
            self._metrics.given_back(person, visit.platform, -grown)


def _changed(old: Sequence[Stretch], new: Sequence[Stretch]) -> list[Stretch]:
    """The stretches that are new or not what they were."""
    if len(old) == len(new) and old[:-1] == new[:-1]:  # nearly always: the last one goes on
        return [new[-1]] if new and old[-1] != new[-1] else []
    known = {stretch.serial: stretch for stretch in old}
    return [stretch for stretch in new if known.get(stretch.serial) != stretch]
