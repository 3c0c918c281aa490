"""People at films: they look for as long as it plays."""

from __future__ import annotations

import asyncio

from tests.real_sessions.recording.clock import now
from tests.real_sessions.recording.visitor import Visitor

FILM = "document.getElementById('film')"
PLAYED_LEAST = 0.8  # of the time for which somebody looked


class Viewer(Visitor):
    """At a page with a film, which begins by itself."""

    page = "hls.html"

    async def arrive(self) -> None:
        """See the film begin."""
        await self.tab.open(f"https://film.test/{self.page}")
        await self._begun()

    async def use(self, end: float, glance: bool) -> None:
        """Look."""
        began, at = now(), float(await self.tab.script(f"{FILM}.currentTime"))
        await asyncio.sleep(max(0.0, end - now()))
        played = float(await self.tab.script(f"{FILM}.currentTime")) - at
        if played < PLAYED_LEAST * (now() - began):
            raise self.failed(f"the film played {played:.0f} s of {now() - began:.0f} s")

    async def leave(self) -> None:
        """Pause it with a click."""
        await self._click(f"{FILM}.paused", "the film to pause")

    async def come_back(self) -> None:
        """Let it go on with a click."""
        await self._click(f"!{FILM}.paused", "the film to go on")
        await self._begun()

    async def _click(self, wanted: str, what: str) -> None:
        if not await self.tab.press("#film"):
            raise self.failed("the film is not on the screen")
        # The player waits whether a second click follows, which would be for the whole screen.
        await self.tab.until(wanted, what, 10)

    async def _begun(self) -> None:
        await self.tab.until(f"{FILM}.currentTime > 0 && !{FILM}.paused", "the film to play")


class DashViewer(Viewer):
    """dash.js."""

    page = "dash.html"


class ShakaViewer(Viewer):
    """shaka-player, on HLS with fragments of MP4."""

    page = "shaka.html"


class PlainViewer(Viewer):
    """The browser's own player, with ranges of one file."""

    page = "plain.html"
