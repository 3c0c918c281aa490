"""What the pages need to know, as a protocol. `proxy_state.LiveProxyState` implements it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from proxy_addon.core.policy.balance import Usage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Balance, Person, Visit
from proxy_addon.network.distrust import Distrust
from proxy_addon.rules.active import Outcome
from proxy_addon.rules.explanation import Explanation
from proxy_addon.system.dependencies import Json
from proxy_addon.system.health import PartHealth


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the proxy can do its work now. `checks`: the health of each part, by name.

    `ready`: new connections are accepted, and there are rules for them. `problems`: places of the
    problems that keep changed rules from coming into force. `alive`: the event loop of some process
    that serves turns.
    """

    ready: bool
    checks: Mapping[str, PartHealth]
    problems: Sequence[str] = ()
    alive: bool = True

    @property
    def works(self) -> bool:
        """Every part does its work."""
        return self.ready and all(part.works for part in self.checks.values())


class HealthPages(NamedTuple):
    """What answers the health pages and `/metrics`, on any thread and at once. `expose` takes an
    Accept header."""

    health: Callable[[], Health]
    status: Callable[[], Mapping[str, Json]]
    expose: Callable[[str], tuple[bytes, str]]


class PersonNow(NamedTuple):
    """Somebody at the instant `at`, all of it as it was then. `is_known`: the balances rest on what
    the ledger has, not only on what was seen while it was away."""

    at: float
    person: Person
    usage: Usage
    balances: Sequence[Balance]
    visits: Sequence[Visit]
    is_known: bool = True


class ProxyState(Protocol):
    """Every method answers from memory at once, because pages are served on the event loop of the
    proxy."""

    def now(self) -> float:
        """The current instant."""

    def rules(self) -> RuleSet:
        """The rules in force."""

    def engine(self) -> Engine:
        """The engine of the rules in force."""

    def person_now(self, person: str) -> PersonNow:
        """Somebody with their balances and today's visits, at one instant."""

    def roles(self, person: str) -> tuple[str, ...]:
        """The roles of a person, in the order of the people file."""

    def balances(self, person: str) -> Sequence[Balance]:
        """One balance for each allowance that a rule could charge this person for."""

    def usage_mark(self, person: str) -> object:
        """What the balances of a person rest on: while two of these are equal, only time changes
        them. Cheap."""

    def visits_today(self, person: str) -> Sequence[Visit]:
        """Visits that end after the policy's day began, in any order, including the running
        ones."""

    def explanation(self, user: str, url: str) -> Explanation:
        """What the answer would be if a user opened a URL now. Raises ValueError for what is not a
        URL."""

    def health(self) -> Health:
        """The state of each part."""

    def status(self) -> Mapping[str, Json]:
        """The processes that serve, what they depend on, and versions, as `/statusz` shows them."""

    def reload(self) -> Outcome:
        """Read the rules folder and put its rules into force. Blocks: never called on an event
        loop."""

    def distrust(self, address: str, person: str) -> Distrust | None:
        """What the connections of a device, known by its address and who uses it, say about our
        certificate; None: nothing speaks against it."""

    def ca_pem(self) -> bytes:
        """The CA certificate, PEM."""

    def next_ca_pem(self) -> bytes:
        """The certificate of the CA that stands ready for a planned change, PEM; empty where there
        is none."""

    def proxy_port(self) -> int:
        """The port that browsers use as their proxy."""

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """The metrics in the format that an Accept header prefers, and their content type."""
