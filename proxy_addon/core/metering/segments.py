"""Splits a stretch where the rule that fits changes: each part is one visit."""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.metering.timeline import Stretch
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Then
from proxy_addon.core.types import Person, Target


class Piece(NamedTuple):
    """A stretch, or a part of one, under one rule."""

    start: float
    end: float
    section: str | None
    allowance: str | None
    rule: str | None


def joined(pieces: list[Piece]) -> list[Piece]:
    """Merges parts that follow each other under the same rule: most rule changes change little."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if last is not None and last.end == piece.start and last[2:] == piece[2:]:
            found[-1] = last._replace(end=piece.end)
        else:
            found.append(piece)
    return found


def split(engine: Engine, person: Person, platform: str, stretch: Stretch) -> list[Piece]:
    """Split a stretch where the rule that fits changes; time under a rule that blocks is not a
    visit."""
    pieces: list[Piece] = []
    target = Target(platform, stretch.section)
    start = stretch.start
    while True:
        match = engine.match(person, target, start)
        end = stretch.end if match.until is None else min(stretch.end, match.until)
        if match.then is not Then.BLOCK or match.observed:
            rule = match.rule.name if match.rule is not None else None
            pieces.append(Piece(start, end, stretch.section, match.allowance, rule))
        if end >= stretch.end:
            return pieces
        start = end
