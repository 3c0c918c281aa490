"""What opened, extended and closed a visit: a small summary of the evidence, kinds and times, never a URL.

One line for each kind of evidence (so a trail is as small as the kinds are few), counted by bursts: what a page loads
at once is one load, and a film that pauses for less than a minute is one film. A trail grows with each mark; after
minutes were given back it is derived again from the marks that are left (`told`, `corrected`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, NamedTuple

from proxy_addon.core.metering.activity import Evidence
from proxy_addon.core.metering.meter import Mark, Stretch, Timeline
from proxy_addon.core.metering.polling import BURST_GAP
from proxy_addon.core.types import EvidenceSummary, Extension, Visit

TIME_UP: Final = "time-up"
RULE_CHANGED: Final = "rule-changed"
SECTION_CHANGED: Final = "section-changed"
GIVEN_BACK: Final = "given-back"
CLOCK_SET: Final = "clock-set"

type Cause = Mark | str | None
"""What changed a stretch: a mark that was entered, why it was ended, or None (other rules, the same time)."""

_as_text = json.JSONEncoder(separators=(",", ":")).encode

CODES: Final = {evidence: evidence.name.lower().replace("_", "-") for evidence in Evidence}
ONE_FILM: Final = 60.0  # seconds that a player may live on what it has loaded ahead
_JOINS: Final = {
    CODES[kind]: ONE_FILM
    for kind in (Evidence.MEDIA_PLAYED, Evidence.MEDIA_STREAM, Evidence.BUSY_TUNNEL)
}


def opening(stretch: Stretch, start: float) -> EvidenceSummary:
    """The trail of a visit that begins at `start`: with its stretch, or later, when the rule changed."""
    if start > stretch.start:
        return EvidenceSummary((RULE_CHANGED, start))
    code = CODES[stretch.opened]
    return EvidenceSummary((code, start), (Extension(code, start, start, 0),))


def extended(trail: EvidenceSummary, mark: Mark, start: float, end: float) -> EvidenceSummary:
    """The trail with one mark more, as far as it lies within the visit `[start, end)`; it goes on from there."""
    if mark.at >= end or (mark.at < start and mark.until <= start):
        return trail
    code, at, until = CODES[mark.evidence], max(mark.at, start), min(mark.until, end)
    lines = trail.extended
    for number, line in enumerate(lines):
        if line.by == code:
            lines = (*lines[:number], _longer(line, at, until), *lines[number + 1 :])
            break
    else:
        lines = (*lines, Extension(code, at, until, 1))
    return EvidenceSummary(trail.opened, lines, None, trail.given_back)


def _longer(line: Extension, at: float, until: float) -> Extension:
    last = max(line.last, until)
    if at - line.last <= _JOINS.get(line.by, BURST_GAP):
        return Extension(line.by, line.first, last, line.times)
    return Extension(line.by, line.first if line.times else at, last, line.times + 1)


def told(stretch: Stretch, start: float, end: float, marks: Iterable[Mark]) -> EvidenceSummary:
    """The trail of the visit `[start, end)`, a part of a stretch, from all marks that there are."""
    trail = opening(stretch, start)
    for mark in marks:
        if not mark.cut and mark.section == stretch.section:
            trail = extended(trail, mark, start, end)
    return trail


def closed(trail: EvidenceSummary, why: str, end: float) -> EvidenceSummary:
    """The trail of a visit that was ended; what came after its end did not extend it."""
    lines = tuple(
        line if line.last <= end else line._replace(last=end)
        for line in trail.extended
        if line.first <= end
    )
    return EvidenceSummary(trail.opened, lines, (why, end), trail.given_back)


def corrected(
    known: EvidenceSummary, before: EvidenceSummary, after: EvidenceSummary
) -> EvidenceSummary:
    """A trail after minutes were given back: `before` and `after` are told from the marks of then and now.

    What `known` has beyond `before` is older than the marks are, and stays.
    """
    there = {line.by: line.times for line in before.extended}
    lines = {line.by: line for line in after.extended}
    for line in known.extended:
        lost = line.times - there.get(line.by, 0)
        if lost > 0:
            new = lines.get(line.by)
            last, times = (new.last, new.times) if new is not None else (line.last, 0)
            lines[line.by] = Extension(line.by, line.first, last, lost + times)
    return EvidenceSummary(known.opened, tuple(lines.values()), None, known.given_back)


class SummaryBuilder(NamedTuple):
    """A stretch that changed, the clock now and before, and the cause: for the trails of its visits."""

    stretch: Stretch
    clock: Timeline
    old: Timeline
    cause: Cause = None

    def new(self, start: float, end: float) -> EvidenceSummary:
        """The trail of a visit `[start, end)` that was not there before."""
        return self._ended(told(self.stretch, start, end, self.clock.marks), end)

    def again(self, row: Visit, start: float, end: float) -> EvidenceSummary:
        """The trail of a visit that is `[start, end)` from now on."""
        known, cause = row.evidence, self.cause
        if cause == GIVEN_BACK:
            return self._shortened(row, start, end)
        if known is None or row.start != start:
            return self.new(start, end)
        if isinstance(cause, Mark) and cause.section == self.stretch.section:
            known = extended(known, cause, start, end)
        return self._ended(known, end)

    def _ended(self, trail: EvidenceSummary, end: float) -> EvidenceSummary:
        cause = self.cause
        if end < self.stretch.end:
            return closed(trail, RULE_CHANGED, end)
        if isinstance(cause, str):
            return trail if cause == GIVEN_BACK else closed(trail, cause, end)
        if cause is not None and cause.section != self.stretch.section:
            return closed(trail, SECTION_CHANGED, end)
        return trail

    def _shortened(self, row: Visit, start: float, end: float) -> EvidenceSummary:
        """A machine had extended it: what is left is told from the marks that are left."""
        trail, known, section = self.new(start, end), row.evidence, self.stretch.section
        kept = (
            min(row.end, s.end) - max(row.start, s.start)
            for s in self.clock.stretches
            if s.section == section
        )
        lost = row.end - row.start - sum(part for part in kept if part > 0)
        if known is None:
            return trail
        found = trail
        if row.start == start:
            before = told(self.stretch, start, row.end, self.old.marks)
            found = corrected(known, before, trail)
        if lost > 0:
            found = closed(found, GIVEN_BACK, end)
        ended = trail.closed or found.closed or (known.closed if row.end == end else None)
        return found._replace(closed=ended, given_back=known.given_back + max(0.0, lost))


def packed(trail: EvidenceSummary) -> str:
    """As text for the ledger and the journal."""
    return _as_text(trail._asdict())


def unpacked(text: str | None) -> EvidenceSummary | None:
    """A trail from its text; None for none, and for what another program wrote."""
    if text is None:
        return None
    try:
        found = json.loads(text)
        closed = found["closed"]
        return EvidenceSummary(
            (str(found["opened"][0]), float(found["opened"][1])),
            tuple(
                Extension(str(by), float(first), float(last), int(times))
                for by, first, last, times in found["extended"]
            ),
            None if closed is None else (str(closed[0]), float(closed[1])),
            float(found["given_back"]),
        )
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return None
