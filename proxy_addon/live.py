"""The rules in force: one reference, swapped whole. A bad edit changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from proxy_addon import rules_file
from proxy_addon.core.ruleset import RuleSet

type Subscriber = Callable[[RuleSet], None]


class LiveRules:
    """Holds the rule set of a folder. `current` may be read from any thread, and never blocks.

    Reading the folder blocks on the disk: call `load` and `reload` off the event loop once traffic runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._current: RuleSet | None = None
        self._subscribers: list[Subscriber] = []
        self._reading = Lock()

    @property
    def current(self) -> RuleSet:
        """The rule set in force. RuntimeError before the first `load`."""
        if self._current is None:
            raise RuntimeError("the rules have not been loaded yet")
        return self._current

    def load(self) -> RuleSet:
        """Read the folder and put its rules in force; a no-op for the same bytes. Raises RuleErrors."""
        self.reload()
        return self.current

    def reload(self) -> bool:
        """True when other rules are in force now. Raises RuleErrors, and then the old ones stay in force.

        Subscribers are called in this thread, after the swap, in the order in which they came.
        """
        with self._reading:
            reading = rules_file.read(self.folder)
            if self._current is not None and reading.digest == self._current.digest and not reading.failed:
                return False
            fresh = rules_file.rule_set(reading)
            self._current = fresh
            for subscriber in tuple(self._subscribers):
                subscriber(fresh)
            return True

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with each rule set that comes into force from now on."""
        self._subscribers.append(subscriber)
