"""Whether it is worth asking the ledger now: what its writer knows, and calls of pages that were
given up.

A ledger that hangs costs somebody their patience once, and nobody else: a call that would wait no
longer than one that was given up is not made, until the ledger has answered anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy_addon.ledger.interface import LedgerUnavailable
from proxy_addon.ledger.writer_state import WriterState
from proxy_addon.system.clock import timer

PATIENCE: Final = 2.8  # seconds that a page waits for the ledger; a commit may take two


class LedgerAvailability:
    """For one event loop, and for all of its pages. `state`: what the writer knows."""

    def __init__(self, state: Callable[[], WriterState] | None = None) -> None:
        self._state = state
        self._given_up_at = 0.0  # by the timer
        self._waited = 0.0  # seconds of the longest call that was given up since the last answer

    @property
    def is_away(self) -> bool:
        """What is written now would not be stored, as far as is known."""
        is_up = self._state is None or self._state().up
        return not is_up or self._unanswered() >= PATIENCE

    def require(self, seconds: float) -> None:
        """Raise LedgerUnavailable when a call that may take so long need not be made."""
        is_silent = self._state is not None and self._state().is_silent
        if is_silent or self._unanswered() >= seconds:
            raise LedgerUnavailable("the ledger does not answer", kind="slow")

    def given_up(self, seconds: float) -> None:
        """A call has had no answer for so long, and nobody waits for it any more."""
        self._given_up_at, self._waited = timer(), max(self._unanswered(), seconds)

    def answered(self) -> None:
        """A call has come back, be it late."""
        self._waited = 0.0

    def _unanswered(self) -> float:
        """Seconds for which a call has waited in vain since the ledger answered last."""
        if self._waited and self._state is not None:
            answered_at = self._state().answered_at
            if answered_at is not None and answered_at > self._given_up_at:
                self._waited = 0.0
        return self._waited
