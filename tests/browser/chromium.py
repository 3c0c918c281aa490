"""Chromium, driven over CDP by Playwright."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    CDPSession,
    ConsoleMessage,
    Error,
    Playwright,
    ProxySettings,
    Request,
    Response,
    sync_playwright,
)

from tests.browser.interface import (
    ANSWER_SECONDS,
    SETTLED,
    START_SECONDS,
    Look,
    NotOpened,
    NotStarted,
    Proxy,
)
from tests.e2e.authority import spki_hash

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """Chromium on this machine."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class _Driver:
    """Playwright's own process, one for all browsers: there cannot be two in one thread."""

    def __init__(self) -> None:
        self._running: Playwright | None = None
        self._users = 0

    def start(self) -> Playwright:
        """Use it."""
        if self._running is None:
            self._running = sync_playwright().start()
        self._users += 1
        return self._running

    def stop(self) -> None:
        """Use it no longer; it ends with the last who does."""
        self._users -= 1
        if self._users == 0 and self._running is not None:
            self._running.stop()
            self._running = None


_DRIVER = _Driver()


class Chromium:
    """Implements `Browser`. `trust`: PEM files; certificates with these keys are trusted.

    Raises NotStarted with the browser's log.
    """

    name = "chromium"

    def __init__(
        self, proxy: Proxy | None = None, trust: tuple[Path, ...] = (), program: str | None = None
    ) -> None:
        flags = list(FLAGS)
        if trust:
            keys = ",".join(spki_hash(file) for file in trust)
            flags.append(f"--ignore-certificate-errors-spki-list={keys}")
        self._complaints: list[str] = []
        self._look: Look | None = None
        program = program or executable() or "chromium"
        try:
            self._browser = _DRIVER.start().chromium.launch(
                executable_path=program,
                args=flags,
                proxy=_settings(proxy),
                timeout=START_SECONDS * 1000,
            )
        except Error as problem:
            _DRIVER.stop()
            raise NotStarted(f"{program}: {problem}") from problem
        self._open = True
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        self._page = self._browser.new_page(locale="en-GB")
        self._page.set_default_timeout(ANSWER_SECONDS * 1000)
        self._page.on("console", self._console)
        self._page.on("pageerror", lambda problem: self._complaints.append(str(problem)))
        self._page.on("requestfailed", self._failed)
        self._page.on("response", self._answered)
        self._session: CDPSession = self._page.context.new_cdp_session(self._page)
        root = self._browser.new_browser_cdp_session()
        found = root.send("SystemInfo.getProcessInfo")["processInfo"]
        self.pid = int(next(each["id"] for each in found if each["type"] == "browser"))
        self.look(Look())

    def _console(self, message: ConsoleMessage) -> None:
        # Requests that fail are kept by `_failed` and `_answered`.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self._complaints.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":
            self._complaints.append(f"{request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self._complaints.append(f"{response.url}: {response.status}")

    def look(self, look: Look) -> None:
        if look == self._look:
            return
        self._look = look
        self._page.emulate_media(
            color_scheme="dark" if look.dark else "light",
            reduced_motion="reduce" if look.reduced_motion else "no-preference",
            forced_colors="active" if look.forced_colors else "none",
        )
        self._page.set_viewport_size({"width": look.width, "height": look.height})
        off = {"value": not look.scripts}
        self._session.send("Emulation.setScriptExecutionDisabled", off)

    def open(self, url: str) -> int:
        self._complaints.clear()
        try:
            response = self._page.goto(url, wait_until="load")
        except Error as problem:
            raise NotOpened(problem.message) from problem
        assert response is not None, f"{url} has no answer"
        return response.status

    def evaluate(self, expression: str) -> Any:
        return self._page.evaluate(f"async () => await ({expression})")

    def wait(self, expression: str, what: str) -> None:
        try:
            # Not a promise, which would be true whatever comes of it.
            self._page.wait_for_function(f"() => ({expression})")
        except Error as problem:
            raise AssertionError(f"waited {ANSWER_SECONDS:g} s in vain for {what}") from problem

    def click(self, selector: str) -> None:
        self._page.locator(selector).first.click()

    def type(self, text: str) -> None:
        self._page.keyboard.type(text)

    def press(self, key: str) -> None:
        self._page.keyboard.press(key)

    def screenshot(self, path: Path) -> None:
        self.evaluate(SETTLED)
        self._page.screenshot(path=path, full_page=True)

    def complaints(self) -> list[str]:
        return list(self._complaints)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._browser.close()
            _DRIVER.stop()


def _settings(proxy: Proxy | None) -> ProxySettings | None:
    if proxy is None:
        return None
    server = ProxySettings(server=f"http://127.0.0.1:{proxy.port}")
    if proxy.name is not None and proxy.password is not None:
        server |= ProxySettings(
            server=server["server"], username=proxy.name, password=proxy.password
        )
    return server
