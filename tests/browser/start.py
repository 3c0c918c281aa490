"""Starts a browser by its kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser import chromium, firefox
from tests.browser.interface import Browser, Proxy

PACKAGES = {"chromium": chromium.executable, "firefox": firefox.executable}
KINDS: dict[str, type[chromium.Chromium] | type[firefox.Firefox]] = {
    "chromium": chromium.Chromium,
    "firefox": firefox.Firefox,
}

# For tests of a whole way: in Chromium always, in Firefox as a part of `make test-long`.
EACH = ["chromium", pytest.param("firefox", marks=pytest.mark.long)]


@contextmanager
def start(kind: str, proxy: Proxy | None = None, trust: tuple[Path, ...] = ()) -> Iterator[Browser]:
    """A browser of this kind, closed at the end; the test is skipped where it is not installed."""
    if PACKAGES[kind]() is None:
        package = "firefox-esr" if kind == "firefox" else kind
        pytest.skip(f"no {kind} here: apt-get install {package}")
    browser: Browser = KINDS[kind](proxy, trust)
    try:
        yield browser
    finally:
        browser.close()
