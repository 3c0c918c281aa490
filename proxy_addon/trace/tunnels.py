"""How long a tunnel was in use when all that is known is how many bytes it carried.

A log has one total for each tunnel. A short one was opened for what somebody did, and its total
says whether they did anything. One that was open for hours held a minute of use or a morning of it,
and no figure in the log tells which: it is neither all of that time nor nothing. Its bytes, at the
rate of somebody who uses a feed, are the only honest measure, and wherever it is applied the result
says so.
"""

from __future__ import annotations

from typing import Final, NamedTuple

USE_RATE: Final = 40_000.0  # bytes a second of feeds and short videos in use
IDLE_RATE: Final = 30.0  # bytes a second that a connection carries although nobody uses it
LONG: Final = 900.0  # seconds; a tunnel that is open for longer is not one sitting
_LONGEST: Final = 8 * 3600.0  # seconds; nobody is at it for longer


class Use(NamedTuple):
    """For how many seconds a tunnel was in use, and the bytes that passed meanwhile."""

    seconds: float
    size: int


def use_of(size: int, open_for: float, least_rate: float = 0.0) -> Use:
    """The use in a tunnel that carried `size` bytes in `open_for` seconds, at no less than
    `least_rate` bytes a second."""
    used = max(0, int(size - IDLE_RATE * open_for))
    return Use(min(open_for, used / max(USE_RATE, least_rate)), used)


def of_unknown_length(size: int) -> float:
    """The length in seconds that a tunnel had at least, as far as its bytes tell."""
    return min(_LONGEST, size / USE_RATE)
