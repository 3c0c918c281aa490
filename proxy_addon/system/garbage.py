"""When garbage is not searched for."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """For work whose objects all stay, such as an import or the reading of rules: looking for
    garbage among them, again and again, takes a tenth of the time and more, and holds other threads
    up for tens of milliseconds. Afterwards it is as before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
