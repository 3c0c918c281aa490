"""Machines and people of proxy_addon/core/metering/polling.py, on both sides of each span that
tells them apart."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering import polling
from tests.core.metering.open_tab import FEED, POLL, Tab

LATER = 3000.0  # long after all ticks that a precise timer may lose


def polling_tab(period: float = 60.0, ticks: int = 10, key: str = POLL) -> Tab:
    """A tab with a timer that is known, whose requests bring nothing; its last tick is
    `period * (ticks - 1)`."""
    tab = Tab()
    for i in range(ticks):
        tab.asks(period * i, key)
    return tab


def feeding_tab(ticks: int = 10) -> Tab:
    """A tab that loads new pictures every minute and a half; its last tick is at
    `90 * (ticks - 1)`."""
    tab = Tab()
    for i in range(ticks):
        tab.asks(90.0 * i, FEED)
        tab.brings(90.0 * i + 0.4)
    return tab


def times_of(tab: Tab, key: str) -> tuple[float, ...]:
    """What no timer explains."""
    return tab.state.series[key].times


@pytest.mark.parametrize(
    ("before", "at", "begun"),
    [
        ((0.0,), 1.5, 0.0),  # a second and a half after the last
        ((0.0,), 1.75, 1.75),
        ((0.0, 1.5, 3.0, 4.5), 6.0, 0.0),  # six seconds in all
        ((0.0, 1.5, 3.0, 4.5, 6.0), 6.25, 6.25),
    ],
)
def test_how_long_a_burst_is(before: tuple[float, ...], at: float, begun: float) -> None:
    """What loads soon after something else belongs to the same burst, which does not go on for
    ever."""
    tab = Tab()
    tab.asks(before[0])
    for each in before[1:]:
        tab.brings(each)
    assert tab.brings(at).root == (begun, True)


def test_each_question_begins_evidence_of_its_own() -> None:
    """Content belongs to the burst, a question only to itself."""
    tab = Tab()
    tab.asks(0.0)
    assert tab.asks(1.0, FEED).root == (1.0, False)
    assert tab.brings(1.5).root == (0.0, True)


def test_a_burst_of_content_alone_is_judged_once() -> None:
    """The pictures that follow the first one get its answer, and no further instant."""
    tab = Tab()
    first, second = tab.brings(100.0), tab.brings(101.0)
    assert (first.automatic, first.doubtful, first.root) == (False, False, (100.0, True))
    assert second == first
    assert times_of(tab, polling.CONTENT) == (100.0,)


@pytest.mark.parametrize(("silence", "asleep"), [(240.0, False), (240.5, True)])
def test_four_minutes_without_running_timers_are_sleep(silence: float, asleep: bool) -> None:
    """What comes first after that is doubtful: it may be what catches up."""
    tab = polling_tab()
    assert tab.asks(540.0 + silence, "other").doubtful is asleep


def test_silence_of_slow_timers_is_no_sleep() -> None:
    """A timer that asks every two minutes and more, or none at all, is silent by itself."""
    assert not polling_tab(130.0).asks(LATER, "other").doubtful
    assert not Tab().asks(LATER, "other").doubtful
    stopped = polling_tab()
    stopped.asks(900.0, "other")  # five minutes later the timer had stopped before
    assert not stopped.asks(LATER, "third").doubtful


@pytest.mark.parametrize(("after", "waking"), [(10.0, True), (10.5, False)])
def test_waking_takes_ten_seconds(after: float, waking: bool) -> None:
    """Until then whatever comes is doubtful and a silent timer's first request is its own again."""
    tab, other = polling_tab(), polling_tab()
    assert tab.asks(LATER, "other").doubtful
    assert tab.asks(LATER + after, "third").doubtful is waking
    other.asks(LATER, "other")
    assert other.asks(LATER + after).automatic is waking
    assert other.asks(LATER + after + 60.0).automatic is waking


