"""What proxy_addon/core/metering/polling.py remembers of each endpoint, and when a timer is found
in it."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.metering import periodicity, polling, polling_series
from tests.core.metering.open_tab import FEED, POLL, Tab


def unruly(count: int, seed: int) -> list[float]:
    """Instants in which there is no rhythm at all."""
    rng = random.Random(seed)
    return list(accumulate(2.0 + rng.lognormvariate(3.0, 1.4) for _ in range(count)))


def tabs(seed: int) -> list[float]:
    """What four open tabs ask for together, each with a timer that is off by a fifth."""
    rng, found = random.Random(seed), []
    for period in (57.0, 75.0, 88.0, 112.0):
        at = rng.uniform(0.0, period)
        while at < 700.0:
            found.append(round(at, 1))
            at += period * rng.uniform(0.8, 1.2)
    return sorted(found)


HIDDEN = (0.0, 35.0, 52.0, 100.0, 200.0, 300.0, 400.0, 473.0, 500.0, 600.0, 700.0, 800.0)


def test_hidden_timers_are_looked_for_at_every_fourth_event() -> None:
    """A chain that is there with the tenth event is found with the twelfth, and nothing but the
    chain is its."""
    assert periodicity.chain(HIDDEN[:10]) is not None
    tab = Tab()
    assert [tab.asks(at).automatic for at in HIDDEN] == [False] * 11 + [True]
    assert tab.state.series[POLL].times == (35.0, 52.0, 473.0)
    assert {at for at, _ in tab.withdrawn} == set(HIDDEN) - {35.0, 52.0, 473.0}
    assert tab.asks(900.0).automatic


@pytest.mark.parametrize("seed", [38, 57, 88])
def test_a_combined_timer_of_tabs_is_found_among_questions_sooner_than_among_pictures(
    seed: int,
) -> None:
    """Pictures also come when somebody scrolls, so their number has to grow more evenly."""
    asked, brought = Tab(), Tab()
    events = tabs(seed)
    assert min(b - a for a, b in pairwise(events)) > polling.BURST_GAP
    assert [asked.asks(at).automatic for at in events][31]
    assert not any(brought.brings(at).automatic for at in events)
    assert asked.state.series[POLL].timers[0].combined


def test_who_is_seen_is_not_in_a_combined_timer() -> None:
    """The same questions are nobody's machine when a page was opened after the first."""
    tab = Tab()
    events = tabs(38)
    tab.state = polling.person_seen(tab.state, events[8])
    assert not any(tab.asks(at).automatic for at in events)


def feeds(ticks: int = 6) -> Tab:
    """A tab whose feed loads itself every minute and a half, which is known with the sixth tick."""
    tab = Tab()
    for i in range(ticks):
        tab.asks(90.0 * i, FEED)
        tab.brings(90.0 * i + 0.4)
    return tab


def test_all_that_a_timer_brought_is_taken_back_with_it() -> None:
    """And that it brought something in five ticks of six is known, with a share more for the one
    after."""
    tab = feeds()
    assert {(90.0 * i, True) for i in range(5)} <= tab.withdrawn
    series = tab.state.series[FEED]
    assert series.content_share == pytest.approx((5 / 6 + 0.04, 5 / 6 + 0.04))
    assert series.times == series.content_times == ()


@pytest.mark.parametrize(("silent", "owned"), [(74, True), (75, False)])
def test_a_timer_that_brings_nothing_any_more_is_forgotten_to_bring(
    silent: int, owned: bool
) -> None:
    """What it brought once is lost by 4 % with each empty tick, until it is below 4 %: after 75.
    Once more is known."""
    tab, at = feeds(), 450.0
    for _ in range(silent):
        at += 90.0
        assert tab.asks(at, FEED).automatic
    assert tab.asks(at + 90.0, FEED).automatic
    assert tab.brings(at + 90.4).automatic is owned
    assert tab.asks(at + 180.0, FEED).automatic
    assert tab.brings(at + 180.4).automatic


def test_a_second_timer_of_an_endpoint_brings_what_the_first_does() -> None:
    """The same page in another tab asks for the same."""
    tab = feeds(10)
    assert [tab.asks(at, FEED).automatic for at in (850.0, 940.0, 1030.0)] == [False, False, True]
    assert tab.brings(1034.0).automatic
    assert tab.state.series[FEED].content_share[0] > polling_series.CONTENT_SHARE


def test_what_a_known_poll_brings() -> None:
    """A poll of the catalogue is a machine's in any case, and takes back what it brought once its
    timer is found."""
    silent, feeding = Tab(), Tab()
    for i in range(6):
        silent.polls(60.0 * i)
        found = feeding.polls(60.0 * i)
        feeding.brings(60.0 * i + 0.3)
        assert (found.automatic, found.doubtful, found.novel) == (True, False, False)
        assert found.root == (60.0 * i, False)
    assert silent.withdrawn == {(60.0 * i, False) for i in range(6)}
    assert feeding.withdrawn == silent.withdrawn | {(60.0 * i, True) for i in range(6)}


@pytest.mark.parametrize(
    ("brings", "last", "after", "owned"),
    [
        (True, 600.0, 3.0, True),
        (True, 600.0, 5.5, False),
        (True, 630.0, 0.3, False),  # off the tick
        (False, 600.0, 0.3, False),
    ],
)
def test_a_known_poll_owns_only_what_it_brings_on_its_tick(
    brings: bool, last: float, after: float, owned: bool
) -> None:
    """Some polls are asked at every move of a person."""
    tab = Tab()
    for i in range(10):
        tab.polls(60.0 * i)
        if brings:
            tab.brings(60.0 * i + 0.3)
    assert tab.polls(last).automatic
    assert tab.brings(last + after).automatic is owned


