"""Rules while the proxy runs: who may start a reload, the swap on the event loop, and what operators are told.

Watcher, SIGHUP and `POST /api/reload` all end in `reload`, which runs in the thread that calls it. Only the last
step happens on the event loop, and it is short: references are exchanged.
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
from proxy_addon.system.health import FINE, PartHealth, degraded

log = structlog.get_logger("allowance.rules")

TURN = 0.0005  # seconds that a reload may keep the interpreter before the event loop gets it
SWAP_WITHIN = 5.0  # seconds in which the event loop has to take new rules up


class Reloading:
    """Watches the folder of `live` and follows it.

    `swap` is called on the event loop with what was prepared of new rules, `told` in any thread with each outcome.
    """

    def __init__(
        self,
        live: LiveRules,
        swap: Callable[[CompiledPolicy], None],
        told: Callable[[Outcome], None],
    ) -> None:
        self._live = live
        self._swap = swap
        self._told = told
        self._loop: asyncio.AbstractEventLoop | None = None
        self._one_at_a_time = threading.Lock()
        self._watch = RulesWatcher(live.folder, self._look)
        live.subscribe(self._changed)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Follow the folder from now on."""
        self._loop = loop
        self._told(self._live.outcome)
        self._watch.start()
        threading.Thread(target=self._first, name="rules-first", daemon=True).start()

    def stop(self) -> None:
        """Stop watching. Blocks until a reload that is under way has ended, for some seconds at most."""
        self._loop = None
        self._watch.stop()

    def reload(self) -> Outcome:
        """Do what the folder says now. Never raises; blocks, so never on the event loop."""
        with self._one_at_a_time, _giving_way():
            outcome = self._live.attempt()
            self._told(outcome)
        return outcome

    def hangup(self, then: Callable[[], None] = lambda: None) -> None:
        """The same without waiting, for signal handlers on the event loop; `then` is called in a thread."""

        def follow() -> None:
            self.reload()
            then()

        threading.Thread(target=follow, name="rules-hangup", daemon=True).start()

    def check(self) -> PartHealth:
        """Fine, or which rules are in force in place of those of the folder."""
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

    def _look(self) -> None:
        self.reload()

    def _first(self) -> None:
        """What changed between the first reading and the first look of the watcher; and the copy on disk."""
        if self._live.outcome.ok:
            self.reload()

    def _changed(self, prepared: CompiledPolicy) -> None:
        """Hand new rules to the event loop, and wait until it has taken them up."""
        loop, taken = self._loop, threading.Event()
        if loop is None:
            self._swap(prepared)
            return

        def take() -> None:
            try:
                self._swap(prepared)
            finally:
                taken.set()

        try:
            loop.call_soon_threadsafe(take)
        except RuntimeError:  # closed meanwhile: nobody is left to decide about
            return
        if not taken.wait(SWAP_WITHIN):
            log.warning("the event loop is slow to take up the new rules", seconds=SWAP_WITHIN)


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let other threads have the interpreter sooner: an answer of the proxy takes several turns of its loop."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
