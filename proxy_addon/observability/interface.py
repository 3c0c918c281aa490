"""What the engine counts, as a protocol."""

from __future__ import annotations

from typing import Protocol

from proxy_addon.core.types import Activity, Decision, Person


class Metrics(Protocol):
    """What the engine counts. Called on the event loop, so it must be quick and must not raise.

    People are handed over for their role; an implementation that publishes never shows a name.
    """

    def decided(self, person: Person, decision: Decision, seconds: float) -> None:
        """A request was decided; `seconds` is what the decision took."""

    def attention(
        self, person: Person, platform: str, allowance: str | None, seconds: float
    ) -> None:
        """A visit grew by `seconds`."""

    def given_back(self, person: Person, platform: str, seconds: float) -> None:
        """A visit shrank by `seconds`: a machine had extended it."""

    def ignored(self, person: Person, platform: str, activity: Activity) -> None:
        """A request cost nothing, for the reason `activity`."""

    def exhausted(self, person: Person, allowance: str, at: float) -> None:
        """An allowance ran out at the instant `at`."""

    def cut(self, kind: str, delay: float) -> None:
        """A running `http` body, `websocket` or `tunnel` was ended, `delay` seconds after time was up."""

    def failed(self, where: str) -> None:
        """Our own code failed and the configured failure verdict was applied."""