def test_a_known_poll_begins_a_burst_of_its_own() -> None:
    """What comes after it is its, whatever was asked a moment before."""
    tab = Tab()
    tab.asks(99.5, "other")
    tab.polls(100.0)
    assert tab.brings(100.3).root == (100.0, True)
    assert tab.state.series[POLL].content_times == (100.0,)
    assert tab.state.series["other"].content_times == ()


def twenty_five(tab: Tab, ask: Callable[[float], polling.PollingJudgement]) -> float:
    """A loose timer, known with its 25th request because somebody was seen until the 17th. When was
    the last?"""
    rng, at = random.Random(13), 0.0
    for number in range(25):
        assert not tab.withdrawn
        ask(at)
        if number == 3:
            tab.brings(at + 0.4)
        if number <= 16:
            tab.state = polling.person_seen(tab.state, at)
        last, at = at, at + rng.randint(75, 125)
    assert len({when for when, content in tab.withdrawn if not content}) == 25
    return last


def test_one_of_twenty_five_requests_is_enough_to_bring_something() -> None:
    """What comes with a tick, 4 % of which brought something, is the machine's; off the tick it is
    doubtful."""
    asked, known, off = Tab(), Tab(), Tab()
    assert asked.brings(twenty_five(asked, asked.asks) + 3.0).automatic
    assert known.brings(twenty_five(known, known.polls) + 3.0).automatic
    assert asked.withdrawn >= {(0.0, True)}
    last = twenty_five(off, off.asks)
    assert not off.asks(last + 10.0).automatic
    assert off.brings(last + 10.3).doubtful


def test_content_that_comes_by_a_timer_is_found_by_itself() -> None:
    """A page of random names loads a picture each minute; what comes later, off the tick, is
    doubtful while it runs."""
    tab = Tab()
    judged = [tab.brings(60.0 * i).automatic for i in range(8)]
    assert judged == [False] * 5 + [True] * 3
    assert tab.withdrawn == {(60.0 * i, True) for i in range(6)}
    found = tab.brings(450.0)
    assert (found.automatic, found.doubtful) == (False, True)


def test_paths_of_random_names_take_back_no_content() -> None:
    """A page as a whole is no endpoint that is known to bring something."""
    tab = Tab()
    for i in range(6):
        tab.asks(60.0 * i, f"slot-{i}")
    assert tab.withdrawn == {(60.0 * i, False) for i in range(6)}


def test_ninety_six_instants_are_kept_of_an_endpoint() -> None:
    """And as many of those that brought something: the newest."""
    tab = Tab()
    events = unruly(110, 8)
    for at in events:
        assert not tab.asks(at).automatic
        tab.brings(at + 0.1)
    series = tab.state.series[POLL]
    assert series.times == tuple(events[-96:])
    assert series.content_times == tuple(events[-96:])


@pytest.mark.parametrize(("others", "forgotten"), [(38, False), (39, True)])
def test_forty_endpoints_are_remembered(others: int, forgotten: bool) -> None:
    """One of them stands for all; the one that was not asked for longest is forgotten first."""
    tab = Tab()
    for key in ("again", "first", "again"):
        tab.asks(0.0, key)
    for n, at in enumerate(unruly(others - 1, 3)):
        tab.asks(10.0 + at, f"page-{n}")
    assert len(tab.state.series) == 1 + min(39, others + 1)
    assert not tab.asks(1e6, "again").novel
    assert tab.asks(1e6 + 10.0, "first").novel is forgotten


def test_eight_timers_are_remembered_of_an_endpoint() -> None:
    """The one that was heard of longest ago is forgotten first."""
    tab, at = Tab(), 0.0
    periods = (125.0, 171.0, 235.0, 321.0, 441.0, 603.0, 827.0, 1133.0, 1551.0)
    counts = []
    for period in periods:
        at += 20_000.0
        for _ in range(12):
            at += period
            tab.asks(at)
        counts.append(len(tab.state.series[POLL].timers))
    assert counts == [1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert tab.state.series[POLL].timers[0].period == pytest.approx(171.0)


gaps = st.integers(1, 300) | st.sampled_from([29, 30, 31])
script = st.lists(st.tuples(gaps, st.sampled_from("abc")), min_size=1, max_size=60) | st.lists(
    st.tuples(st.integers(57, 63), st.just("a")), min_size=6
)


@settings(max_examples=80, deadline=None, derandomize=True)  # see test_periodicity_edges.py
@given(script, st.integers(-(10**6), 10**6))
def test_the_hour_does_not_matter(steps: list[tuple[int, str]], shift: int) -> None:
    """The same day some hours later is judged the same, and the same is taken back."""
    here, there, at = Tab(), Tab(), 0.0
    for gap, key in steps:
        at += gap
        for tab, when in ((here, at), (there, at + shift)):
            tab.asks(when, key) if key != "c" else tab.brings(when)
    assert there.withdrawn == {(when + shift, content) for when, content in here.withdrawn}


@settings(max_examples=40, deadline=None)
@given(script, st.integers(0, 60))
def test_nothing_is_taken_back_that_never_came(steps: list[tuple[int, str]], seen: int) -> None:
    """Whatever is taken back was an action or content before, and nothing is a machine's without a
    timer."""
    tab, at, roots = Tab(), 0.0, set[polling.Root]()
    for number, (gap, key) in enumerate(steps):
        at += gap
        found = tab.asks(at, key) if key != "c" else tab.brings(at)
        roots |= {found.root, (found.root[0], True)}
        assert found.withdrawn <= roots
        if found.automatic:
            assert any(series.timers for series in tab.state.series.values())
        if number == seen:
            tab.state = polling.person_seen(tab.state, at)
