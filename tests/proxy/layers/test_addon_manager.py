"""The add-on manager with its look-ups done once behaves as mitmproxy's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from mitmproxy import exceptions, hooks, options
from mitmproxy.addonmanager import AddonManager
from mitmproxy.master import Master
from mitmproxy.proxy.layers.http import HttpRequestHook
from mitmproxy.test import tflow

from proxy_addon.proxy.layers.addon_manager import DONE, CachedHooksManager


class Spy:
    """An add-on that writes down what it is called for."""

    def __init__(self, name: str, said: list[str], act: Callable[[], Any] | None = None) -> None:
        self.name, self._said, self._act = name, said, act

    def request(self, flow: Any) -> Any:
        """Say so, then do what the test wants."""
        self._said.append(f"{self.name}.request")
        return self._act() if self._act is not None else None

    def update(self, flows: Any) -> None:
        """Say so."""
        self._said.append(f"{self.name}.update")


def halt() -> None:
    """End the chain."""
    raise exceptions.AddonHalt


def fail() -> None:
    """A bug in an add-on."""
    raise RuntimeError("a bug")


async def wait() -> None:
    """A hook that is a coroutine."""
    await asyncio.sleep(0)


async def called(manager: type[AddonManager], act: Callable[[], Any] | None) -> list[str]:
    """What a chain of three add-ons hears of one request when the second acts so."""
    master = Master(options.Options(), asyncio.get_running_loop())
    master.addons = manager(master)
    said: list[str] = []
    master.addons.add(Spy("first", said), Spy("second", said, act), Spy("third", said))
    await master.addons.handle_lifecycle(HttpRequestHook(tflow.tflow()))
    return said


@pytest.mark.parametrize("act", [None, halt, fail, wait])
async def test_same_calls_in_the_same_order(act: Callable[[], Any] | None) -> None:
    """Whatever a hook does, the others are called as mitmproxy itself would call them."""
    assert await called(CachedHooksManager, act) == await called(AddonManager, act)


async def test_add_ons_that_come_and_go() -> None:
    """An add-on that is added or removed later is found, and no longer found."""
    master = Master(options.Options(), asyncio.get_running_loop())
    master.addons = CachedHooksManager(master)
    said: list[str] = []
    late = Spy("late", said)
    await master.addons.trigger_event(hooks.UpdateHook([]))
    master.addons.add(late)
    await master.addons.trigger_event(hooks.UpdateHook([]))
    master.addons.remove(late)
    await master.addons.trigger_event(hooks.UpdateHook([]))
    assert said == ["late.update"]


async def test_nothing_is_left_unless_a_hook_waits() -> None:
    """Hooks that are done at once leave nothing to be awaited; DONE counts as that; one that waits
    leaves itself and those after it."""
    master = Master(options.Options(), asyncio.get_running_loop())
    manager = master.addons = CachedHooksManager(master)
    for act, heard_before in ((None, 3), (lambda: DONE, 3), (halt, 2), (fail, 3), (wait, 2)):
        manager.clear()
        said: list[str] = []
        manager.add(Spy("first", said), Spy("second", said, act), Spy("third", said))
        flow = tflow.tflow()
        rest = manager.start_lifecycle(HttpRequestHook(flow), flow)
        assert (rest is None) == (act is not wait)
        assert sum("request" in each for each in said) == heard_before
        if rest is not None:
            await rest
            assert said[2:] == [
                "third.request",
                *(f"{n}.update" for n in ("first", "second", "third")),
            ]


async def test_done_can_be_awaited() -> None:
    """By mitmproxy's own manager, as often as it likes."""
    for _ in range(2):
        await DONE
