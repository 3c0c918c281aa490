"""What the running proxy knows, for the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from proxy_addon.core import periods
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Period, RuleSet
from proxy_addon.core.types import Balance, Visit
from proxy_addon.metering.enforcer import Enforcer
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.network.distrust import Distrust, DistrustingDevices
from proxy_addon.rules.active import Outcome
from proxy_addon.rules.explanation import NOTHING, Explanation, explain_person, used_by
from proxy_addon.rules.lookup import person_of
from proxy_addon.rules.reloader import Reloading
from proxy_addon.system.clock import Clock
from proxy_addon.system.dependencies import Json
from proxy_addon.web.interface import Health, HealthPages, PersonNow


class LiveProxyState:
    """Implements `web.interface.ProxyState`.

    `pages` gives the state of each part and the metrics. Without `reloading` the rules cannot be
    reloaded; without `devices` nobody is known to distrust our certificate; `next_ca`: the
    certificate of the CA that stands ready, PEM.
    """

    def __init__(
        self,
        enforcer: Enforcer,
        book: UsageBook,
        clock: Clock,
        pages: HealthPages,
        ca_file: Path,
        port: int,
        reloading: Reloading | None = None,
        devices: DistrustingDevices | None = None,
        next_ca: bytes = b"",
    ) -> None:
        self._enforcer = enforcer
        self._book = book
        self._clock = clock
        self._pages = pages
        self._ca_file = ca_file
        self._ca_pem = self._read_ca()
        self._port = port
        self._reloading = reloading
        self._devices = devices
        self._next_ca = next_ca

    def now(self) -> float:
        """The current instant."""
        return self._clock.now()

    def rules(self) -> RuleSet:
        """The rules in force."""
        return self._enforcer.rules

    def engine(self) -> Engine:
        """The engine of the rules in force."""
        return self._enforcer.engine

    def person_now(self, person: str) -> PersonNow:
        """Somebody with their balances and today's visits, at one instant."""
        now, engine = self.now(), self._enforcer.engine
        somebody, usage = self._enforcer.known(person, now), self._book.of(person)
        return PersonNow(
            now,
            somebody,
            usage,
            engine.balances(somebody, usage, now),
            self._visits(person, now),
            not self._book.is_unknown(person),
        )

    def roles(self, person: str) -> tuple[str, ...]:
        """The roles in force for a person, including those given by an address."""
        return self._enforcer.known(person, self.now()).roles

    def balances(self, person: str) -> Sequence[Balance]:
        """One balance for each allowance that a rule could charge this person for."""
        somebody = self._enforcer.known(person, self.now())
        return self._enforcer.engine.balances(somebody, self._book.of(person), self.now())

    def usage_mark(self, person: str) -> object:
        """The rules, the person's roles and the revision of their usage."""
        usage = self._book.of(person)
        unknown = self._book.is_unknown(person)
        changes = (usage.revision, usage.applied)
        return (self._enforcer.engine, usage, changes, unknown, self.roles(person))

    def visits_today(self, person: str) -> Sequence[Visit]:
        """Visits that end after the policy's day began; visits that lie in the future are left
        out."""
        return self._visits(person, self.now())

    def _visits(self, person: str, now: float) -> Sequence[Visit]:
        start = periods.calendar_window(Period.DAY, self.rules(), now).start
        visits = list(self._book.of(person).visits.values())
        return [v for v in visits if v.end > start and v.end > v.start and v.start <= now]

    def explanation(self, user: str, url: str) -> Explanation:
        """What the answer would be now. Works on copies, because the web port has a thread of its
        own."""
        now, engine = self.now(), self._enforcer.engine
        person = person_of(engine, user, now)
        if person is not None and not user.startswith("ip:"):
            person = self._enforcer.known(person.name, now)
        used = NOTHING
        if person is not None:
            known = self._book.of(person.name)
            grants = [grant for name in engine.rule_set.allowances for grant in known.grants(name)]
            used = used_by(list(known.visits.values()), grants)
        return explain_person(engine, self._enforcer.catalogue, person, user, url, used, now)

    def health(self) -> Health:
        """The state of each part."""
        found = self._pages.health()
        return (
            found if self._reloading is None else replace(found, problems=self._reloading.places())
        )

    def status(self) -> Mapping[str, Json]:
        """The processes that serve, what they depend on, and versions."""
        return self._pages.status()

    def reload(self) -> Outcome:
        """Read the rules folder and put its rules into force."""
        if self._reloading is None:
            raise RuntimeError("the rules folder is not watched here")
        return self._reloading.reload()

    def distrust(self, address: str, person: str) -> Distrust | None:
        """What the connections of a device say about our certificate."""
        return None if self._devices is None else self._devices.of(address, person)

    def ca_pem(self) -> bytes:
        """The CA certificate, PEM, as this process uses it since its start; empty while there is
        none."""
        if not self._ca_pem:
            self._ca_pem = self._read_ca()
        return self._ca_pem

    def next_ca_pem(self) -> bytes:
        """The certificate of the CA that stands ready, PEM; empty where there is none."""
        return self._next_ca

    def _read_ca(self) -> bytes:
        return self._ca_file.read_bytes() if self._ca_file.exists() else b""

    def proxy_port(self) -> int:
        """The port that browsers use as their proxy."""
        return self._port

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """The metrics as text, and their content type."""
        return self._pages.expose(accept)
