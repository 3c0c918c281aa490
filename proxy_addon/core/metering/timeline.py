"""The values of the meter: marks, stretches, and the timeline that is made of them."""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.polling import Root

NEVER = float("-inf")


class Mark(NamedTuple):
    """One activity: from when to when (instants), of which kind, made by which endpoint.

    `needs`: how many bursts must come soon after each other to open a stretch: 1 is firm, more is
    weak. `root` names the evidence it belongs to, None = a person for certain; `cut` ends all that
    is open instead. `novel`: that endpoint was not asked before, or the answer is large, so that
    even a weak mark may end a long read. `follows`: pictures that nothing asked for, further down
    on the page that is being read. `certain`: by itself evidence of a person, so that a longer gap
    between two such marks is charged. `moved`: a page of another platform was opened. `apart`: the
    person was elsewhere before it, so that no gap is charged.
    """

    at: float
    until: float
    kind: Kind
    key: str
    evidence: Evidence
    section: str | None = None
    needs: int = 1
    root: Root | None = None
    cut: bool = False
    novel: bool = False
    follows: bool = False
    certain: bool = False
    moved: bool = False
    apart: bool = False

    @property
    def weak(self) -> bool:
        """It counts only together with others."""
        return self.needs > 1


class Stretch(NamedTuple):
    """A continuous use of one section: `[start, end)`, instants, and the evidence that opened and
    last extended it."""

    serial: int
    start: float
    end: float
    section: str | None
    opened: Evidence
    last: Evidence


class Timeline(NamedTuple):
    """The state of the fold: marks that may still be retracted, and the stretches made from them.
    Instants.

    `reach`: until when firm evidence joins the open stretch; `until`: end of the last activity that
    counted; `firm`: end of the last firm one; `pending`: weak marks that opened nothing so far;
    `far`: until when what is certain joins the open stretch.
    """

    marks: tuple[Mark, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    reach: float = NEVER
    newest: float = NEVER
    serial: int = 1
    until: float = NEVER
    firm: float = NEVER
    pending: tuple[Mark, ...] = ()
    far: float = NEVER


EMPTY = Timeline()
