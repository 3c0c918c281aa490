"""What `proxy/recording.py` writes into the metadata of a flow, and how it is read again.

| key | value |
|---|---|
| `user` | whose flow it is |
| `allowance_times` | `[asked, answered]`: instants of the decision and of the answer's head |
| `allowance_passed` | a streamed body as `[instant, bytes]` pairs, ascending, about one a second |
| `allowance_messages` | messages of a WebSocket or tunnel: `[instant, bytes, from the client]` |

A dump may come from anywhere, so all of it is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from proxy_addon.trace.event import BadRecordError, TraceFault, instant, size

USER: Final = "user"
TIMES: Final = "allowance_times"
PASSED: Final = "allowance_passed"
MESSAGES: Final = "allowance_messages"


class Message(NamedTuple):
    """A message of `size` bytes at the instant `at`."""

    at: float
    size: int
    from_client: bool


def times(metadata: Mapping[str, Any]) -> tuple[float, float] | None:
    """When the proxy decided, and when the head of the answer came; None where nobody noted it."""
    noted = metadata.get(TIMES)
    if noted is None:
        return None
    if not isinstance(noted, list | tuple) or len(noted) != 2:
        raise BadRecordError(TraceFault.TYPE, f"{TIMES} is not a pair")
    asked = instant(noted[0], TIMES)
    return asked, max(asked, instant(noted[1], TIMES))


def passed(metadata: Mapping[str, Any], since: float) -> tuple[tuple[float, int], ...]:
    """When a body passed: seconds after `since`, and bytes; () where nobody noted it."""
    found: list[tuple[float, int]] = []
    for at, count in _rows(metadata, PASSED, 2):
        after = max(0.0, instant(at, PASSED) - since)
        found.append((max(after, found[-1][0]) if found else after, size(count, PASSED)))
    return tuple(found)


def messages(metadata: Mapping[str, Any]) -> list[Message] | None:
    """The messages that were noted; None where nobody did."""
    if MESSAGES not in metadata:
        return None
    return [
        Message(instant(at, MESSAGES), size(count, MESSAGES), bool(from_client))
        for at, count, from_client in _rows(metadata, MESSAGES, 3)
    ]


def _rows(metadata: Mapping[str, Any], key: str, width: int) -> list[Any]:
    rows = metadata.get(key, ())
    if not isinstance(rows, list | tuple):
        raise BadRecordError(TraceFault.TYPE, f"{key} is not a list")
    if any(not isinstance(row, list | tuple) or len(row) != width for row in rows):
        raise BadRecordError(TraceFault.TYPE, f"{key} has an entry of another length")
    return list(rows)
