"""Twin of proxy_addon/core/metering/polling.py: what machines ask is theirs, what people ask in
between is not."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.metering import polling, polling_series
from proxy_addon.core.metering.polling import ANY, CONTENT, EMPTY, SERIES_KEPT, PollingJudgement
from tests.core.metering.open_tab import FEED, Tab


def test_what_was_never_asked_before_is_novel() -> None:
    """The first question to an endpoint is novel, the second is not."""
    first, judgement = polling.observe(EMPTY, "x.com/vote", 1000.0, leads=True)
    assert judgement.novel
    assert not polling.observe(first, "x.com/vote", 1030.0, leads=True)[1].novel


def test_a_timer_is_learned_and_taken_back() -> None:
    """The first ticks count until the timer is known; then all of them are given back, and none
    counts again."""
    tab = Tab()
    judged = [tab.asks(60.0 * i).automatic for i in range(12)]
    assert not judged[0]
    assert all(judged[6:])
    assert tab.withdrawn >= {(60.0 * i, False) for i in range(judged.index(True))}


def test_off_the_tick_it_is_a_person() -> None:
    """A request to the same endpoint between two ticks is not automatic, and the ticks go on."""
    tab = Tab()
    for i in range(8):
        tab.asks(60.0 * i)
    assert not tab.asks(7 * 60.0 + 25.0).automatic
    assert tab.asks(8 * 60.0).automatic


def test_what_a_tick_brings_is_the_machines() -> None:
    """A feed that refreshes itself loads new pictures: they are judged like its requests, also
    looking back."""
    tab = Tab()
    for i in range(8):
        tab.asks(90.0 * i, FEED)
        last = tab.brings(90.0 * i + 0.4)
    assert last.automatic
    assert (90.0, True) in tab.withdrawn


def test_content_by_itself_is_a_persons() -> None:
    """Beside a poll that never brings anything, pictures come from scrolling."""
    tab = Tab()
    for i in range(10):
        tab.asks(60.0 * i)
    assert not tab.brings(10 * 60.0 - 20.0).automatic


def test_several_requests_at_once_are_a_persons() -> None:
    """Coming back to an open tab is noticed at once: a timer asks for one thing at a time."""
    tab = Tab()
    for i in range(10):
        tab.asks(60.0 * i)
    first, second = tab.asks(565.0), tab.asks(565.4)
    assert not first.automatic
    assert not second.automatic
    assert first.doubtful
    assert not second.doubtful


def test_paths_that_change_each_time() -> None:
    """Where every request has a path of its own, the rhythm of all of them together tells."""
    tab, rng = Tab(), random.Random(4)
    words = ["".join(rng.choices("abcdefgh", k=9)) for _ in range(14)]
    judged = [tab.asks(45.0 * i, f"x.com/ads/{word}").automatic for i, word in enumerate(words)]
    assert all(judged[8:])


def test_sleep_wakes_the_same_timer() -> None:
    """After hours of silence a known timer is itself again, with another phase."""
    tab = Tab()
    for i in range(10):
        tab.asks(60.0 * i)
    assert tab.asks(9_777.0).automatic
    assert tab.asks(9_837.0).automatic


def test_a_timer_with_another_phase_is_known_after_two_intervals() -> None:
    """A page that is reloaded starts its timers again: no need to learn them from nothing."""
    tab = Tab()
    for i in range(10):
        tab.asks(60.0 * i)
    assert [tab.asks(at).automatic for at in (563.0, 623.0, 683.0, 743.0)] == [
        False,
        False,
        True,
        True,
    ]
    assert (563.0, False) in tab.withdrawn


def test_known_polls_own_what_they_bring_only_on_a_rhythm() -> None:
    """A catalogued poll on a timer brings its own pictures; one that follows a person does not."""
    regular, irregular, rng, at = Tab(), Tab(), random.Random(2), 0.0
    for i in range(10):
        regular.polls(60.0 * i)
        owned = regular.brings(60.0 * i + 0.3)
    for _ in range(30):
        at += 12.0 * rng.lognormvariate(-0.5, 1.0)
        irregular.polls(at)
        persons = irregular.brings(at + 0.3)
    assert owned.automatic
    assert not persons.automatic


def test_a_person_seen_for_certain_ends_loose_runs() -> None:
    """Intervals that vary as those of a jittered timer prove nothing while pages are opened in
    between."""
    alone, watched, rng, at = Tab(), Tab(), random.Random(16), 0.0
    for i in range(30):
        at += rng.choice((43.0, 47.0, 72.0, 77.0))
        alone.asks(at)
        watched.asks(at)
        if i % 4 == 3:
            watched.state = polling.person_seen(watched.state, at + 1.0)
    assert alone.withdrawn
    assert not watched.withdrawn


steps = st.lists(
    st.tuples(
        st.floats(0.0, 500.0), st.sampled_from(["a", "b", "c", *map(str, range(60))]), st.booleans()
    ),
    max_size=150,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_memory_is_bounded(script: list[tuple[float, str, bool]]) -> None:
    """Whatever comes, series, instants and timers stay within their limits, and instants ascend."""
    tab, at = Tab(), 0.0
    for gap, key, leads in script:
        at += gap
        if leads:
            tab.asks(at, key)
        else:
            tab.brings(at)
    assert len(tab.state.series) <= SERIES_KEPT
    for series in tab.state.series.values():
        assert len(series.times) <= polling_series.TIMES_KEPT
        assert len(series.content_times) <= polling_series.TIMES_KEPT
        assert len(series.timers) <= polling_series.TIMERS_KEPT
        assert list(series.times) == sorted(series.times)


@settings(max_examples=40, deadline=None)
@given(steps, st.integers(0, 150))
def test_states_are_values(script: list[tuple[float, str, bool]], place: int) -> None:
    """Going on from a state that was kept gives what going on gave: nothing was changed in
    place."""
    states, at = [EMPTY], 0.0
    ticks: list[PollingJudgement] = []
    for gap, key, leads in script:
        at += gap
        after, found = polling.observe(states[-1], key, at, leads=leads)
        states.append(after)
        ticks.append(found)
    at = sum(gap for gap, _, _ in script[:place])
    state = states[min(place, len(script))]
    for (gap, key, leads), expected in zip(script[place:], ticks[place:], strict=True):
        at += gap
        state, found = polling.observe(state, key, at, leads=leads)
        assert found.automatic == expected.automatic


def test_the_series_of_everything_are_never_dropped() -> None:
    """However many endpoints come by, the two series that stand for all of them stay."""
    tab = Tab()
    tab.asks(0.0, "first")
    tab.brings(0.2)
    for i in range(3 * SERIES_KEPT):
        tab.asks(10.0 + 7.0 * i * (1 + i % 3), f"key-{i}")
    assert {CONTENT, ANY} <= set(tab.state.series)
