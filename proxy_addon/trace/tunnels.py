"""How long a tunnel was in use when all that is known is how many bytes it carried.

A log has one total for each tunnel. A short one was opened for what somebody did, and its total
says whether they did anything. One that was open for hours held a minute of use or a morning of it,
and no figure in the log tells which: it is neither all of that time nor nothing. Its bytes, at the
rate of somebody who uses a feed, are the only honest measure, and wherever it is applied the result
says so.
"""

from __future__ import annotations

from typing import Final

USE_RATE: Final = 40_000.0  # bytes a second of feeds and short videos in use
LONG: Final = 900.0  # seconds; a tunnel that is open for longer is not one sitting
_LONGEST: Final = 8 * 3600.0  # seconds; nobody is at it for longer


def seconds_of_use(size: int, least_rate: float = 0.0) -> float:
    """How long `size` bytes last somebody, at no less than `least_rate` bytes a second."""
    return size / max(USE_RATE, least_rate)


def of_unknown_length(size: int) -> float:
    """The length in seconds that a tunnel had at least, as far as its bytes tell."""
    return min(_LONGEST, seconds_of_use(size))
