"""Twin of proxy_addon/metering/request_meter.py: what answers that tell no length cost, and when
they are judged."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.metering.activity import HELD_BYTES, MEDIA_MIN_BYTES, Evidence, Exchange
from proxy_addon.core.types import Activity
from proxy_addon.metering.flight import Flight
from proxy_addon.metering.traffic_meter import STREAM_AGE
from proxy_addon.metering.visit_tracker import CLIP_BYTES
from tests.core.policies import H
from tests.metering.two_platforms import FETCH, NAVIGATE, START, TAIL, ask, small_allowance
from tests.shell import Shell

IMAGE = FETCH._replace(path="/p.gif", dest="image", mode="no-cors")
SOUND = FETCH._replace(path="/s.mp3", dest="audio", mode="no-cors")
FILM = FETCH._replace(path="/film", dest="video", mode="no-cors")
FRAME = FETCH._replace(path="/box", dest="iframe", mode="navigate")


class Body(NamedTuple):
    """The answer to `x`, which is asked for `at` seconds after the start: its head comes after
    `head` seconds, its `size` in bytes evenly until `end`."""

    at: float
    x: Exchange
    kind: str
    size: int
    head: float = 0.1
    end: float = 0.2


def begun(shell: Shell, body: Body, *, told: bool = False) -> Flight:
    """Its head is here, with its length or without."""
    flight = ask(shell, body.x, START + body.at).flight
    assert flight is not None
    now = flight.at + body.head
    shell.enforcer.answered(flight, 200, body.kind, body.size if told else None, now)
    return flight


def whole(shell: Shell, body: Body, *, told: bool = False) -> Flight:
    """All of it has come, in one piece."""
    flight = begun(shell, body, told=told)
    shell.enforcer.body(flight, body.size, flight.at + body.end)
    shell.enforcer.ended(flight, flight.at + body.end)
    return flight


def test_a_chime_opens_nothing() -> None:
    """A short sound is no film, whether its length is told or not; a longer one is."""
    for told in (True, False):
        shell = Shell(small_allowance(limit=H))
        whole(shell, Body(0, SOUND, "audio/mpeg", MEDIA_MIN_BYTES - 1), told=told)
        assert shell.rows() == []
        whole(shell, Body(60, SOUND, "audio/mpeg", MEDIA_MIN_BYTES), told=told)
        assert [row[:2] for row in shell.rows()] == [(START + 60, START + 60 + TAIL)]


@pytest.mark.parametrize("size", [43, 0])
def test_a_pixel_is_nothing(size: int) -> None:
    """Nor is a picture without a single byte."""
    for told in (True, False):
        shell = Shell(small_allowance(limit=H))
        flight = whole(shell, Body(0, IMAGE, "image/gif", size), told=told)
        assert flight.judgement is not None
        assert flight.judgement.evidence is Evidence.PIXEL
        assert shell.rows() == []


def test_a_request_that_was_held_is_nothing() -> None:
    """Its head may come at once or with the news; somebody who waits for much is there."""
    for head in (0.1, 24.9):
        shell = Shell(small_allowance(limit=H))
        for number in range(6):
            body = Body(25.0 * number, FETCH, "application/json", HELD_BYTES - 1, head, 25.0)
            flight = whole(shell, body)
            assert flight.judgement is not None
            assert flight.judgement.evidence is Evidence.HELD_OPEN
        assert shell.rows() == []
        body = Body(200, FETCH, "application/json", HELD_BYTES, head, 25.0)
        judgement = whole(shell, body).judgement
        assert judgement is not None
        assert judgement.activity is Activity.VISIT


@pytest.mark.parametrize(
    ("x", "kind", "status"),
    [
        (NAVIGATE, "text/html", 200),
        (FRAME, "text/html", 200),
        (FETCH._replace(dest=None, mode=None, site=None), "text/html", 200),
        (FETCH, "text/event-stream", 200),
        (FETCH, "application/json", 500),
        (FETCH, "", 302),
        (FETCH, "", 204),
        (IMAGE, "image/png", 304),
        (FETCH._replace(method="HEAD"), "application/json", 200),
        (FETCH._replace(purpose="prefetch"), "application/json", 200),
    ],
)
def test_what_no_size_changes_is_judged_at_the_head(x: Exchange, kind: str, status: int) -> None:
    """Pages are charged from the second at which they are opened, and what nobody causes is known
    at once."""
    shell = Shell(small_allowance(limit=H))
    flight = ask(shell, x, START).flight
    assert flight is not None
    judged: list[Flight] = []
    flight.when_judged = judged.append
    shell.enforcer.answered(flight, status, kind, None, START + 0.1)
    assert judged == [flight]
    assert flight.answer is None
    assert (shell.spent("dora", "a") > 0) is (x in (NAVIGATE, IMAGE))
    shell.enforcer.ended(flight, START + 1)
    assert judged == [flight]


def test_a_request_is_entered_at_its_own_instant() -> None:
    """However late it is judged."""
    shell = Shell(small_allowance(limit=H))
    flight = begun(shell, Body(0, IMAGE, "image/png", 9_000))
    assert shell.rows() == []
    shell.enforcer.body(flight, 9_000, START + 12)
    shell.enforcer.ended(flight, START + 12)
    assert [row[:2] for row in shell.rows()] == [(START, START + TAIL)]


def test_a_stream_is_charged_as_if_its_length_was_known() -> None:
    """From its request on, to the last byte, while it flows."""
    for told in (True, False):
        shell = Shell(small_allowance(limit=H))
        flight = begun(shell, Body(0, FILM, "video/mp4", 10**9), told=told)
        for step in range(1, 31):
            shell.enforcer.body(flight, 50_000, START + step / 2)
            if step >= 6:
                assert shell.spent("dora", "a") == pytest.approx(step / 2 + TAIL, abs=1.0)
        shell.enforcer.ended(flight, START + 15)
        assert shell.spent("dora", "a") == pytest.approx(15 + TAIL, abs=1.0)


def test_a_film_that_comes_slowly_is_judged_after_two_seconds() -> None:
    """A chime is over by then."""
    shell = Shell(small_allowance(limit=H))
    flight = begun(shell, Body(0, FILM, "video/mp4", 0))
    shell.enforcer.body(flight, 900, flight.at + 0.1 + STREAM_AGE - 0.1)
    assert flight.answer is not None
    shell.enforcer.body(flight, 900, flight.at + 0.1 + STREAM_AGE)
    assert flight.answer is None
    assert shell.spent("dora", "a") == TAIL


def test_much_is_judged_at_once() -> None:
    """Beyond the longest clip no size makes a difference."""
    shell = Shell(small_allowance(limit=H))
    flight = begun(shell, Body(0, FILM, "video/mp4", 0))
    shell.enforcer.body(flight, CLIP_BYTES, START + 0.4)
    assert flight.answer is not None
    shell.enforcer.body(flight, 1, START + 0.5)
    assert flight.answer is None


def test_what_is_broken_off_is_judged_with_what_came() -> None:
    """A client that leaves has asked all the same; what is thrown away has not."""
    shell = Shell(small_allowance(limit=H))
    flight = begun(shell, Body(0, IMAGE, "image/png", 9_000))
    shell.enforcer.body(flight, 5_000, START + 1)
    shell.enforcer.ended(flight, START + 1)
    assert shell.spent("dora", "a") == TAIL
    shell.enforcer.ended(flight, START + 9)
    other = begun(shell, Body(60, IMAGE, "image/png", 9_000))
    shell.enforcer.closed(other)
    shell.enforcer.ended(other, START + 70)
    assert shell.spent("dora", "a") == TAIL


@pytest.mark.parametrize("told", [True, False])
def test_what_is_open_ends_with_the_time(told: bool) -> None:
    """A film that has just begun is cut like any other, and the clock does not start again."""
    shell = Shell(small_allowance(limit=60))
    shell.open("dora", "x.com", START)
    flight = begun(shell, Body(59.4, FILM, "video/mp4", 10**9), told=told)
    assert (flight.answer is None) is told
    assert list(shell.enforcer.due(START + 59.9)) == []
    due = list(shell.enforcer.due(START + 60.2))
    if not told:  # nothing was charged for the minute until it counts
        assert due == []
        shell.enforcer.body(flight, 10**5, START + 61.6)
        due = list(shell.enforcer.due(START + 61.7))
    assert [each.flight for each in due] == [flight]
    shell.enforcer.closed(flight)
    shell.enforcer.ended(flight, START + 63)
    assert shell.spent("dora", "a") == 60


kinds = st.sampled_from(
    [
        (FETCH, "application/json"),
        (FETCH._replace(path="/other"), "application/json"),
        (FETCH._replace(path="/bin"), "application/octet-stream"),
        (IMAGE, "image/png"),
        (SOUND, "audio/mpeg"),
        (FILM, "video/mp4"),
        (NAVIGATE, "text/html"),
    ]
)
sizes = st.sampled_from([0, 43, 900, 19_000, 21_000, 47_000, 49_000, 400_000, 2_000_000])
pauses = st.sampled_from([0.3, 2.0, 5.0, 20.0, 25.0, 47.0, 61.0, 100.0, 200.0])


@given(st.lists(st.tuples(pauses, kinds, sizes, st.floats(0.02, 0.28)), max_size=40))
@settings(max_examples=150, deadline=None)
def test_telling_the_length_changes_no_charge(
    day: list[tuple[float, tuple[Exchange, str], int, float]],
) -> None:
    """Answers that end before the next request are charged to the same second, whether they tell
    their length or not."""
    charged = []
    for told in (True, False):
        shell, at = Shell(small_allowance(limit=8 * H)), 0.0
        for pause, (x, kind), size, end in day:
            at += pause
            whole(shell, Body(at, x, kind, size, end / 2, end), told=told)
        charged.append([row[:2] for row in shell.rows()])
    assert charged[0] == charged[1]
