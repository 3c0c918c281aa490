"""A real Chromium, pointed at a proxy with a sign-in, that checks certificates.

It trusts exactly two keys: that of the proxy's CA (mitmproxy's leaves carry the same key) and that
of the origins' CA. Every other certificate error stays an error.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, ProxySettings, sync_playwright

from tests.e2e.authority import spki_hash
from tests.e2e.process import ROOT, ProxyProcess

SCREENSHOTS = ROOT / "artifacts" / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = (1100, 760)
PHONE = (390, 780)


def executable() -> str | None:
    """Chromium on this machine."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class BrowserSession:
    """A person at a browser behind the proxy. `person()` gives a fresh profile that signs in as
    somebody."""

    def __init__(self, browser: Browser, proxy: ProxyProcess) -> None:
        self.browser, self.proxy = browser, proxy

    @contextmanager
    def person(
        self,
        name: str | None = None,
        password: str | None = None,
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
    ) -> Iterator[Page]:
        """A page in a profile of its own, closed at the end."""
        way = ProxySettings(server=f"http://127.0.0.1:{self.proxy.port}")
        if name is not None and password is not None:
            way |= ProxySettings(server=way["server"], username=name, password=password)
        context: BrowserContext = self.browser.new_context(
            proxy=way,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            locale="en-GB",
        )
        context.set_default_timeout(15_000)
        try:
            yield context.new_page()
        finally:
            context.close()


@contextmanager
def chromium(proxy: ProxyProcess) -> Iterator[BrowserSession]:
    """Start Chromium for `proxy`, and end it."""
    keys = ",".join([spki_hash(proxy.ca_file), spki_hash(proxy.origins.ca_file)])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(),
            args=[*FLAGS, f"--ignore-certificate-errors-spki-list={keys}"],
            proxy=ProxySettings(server=f"http://127.0.0.1:{proxy.port}"),
        )
        try:
            yield BrowserSession(browser, proxy)
        finally:
            browser.close()


def screenshot(page: Page, name: str, full_page: bool = True) -> Path:
    """Keep a picture of the page, or of what is on the screen, as an artefact."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=full_page)
    return path