@pytest.mark.parametrize(("after", "owned"), [(5.0, True), (5.25, False)])
def test_content_is_a_machines_within_five_seconds(after: float, owned: bool) -> None:
    """Where its timer is known to bring something; later it is somebody's who scrolls."""
    tab = feeding_tab()
    tab.asks(900.0, FEED)
    found = tab.brings(900.0 + after)
    assert found.automatic is owned
    assert not found.doubtful
    assert tab.brings(900.5 + after) == found


def test_content_off_the_tick_is_doubtful_while_its_timer_runs() -> None:
    """The endpoint that refreshes itself is asked in between: that may be a person, or the page
    once more."""
    tab = feeding_tab()
    assert tab.asks(850.0, FEED).doubtful
    found = tab.brings(850.4)
    assert (found.automatic, found.doubtful) == (False, True)
    assert tab.brings(850.8) == found
    stopped = feeding_tab()
    stopped.asks(1000.0, "other")
    stopped.asks(1200.0, "other")
    assert not stopped.asks(1305.0, FEED).automatic  # five and a half periods after its last tick
    assert not stopped.brings(1305.4).doubtful


def test_content_beside_a_timer_is_doubtful() -> None:
    """Its endpoint is asked by a page, so one burst beside its ticks is not a person's alone; what
    a question without a timer brings is."""
    tab = polling_tab()
    tab.asks(565.0)
    assert tab.brings(565.4).doubtful
    tab = feeding_tab()
    tab.asks(850.0, "other")
    assert not tab.brings(850.4).doubtful


@pytest.mark.parametrize(("strays", "owned"), [(1, True), (2, False)])
def test_who_asks_for_two_things_at_once_owns_what_comes(strays: int, owned: bool) -> None:
    """A request more than the timer's may be chance, two are a person, even on the tick."""
    tab = feeding_tab()
    for n in range(strays):
        assert not tab.asks(899.0 + 0.4 * n, f"page-{n}").automatic
    assert tab.asks(900.0, FEED).automatic
    assert tab.brings(900.4).automatic is owned


@pytest.mark.parametrize(("strays", "noted"), [(1, (90.0,)), (2, ())])
def test_what_several_questions_brought_is_noted_for_none(
    strays: int, noted: tuple[float, ...]
) -> None:
    """Only a lone question is known to have brought what came after it."""
    tab = Tab()
    for n in range(strays):
        tab.asks(90.0 + 0.4 * n, f"page-{n}")
    tab.brings(91.0)
    tab.brings(91.2)
    assert tab.state.series["page-0"].content_times == noted


@pytest.mark.parametrize(("after", "passing"), [(1.5, True), (1.75, False)])
def test_what_a_machine_asks_in_passing_is_its_own(after: float, passing: bool) -> None:
    """A feed that refreshes itself asks for more, within a second and a half; that hides no timer
    of its own."""
    tab = feeding_tab()
    tab.asks(900.0, FEED)
    assert tab.asks(900.0 + after, "counts").automatic is passing
    other = feeding_tab()
    for i in range(8):
        other.asks(10.0 + 100.0 * i + 809.0, POLL)  # a timer of its own, last heard of at 1519
    other.asks(1530.0, FEED)
    assert not other.asks(1530.5).automatic


def test_in_passing_of_what_brings_nothing_is_nobodys() -> None:
    """A poll that never brings anything asks for nothing else."""
    tab = polling_tab()
    tab.asks(600.0)
    assert not tab.asks(600.5, "counts").automatic


IRREGULAR = (0.0, 20.0, 110.0, 140.0, 150.0, 230.0, 290.0)


def test_an_endpoint_that_is_often_asked_is_no_part_of_another_rhythm() -> None:
    """After five times without a rhythm it is left out of what no endpoint explains."""
    tab = Tab()
    for at in IRREGULAR:
        assert not tab.asks(at).automatic
    assert times_of(tab, POLL) == IRREGULAR
    assert times_of(tab, polling.ANY) == IRREGULAR[:5]


@pytest.mark.parametrize(("second", "entered"), [(1.5, (0.0,)), (1.75, (0.0, 1.75))])
def test_a_burst_is_one_instant_of_the_page(second: float, entered: tuple[float, ...]) -> None:
    """What loads within a second and a half is one action, whatever was asked."""
    tab = Tab()
    tab.asks(0.0, "a")
    tab.asks(second, "b")
    assert times_of(tab, polling.ANY) == entered


