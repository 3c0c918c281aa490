"""`proxy_addon/trace/notes.py`: what our add-on left in a flow, read with suspicion."""

from __future__ import annotations

from typing import Any

import pytest

from proxy_addon.trace.event import BadRecordError
from proxy_addon.trace.notes import MESSAGES, PASSED, TIMES, Message, messages, passed, times

AT = 1793610000.0


def test_nothing_was_noted() -> None:
    """A dump of somebody else's mitmproxy has no notes: nothing passed that we know of, messages
    are elsewhere."""
    assert passed({}, AT) == ()
    assert messages({}) is None


def test_a_body_in_seconds_after_its_start() -> None:
    """Instants become seconds after the request; they never run backwards, and none is before
    it."""
    noted = {PASSED: [[AT - 0.01, 10], [AT + 1, 20], [AT + 0.5, 30]]}
    assert passed(noted, AT) == ((0.0, 10), (1.0, 20), (1.0, 30))


def test_messages_with_their_direction() -> None:
    """Each entry is one message."""
    noted = {MESSAGES: [[AT, 10, True], [AT + 1, 20, False]]}
    assert messages(noted) == [Message(AT, 10, True), Message(AT + 1, 20, False)]


@pytest.mark.parametrize(
    "bad", [7, "text", [[AT]], [7], [["x", 1]], [[AT, -1]], [[AT, "x"]], [[float("nan"), 1]]]
)
def test_nonsense_is_named(bad: Any) -> None:
    """What is not a list of pairs of an instant and a size is a bad record, never a crash."""
    with pytest.raises(BadRecordError):
        passed({PASSED: bad}, AT)


@pytest.mark.parametrize("bad", [7, [AT], [AT, "x"], [-1, AT]])
def test_nonsense_for_times_is_named(bad: Any) -> None:
    """The same for the two instants of a request; an answer never comes before it."""
    with pytest.raises(BadRecordError):
        times({TIMES: bad})
    assert times({TIMES: [AT, AT - 5]}) == (AT, AT)
    assert times({}) is None


@pytest.mark.parametrize("bad", [None, [[AT, 1]], [[AT, True, True, 1]], [[-5, 1, True]]])
def test_nonsense_for_messages_is_named(bad: Any) -> None:
    """The same for messages."""
    with pytest.raises(BadRecordError):
        messages({MESSAGES: bad})
