"""A token bucket: what somebody may use up at once, and what they get back a second."""

from __future__ import annotations

from typing import NamedTuple


class Allotment(NamedTuple):
    """`rate`: what comes back in a second. `burst`: the most that can be used at once."""

    rate: float
    burst: float

    def times(self, factor: float) -> Allotment:
        """The limit of several together."""
        return Allotment(self.rate * factor, self.burst * factor)


class TokenBucket:
    """Begins full. Times are seconds of any clock that does not go back."""

    __slots__ = ("_left", "_limit", "_seen")

    def __init__(self, limit: Allotment, now: float) -> None:
        self._limit = limit
        self._left = limit.burst
        self._seen = now

    def left(self, now: float) -> float:
        """What is left; negative: so much too much was used."""
        back = max(0.0, now - self._seen) * self._limit.rate
        self._seen = max(self._seen, now)
        self._left = min(self._limit.burst, self._left + back)
        return self._left

    def use(self, amount: float, now: float) -> bool:
        """Use so much (negative: give so much back); False: that was more than there was."""
        self._left = min(self._limit.burst, self.left(now) - amount)
        return self._left >= 0

    def wait(self, now: float) -> float:
        """Seconds until something is left again; 0 when something is."""
        return max(0.0, -self.left(now) / self._limit.rate)