def test_what_an_endpoint_explains_is_no_longer_the_pages() -> None:
    """Once its timer is found its instants leave the series of what none explains; others stay."""
    tab = Tab()
    tab.asks(25.0, "other")
    for i in range(1, 7):
        tab.asks(60.0 * i)
    assert times_of(tab, polling.ANY) == (25.0,)
    assert times_of(tab, POLL) == ()


EARLY = (64.0, 66.0, 68.0, 69.0, 73.0, 75.0, 164.0, 165.0, 167.0)  # nine without a rhythm


def begins(tab: Tab, *early: float, gaps: tuple[float, ...] = (64.0,) * 4) -> set[float]:
    """A page asked now and then; from 384 on it is a timer. What was taken back of that before
    it?"""
    for at in early:
        tab.asks(at)
    at = 384.0
    for gap in (*gaps, 0.0):
        assert not any(when >= 384.0 for when, _ in tab.withdrawn)
        tab.asks(at)
        at += gap
    taken = {when for when, content in tab.withdrawn if content}
    assert (384.0, False) in tab.withdrawn
    return {when for when in taken if when < 384.0}


def test_what_was_asked_before_is_taken_back_at_the_pace_of_the_timer() -> None:
    """In five periods nine may be a machine's that was still in view: 1.6 a period and one. Ten may
    not."""
    few, many = Tab(), Tab()
    assert begins(few, *EARLY) == set(EARLY)
    assert times_of(few, POLL) == ()
    assert begins(many, *EARLY, 168.0) == set()
    assert times_of(many, POLL) == (*EARLY, 168.0)


def test_what_was_asked_before_something_else_stays() -> None:
    """Only what came since another endpoint was asked, or a person was seen, may be the
    machine's."""
    between, same = Tab(), Tab()
    between.asks(-10.0)
    between.asks(-5.0, "other")
    assert begins(between, 0.0, 100.0) == {0.0, 100.0}
    assert times_of(between, POLL) == (-10.0,)
    same.asks(-5.0)
    same.asks(0.0, "other")
    assert begins(same, 0.0, 100.0) == {100.0}


def test_what_was_asked_before_a_person_was_seen_stays() -> None:
    """Who opens a page may have asked for all that came until then."""
    tab = Tab()
    tab.asks(0.0)
    tab.state = polling.person_seen(tab.state, 50.0)
    tab.state = polling.person_seen(tab.state, 20.0)  # told late
    assert begins(tab, 50.0, 100.0) == {100.0}
    assert times_of(tab, POLL) == (0.0, 50.0)


def test_what_was_asked_before_content_came_by_itself_stays() -> None:
    """Pictures that nothing had asked for are somebody's who scrolls; those that the page asked for
    are not."""
    alone, asked = Tab(), Tab()
    alone.asks(0.0)
    alone.brings(50.0)
    assert begins(alone, 100.0) == {100.0}
    asked.asks(0.0)
    asked.brings(0.4)
    assert begins(asked, 100.0) == {0.0, 100.0}


@pytest.mark.parametrize(("off", "taken"), [(2.6, {0.0, 100.0}), (3.0, set())])
def test_nothing_before_a_loose_timer_is_taken_back(off: float, taken: set[float]) -> None:
    """Beats that may be off by more than 15 % of the period may be a person's after all."""
    gaps = (64.0 - off, 64.0 + off) * 2
    assert begins(Tab(), 0.0, 100.0, gaps=gaps) == taken


def test_a_timer_of_its_own_for_each_tab_until_one_falls_silent() -> None:
    """The same page opened again has two timers at first, and one where the older was silent for
    2.5 periods."""
    second, again = polling_tab(), polling_tab()
    for at in (563.0, 623.0, 683.0):
        second.asks(at)
    for at in (570.0, 630.0, 690.5):
        again.asks(at)
    assert len(second.state.series[POLL].timers) == 2
    assert len(again.state.series[POLL].timers) == 1
