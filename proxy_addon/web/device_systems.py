"""Which system and browser is looking, by what it says of itself."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from proxy_addon.presentation.languages import gettext as _


class System(StrEnum):
    """A system for which we have steps; the value stands in links."""

    WINDOWS = "windows"
    MACOS = "macos"
    IOS = "ios"
    ANDROID = "android"
    CHROMEOS = "chromeos"
    LINUX = "linux"

    @property
    def label(self) -> str:
        """What people call it."""
        if self is System.IOS:
            return _("iPhone or iPad")
        return _TITLES[self]


_TITLES: Final = {
    System.WINDOWS: "Windows",
    System.MACOS: "Mac",
    System.ANDROID: "Android",
    System.CHROMEOS: "Chromebook",
    System.LINUX: "Linux",
}
# Sec-CH-UA-Platform, which browsers send over TLS only.
_PLATFORMS: Final = {
    "windows": System.WINDOWS,
    "macos": System.MACOS,
    "ios": System.IOS,
    "android": System.ANDROID,
    "chrome os": System.CHROMEOS,
    "chromium os": System.CHROMEOS,
    "chromeos": System.CHROMEOS,
    "linux": System.LINUX,
}
# In User-Agent. Order matters: Android says Linux, too, and an iPhone "like Mac OS X".
_AGENTS: Final = (
    (re.compile(r"iPhone|iPad|iPod"), System.IOS),
    (re.compile(r"Android"), System.ANDROID),
    (re.compile(r"CrOS"), System.CHROMEOS),
    (re.compile(r"Windows"), System.WINDOWS),
    (re.compile(r"Macintosh|Mac OS X"), System.MACOS),
    (re.compile(r"Linux|X11"), System.LINUX),
)
FIREFOX: Final = "Firefox"
# Order matters here as well: everybody says Safari, and most say Chrome.
_BROWSERS: Final = (
    (re.compile(r"Firefox/|FxiOS/"), FIREFOX),
    (re.compile(r"Edg(e|A|iOS)?/"), "Edge"),
    (re.compile(r"OPR/"), "Opera"),
    (re.compile(r"SamsungBrowser/"), "Samsung Internet"),
    (re.compile(r"(Chrome|CriOS|Chromium)/"), "Chrome"),
    (re.compile(r"Safari/"), "Safari"),
)
_MOST: Final = 1000  # characters of User-Agent that are looked at


def system_named(name: str) -> System | None:
    """The system of a link, `?system=macos`."""
    return next((each for each in System if each.value == name), None)


def system_of(agent: str, platform: str) -> System | None:
    """The system by `User-Agent` and `Sec-CH-UA-Platform` ("" where missing); None where neither
    says it."""
    hinted = _PLATFORMS.get(platform.strip().strip('"').lower())
    if hinted is not None:
        return hinted
    agent = agent[:_MOST]
    return next((system for pattern, system in _AGENTS if pattern.search(agent)), None)


def browser_of(agent: str) -> str:
    """What people call the browser; "" for others."""
    agent = agent[:_MOST]
    return next((name for pattern, name in _BROWSERS if pattern.search(agent)), "")
