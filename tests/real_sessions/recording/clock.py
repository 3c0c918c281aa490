"""The clock of the recording: the one that the proxy goes by, so that both tell the same
instants."""

from __future__ import annotations

from proxy_addon.system.clock import SystemClock

_CLOCK = SystemClock()


def now() -> float:
    """Epoch seconds."""
    return _CLOCK.now()
