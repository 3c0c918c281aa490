"""`proxy_addon/web/device_systems.py`: which system and browser is looking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.web.device_systems import System, browser_of, system_named, system_of

MOZILLA = "Mozilla/5.0 "
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
IPHONE = "(iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("agent", "system", "browser"),
    [
        (f"(Windows NT 10.0; Win64; x64) {CHROME}", System.WINDOWS, "Chrome"),
        (f"(Windows NT 10.0; Win64; x64) {CHROME} Edg/142.0.0.0", System.WINDOWS, "Edge"),
        (
            "(Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            System.WINDOWS,
            "Firefox",
        ),
        (
            "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.1 Safari/605.1.15",
            System.MACOS,
            "Safari",
        ),
        (f"{IPHONE}Version/18.1 Mobile/15E148 Safari/604.1", System.IOS, "Safari"),
        (f"{IPHONE}CriOS/142.0 Mobile/15E148 Safari/604.1", System.IOS, "Chrome"),
        (f"{IPHONE}FxiOS/145.0 Mobile/15E148 Safari/605.1.15", System.IOS, "Firefox"),
        (f"(Linux; Android 10; K) {CHROME}", System.ANDROID, "Chrome"),
        (
            f"(Linux; Android 10; K) SamsungBrowser/27.0 {CHROME}",
            System.ANDROID,
            "Samsung Internet",
        ),
        (f"(X11; CrOS x86_64 14541.0.0) {CHROME}", System.CHROMEOS, "Chrome"),
        (f"(X11; Linux x86_64) {CHROME}", System.LINUX, "Chrome"),
        ("(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", System.LINUX, "Firefox"),
        ("curl/8.5.0", None, ""),
        ("", None, ""),
    ],
)
def test_by_user_agent(agent: str, system: System | None, browser: str) -> None:
    """As browsers say it today."""
    assert system_of(MOZILLA + agent, "") == system
    assert browser_of(MOZILLA + agent) == browser


@pytest.mark.parametrize(
    ("hint", "system"),
    [
        ('"Windows"', System.WINDOWS),
        ('"macOS"', System.MACOS),
        ('"Android"', System.ANDROID),
        ('"Chrome OS"', System.CHROMEOS),
        ('"Linux"', System.LINUX),
        ('"Unknown"', System.MACOS),
        ("", System.MACOS),
    ],
)
def test_the_hint_counts_first(hint: str, system: System) -> None:
    """`Sec-CH-UA-Platform`, where it names a system that we know."""
    assert system_of("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", hint) == system


def test_named_in_a_link() -> None:
    """Each system has a link; anything else is none."""
    assert [system_named(each.value) for each in System] == list(System)
    assert system_named("Windows") is None
    assert system_named("") is None
    assert all(each.label for each in System)


@given(st.text(), st.text())
def test_anything(agent: str, hint: str) -> None:
    """Whatever is sent, there is an answer."""
    assert system_of(agent, hint) in (None, *System)
    assert isinstance(browser_of(agent), str)
