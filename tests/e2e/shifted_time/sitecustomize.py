"""Sets the wall clock of a Python process `SHIFT_SECONDS` ahead; negative: back.

In PYTHONPATH of a child it is read before anything else, as a host would be whose clock is wrong.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

_SHIFT = float(os.environ["SHIFT_SECONDS"])


def _shifted(read: Callable[[], float]) -> Callable[[], float]:
    return lambda: read() + _SHIFT


time.time = _shifted(time.time)  # noqa: TID251
