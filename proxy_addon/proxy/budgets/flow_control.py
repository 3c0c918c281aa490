"""HTTP/2 flow control: a peer may send no more than we can pass on.

mitmproxy gives every peer windows of 2 GiB and acknowledges what comes at once, so a client that
reads nothing has us keep whatever a site sends. Here a stream begins with `STREAM_WINDOW`, and its
data is acknowledged when there is room where it goes (`is_full`, see `back_pressure.py`). The
window of the whole connection is given back at once, so that other streams go on, but not while
`MOST_OWED` bytes of its streams are not acknowledged.

`tests/proxy/budgets/test_flow_control.py` pins what is used of h2 and of mitmproxy.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable

import h2.config
from h2.connection import H2Connection
from hyperframe.frame import Frame, WindowUpdateFrame
from mitmproxy.proxy.layers.http._http_h2 import BufferedH2Connection, SendH2Data

STREAM_WINDOW = 1 << 20
CONNECTION_WINDOW = 8 << 20
MOST_OWED = 8 << 20


class WaitingData(deque[SendH2Data]):
    """What waits for the window of a stream. `size`: its bytes."""

    def __init__(self, found: Iterable[SendH2Data] = ()) -> None:
        super().__init__(found)
        self.size = sum(len(each.data) for each in self)

    def append(self, piece: SendH2Data) -> None:
        """The next piece."""
        self.size += len(piece.data)
        super().append(piece)

    def appendleft(self, piece: SendH2Data) -> None:
        """The rest of a piece."""
        self.size += len(piece.data)
        super().appendleft(piece)

    def popleft(self) -> SendH2Data:
        """The first piece."""
        piece = super().popleft()
        self.size -= len(piece.data)
        return piece


class FlowControlled(BufferedH2Connection):
    """mitmproxy's HTTP/2 connection with windows."""

    stream_buffers: defaultdict[int, WaitingData]  # type: ignore[assignment]

    def __init__(self, config: h2.config.H2Configuration) -> None:
        super().__init__(config)
        self.local_settings.initial_window_size = STREAM_WINDOW
        self.local_settings.acknowledge()  # as mitmproxy does it: before anything is sent
        self.stream_buffers = defaultdict(WaitingData)
        self.is_full: Callable[[int], bool] = lambda _: False
        self.owed: Counter[int] = Counter()  # bytes by stream
        self._owed_of_all = 0

    def initiate_connection(self) -> None:
        """The first bytes."""
        H2Connection.initiate_connection(self)
        self.increment_flow_control_window(CONNECTION_WINDOW - self.inbound_flow_control_window)

    def waiting(self, stream_id: int) -> int:
        """Bytes of a stream that wait for the window of the peer."""
        found = self.stream_buffers.get(stream_id)
        return 0 if found is None else found.size

    @property
    def waiting_bytes(self) -> int:
        """Bytes of all streams that wait for windows of the peer."""
        return sum(each.size for each in self.stream_buffers.values())

    def acknowledge_received_data(self, acknowledged_size: int, stream_id: int) -> None:
        """Something was passed on."""
        if not acknowledged_size:
            return
        self._owed_of_all += acknowledged_size
        self.owed[stream_id] += acknowledged_size
        self.give_back([stream_id])

    def give_back(self, streams: Iterable[int] | None = None) -> None:
        """Acknowledge what there is room for now, of some streams or of all."""
        frames: list[Frame] = []
        for stream_id in list(self.owed if streams is None else streams):
            if not self.is_full(stream_id):
                size, stream = self.owed.pop(stream_id), self.streams.get(stream_id)
                if stream is not None and stream.open:
                    frames += stream.acknowledge_received_data(size)
        if self._owed_of_all and self.owed.total() <= MOST_OWED:
            manager = self._inbound_flow_control_window_manager
            increment = manager.process_bytes(self._owed_of_all)
            self._owed_of_all = 0
            if increment:
                frame = WindowUpdateFrame(0)
                frame.window_increment = increment
                frames.append(frame)
        self._prepare_for_sending(frames)
