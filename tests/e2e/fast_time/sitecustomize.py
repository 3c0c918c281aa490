"""Lets the wall clock of a Python process run `FAST_SPEED` times as fast since the instant
`FAST_SINCE`.

In PYTHONPATH of a child it is read before anything else, so `allowance run` is the one that users
start, with all its constants; only its minutes are shorter. Time-outs of sockets and of the event
loop stay as they are.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

_SPEED = float(os.environ["FAST_SPEED"])
_SINCE = float(os.environ["FAST_SINCE"])


def _fast(read: Callable[[], float], since: float) -> Callable[[], float]:
    return lambda: since + (read() - since) * _SPEED


_wall = time.time  # noqa: TID251
_boot = time.clock_gettime
_fast_boot = _fast(lambda: _boot(time.CLOCK_BOOTTIME), _boot(time.CLOCK_BOOTTIME))

time.time = _fast(_wall, _SINCE)  # noqa: TID251
time.clock_gettime = lambda clock: _fast_boot() if clock == time.CLOCK_BOOTTIME else _boot(clock)
