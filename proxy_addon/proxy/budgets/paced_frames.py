"""HTTP/2 frames of a peer, a few at a time, and counted.

Some frames cost their sender a dozen bytes and us much work, and the known floods are made of them:
streams that are reset as soon as they were opened, pings and settings that have to be acknowledged,
priorities, window updates, empty data, frames of unknown types. h2 handles whatever has come in one
go. Here it gets at most `TURN` at once (and resets, so that they come in the turn of what they take
back), so that other connections have their turn in between, and a peer that uses up a budget is
told to calm down (GOAWAY with ENHANCE_YOUR_CALM, RFC 9113, 7).

What belongs to traffic is not counted: a window update for each `BYTES_A_FRAME` bytes that were
sent to the peer, and `FRAMES_A_HEAD` frames for each request.

`tests/proxy/budgets/test_paced_frames.py` pins what is used of h2.
"""

from __future__ import annotations

from collections.abc import Callable

from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.frame_buffer import FrameBuffer
from hyperframe.frame import DataFrame, Frame, HeadersFrame, RstStreamFrame

from proxy_addon.proxy.budgets.shares import FRAMES, RESETS

TURN = 64  # points that are handled in one go
HEAD_POINTS = 8  # of a head; of any other frame it is one
BYTES_A_FRAME = 512
FRAMES_A_HEAD = 4

_RST_STREAM = b"\x03"  # the type of a frame, in its fourth byte

type _Use = Callable[[str, float], bool]


class Flooded(ProtocolError):
    """A peer has used up a budget."""

    error_code = ErrorCodes.ENHANCE_YOUR_CALM

    def __init__(self, budget: str) -> None:
        super().__init__(f"too many {budget}")
        self.budget = budget


class PacedFrames(FrameBuffer):
    """Takes the place of the buffer of an h2 connection. `use` uses up a budget."""

    def __init__(self, plain: FrameBuffer, use: _Use) -> None:
        self.__dict__.update(plain.__dict__)
        self._use = use
        self._points = 0
        self._sent = 0
        self.is_held = False  # frames are left for the next turn
        self.flooded = ""  # a budget that was used up by something else than a frame

    @property
    def size(self) -> int:
        """Bytes that are held, also of a frame that is not complete."""
        return len(self._data)

    def begin(self) -> None:
        """A turn begins."""
        self._points, self.is_held = 0, False

    def sent(self, size: int) -> None:
        """So many bytes were sent to the peer."""
        self._sent += size
        if self._sent >= BYTES_A_FRAME:
            self._use(FRAMES, -(self._sent // BYTES_A_FRAME))
            self._sent %= BYTES_A_FRAME

    def __next__(self) -> Frame:
        """The next frame. Raises Flooded."""
        if self.flooded:
            raise Flooded(self.flooded)
        if self._points >= TURN and self._data[3:4] != _RST_STREAM:
            self.is_held = True
            raise StopIteration
        return super().__next__()

    def _update_header_buffer(self, f: Frame | None) -> Frame | None:
        """Called once for each frame; `__next__` is called again within itself by h2."""
        if f is not None:
            self._points += HEAD_POINTS if isinstance(f, HeadersFrame) else 1
            self._count(f)
        return super()._update_header_buffer(f)

    def _count(self, frame: Frame) -> None:
        if isinstance(frame, HeadersFrame):
            self._use(FRAMES, -FRAMES_A_HEAD)
            return
        if isinstance(frame, DataFrame) and (frame.data or "END_STREAM" in frame.flags):
            return
        budget = RESETS if isinstance(frame, RstStreamFrame) else FRAMES
        if not self._use(budget, 1):
            raise Flooded(budget)

    def reset(self) -> None:
        """A stream was reset because of what the peer sent: the next frame raises Flooded if that
        is too often."""
        if not self._use(RESETS, 1):
            self.flooded = RESETS
