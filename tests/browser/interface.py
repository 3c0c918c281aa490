"""What the tests ask of a browser: one interface, implemented for Chromium and for Firefox."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

START_SECONDS = 30.0
ANSWER_SECONDS = 20.0  # the longest that a page or a script may take


class NotStarted(Exception):
    """A browser did not start; the message ends with its log."""


class NotOpened(Exception):
    """A page could not be opened; the message has the browser's reason."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy on loopback that the browser uses for http and https, and who signs in to it."""

    port: int
    name: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at. `width`, `height` in CSS pixels."""

    width: int = 1280
    height: int = 800
    dark: bool = False
    reduced_motion: bool = False
    forced_colors: bool = False
    scripts: bool = True


DESKTOP = Look()
PHONE = Look(390, 844)
ZOOMED = Look(320, 256)  # what 1280 by 1024 has at 400 %


class Browser(Protocol):
    """One window of a browser with a profile of its own; nothing of it outlives `close`.

    Whatever does not happen within `ANSWER_SECONDS` raises.
    """

    name: str
    pid: int

    def look(self, look: Look) -> None:
        """Look at this and the following pages in this way. `scripts` counts from the next page."""

    def open(self, url: str) -> int:
        """Open a page and wait for its `load` event; the status of its answer. Raises NotOpened
        where there is no answer that may be shown."""

    def evaluate(self, expression: str) -> Any:
        """The JSON value of a JavaScript expression in the page; a promise is waited for. Works in
        pages whose own scripts are off, too."""

    def wait(self, expression: str, what: str) -> None:
        """Wait until an expression is true. AssertionError, naming `what`, if it does not become
        so."""

    def click(self, selector: str) -> None:
        """Click with the mouse in the middle of the first element that fits, scrolled into view."""

    def type(self, text: str) -> None:
        """Type into what has the focus, key by key."""

    def press(self, key: str) -> None:
        """Press a key: a character or one of `KEYS`, after `Shift+` where that is held."""

    def screenshot(self, path: Path) -> None:
        """Write a PNG of the whole page."""

    def complaints(self) -> list[str]:
        """Errors since the last `open`: console, scripts, security policy, requests that failed.

        The status of the page itself is none, nor is a request that ends because its page is left.
        """

    def close(self) -> None:
        """End the browser. A second call does nothing."""


# Names of keys, with the code points of WebDriver.
KEYS = {
    "Backspace": "\ue003",
    "Tab": "\ue004",
    "Enter": "\ue007",
    "Shift": "\ue008",
    "Escape": "\ue00c",
    "Space": " ",
    "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013",
    "ArrowRight": "\ue014",
    "ArrowDown": "\ue015",
}

# Waits until layout and styles are those of the last change.
SETTLED = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 0, true)))"


def media(look: Look) -> str:
    """An expression that is true in a page that is looked at in this way."""
    wanted = {
        "(prefers-color-scheme: dark)": look.dark,
        "(prefers-reduced-motion: reduce)": look.reduced_motion,
        "(forced-colors: active)": look.forced_colors,
    }
    asked = [f"matchMedia('{query}').matches === {str(on).lower()}" for query, on in wanted.items()]
    return " && ".join([f"innerWidth === {look.width}", *asked])
