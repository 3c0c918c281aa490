"""One person of a recording: comes, uses, leaves, comes back, as planned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.real_sessions.recording.attention import AttentionRecord
from tests.real_sessions.recording.browser import RecordedBrowser
from tests.real_sessions.recording.cast import Member
from tests.real_sessions.recording.clock import now
from tests.real_sessions.recording.contacts import Contacts
from tests.real_sessions.recording.part_failed import PartFailed
from tests.real_sessions.recording.plan import Away, Stretch
from tests.real_sessions.recording.relay import Relay
from tests.real_sessions.recording.tab import Tab
from tests.real_sessions.recording.visitor import Visitor

LOOK_AFTER = 0.7  # of a stretch: when a picture is taken


class RecordedPerson:
    """`pictures`: a folder for pictures of the tab, None = none are taken; `failures`: one for a
    picture where something fails. `say` tells what happens."""

    def __init__(
        self,
        member: Member,
        stretches: list[Stretch],
        attention: AttentionRecord,
        say: Callable[[str], None],
        pictures: Path | None,
        failures: Path,
    ) -> None:
        self.member, self._stretches = member, stretches
        self._attention, self._say, self._pictures = attention, say, pictures
        self._failures = failures
        self.said: list[str] = []  # what was typed, which no file may have

    async def run(
        self, browser: RecordedBrowser, proxy: int, contacts: Contacts, random: Random
    ) -> None:
        """The whole plan. Raises PartFailed where something had no effect."""
        async with Relay(self.member.address, proxy) as relay:
            window = await browser.window(relay.port)
            tab, other = await window.tab(), await window.tab()
            visitor = self.member.make(self.member.name, tab, random, contacts)
            try:
                await self._visits(visitor, browser, other)
            except (PartFailed, ExceptionGroup):
                await tab.picture(self._failures / f"{self.member.name}-failed.png")
                raise
            self.said = getattr(visitor, "said", [])

    async def _visits(self, visitor: Visitor, browser: RecordedBrowser, other: Tab) -> None:
        for number, stretch in enumerate(self._stretches):
            await self._attend(visitor, stretch, number)
            await visitor.check()
            await self._absence(stretch, browser, visitor.tab, other)

    async def _attend(self, visitor: Visitor, stretch: Stretch, number: int) -> None:
        self._say(f"{self.member.name} {'looks' if stretch.glance else 'is there'}")
        with self._attention.of(self.member.name):
            end = now() + stretch.use
            await visitor.tab.show()
            await (visitor.come_back() if number else visitor.arrive())
            if await visitor.tab.state() != "visible":
                raise visitor.failed("the tab in front is hidden")
            async with asyncio.TaskGroup() as both:
                if self._pictures is not None:
                    path = self._pictures / f"{self.member.name}-{number + 1}.png"
                    both.create_task(_look(visitor.tab, path, LOOK_AFTER * stretch.use))
                # Who had to wait for a page still looks at it.
                await visitor.use(max(end, now() + 5), stretch.glance)
            await visitor.leave()

    async def _absence(
        self, stretch: Stretch, browser: RecordedBrowser, tab: Tab, other: Tab
    ) -> None:
        self._say(f"{self.member.name} is away for {stretch.away:.0f} s: {stretch.how.value}")
        if stretch.how is Away.HIDDEN:
            await other.show()
            if await tab.state() != "hidden":
                raise PartFailed(
                    "Chromium", "a tab behind another one is not hidden", "try another version"
                )
        if stretch.how is Away.ASLEEP:
            browser.sleep()
        try:
            await asyncio.sleep(stretch.away)
        finally:
            browser.wake()


async def _look(tab: Tab, path: Path, after: float) -> None:
    await asyncio.sleep(after)
    await tab.picture(path)
