"""`proxy_addon/proxy/budgets/paced_frames.py`, in a real connection of h2."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import RequestReceived, StreamReset
from hpack import Encoder
from hyperframe.frame import DataFrame, PingFrame

from proxy_addon.proxy.budgets.paced_frames import (
    BYTES_A_FRAME,
    HEAD_POINTS,
    TURN,
    Flooded,
    PacedFrames,
)
from proxy_addon.proxy.budgets.shares import FRAMES, RESETS
from tests.proxy.budgets import floods

HOST = "www.facebook.com"


class FramedPeer:
    """A server's connection with paced frames, and budgets that can be used up."""

    def __init__(self, **left: float) -> None:
        self.left = Counter({FRAMES: 10_000.0, RESETS: 10_000.0, **left})
        self.h2 = H2Connection(H2Configuration(client_side=False))
        self.frames = PacedFrames(self.h2.incoming_buffer, self._use)
        self.h2.incoming_buffer = self.frames
        self.h2.initiate_connection()
        self.h2.receive_data(floods.PREFACE)

    def _use(self, budget: str, amount: float) -> bool:
        self.left[budget] -= amount
        return self.left[budget] >= 0

    def turn(self, data: bytes = b"") -> list[object]:
        """What one turn handles."""
        self.frames.begin()
        return list(self.h2.receive_data(data))


def test_frames_are_handled_in_turns() -> None:
    """However much has come, so much is handled at once, and nothing is lost."""
    peer = FramedPeer()
    seen = len(peer.turn(b"".join(islice(floods.pings(HOST), 500))))
    turns = 1
    assert peer.frames.is_held and peer.frames.size
    while peer.frames.is_held:
        seen += len(peer.turn())
        turns += 1
    assert seen == 500
    assert 500 / TURN <= turns <= 500 / TURN + 2
    assert peer.frames.size == 0


def test_heads_count_for_more() -> None:
    """A request costs us much more than another frame."""
    peer = FramedPeer()
    found = peer.turn(b"".join(islice(floods.requests(HOST), 90)))
    assert sum(isinstance(each, RequestReceived) for each in found) == TURN / HEAD_POINTS


def test_a_head_in_several_frames_is_one_request() -> None:
    """h2 puts it together; it is counted once, also where its pieces come in several turns."""
    peer = FramedPeer()
    fields = {":method": "GET", ":scheme": "https", ":authority": HOST, ":path": "/"}
    block = Encoder().encode(list(fields.items()))
    pieces = [block[i : i + 1] for i in range(len(block))]
    start = floods.HeadersFrame(1, pieces[0], flags=["END_STREAM"]).serialize()
    rest = [floods.ContinuationFrame(1, each) for each in pieces[1:]]
    rest[-1].flags.add("END_HEADERS")
    (request,) = peer.turn(start + b"".join(each.serialize() for each in rest))[:1]
    assert isinstance(request, RequestReceived)
    assert peer.frames._points == HEAD_POINTS + len(rest)


@pytest.mark.parametrize(
    ("flood", "budget"), floods.COUNTED.items(), ids=lambda value: getattr(value, "__name__", value)
)
def test_a_budget_that_is_used_up(flood: floods.Flood, budget: str) -> None:
    """Each of the known floods uses up its budget, and ends in GOAWAY with ENHANCE_YOUR_CALM.
    (What we have to reset ourselves is counted where it is sent: `test_budgeted_http2.py`.)"""
    if flood is floods.made_resets:
        return
    peer = FramedPeer(**{budget: 50})
    with pytest.raises(Flooded) as raised:
        for piece in islice(flood(HOST), 1000):
            peer.turn(piece)
    assert raised.value.budget == budget
    assert raised.value.error_code is ErrorCodes.ENHANCE_YOUR_CALM


def test_resets_of_ours_count() -> None:
    """Streams that a peer makes us reset: the next frame is one too many."""
    peer = FramedPeer(resets=2)
    for _ in range(3):
        peer.frames.reset()
    with pytest.raises(Flooded):
        peer.turn(PingFrame(0, bytes(8)).serialize())


def test_what_traffic_needs_is_free() -> None:
    """Bytes that are sent to the peer earn window updates, requests earn frames, and data with
    something in it, or at the end of a stream, costs nothing."""
    peer = FramedPeer(frames=0)
    peer.frames.sent(BYTES_A_FRAME // 2)
    peer.frames.sent(BYTES_A_FRAME // 2 + 3 * BYTES_A_FRAME)
    assert peer.left[FRAMES] == 4
    encoder = Encoder()
    peer.turn(floods.head(encoder, 1, HOST, ended=False))
    earned = peer.left[FRAMES]
    assert earned > 4
    peer.turn(DataFrame(1, b"x").serialize() + DataFrame(1, b"", flags=["END_STREAM"]).serialize())
    assert peer.left[FRAMES] == earned


def test_resets_are_seen_as_before() -> None:
    """What is within the budget is h2's: a reset is one event."""
    peer = FramedPeer()
    found = peer.turn(next(floods.rapid_reset(HOST)))
    assert any(isinstance(each, StreamReset) for each in found)
