"""Chromium as people have it: windows with tabs, of which the hidden ones really are hidden.

In the new headless mode each browser context has a window of its own, so several people can share
one browser: a tab that is brought to the front hides only the other tabs of its own window
(`document.visibilityState`), and no window takes the focus from another.
"""

from __future__ import annotations

import json
import shutil
import signal
import urllib.error
import urllib.request
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from tests.e2e.waiting import free_port
from tests.real_sessions.recording.devtools import DevTools
from tests.real_sessions.recording.part_failed import PartFailed
from tests.real_sessions.recording.processes import ServerProcess
from tests.real_sessions.recording.tab import Tab

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1000,900",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
]


class RecordedBrowser:
    """One Chromium; `trust` is the hash of the key that it trusts. An async context manager."""

    def __init__(self, name: str, folder: Path, trust: str) -> None:
        self._port = free_port()
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if program is None:
            raise PartFailed("Chromium", "not found", "apt-get install chromium")
        self._process = ServerProcess(
            name,
            [
                program,
                *FLAGS,
                f"--remote-debugging-port={self._port}",
                f"--user-data-dir={folder / name}",
                f"--ignore-certificate-errors-spki-list={trust}",
                "about:blank",
            ],
            folder,
            self._port,
            environment={"TMPDIR": str(folder)},
            ready=lambda: self._version() is not None,
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._process)
        version = self._version()
        assert version is not None
        try:
            self.tools = await self._stack.enter_async_context(
                DevTools(version["webSocketDebuggerUrl"])
            )
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.wake()
        await self._stack.aclose()

    async def window(self, proxy: int) -> Window:
        """A window of one person, who goes through the proxy on this port."""
        made = await self.tools.send(
            "Target.createBrowserContext", proxyServer=f"http://127.0.0.1:{proxy}"
        )
        return Window(self, made["browserContextId"])

    def sleep(self) -> None:
        """The laptop is shut: no process of this browser runs."""
        self._process.signal(signal.SIGSTOP)

    def wake(self) -> None:
        """The laptop is opened again."""
        self._process.signal(signal.SIGCONT)

    def _version(self) -> Any:
        try:
            url = f"http://127.0.0.1:{self._port}/json/version"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None


class Window:
    """The tabs of one person; they share cookies, cache and service workers."""

    def __init__(self, browser: RecordedBrowser, context: str) -> None:
        self.browser, self._context = browser, context

    async def tab(self) -> Tab:
        """A new tab, in front."""
        tools = self.browser.tools
        made = await tools.send(
            "Target.createTarget", url="about:blank", browserContextId=self._context
        )
        joined = await tools.send("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        return Tab(tools, made["targetId"], joined["sessionId"])
