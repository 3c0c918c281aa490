"""`proxy_addon/proxy/budgets/flow_control.py`: two ends of HTTP/2, by hand, and what is used of
h2."""

from __future__ import annotations

import random

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived
from mitmproxy.proxy.layers.http._http_h2 import SendH2Data

from proxy_addon.proxy.budgets.flow_control import (
    CONNECTION_WINDOW,
    MOST_OWED,
    STREAM_WINDOW,
    FlowControlled,
    WaitingData,
)

HEAD = [(":method", "POST"), (":scheme", "https"), (":authority", "x.com"), (":path", "/")]


class Ends:
    """A client of h2 as it is, and our end, which takes all that comes."""

    def __init__(self) -> None:
        self.peer = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.ours = FlowControlled(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.peer.initiate_connection()
        self.ours.initiate_connection()
        self.settle()

    def settle(self) -> None:
        """Each reads what the other has said."""
        while True:
            up, down = self.peer.data_to_send(), self.ours.data_to_send()
            if not up and not down:
                return
            for event in self.ours.receive_data(up):
                if isinstance(event, DataReceived):
                    size = event.flow_controlled_length
                    self.ours.acknowledge_received_data(size, event.stream_id)
            self.peer.receive_data(down)

    def stream(self) -> int:
        """A new stream."""
        number = self.peer.get_next_available_stream_id()
        self.peer.send_headers(number, HEAD)
        self.settle()
        return number

    def pour(self, stream: int, most: int) -> int:
        """How much of `most` bytes can be sent."""
        sent = 0
        while size := min(self.peer.local_flow_control_window(stream), 16_384, most - sent):
            self.peer.send_data(stream, bytes(size))
            sent += size
            self.settle()
        return sent


@pytest.fixture
def ends() -> Ends:
    """See above."""
    return Ends()


def test_what_is_passed_on_makes_room(ends: Ends) -> None:
    """More than either window can be sent while there is room where it goes."""
    stream, size = ends.stream(), CONNECTION_WINDOW + STREAM_WINDOW
    assert ends.pour(stream, size) == size
    assert not ends.ours.owed


def test_a_stream_without_room_is_stopped(ends: Ends) -> None:
    """It can send its window and no more; another stream goes on; it goes on when there is room."""
    stopped, other = ends.stream(), ends.stream()
    ends.ours.is_full = lambda stream: stream == stopped
    assert ends.pour(stopped, 4 * STREAM_WINDOW) == STREAM_WINDOW
    assert ends.pour(other, 2 * CONNECTION_WINDOW) == 2 * CONNECTION_WINDOW
    ends.ours.is_full = lambda _: False
    ends.ours.give_back()
    ends.settle()
    assert ends.pour(stopped, 4 * STREAM_WINDOW) == 4 * STREAM_WINDOW


def test_a_connection_has_a_bound(ends: Ends) -> None:
    """However many streams have no room, all together can send what the windows say."""
    ends.ours.is_full = lambda _: True
    sent = sum(ends.pour(ends.stream(), 2 * STREAM_WINDOW) for _ in range(40))
    assert MOST_OWED < sent <= MOST_OWED + CONNECTION_WINDOW + STREAM_WINDOW
    ends.ours.is_full = lambda _: False
    ends.ours.give_back()
    ends.settle()
    assert ends.pour(ends.stream(), STREAM_WINDOW) == STREAM_WINDOW


def test_streams_that_have_ended_owe_nothing(ends: Ends) -> None:
    """The window of the connection gets back what came of a stream that was reset."""
    for _ in range(3 * CONNECTION_WINDOW // STREAM_WINDOW):
        stream = ends.stream()
        ends.ours.is_full = lambda each, full=stream: each == full  # type: ignore[misc]
        assert ends.pour(stream, STREAM_WINDOW) == STREAM_WINDOW
        ends.peer.reset_stream(stream)
        ends.settle()
        ends.ours.is_full = lambda _: False
        ends.ours.give_back()
        ends.settle()
    assert not ends.ours.owed


def test_what_waits_is_counted(ends: Ends) -> None:
    """The bytes that wait for the window of a peer are known while they are sent, cut and sent."""
    stream = ends.stream()
    ends.ours.send_headers(stream, [(":status", "200")])
    for size in (1000, 70_000, 200_000, 5):
        ends.ours.send_data(stream, bytes(size))
    assert ends.ours.waiting(stream) == 271_005 - 65_535
    ends.settle()
    ends.peer.acknowledge_received_data(40_000, stream)
    ends.settle()
    assert ends.ours.waiting(stream) == 271_005 - 65_535 - 40_000
    ends.ours.reset_stream(stream)
    assert ends.ours.waiting(stream) == 0


def test_the_size_is_that_of_the_pieces() -> None:
    """After any of the things that mitmproxy does with a buffer."""
    dice, waiting = random.Random(5), WaitingData()
    for _ in range(500):
        piece = SendH2Data(bytes(dice.randrange(100)), False)
        if waiting and dice.random() < 0.5:
            first = waiting.popleft()
            if dice.random() < 0.3:
                waiting.appendleft(first._replace(data=first.data[1:]))
        else:
            waiting.append(piece)
        assert waiting.size == sum(len(each.data) for each in waiting)
