"""Twin of proxy_addon/core/metering/moving_on.py: whoever opens a page elsewhere was here until
then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.metering.activity import Evidence, Kind
from proxy_addon.core.metering.meter import FAR_PAGE, moved_on, observe
from proxy_addon.core.metering.moving_on import MOVED, STILL_PLAYING, was_elsewhere, would_charge
from proxy_addon.core.metering.timeline import EMPTY, Mark, Timeline
from proxy_addon.core.ruleset import Metering

RULES = Metering(navigation_gap=180.0, interaction_gap=60.0, media_gap=45.0, tail=10.0)
LONGEST = MOVED * FAR_PAGE * 180.0  # seconds after a page, until which a move is charged


def opened(at: float = 0.0) -> Timeline:
    """A page that was opened for certain."""
    page = Mark(at, at, Kind.NAVIGATION, "", Evidence.PAGE_OPENED, certain=True)
    return observe(EMPTY, page, RULES)


def end(timeline: Timeline) -> float:
    """Where the newest stretch ends."""
    return timeline.stretches[-1].end


def test_a_page_is_read_until_the_person_moves_on() -> None:
    """The silence before a move that comes soon is charged, to the second."""
    assert end(moved_on(opened(), 95.0, RULES)) == 95.0
    assert end(moved_on(opened(), LONGEST, RULES)) == pytest.approx(LONGEST)


def test_a_late_move_charges_nothing() -> None:
    """Somebody who was silent for that long may have left long before."""
    assert end(moved_on(opened(), LONGEST + 1.0, RULES)) == 10.0
    assert end(moved_on(opened(), 9_000.0, RULES)) == 10.0


def elsewhere(start: float, end: float) -> Timeline:
    """Another platform, used from `start` to `end`."""
    film = Mark(start, end - 10.0, Kind.MEDIA, "", Evidence.MEDIA_STREAM)
    return observe(EMPTY, film, RULES)


@pytest.mark.parametrize(
    ("used", "at", "apart"),
    [
        ((10.0, 160.0), 160.0, True),
        ((10.0, 140.0), 160.0, False),
        ((30.0, 160.0), 160.0, False),
        ((20.0, 160.0), 160.0, True),
        ((10.0, 29.0), 30.0, False),
        ((10.0, 400.0), 400.0, False),
    ],
)
def test_whoever_comes_back_was_elsewhere(
    used: tuple[float, float], at: float, apart: bool
) -> None:
    """A gap that other platforms are charged for is not charged here as well; a short one, or one
    that they do not fill, is, as of two devices in use at once."""
    assert was_elsewhere(opened(), [elsewhere(*used)], at) is apart


def test_what_comes_after_time_elsewhere_is_a_new_stretch() -> None:
    """The stretch before it ends where it ended."""
    again = Mark(160.0, 160.0, Kind.INTERACTION, "", Evidence.PAGE_ACTION, certain=True)
    assert [s.start for s in observe(opened(), again, RULES).stretches] == [0.0]
    back = observe(opened(), again._replace(apart=True), RULES)
    assert [(s.start, s.end) for s in back.stretches] == [(0.0, 10.0), (160.0, 170.0)]


def test_a_film_goes_on_beside_other_pages() -> None:
    """What was active a moment ago is not left."""
    film = Mark(0.0, 60.0, Kind.MEDIA, "", Evidence.MEDIA_STREAM)
    playing = observe(EMPTY, film, RULES)
    moved = moved_on(playing, 60.0 + STILL_PLAYING - 1.0, RULES)
    assert (moved.stretches, moved.reach) == (playing.stretches, playing.reach)


@given(st.floats(0.0, 400.0))
def test_what_is_announced_is_what_is_charged(at: float) -> None:
    """A decision before the move knows its price, and a move never charges beyond its instant."""
    before = opened()
    after = moved_on(before, at, RULES)
    assert end(after) - end(before) == pytest.approx(would_charge(before, at))
    assert end(after) <= max(at, end(before))
