"""Who has been told that little time is left: once in each window, on a page load."""

from __future__ import annotations

from collections.abc import Callable

from proxy_addon.core.types import Balance, Decision, Person, Verdict


class HeadsUps:
    """The heads-ups that have been shown. Event loop only."""

    def __init__(self, balance: Callable[[Person, str, float], Balance]) -> None:
        """`balance` computes one balance of one person at an instant."""
        self._balance = balance
        self._shown: dict[tuple[str, str], float | None] = {}

    def due(self, person: Person, decision: Decision, warn_at: float, now: float) -> Balance | None:
        """The balance to show when a heads-up is due; `warn_at`: seconds left from which on it is,
        0 = never."""
        if decision.verdict is not Verdict.SPEND or decision.would is not None:
            return None
        if decision.allowance is None or decision.left is None:
            return None
        key = (person.name, decision.allowance)
        if decision.left > warn_at:
            self._shown.pop(key, None)
            return None
        if warn_at <= 0:
            return None
        balance = self._balance(person, decision.allowance, now)
        if key in self._shown and self._shown[key] == balance.resets_at:
            return None
        self._shown[key] = balance.resets_at
        return balance

    def drop(self, name: str) -> None:
        """Forget one person."""
        self._shown = {key: until for key, until in self._shown.items() if key[0] != name}
