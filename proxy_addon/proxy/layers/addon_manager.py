"""mitmproxy's add-on manager with the hook lookups done once.

For each event mitmproxy asks every add-on and all its children whether they have a hook of that
name, in a context manager each, and after each event of a flow once more for `update`. Our add-ons
are the same from start to end, so the hooks of an event are looked up once. What a hook may do
stays the same: raise `AddonHalt` to end the chain, be a coroutine, fail (the failure is logged and
the others go on).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import structlog
from mitmproxy import exceptions, flow, hooks
from mitmproxy.addonmanager import AddonManager

log = structlog.get_logger("allowance.proxy")

type Hook = Callable[..., Any]


class CachedHooksManager(AddonManager):
    """Drop-in for `Master.addons`."""

    def __init__(self, master: Any) -> None:
        super().__init__(master)  # type: ignore[no-untyped-call]
        self._found: dict[str, tuple[Hook, ...]] = {}

    def add(self, *addons: Any) -> None:
        """Add add-ons to the end of the chain."""
        self._found.clear()
        super().add(*addons)  # type: ignore[no-untyped-call]
        self._found.clear()

    def remove(self, addon: Any) -> None:
        """Take an add-on out."""
        super().remove(addon)  # type: ignore[no-untyped-call]
        self._found.clear()

    def clear(self) -> None:
        """Take all add-ons out."""
        super().clear()  # type: ignore[no-untyped-call]
        self._found.clear()

    def _hooks_of(self, event: hooks.Hook) -> tuple[Hook, ...]:
        found = self._found.get(event.name)
        if found is None:
            found = tuple(
                func for addon in self.chain for _, func in self._iter_hooks(addon, event)
            )
            self._found[event.name] = found
        return found

    async def handle_lifecycle(self, event: hooks.Hook) -> None:
        """An event of a connection or flow, and `update` for flows."""
        await self.trigger_event(event)
        message = event.args()[0]
        if isinstance(message, flow.Flow):
            await self.trigger_event(hooks.UpdateHook([message]))

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Call the hooks of an event one after the other."""
        found = self._hooks_of(event)
        if not found:
            return
        args = event.args()
        for func in found:
            try:
                result = func(*args)
                if result is not None and inspect.isawaitable(result):
                    await result
            except exceptions.AddonHalt:
                return
            except exceptions.OptionsError:
                raise
            except Exception:
                log.exception("a hook failed", hook=event.name)
