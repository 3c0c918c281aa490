"""Messages that a client sends by itself over a WebSocket: receipts of what the server pushed, and
heartbeats.

* A *receipt* follows a push at once. On a busy machine it comes late, and then only what can hardly
  be anything else is one: the first message after the push, if it is as short as a pong, or as long
  as one that has followed a push at once on this connection.
* A *heartbeat* is sent after the same silence as the last message of its size: such timers start
  again with each message, so what they send is not periodic beside other traffic. What is, is found
  by `polling.py`.

Pure: states are values, instants come with each message, sizes are bytes. Memory is bounded.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

RECEIPT_SECONDS = 0.8  # a message this soon after a push was written by no person
LATE_RECEIPT_SECONDS = 5.0  # a receipt comes no later, also on a machine that is busy
PONG_BYTES = 8  # a pong; nothing that a person causes is as short
COUNTER_BYTES = 1  # a receipt with a counter in it grows by a digit
SIZES_KEPT = 8
BEAT_SECONDS = 10.0  # a shorter silence may be a person's who types
BEAT_TOLERANCE = 0.05  # share by which two silences before heartbeats differ at most

_NEVER = float("-inf")


class ClientMessage(StrEnum):
    """What a message of a client is."""

    OWN = "its own"  # a person may have caused it
    RECEIPT = "a receipt"
    HEARTBEAT = "a heartbeat"


class SocketState(NamedTuple):
    """What is known of one WebSocket. Instants; `answered`: whether a message of the client has
    followed the last push; `receipts`: the sizes of those that followed one at once; `silences`:
    (size, seconds of silence before it) of the others. The last used are last."""

    pushed_at: float = _NEVER
    sent_at: float = _NEVER
    last_at: float = _NEVER
    answered: bool = True
    receipts: tuple[int, ...] = ()
    silences: tuple[tuple[int, float], ...] = ()


UNUSED = SocketState()


def pushed(state: SocketState, at: float) -> SocketState:
    """The server sent something. What answers the person's own message is no push."""
    if at - state.sent_at <= RECEIPT_SECONDS:
        return state._replace(last_at=at)
    return state._replace(pushed_at=at, last_at=at, answered=False)


def sent(state: SocketState, size: int, at: float) -> tuple[SocketState, ClientMessage]:
    """The client sent `size` bytes."""
    since = at - state.pushed_at
    if since <= RECEIPT_SECONDS:
        receipts = tuple(known for known in state.receipts if known != size)
        receipts = (*receipts[-(SIZES_KEPT - 1) :], size)
        after = state._replace(last_at=at, answered=True, receipts=receipts)
        return after, ClientMessage.RECEIPT
    if not state.answered and since <= LATE_RECEIPT_SECONDS and _is_receipt(state, size):
        return state._replace(last_at=at, answered=True), ClientMessage.RECEIPT
    silence = at - state.last_at if state.last_at > _NEVER else 0.0
    before = dict(state.silences)
    known = before.pop(size, 0.0)
    silences = (*tuple(before.items())[-(SIZES_KEPT - 1) :], (size, silence))
    after = SocketState(state.pushed_at, at, at, True, state.receipts, silences)
    return after, ClientMessage.HEARTBEAT if _is_beat(silence, known) else ClientMessage.OWN


def _is_receipt(state: SocketState, size: int) -> bool:
    if size <= PONG_BYTES:
        return True
    return any(abs(size - known) <= COUNTER_BYTES for known in state.receipts)


def _is_beat(silence: float, known: float) -> bool:
    return silence >= BEAT_SECONDS and abs(silence - known) <= BEAT_TOLERANCE * known
