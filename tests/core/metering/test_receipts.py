"""Twin of proxy_addon/core/metering/receipts.py: what a client sends over a WebSocket by itself."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.metering.receipts import (
    BEAT_SECONDS,
    LATE_RECEIPT_SECONDS,
    PONG_BYTES,
    RECEIPT_SECONDS,
    SIZES_KEPT,
    UNUSED,
    ClientMessage,
    SocketState,
    pushed,
    sent,
)

OWN, RECEIPT, HEARTBEAT = ClientMessage.OWN, ClientMessage.RECEIPT, ClientMessage.HEARTBEAT

type Step = tuple[float, int]
"""Seconds, and the bytes that the client sends then; 0 for a push of the server."""


def judged(*steps: Step, state: SocketState = UNUSED) -> list[ClientMessage]:
    """What each message of the client is."""
    found = []
    for at, size in steps:
        if size:
            state, what = sent(state, size, at)
            found.append(what)
        else:
            state = pushed(state, at)
    return found


def test_what_follows_a_push_at_once_is_a_receipt() -> None:
    """However long it is, and however many there are."""
    steps = [(0.0, 0), (0.1, 33), (RECEIPT_SECONDS, 900), (RECEIPT_SECONDS + 0.1, 9)]
    assert judged(*steps) == [RECEIPT, RECEIPT, OWN]


def test_a_late_pong_is_a_receipt() -> None:
    """A few bytes, seconds after the push, are no person's; once, and not for ever."""
    late = LATE_RECEIPT_SECONDS
    assert judged((0, 0), (late, PONG_BYTES)) == [RECEIPT]
    assert judged((0, 0), (2, 1), (3, 1)) == [RECEIPT, OWN]
    assert judged((0, 0), (late + 0.1, PONG_BYTES)) == [OWN]
    assert judged((0, 0), (2, PONG_BYTES + 1)) == [OWN]


@pytest.mark.parametrize(("size", "what"), [(33, RECEIPT), (34, RECEIPT), (60, OWN)])
def test_a_late_receipt_is_as_long_as_earlier_ones(size: int, what: ClientMessage) -> None:
    """A counter in it may have grown by a digit."""
    assert judged((0, 0), (0.1, 33), (20, 0), (22, size)) == [RECEIPT, what]


def test_an_answer_to_the_person_is_no_push() -> None:
    """What the person writes next may come at once, and be as short as a pong."""
    assert judged((0, 300), (0.3, 0), (0.7, 5), (2, 5)) == [OWN, OWN, OWN]


def test_a_heartbeat_follows_the_same_silence() -> None:
    """A timer that starts again with each message is irregular beside other traffic, but what it
    waits for is not."""
    steps: list[Step] = []
    at, rng = 0.0, random.Random(3)
    for _ in range(10):
        for _ in range(rng.randint(0, 3)):
            at += rng.uniform(3.0, 40.0)
            steps.append((at, 0))
        at += 60.0 + rng.uniform(0.0, 0.5)
        steps += [(at, 180), (at + 0.1, 0)]
        at += 0.1
    assert judged(*steps) == [OWN, *[HEARTBEAT] * 9]


@pytest.mark.parametrize("silence", [BEAT_SECONDS / 2, 100.0])
def test_messages_alike_after_other_silences_are_a_persons(silence: float) -> None:
    """So are those that follow each other as quickly as somebody types."""
    assert (
        judged((0, 50), (silence, 50), (2 * silence + 20, 50), (3 * silence + 20, 50)) == [OWN] * 4
    )


def test_what_is_sent_between_does_not_count_as_silence() -> None:
    """A message of another size starts the silence again."""
    assert judged((0, 180), (60, 180), (120, 180)) == [OWN, OWN, HEARTBEAT]
    assert judged((0, 180), (60, 180), (80, 90), (120, 180)) == [OWN, OWN, OWN, OWN]


@given(st.lists(st.tuples(st.floats(0.0, 90.0), st.integers(0, 500)), max_size=200))
def test_memory_is_bounded(moves: list[tuple[float, int]]) -> None:
    """Whatever comes, no more than some sizes are kept."""
    state, at = UNUSED, 0.0
    for pause, size in moves:
        at += pause
        state = sent(state, size, at)[0] if size else pushed(state, at)
    assert len(state.receipts) <= SIZES_KEPT
    assert len(state.silences) <= SIZES_KEPT
