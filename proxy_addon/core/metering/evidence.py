"""What opened, extended and closed a visit: a small summary of the evidence, kinds and times, never
a URL.

One line for each kind of evidence, counted by bursts: what a page loads at once is one load, and a
film that pauses for less than a minute is one film. A summary grows with each mark; after minutes
were given back it is computed again from the marks that are left (`summarise`, `corrected`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, NamedTuple

from proxy_addon.core.metering.activity import Evidence
from proxy_addon.core.metering.polling import BURST_GAP
from proxy_addon.core.metering.timeline import Mark, Stretch, Timeline
from proxy_addon.core.types import EvidenceSummary, Extension, Visit

TIME_UP: Final = "time-up"
RULE_CHANGED: Final = "rule-changed"
POLICY_UNREAD: Final = "policy-unread"
SECTION_CHANGED: Final = "section-changed"
GIVEN_BACK: Final = "given-back"
CLOCK_SET: Final = "clock-set"
MOVED_ON: Final = "moved-on"

type Cause = Mark | str | None
"""What changed a stretch: a mark that was added, why it was ended, or None (other rules, the same
time)."""

_as_text = json.JSONEncoder(separators=(",", ":")).encode

CODES: Final = {evidence: evidence.name.lower().replace("_", "-") for evidence in Evidence}
ESTIMATED: Final = CODES[Evidence.ESTIMATED]
ONE_FILM: Final = 60.0  # seconds that a player may play from its buffer
_JOINS: Final = {
    CODES[kind]: ONE_FILM
    for kind in (
        Evidence.MEDIA_PLAYED,
        Evidence.EMBEDDED_MEDIA,
        Evidence.MEDIA_STREAM,
        Evidence.BUSY_TUNNEL,
        Evidence.ESTIMATED,
    )
}


def is_estimated(summary: EvidenceSummary | None) -> bool:
    """Whether all that is known of a visit is that bytes passed in tunnels which were not
    opened."""
    if summary is None or summary.opened[0] not in (ESTIMATED, RULE_CHANGED):
        return False
    return bool(summary.extended) and all(line.by == ESTIMATED for line in summary.extended)


def says_estimated(text: str | None) -> bool:
    """The same of a summary as it is kept as text; quick where it is not."""
    return text is not None and ESTIMATED in text and is_estimated(unpacked(text))


def opened(stretch: Stretch, start: float) -> EvidenceSummary:
    """The summary of a visit that starts at `start`: with its stretch, or later, where the rule
    changed."""
    if start > stretch.start:
        return EvidenceSummary((RULE_CHANGED, start))
    code = CODES[stretch.opened]
    return EvidenceSummary((code, start), (Extension(code, start, start, 0),))


def shown_by(evidence: Evidence, start: float, end: float) -> EvidenceSummary:
    """The summary of a visit `[start, end)` of which one kind of evidence is all that is known."""
    code = CODES[evidence]
    return EvidenceSummary((code, start), (Extension(code, start, end, 1),))


def extended(summary: EvidenceSummary, mark: Mark, start: float, end: float) -> EvidenceSummary:
    """The summary with one more mark, clipped to the visit `[start, end)`; the visit is open
    again."""
    if mark.at >= end or (mark.at < start and mark.until <= start):
        return summary
    code, at, until = CODES[mark.evidence], max(mark.at, start), min(mark.until, end)
    lines = summary.extended
    for number, line in enumerate(lines):
        if line.by == code:
            lines = (*lines[:number], _longer(line, at, until), *lines[number + 1 :])
            break
    else:
        lines = (*lines, Extension(code, at, until, 1))
    return EvidenceSummary(summary.opened, lines, None, summary.given_back)


def _longer(line: Extension, at: float, until: float) -> Extension:
    last = max(line.last, until)
    if at - line.last <= _JOINS.get(line.by, BURST_GAP):
        return Extension(line.by, line.first, last, line.times)
    return Extension(line.by, line.first if line.times else at, last, line.times + 1)


def summarise(stretch: Stretch, start: float, end: float, marks: Iterable[Mark]) -> EvidenceSummary:
    """The summary of the visit `[start, end)`, a part of a stretch, computed from all marks."""
    summary = opened(stretch, start)
    for mark in marks:
        if not (mark.cut or mark.moved) and mark.section == stretch.section:
            summary = extended(summary, mark, start, end)
    return summary


def closed(summary: EvidenceSummary, why: str, end: float) -> EvidenceSummary:
    """The summary of a visit that ended at `end` because of `why`; evidence after its end is left
    out."""
    lines = tuple(
        line._replace(last=min(line.last, end)) for line in summary.extended if line.first <= end
    )
    return EvidenceSummary(summary.opened, lines, (why, end), summary.given_back)


def corrected(
    known: EvidenceSummary, before: EvidenceSummary, after: EvidenceSummary
) -> EvidenceSummary:
    """The summary after minutes were given back: `before` and `after` are computed from the marks
    of then and now.

    What `known` has beyond `before` is older than the marks, and stays.
    """
    known_times = {line.by: line.times for line in before.extended}
    lines = {line.by: line for line in after.extended}
    for line in known.extended:
        lost = line.times - known_times.get(line.by, 0)
        if lost > 0:
            new = lines.get(line.by)
            last, times = (new.last, new.times) if new is not None else (line.last, 0)
            lines[line.by] = Extension(line.by, line.first, last, lost + times)
    return EvidenceSummary(known.opened, tuple(lines.values()), None, known.given_back)


class SummaryBuilder(NamedTuple):
    """A stretch that changed, the timeline now and before, and the cause: makes the summaries of
    its visits."""

    stretch: Stretch
    timeline: Timeline
    old: Timeline
    cause: Cause = None

    def new(self, start: float, end: float) -> EvidenceSummary:
        """The summary of a new visit `[start, end)`."""
        return self._ended(summarise(self.stretch, start, end, self.timeline.marks), end)

    def updated(self, row: Visit, start: float, end: float) -> EvidenceSummary:
        """The summary of a known visit that is `[start, end)` now."""
        known, cause = row.evidence, self.cause
        if cause == GIVEN_BACK:
            return self._shortened(row, start, end)
        if known is None or row.start != start:
            return self.new(start, end)
        if isinstance(cause, Mark) and cause.section == self.stretch.section:
            known = extended(known, cause, start, end)
        return self._ended(known, end)

    def _ended(self, summary: EvidenceSummary, end: float) -> EvidenceSummary:
        cause = self.cause
        if end < self.stretch.end:
            return closed(summary, RULE_CHANGED, end)
        if isinstance(cause, str):
            return summary if cause == GIVEN_BACK else closed(summary, cause, end)
        if cause is not None and cause.section != self.stretch.section:
            return closed(summary, SECTION_CHANGED, end)
        return summary

    def _shortened(self, row: Visit, start: float, end: float) -> EvidenceSummary:
        """The summary of a visit that lost minutes of periodic requests, computed from the marks
        that are left."""
        summary, known, section = self.new(start, end), row.evidence, self.stretch.section
        kept = sum(
            max(0.0, min(row.end, s.end) - max(row.start, s.start))
            for s in self.timeline.stretches
            if s.section == section
        )
        lost = row.end - row.start - kept
        if known is None:
            return summary
        found = summary
        if row.start == start:
            before = summarise(self.stretch, start, row.end, self.old.marks)
            found = corrected(known, before, summary)
        if lost > 0:
            found = closed(found, GIVEN_BACK, end)
        ended = summary.closed or found.closed or (known.closed if row.end == end else None)
        return found._replace(closed=ended, given_back=known.given_back + max(0.0, lost))


def packed(summary: EvidenceSummary) -> str:
    """As text for the ledger and the journal."""
    return _as_text(summary._asdict())


def unpacked(text: str | None) -> EvidenceSummary | None:
    """A summary from its text; None for None and for text that is not a summary."""
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
