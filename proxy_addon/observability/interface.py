"""What is counted, as protocols: by the engine, of connections, of requests for more time."""

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
        """A running `http` body, `websocket` or `tunnel` was ended, `delay` seconds after time was
        up."""

    def failed(self, where: str) -> None:
        """Our own code failed and the configured failure verdict was applied."""


class Traffic(Protocol):
    """What the add-on counts of connections, beside what the engine counts."""

    def connections(self, open_now: int) -> None:
        """How many client connections are open."""

    def accepted(self) -> None:
        """A client connection was accepted."""

    def volume(self, to_site: int, from_site: int) -> None:
        """So many more bytes went to a site, and came from it."""

    def upstream_failed(self, kind: str) -> None:
        """A connection to a site could not be opened, or not be trusted."""

    def tunnel(self, how: str) -> None:
        """A tunnel was `passed` through, `decrypted`, `metered` or `refused`."""

    def refused(self, budget: str) -> None:
        """Something was refused because a budget was used up."""

    def tls_failed(self, platform: str) -> None:
        """A client did not accept our certificate."""

    def notice(self, allowance: str) -> None:
        """A heads-up page was shown."""


class TimeRequestCounts(Protocol):
    """Where requests for more are counted."""

    def time_requested(self, allowance: str, outcome: str) -> None:
        """More time was asked for, granted or refused."""
