"""How this process uses memory: what the allocator keeps, and when garbage is collected."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

_ARENA_MAX: Final = -8  # numbers of mallopt(3)
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
ARENAS: Final = 2  # heaps of the allocator; by default there may be eight for each core
FREE_KEPT: Final = 1 << 20  # bytes at the end of a heap that are not given back
COLLECTED: Final = (2_000, 5, 3)  # see gc.set_threshold: a full round may come after 48,000 objects
LARGE: Final = 128 << 10  # bytes; what is larger is given back as soon as it is free


def limit_allocator() -> None:
    """Have the C library keep little of what is free. Before threads are started: each takes a heap
    of its own otherwise, and by and by all of them are as large as the largest ever was. Elsewhere
    than with the GNU C library nothing happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, ARENAS)
        mallopt(_TRIM_THRESHOLD, FREE_KEPT)
        mallopt(_MMAP_THRESHOLD, LARGE)


def settle() -> None:
    """What exists now, modules and rules above all, lives until the end: a collection of garbage
    that need not look at it makes nobody wait.

    Then everything is collected once, which costs little. The collector makes its next full round
    when a quarter has been added to what was left by the last one; without a round after the freeze
    it would go by all that was imported. Every decrypted request leaves some seventy objects that
    refer to each other, and with the thresholds of Python a quarter of a million of them, with
    their buffers, would be kept before it looks.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(*COLLECTED)
