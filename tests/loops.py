"""The event loops under which the proxy runs in tests: by default the one that it has in
production, `EVENT_LOOP=asyncio` for the other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping

from proxy_addon.system.event_loop import loop_factory

LOOPS: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": loop_factory("auto"),
    "asyncio": loop_factory("off"),
}
LOOP = os.environ.get("EVENT_LOOP", "uvloop")


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """For a `conftest.py`: each test that is a coroutine runs once under each."""
    return LOOPS
