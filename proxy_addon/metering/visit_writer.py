"""Turns stretches of a clock into visits: rows of the ledger, split where the rule changes, with
revisions.

Each new or changed visit goes to the balances at once and to `sink` for the ledger. Event loop
only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proxy_addon.core.metering.evidence import Cause, SummaryBuilder, is_estimated
from proxy_addon.core.metering.meter import Stretch, Timeline
from proxy_addon.core.metering.segments import Piece, joined, split
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import EvidenceSummary, Person, Visit
from proxy_addon.metering.platform_state import PlatformState, RulesPeriod
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.observability.interface import Metrics


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
        visit = Visit(
            self._new_id(),
            person.name,
            platform,
            piece.section,
            piece.allowance,
            piece.rule,
            piece.start,
            piece.end,
            self._node,
            1,
            evidence,
        )
        self.publish(person, visit, piece.end - piece.start)
        return visit

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
