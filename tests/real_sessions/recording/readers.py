"""People at a forum, a manual and a wiki: they open a page, read it, and open the next one."""

from __future__ import annotations

import asyncio

from tests.real_sessions.recording.clock import now
from tests.real_sessions.recording.servers import PASSWORD
from tests.real_sessions.recording.visitor import Visitor

TOPIC = "a[href^='/topic/']:not([href*='/active/']):not([href*='/publish/'])"

LINK = ".tc-tiddler-body a.tc-tiddlylink"


class ForumReader(Visitor):
    """At the Spirit forum, signed in."""

    async def arrive(self) -> None:
        """Sign in with the keyboard, and see the topics."""
        await self.tab.open("https://forum.test/user/login/")
        await self.tab.until("document.querySelector('input[name=username]')", "the form")
        for field, text in (("username", "user1"), ("password", PASSWORD)):
            if not await self.tab.press(f"input[name={field}]"):
                raise self.failed(f"no field {field} is on the screen")
            await self.tab.type(text, 0.15, self.random)
        await self.tab.enter()
        await self.tab.until("!document.querySelector('input[name=password]')", "to be signed in")
        await self._topics()

    async def use(self, end: float, glance: bool) -> None:
        """A topic, read for 15 to 75 s, and back to the list."""
        while now() < end:
            await self.pause(4, end)
            if now() < end and await self.follow(TOPIC):
                await self.tab.until("document.querySelector('[data-number]')", "a topic", 20)
                await self.read(self.random.uniform(15, 75), end)
                await self.tab.script("history.back()")
                await asyncio.sleep(min(1.5, max(0.0, end - now())))
                if not await self.tab.place(TOPIC):
                    await self._topics()

    async def _topics(self) -> None:
        await self.tab.open("https://forum.test/topic/active/")
        await self.tab.until(f"document.querySelector({TOPIC!r})", "the topics")


class ManualReader(Visitor):
    """At a manual whose pages are loaded by its script."""

    async def arrive(self) -> None:
        """See the first page."""
        await self.tab.open("https://docs.test/")
        await self.tab.until("document.querySelector('article h1')", "the manual")

    async def use(self, end: float, glance: bool) -> None:
        """A page, read for 15 to 80 s, then one that it links to."""
        while now() < end:
            await self.read(self.random.uniform(15, 80), end, 7)
            if now() < end:
                await self.tab.script("scrollTo(0, 0)")
                await self.pause(2, end)
                await self.follow("article p:first-of-type a")


class WikiReader(Visitor):
    """At a TiddlyWiki: texts open on one page."""

    async def arrive(self) -> None:
        """See the first text."""
        await self.tab.open("https://wiki.test/")
        await self.tab.until("document.querySelector('.tc-tiddler-frame')", "the wiki")

    async def use(self, end: float, glance: bool) -> None:
        """A text, read for 15 to 60 s, then one that it links to."""
        while now() < end:
            await self.pause(3, end)
            if now() < end:
                # The links stand above each text; the one that was read last is on the screen.
                while not await self.tab.press(LINK, self.random) and now() < end:
                    await self.tab.wheel(-600)
                    await self.pause(1, end)
                await self.read(self.random.uniform(15, 60), end, 8)
