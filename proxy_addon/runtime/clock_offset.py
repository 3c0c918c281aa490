"""How far the clock of the ledger's server is ahead of this host's: measured, followed and shown.

Two proxies that share a ledger would otherwise charge one minute twice when their clocks differ, as
two different minutes, and their days would end at different instants. So each goes by the clock of
the server. It is asked on the writer's thread, one question with a flush: its answer is compared
with the middle of the time that the call took, and the median of several is what counts. While the
ledger is away the last offset holds. A wall clock that is set meanwhile changes nothing: the offset
is one to the clock that cannot be set. With SQLite the server's clock is this host's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Final, NamedTuple, Protocol

import structlog

from proxy_addon.ledger.interface import LedgerError
from proxy_addon.system.clock import SystemClock, readings

SAMPLES: Final = 5  # the median of so many counts
FIRST: Final = 3  # so many are taken at the start
EVERY: Final = 10.0  # seconds between two questions, once there are enough
LONGEST_CALL: Final = 1.0  # seconds; an answer that took longer says little
DIFFERS: Final = 2.0  # seconds; a host whose clock differs by more is told of

log = structlog.get_logger("allowance.run")


class LedgerClock(Protocol):
    """A ledger, as far as it is needed here."""

    def clock(self) -> float | None:
        """See `ledger.interface.Ledger`."""


class _Sample(NamedTuple):
    """The server's clock, minus the monotonic clock of this host and minus its wall clock."""

    lead: float
    offset: float


class ClockOffset:
    """One per process. `show` is told the offset, in seconds, each time it was measured."""

    def __init__(
        self,
        ledger: LedgerClock,
        clock: SystemClock,
        show: Callable[[float], None] = lambda _: None,
        read: Callable[[], tuple[float, float]] = readings,
    ) -> None:
        """`read`: the wall clock and the monotonic clock of this host."""
        self.show = show
        self._ledger = ledger
        self._clock = clock
        self._read = read
        self._samples: deque[_Sample] = deque(maxlen=SAMPLES)
        self._asked_at = float("-inf")
        self._differs = False

    def begin(self) -> None:
        """At the start: the clock follows at once. A ledger that does not answer is asked later."""
        for _ in range(FIRST):
            self._ask()
        if self._samples:
            self._clock.begin(median(sample.lead for sample in self._samples))
            self._tell()

    def look(self) -> None:
        """On the writer's thread, after a flush that went well: ask when it is time to."""
        _, now = self._read()
        if len(self._samples) == SAMPLES and now - self._asked_at < EVERY:
            return
        if self._ask():
            self._clock.follow(median(sample.lead for sample in self._samples))
            self._tell()

    @property
    def seconds(self) -> float:
        """How far the server's clock is ahead of the wall clock of this host; 0 when unknown."""
        return median(sample.offset for sample in self._samples) if self._samples else 0.0

    def _ask(self) -> bool:
        """Ask once; whether the answer says something."""
        wall, began = self._read()
        self._asked_at = began
        try:
            told = self._ledger.clock()
        except LedgerError:
            return False
        _, ended = self._read()
        taken = ended - began
        if told is None or not 0.0 <= taken <= LONGEST_CALL:
            return False
        self._samples.append(_Sample(told - began - taken / 2, told - wall - taken / 2))
        return True

    def _tell(self) -> None:
        offset = self.seconds
        self.show(offset)
        differs = abs(offset) > (DIFFERS / 2 if self._differs else DIFFERS)
        if differs and not self._differs:
            log.warning(
                "the clock of this host differs from the ledger's",
                seconds=round(offset, 1),
                hint="the ledger's is followed; set up NTP on both hosts",
            )
        elif self._differs and not differs:
            log.info("the clock of this host agrees with the ledger's", seconds=round(offset, 1))
        self._differs = differs
