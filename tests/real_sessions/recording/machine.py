"""How busy the machine is while a session is recorded: a busy one answers late, as no laptop
does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

EVERY = 1.0  # seconds between two looks


class MachineLoad:
    """`highest`: the load of one minute, for each core; `late`: the longest time, in seconds, by
    which a timer of this process came late; `often`: how often it came 0.25 s late or more."""

    def __init__(self) -> None:
        self.highest = 0.0
        self.late = 0.0
        self.often = 0

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look every second inside of this block."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._watch())
            try:
                yield
            finally:
                task.cancel()

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            before = clock()
            await asyncio.sleep(EVERY)
            late = clock() - before - EVERY
            self.late = max(self.late, late)
            self.often += late >= 0.25
            self.highest = max(self.highest, os.getloadavg()[0] / (os.cpu_count() or 1))
