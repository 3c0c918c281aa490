"""A clock for tests, in place of the clock of the system."""

from __future__ import annotations


class VirtualClock:
    """A clock that a test moves by hand."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        """The instant it was moved to."""
        return self._at

    def advance(self, seconds: float) -> float:
        """Let `seconds` go by; the new instant. Negative seconds raise ValueError."""
        return self.move_to(self._at + seconds)

    def move_to(self, at: float) -> float:
        """Go to an instant that is not in the past of this clock; ValueError if it is."""
        if at < self._at:
            raise ValueError(
                f"a clock does not run backwards: it is {self._at}, and {at} was asked for"
            )
        self._at = at
        return at
