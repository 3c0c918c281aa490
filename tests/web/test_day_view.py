"""`proxy_addon/web/day_view.py`: a day's visits in words and positions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.types import EvidenceSummary, Visit
from proxy_addon.web.day_view import running, sums, until, visits_of
from tests.web.office import NOW, rule_set, visit


def shown(*seen: Visit, charged: str = "") -> object:
    """What the page has of some visits."""
    return visits_of(seen, NOW, rule_set(), charged)


def test_overlap_is_counted_once() -> None:
    """Two devices at once on one day add up to the time of one."""
    both = visits_of((visit("facebook", 60, 10), visit("youtube", 55, 10)), NOW, rule_set())
    assert both.charged == "15 minutes"


def test_timeline_holds_every_visit() -> None:
    """Marks lie inside the line in order, a glance is wide enough to see, and ticks are full
    hours."""
    seen = (visit("facebook", 335, 6), visit("youtube", 30, 0.1, None), visit("linkedin", 1, 1.2))
    line = visits_of(seen, NOW, rule_set()).timeline
    assert line is not None
    assert line.ticks == ("09:00", "11:00", "13:00", "15:00", "17:00")
    assert [mark.charged for mark in line.marks] == [True, False, True]
    assert all(
        mark.x >= 0 and mark.width >= 4 and mark.x + mark.width <= 1000 for mark in line.marks
    )
    assert line.marks[0].x == pytest.approx(1000 * 15 / 480, abs=0.1)


def test_a_visit_from_yesterday_does_not_break_the_line() -> None:
    """A visit that began before the day did is drawn as far as the line goes."""
    line = visits_of((visit("facebook", 40 * 60, 40 * 60),), NOW, rule_set()).timeline
    assert line is not None
    assert line.marks[0].x + line.marks[0].width <= 1000


def test_a_running_visit_lasts_until_now() -> None:
    """The tail of a visit lies ahead: people read "now", and what lies ahead is not counted."""
    found = visits_of((visit("facebook", 2, 3),), NOW, rule_set())
    assert (found.rows[0].start, found.rows[0].end, found.rows[0].length) == (
        "14:48",
        "now",
        "2 minutes",
    )
    assert found.charged == "2 minutes"
    assert running((visit("facebook", 2, 3), visit("x", 5, 3)), NOW) == [visit("facebook", 2, 3)]


def test_every_visit_says_why() -> None:
    """What opened, extended and closed it; old visits say that nothing was recorded."""
    told = visit("facebook", 30, 5)
    told = replace(
        told, evidence=EvidenceSummary(("page-opened", told.start), (), ("time-up", told.end))
    )
    rows = visits_of((visit("youtube", 60, 5), told), NOW, rule_set()).rows
    assert rows[0].why == ("Opened 14:20:00 by opening a page.", "Closed 14:25:00: time was up.")
    assert rows[1].why == ("Not recorded.",)
    assert rows[0].key != rows[1].key


def test_what_the_rules_no_longer_know_has_a_name_still() -> None:
    """A platform and an allowance that left the rules."""
    seen = (visit("old-net", 9, 1, None, None, None), visit("facebook", 20, 2, "old-time"))
    found = visits_of(seen, NOW, rule_set())
    assert (found.rows[0].platform, found.rows[0].rule) == ("Old net", None)
    assert found.rows[1].charged == "Old time"
    assert found.free == "1 minute"


def test_words_of_the_heading_are_used_again() -> None:
    """The page says one time in one way."""
    found = visits_of((visit("facebook", 20, 14.5),), NOW, rule_set(), "14 minutes 30 seconds")
    assert found.charged == "14 minutes 30 seconds"
    assert visits_of((), NOW, rule_set(), "0 minutes") == ((), None, None, None)


def test_sums_of_a_part() -> None:
    """Only what lies within a stretch counts; what was given back whole is left out."""
    seen = until((visit("x", 30, 20), visit("x", 5, 0), visit("x", 20, 5, None)), NOW)
    assert sums(seen) == (1200.0, 300.0)
    assert sums(seen, NOW - 1200, NOW - 1080) == (120.0, 120.0)
