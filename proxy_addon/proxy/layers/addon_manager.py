"""mitmproxy's add-on manager with the hook lookups done once.

For each event mitmproxy asks every add-on and all its children whether they have a hook of that
name, in a context manager each, and after each event of a flow once more for `update`. Our add-ons
are the same from start to end, so the hooks of an event are looked up once. What a hook may do
stays the same: raise `AddonHalt` to end the chain, be a coroutine, fail (the failure is logged and
the others go on).
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any

import structlog
from mitmproxy import exceptions, flow, hooks
from mitmproxy.addonmanager import AddonManager

log = structlog.get_logger("allowance.proxy")

type Hook = Callable[..., Any]


class _Done:
    """Can be awaited, and is over at once."""

    def __await__(self) -> Generator[None]:
        yield from ()


DONE: Awaitable[None] = _Done()
"""What a hook returns that may have to be awaited, when it has not: mitmproxy awaits it like any
other, and here nothing has to be started for it."""


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
        rest = self.start_lifecycle(event, event.args()[0])
        if rest is not None:
            await rest

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Call the hooks of an event one after the other."""
        found = self._hooks_of(event)
        rest = self._call(event.name, found, event.args()) if found else None
        if rest is not None:
            await rest

    def start_lifecycle(self, event: hooks.Hook, message: Any) -> Awaitable[None] | None:
        """As `handle_lifecycle`, as far as nothing waits: None when all is done, else what has to
        be awaited. `message` is the argument of the event."""
        rest = self._call(event.name, self._hooks_of(event), (message,))
        listeners = self._updates(message) if isinstance(message, flow.Flow) else ()
        if rest is not None:
            return self._then(rest, listeners, message)
        return self._call("update", listeners, ([message],)) if listeners else None

    def _updates(self, message: flow.Flow) -> tuple[Hook, ...]:
        found = self._found.get(hooks.UpdateHook.name)
        return self._hooks_of(hooks.UpdateHook([message])) if found is None else found

    async def _then(self, first: Awaitable[None], listeners: Sequence[Hook], message: Any) -> None:
        await first
        rest = self._call("update", listeners, ([message],))
        if rest is not None:
            await rest

    def _call(
        self, name: str, found: Sequence[Hook], args: Sequence[Any]
    ) -> Awaitable[None] | None:
        """Call hooks one after the other; from the first that waits on, they are awaited."""
        for number, func in enumerate(found):
            try:
                result = func(*args)
            except exceptions.AddonHalt:
                return None
            except exceptions.OptionsError:
                raise
            except Exception:
                log.exception("a hook failed", hook=name)
                continue
            if result is not None and result is not DONE and inspect.isawaitable(result):
                return self._await(name, found[number + 1 :], args, result)
        return None

    async def _await(
        self, name: str, later: Sequence[Hook], args: Sequence[Any], result: Awaitable[Any]
    ) -> None:
        try:
            await result
        except exceptions.AddonHalt:
            return
        except exceptions.OptionsError:
            raise
        except Exception:
            log.exception("a hook failed", hook=name)
        rest = self._call(name, later, args)
        if rest is not None:
            await rest
