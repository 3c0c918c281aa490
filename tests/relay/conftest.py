"""The light path is tested under both event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from tests.loops import LOOPS


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Each test that is a coroutine runs once under each."""
    return LOOPS
