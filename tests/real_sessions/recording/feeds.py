"""People at feeds: they scroll, like, open a post, and go back."""

from __future__ import annotations

from tests.real_sessions.recording.clock import now
from tests.real_sessions.recording.visitor import Visitor

LIKES, OPENS = 0.08, 0.06  # of the pauses
FIRST, FAR = (
    9,
    8_000,
)  # posts that may be there without any more being loaded; pixels, which is more than they are high


class Scroller(Visitor):
    """At an endless feed."""

    address = "https://feed.test/?t=websocket"
    _down, _most = 0, 0  # pixels that were scrolled; the most posts that were seen at once

    async def arrive(self) -> None:
        """See the first posts."""
        await self.tab.open(self.address)
        await self.tab.until("document.querySelectorAll('.post').length > 3", "posts of the feed")

    async def use(self, end: float, glance: bool) -> None:
        """Scroll; now and then like or open a post."""
        while now() < end:
            await self._scroll()
            await self.pause(6, end)
            chance = self.random.random()
            if now() >= end or chance > LIKES + OPENS:
                continue
            if chance < LIKES:
                await self.tab.press("button.like")
            elif not glance and await self.follow(".post h3 a"):
                await self.tab.until("document.querySelector('h1')", "a post", 20)
                await self.read(self.random.uniform(20, 70), end, 8)
                await self.tab.script("history.back()")
                await self.tab.until("document.querySelector('.post')", "the feed again", 20)

    async def check(self) -> None:
        """More was loaded than the first posts, where somebody went far enough down."""
        if self._down > FAR and self._most <= FIRST:
            raise self.failed("scrolling loaded no more posts")

    async def _scroll(self) -> None:
        distance = self.random.choice([300, 500, 700, 900])
        await self.tab.wheel(distance)
        self._down += distance
        posts = await self.tab.script("document.querySelectorAll('.post').length")
        self._most = max(self._most, int(posts or 0))


class PollingScroller(Scroller):
    """The same, with socket.io over long polling."""

    address = "https://feed.test/?t=polling"


class EventsScroller(Scroller):
    """At a feed with server-sent events."""

    address = "https://news.test/"


class MagazineReader(Visitor):
    """At a magazine that prefetches what might be read."""

    async def arrive(self) -> None:
        """See the headlines."""
        await self.tab.open("https://mag.test/")
        await self.tab.until("document.querySelectorAll('.post').length > 3", "headlines")

    async def use(self, end: float, glance: bool) -> None:
        """Look through the headlines, read a story, go back."""
        while now() < end:
            for _ in range(self.random.randint(1, 3)):
                await self.pause(7, end)
                await self.tab.wheel(self.random.choice([300, 500]))
            if now() < end and not glance and await self.follow(".post h3 a"):
                await self.tab.until("document.querySelector('h1')", "a story", 20)
                await self.read(self.random.uniform(30, 90), end, 9)
                await self.tab.script("history.back()")
                await self.tab.until("!document.querySelector('h1')", "the headlines again", 20)

    async def check(self) -> None:
        """The service worker controls the page."""
        if not await self.tab.script("!!navigator.serviceWorker.controller"):
            raise self.failed("no service worker controls the page")
