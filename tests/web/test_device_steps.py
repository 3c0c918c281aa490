"""`proxy_addon/web/device_steps.py`: what somebody does on each system."""

from __future__ import annotations

import pytest

from proxy_addon.presentation.open_pages import OPEN
from proxy_addon.web.device_steps import (
    certificate_steps,
    download,
    has_own_store,
    next_downloads,
    proxy_steps,
)
from proxy_addon.web.device_systems import System

SCRIPT = "http://10.0.0.5:8080/proxy.pac"


@pytest.mark.parametrize("system", System)
@pytest.mark.parametrize("browser", ["", "Chrome", "Firefox"])
def test_each_system(system: System, browser: str) -> None:
    """A file that everybody can get, steps that name it, and the address of the configuration
    last."""
    file = download(system)
    assert file.href in OPEN
    assert all(each.href in OPEN for each in next_downloads(system))
    steps = certificate_steps(system, browser)
    assert any(file.name in step for step in steps)
    assert "%(" not in " ".join(steps)
    assert proxy_steps(system, browser, SCRIPT)[-1] == SCRIPT


def test_firefox_on_linux_has_a_list_of_its_own() -> None:
    """Elsewhere Firefox takes the system's certificates and its proxy."""
    assert [each for each in System if has_own_store(each, "Firefox")] == [System.LINUX]
    assert not has_own_store(System.LINUX, "Chrome")
    own = proxy_steps(System.LINUX, "Firefox", SCRIPT)
    assert own != proxy_steps(System.LINUX, "Chrome", SCRIPT)
