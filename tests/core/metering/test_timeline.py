"""Twin of proxy_addon/core/metering/timeline.py: what a mark and a timeline are by themselves."""

from __future__ import annotations

from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.timeline import EMPTY, NEVER, Mark, Timeline


def test_an_empty_timeline_reaches_nowhere() -> None:
    """Nothing joins what has not begun."""
    assert Timeline() == EMPTY
    assert EMPTY.reach == EMPTY.far == EMPTY.until == NEVER
    assert not EMPTY.stretches


def test_a_mark_that_needs_others_is_weak() -> None:
    """One burst is enough for a firm one."""
    firm = Mark(0.0, 0.0, Kind.INTERACTION, "", Evidence.PAGE_ACTION)
    assert not firm.weak
    assert firm._replace(needs=2).weak
