"""`proxy_addon/web/employee_view.py`: a day in words and positions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.ruleset import Mode, Rule, RuleSet, Then
from proxy_addon.core.types import EvidenceSummary
from proxy_addon.web import rendering as pages
from proxy_addon.web.employee_view import Visitor, day_of
from tests.web.office import MINUTE, NOW, FixedProxyState, balance, visit

DORA = Visitor("dora", True, "10.0.7.33")


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"extensions": None},
        {"extensions": {}},
        {"extensions": {"allowance.person": "dora"}},
        {"extensions": {"allowance.person": {"identified": True}}},
    ],
)
def test_no_word_from_the_proxy_is_nobody(scope: dict[str, object]) -> None:
    """A scope without a proper entry names nobody."""
    assert Visitor.of(scope) is None


def test_visitor_from_the_scope() -> None:
    """The adapter's entry is taken as it is; what it leaves out is unknown."""
    assert Visitor.of({"extensions": {"allowance.person": {"name": "dora"}}}) == Visitor(
        "dora", False, ""
    )


def test_overlap_is_counted_once() -> None:
    """Two devices at once on one day add up to the time of one."""
    both = FixedProxyState(seen=(visit("facebook", 60, 10), visit("youtube", 55, 10)))
    assert day_of(both, DORA).charged == "15 minutes"


def test_timeline_holds_every_visit() -> None:
    """Marks lie inside the line in order, a glance is wide enough to see, and ticks are full
    hours."""
    seen = (visit("facebook", 335, 6), visit("youtube", 30, 0.1, None), visit("linkedin", 1, 1.2))
    line = day_of(FixedProxyState(seen=seen), DORA).timeline
    assert line is not None
    assert line.ticks == ("09:00", "11:00", "13:00", "15:00", "17:00")
    assert [mark.charged for mark in line.marks] == [True, False, True]
    assert all(
        mark.x >= 0 and mark.width >= 4 and mark.x + mark.width <= 1000 for mark in line.marks
    )
    assert line.marks[0].x == pytest.approx(1000 * 15 / 480, abs=0.1)


def test_a_visit_from_yesterday_does_not_break_the_line() -> None:
    """A visit that began before the day did is drawn as far as the line goes."""
    long = visit("facebook", 40 * 60, 40 * 60)
    line = day_of(FixedProxyState(seen=(long,)), DORA).timeline
    assert line is not None
    assert line.marks[0].x + line.marks[0].width <= 1000


def test_a_running_visit_lasts_until_now() -> None:
    """The tail of a visit lies ahead; people read "now"."""
    row = day_of(FixedProxyState(seen=(visit("facebook", 2, 2.1),)), DORA).rows[0]
    assert (row.start, row.end) == ("14:48", "now")


def test_every_visit_says_why() -> None:
    """What opened, extended and closed it, in the words of `evidence.py`; old visits say that
    nothing was recorded."""
    told = visit("facebook", 30, 5)
    told = replace(
        told, evidence=EvidenceSummary(("page-opened", told.start), (), ("time-up", told.end))
    )
    rows = day_of(FixedProxyState(seen=(visit("youtube", 60, 5), told)), DORA).rows
    assert rows[0].why == ("Opened 14:20:00 by opening a page.", "Closed 14:25:00: time was up.")
    assert rows[1].why == ("Not recorded.",)
    assert rows[0].key != rows[1].key
    page = bytes(pages.employee(day_of(FixedProxyState(seen=(told,)), DORA)).body).decode()
    assert "<summary>Why</summary><p>Opened 14:20:00 by opening a page.</p>" in page


def test_an_allowance_of_nothing() -> None:
    """Nobody used it up, and no more comes tomorrow."""
    none = balance(limit=0.0)
    day = day_of(FixedProxyState(held=(none,)), DORA)
    assert day.cards[0].nothing and day.cards[0].changes is None
    page = bytes(pages.employee(day).body).decode()
    assert "No time" in page
    assert "Used up" not in page and "More tomorrow" not in page


def test_what_the_rules_no_longer_know_has_a_name_still() -> None:
    """A platform that left the catalogue, and a rolling balance without a reset, are shown."""
    office = FixedProxyState(
        held=(balance("four-hours", resets_at=None),),
        seen=(visit("old-net", 9, 1, None, None, None),),
    )
    day = day_of(office, DORA)
    assert day.rows[0].platform == "Old net"
    assert day.rows[0].rule is None
    assert day.cards[0].changes is None
    assert day.free == "1 minute"
    assert NOW - 9 * MINUTE < NOW


class StateWithModes(FixedProxyState):
    """An office whose one allowance is spent by rules in these modes."""

    modes: tuple[Mode, ...] = ()

    def rules(self) -> RuleSet:
        spend = [
            Rule(f"r{i}", Then.SPEND, "daily-social", mode=mode)
            for i, mode in enumerate(self.modes)
        ]
        return replace(super().rules(), rules=tuple(spend))


@pytest.mark.parametrize(
    ("modes", "observed"),
    [
        ((Mode.OBSERVE, Mode.OBSERVE), True),
        ((Mode.OBSERVE, Mode.ENFORCE), False),
        ((Mode.ENFORCE,), False),
        ((), False),
    ],
)
def test_an_allowance_that_is_only_tried_out_says_so(
    modes: tuple[Mode, ...], observed: bool
) -> None:
    """Only when none of its rules is enforced."""
    office = StateWithModes(held=(balance(spent=60),))
    office.modes = modes
    day = day_of(office, DORA)
    assert day.cards[0].observed is observed
    assert (b"only trying this out" in bytes(pages.employee(day).body)) is observed
