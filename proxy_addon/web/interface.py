"""What the pages need to know, as a protocol. The enforcer's side implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Balance, Visit
from proxy_addon.rules.active import Outcome
from proxy_addon.rules.explanation import Explanation
from proxy_addon.system.health import PartHealth


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the proxy can do its work now. `checks`: how each part is, by its name.

    `problems`: the places in the rules that keep changed rules from coming into force.
    """

    ready: bool
    checks: Mapping[str, PartHealth]
    problems: Sequence[str] = ()


class ProxyState(Protocol):
    """Everything here answers from memory at once: pages are served on the event loop of the proxy."""

    def now(self) -> float:
        """The instant."""

    def rules(self) -> RuleSet:
        """The rules in force."""

    def roles(self, person: str) -> tuple[str, ...]:
        """The roles of a person, in the order of the people file."""

    def balances(self, person: str) -> Sequence[Balance]:
        """One balance for each allowance that a rule could charge this person for."""

    def visits_today(self, person: str) -> Sequence[Visit]:
        """Visits that end after the policy's day began, in any order; the running ones too."""

    def explanation(self, user: str, url: str) -> Explanation:
        """What would be answered to a user who opens a URL now. Raises ValueError for what is none."""

    def health(self) -> Health:
        """The state of each part."""

    def reload(self) -> Outcome:
        """Read the rules folder and follow it. Blocks: never called on an event loop."""

    def ca_pem(self) -> bytes:
        """The CA certificate, PEM."""

    def proxy_port(self) -> int:
        """The port that browsers are pointed at."""

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """The metrics in the format that an Accept header prefers, and their content type."""
