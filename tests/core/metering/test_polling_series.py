"""Twin of proxy_addon/core/metering/polling_series.py: a timer is known by period and by sizes
of its answers."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering import polling_series
from proxy_addon.core.metering.polling_series import Seen, Series, add_instant

SEEN = Seen(float("-inf"), float("-inf"))
SMALL, LARGE = 600, 60_000
JITTER = (0, 5, -6, 3, -4, 6, -5, 2, 4, -6, 5, -3, 6, -2, -5, 4, -4, 6, -6, 3)


def fed(items: list[tuple[float, int]], series: Series | None = None) -> tuple[Series, list[bool]]:
    """The series after these instants and sizes, and which of them a timer explains."""
    series, found = series or Series(), list[bool]()
    for at, size in items:
        series, automatic, _ = add_instant(series, at, SEEN, size=size)
        found.append(automatic)
    return series, found


def poll(count: int, start: float = 0.0, size: int = SMALL) -> list[tuple[float, int]]:
    """A poll every 30 s, uneven by up to 6 s."""
    return [(start + 30.0 * n + JITTER[n % len(JITTER)], size) for n in range(count)]


def test_a_scroll_on_the_endpoint_that_a_tab_polls_is_a_persons() -> None:
    """An answer that is far larger than any of an uneven timer's is not a tick, even in time."""
    series, found = fed(poll(20))
    assert found[-1]
    assert series.timers[-1].loose
    _, (explained,) = fed([(600.0, LARGE)], series)
    assert not explained
    _, (explained,) = fed([(600.0, SMALL)], series)
    assert explained


def test_a_precise_timer_brings_any_size() -> None:
    """Nobody acts on the second; news are larger than none."""
    series, _ = fed([(30.0 * n, SMALL) for n in range(8)])
    assert not series.timers[-1].loose
    _, (explained,) = fed([(240.0, LARGE)], series)
    assert explained


def test_a_large_answer_in_place_of_a_tick_was_the_timers() -> None:
    """It is taken back as soon as the next tick shows that there was no other."""
    series, _ = fed(poll(20))
    series, (first,) = fed([(600.0, LARGE)], series)
    assert not first
    series, automatic, earlier = add_instant(series, 632.0, SEEN, size=SMALL)
    assert automatic
    assert earlier == (600.0,)
    assert series.timers[-1].largest == LARGE
    _, (again,) = fed([(661.0, LARGE)], series)
    assert again


def test_a_large_answer_beside_a_tick_stays_a_persons() -> None:
    """Two requests in the time of one tick are not both the timer's."""
    series, _ = fed(poll(20))
    series, _ = fed([(598.0, LARGE), (601.0, SMALL)], series)
    _, automatic, earlier = add_instant(series, 632.0, SEEN, size=SMALL)
    assert automatic
    assert earlier == ()


def test_scrolls_are_not_taken_back_with_the_poll_of_their_endpoint() -> None:
    """A poll among larger answers is found among those that are as small as its own."""
    scrolls = [(float(at), LARGE) for at in (7, 19, 44, 52, 71, 98, 104, 133)]
    polls = [(30.0 * n + 1.0, SMALL) for n in range(8)]
    series, taken = Series(), set[float]()
    for at, size in sorted(scrolls + polls):
        series, _, earlier = add_instant(series, at, SEEN, size=size)
        taken |= set(earlier)
    assert series.timers
    assert not taken & {at for at, _ in scrolls}


def test_a_precise_timer_is_found_among_what_a_loose_one_explains() -> None:
    """A loose timer must not hide a precise one for ever."""
    series, _ = fed(poll(20))
    assert [timer.loose for timer in series.timers] == [True]
    series, _ = fed([(600.0 + 30.0 * n, SMALL) for n in range(12)], series)
    assert not all(timer.loose for timer in series.timers)


@pytest.mark.parametrize("size", [0, SMALL])
def test_memory_is_bounded(size: int) -> None:
    """However much is asked, a series stays as large as it may be."""
    items = [(17.0 * n + (n * n) % 13, size + (n * 7919) % 5_000) for n in range(600)]
    series, _ = fed(items)
    assert len(series.times) == len(series.sizes) <= polling_series.TIMES_KEPT
    assert len(series.loose) <= polling_series.LOOSE_KEPT
    assert len(series.timers) <= polling_series.TIMERS_KEPT
