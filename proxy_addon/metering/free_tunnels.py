"""Tunnels of people who are free: relayed, and ended when something has to be decided in them.

Whoever is free now is not read (`core/policy/opening.py`). When that stops being true, what runs is
not cut in the middle: it is charged by bytes like a tunnel that is never opened, and ends at its
first pause, or after a minute; the browser connects again, and is decrypted. Where the person is
blocked, or has no time left, it ends within seconds. The ends are spread, so that an office does
not come back in one second.
"""

from __future__ import annotations

from collections.abc import Iterator

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.opening import Opening, Openings
from proxy_addon.core.types import Person
from proxy_addon.metering.flight import Ending, Flight

PAUSE = 3.0  # seconds without bytes in which a tunnel may be ended
PATIENCE = 60.0  # seconds after which it is ended in any case
BLOCKED_PATIENCE = 4.5  # seconds until one ends in which nothing may pass any more
SPREAD = 15.0  # seconds over which tunnels that pause at the same time are ended
_STEP = 0.618_034  # of the golden ratio: however many there are, they are spread evenly


class FreeTunnels:
    """The free tunnels of one proxy that are about to be ended. Event loop only."""

    def __init__(self) -> None:
        self._ending: set[Flight] = set()
        self._spread = 0.0

    def use(self, engine: Engine) -> None:
        """Decide by these rules from now on."""
        self._openings = Openings(engine)

    def opening(self, person: Person, platform: str, now: float) -> Opening:
        """Whether tunnels of a person to a platform have to be opened."""
        return self._openings.of(person, platform, now)

    def end_soon(self, flight: Flight, now: float) -> None:
        """Something has to be decided in it from now on, and there is time left: charge it, and end
        it at its first pause."""
        wait = self._next_spread() * SPREAD
        flight.ending = Ending(now + wait, now + PATIENCE - SPREAD + wait, charged=True)
        self._ending.add(flight)

    def end_now(self, flight: Flight, now: float) -> None:
        """Nothing may pass in it any more: end it within seconds, and charge nothing."""
        if flight.ending is None or flight.ending.charged:
            at = now + self._next_spread() * BLOCKED_PATIENCE
            flight.ending = Ending(at, at, charged=False)
            self._ending.add(flight)

    def ended(self, flight: Flight) -> None:
        """It is over. May be called twice."""
        self._ending.discard(flight)

    @property
    def ending(self) -> list[Flight]:
        """Those that are about to be ended: what passes in them has to be known without delay."""
        return list(self._ending)

    def due(self, now: float) -> Iterator[Flight]:
        """Those that end now."""
        for flight in list(self._ending):
            ending = flight.ending
            if ending is None:
                continue
            pauses = now - flight.active >= PAUSE and now >= ending.not_before
            if pauses or now >= ending.by:
                yield flight

    def _next_spread(self) -> float:
        """A number in [0, 1), unlike those just before."""
        self._spread = (self._spread + _STEP) % 1.0
        return self._spread
