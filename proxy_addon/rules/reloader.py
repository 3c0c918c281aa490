"""Reloading rules while the proxy runs: what starts a reload, the swap on the event loop, and its
reports.

Watcher, SIGHUP and `POST /api/reload` all end in `reload`, which runs in the thread that calls it.
Only the last step happens on the event loop, and it is short: references are exchanged.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.rules.active import LiveRules, Outcome
from proxy_addon.rules.watcher import RulesWatcher
from proxy_addon.system.garbage import no_collections
from proxy_addon.system.health import FINE, PartHealth, degraded

log = structlog.get_logger("allowance.rules")

SWITCH_INTERVAL = (
    0.0005  # seconds that a reload may keep the interpreter before the event loop gets it
)
SWAP_WITHIN = 5.0  # seconds in which the event loop has to apply new rules


class Reloading:
    """Watches the folder of `live` and reloads it after changes.

    `swap` is called on the event loop with new compiled rules, `on_outcome` in any thread with each
    outcome.
    """

    def __init__(
        self,
        live: LiveRules,
        swap: Callable[[CompiledPolicy], None],
        on_outcome: Callable[[Outcome], None],
    ) -> None:
        self._live = live
        self._swap = swap
        self._on_outcome = on_outcome
        self._loop: asyncio.AbstractEventLoop | None = None
        self._one_at_a_time = threading.Lock()
        self._watcher = RulesWatcher(live.folder, self.reload)
        live.subscribe(self._changed)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch the folder from now on."""
        self._loop = loop
        self._on_outcome(self._live.outcome)
        self._watcher.start()
        threading.Thread(target=self._first_reload, name="rules-first", daemon=True).start()

    def stop(self) -> None:
        """Stop watching. Blocks until a reload that is under way has ended, for some seconds at
        most."""
        self._loop = None
        self._watcher.stop()

    def reload(self) -> Outcome:
        """Reload the folder now. Never raises; blocks, so it must not run on the event loop."""
        with self._one_at_a_time, _short_switch_interval(), no_collections():
            outcome = self._live.attempt()
            self._on_outcome(outcome)
        return outcome

    def hangup(self, then: Callable[[], None] = lambda: None) -> None:
        """The same without waiting, for signal handlers on the event loop; `then` is called in a
        thread."""

        def follow() -> None:
            self.reload()
            then()

        threading.Thread(target=follow, name="rules-hangup", daemon=True).start()

    def check(self) -> PartHealth:
        """OK, or which rules are in force in place of those of the folder."""
        places = self._live.outcome.places
        if not places:
            return FINE
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        which = (
            "those kept from before the start" if self._live.kept is not None else "the old ones"
        )
        return degraded(f"the rules folder is wrong ({places[0]}{more}), {which} are in force")

    def places(self) -> tuple[str, ...]:
        """Where the rules of the folder are wrong, without words from the files."""
        return self._live.outcome.places

    def _first_reload(self) -> None:
        """Reload what changed between the first reading and the watcher's first snapshot; write the
        copy on disk."""
        if self._live.outcome.ok:
            self.reload()

    def _changed(self, prepared: CompiledPolicy) -> None:
        """Pass new rules to the event loop, and wait until it has applied them."""
        loop, applied = self._loop, threading.Event()
        if loop is None:
            self._swap(prepared)
            return

        def apply() -> None:
            try:
                self._swap(prepared)
            finally:
                applied.set()

        try:
            loop.call_soon_threadsafe(apply)
        except RuntimeError:  # closed meanwhile: nobody is left to decide about
            return
        if not applied.wait(SWAP_WITHIN):
            log.warning("the event loop is slow to take up the new rules", seconds=SWAP_WITHIN)


@contextmanager
def _short_switch_interval() -> Iterator[None]:
    """Switch threads more often: an answer of the proxy takes several iterations of its event
    loop."""
    previous = sys.getswitchinterval()
    sys.setswitchinterval(min(previous, SWITCH_INTERVAL))
    try:
        yield
    finally:
        sys.setswitchinterval(previous)
