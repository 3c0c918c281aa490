"""What a person does in a tab, apart from the software: pauses, reading, picking a link."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from random import Random

from tests.real_sessions.recording.clock import now
from tests.real_sessions.recording.devtools import DevToolsError
from tests.real_sessions.recording.part_failed import PartFailed
from tests.real_sessions.recording.tab import Tab

FOLLOW_SECONDS = 8.0
LONGEST_PAUSE = 75.0  # seconds; who does nothing for longer than that has left
SPREAD = 0.7  # of the logarithm of a pause


class Visitor(ABC):
    """Somebody at one tab. Everything that happens in its methods is attention."""

    def __init__(self, name: str, tab: Tab, random: Random) -> None:
        self.name, self.tab, self.random = name, tab, random

    @abstractmethod
    async def arrive(self) -> None:
        """Open the site and wait until it can be used."""

    @abstractmethod
    async def use(self, end: float, glance: bool) -> None:
        """Use it until the instant `end`."""

    async def leave(self) -> None:
        """What somebody does before leaving."""
        return

    async def come_back(self) -> None:
        """What somebody does first when back at the tab."""
        return

    async def check(self) -> None:
        """Raises PartFailed where what was done had no effect."""
        return

    async def pause(self, median: float, end: float) -> None:
        """Look at what is there, for a time of irregular length, at most until `end`."""
        length = min(LONGEST_PAUSE, self.random.lognormvariate(math.log(median), SPREAD))
        await asyncio.sleep(max(0.0, min(length, end - now())))

    async def read(self, seconds: float, end: float, median: float = 6.0) -> None:
        """Read what is open, moving down with the wheel."""
        end = min(end, now() + seconds)
        while now() < end:
            await self.pause(median, end)
            if now() < end:
                await self.tab.wheel(self.random.choice([200, 300, 500]))

    async def follow(self, selector: str) -> bool:
        """Click on a link, any of those on the screen, and see its page come; False where there is
        none, or where the click missed it, as it may while a page moves."""
        before = await self.tab.script("location.href")
        if not await self.tab.press(selector, self.random):
            return False
        deadline = now() + FOLLOW_SECONDS
        while now() < deadline:
            await asyncio.sleep(0.25)
            try:
                if await self.tab.script("location.href") != before:
                    return True
            except DevToolsError:
                continue  # between two documents there is nothing to ask
        return False

    def failed(self, why: str) -> PartFailed:
        """What to raise where something had no effect."""
        then = f"run again with --people {self.name} --pictures FOLDER and look at the pictures"
        return PartFailed(f"the person {self.name}", why, then)
