"""A small real office for the page tests: fixed facts in memory, at one instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from zoneinfo import ZoneInfo

from proxy_addon.core.catalogue import Catalogue
from proxy_addon.core.intervals import normalise
from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Allowance, Limit, People, Period, Platform, RuleSet
from proxy_addon.core.types import Balance, Interval, Person, Visit
from proxy_addon.network.distrust import Distrust
from proxy_addon.rules.active import Outcome
from proxy_addon.rules.explanation import Explanation, explain, used_by
from proxy_addon.system.dependencies import Json
from proxy_addon.system.health import FINE
from proxy_addon.web.interface import Health, PersonNow

ZONE = ZoneInfo("Europe/London")
NOW = 1793631000.0  # Monday 2 November 2026, 14:50 in London
MIDNIGHT = 1793664000.0  # 3 November, 00:00
MINUTE = 60.0

# Made for these tests with openssl; nobody holds their keys.
CA_PEM = b"""-----BEGIN CERTIFICATE-----
MIIBjzCCATWgAwIBAgIUU3/zPZdFpFZ0im5IGVr0IbgWNSkwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRQWxsb3dhbmNlIHRlc3QgQ0EwIBcNMjYxMTIyMTYzODE1WhgP
MjEyNjEwMjkxNjM4MTVaMBwxGjAYBgNVBAMMEUFsbG93YW5jZSB0ZXN0IENBMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENyZ73P1vfIvQGAt2M5lK0VtUSeNZD5yq
XD+l8KPS9BfZaKxN9F4Lo7DzQV4etItds/wiYbQBjc1bg6Rbiyhf46NTMFEwHQYD
VR0OBBYEFGTrkHm8xCAAlVXXWpjydIAPn4cvMB8GA1UdIwQYMBaAFGTrkHm8xCAA
lVXXWpjydIAPn4cvMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIh
AK1wcFQ8ZoP5ZoXMOYblLuFWYv2568hAAD2XQYkawzroAiBpTesJUEB35vlNI/wX
KsbDv9qh7teLS7vwUj0HJvucRw==
-----END CERTIFICATE-----
"""
NEXT_PEM = b"""-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUZqGTC4LKObf5uaG0gZkbqFUettQwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWQWxsb3dhbmNlIG5leHQgdGVzdCBDQTAgFw0yNjExMzAxMzMx
MTFaGA8yMTI2MTEwNjEzMzExMVowITEfMB0GA1UEAwwWQWxsb3dhbmNlIG5leHQg
dGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGQ5cotvjbCb/P/L2r/M
XeIG+t60QMChny/n+kZot5uxtPRmWXbxCihuM87TUHiAto1Y/zHmanztbfrKybwb
8RmjUzBRMB0GA1UdDgQWBBRQhaQkGcGncRTYk8vqRCEvg5ssyzAfBgNVHSMEGDAW
gBRQhaQkGcGncRTYk8vqRCEvg5ssyzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
BAMCA0gAMEUCIQDCTTVARNtERP4wd7t0AdXc8gszifUg5brFaagV1nwhPwIgTrRN
LGx3KV//GSkUetE5ZQewPxJXCmYYbklZzfrlyeY=
-----END CERTIFICATE-----
"""


def rule_set() -> RuleSet:
    """Three platforms, one allowance."""
    platforms = {
        name: Platform(name=name, title=title, hosts=(f"{name}.com",))
        for name, title in (
            ("facebook", "Facebook"),
            ("linkedin", "LinkedIn"),
            ("youtube", "YouTube"),
        )
    }
    return RuleSet(
        zone=ZONE,
        day_starts=0,
        week_starts=0,
        platforms=MappingProxyType(platforms),
        groups={},
        allowances={"daily-social": Allowance("daily-social", (Limit(900.0, Period.DAY),))},
        rules=(),
        people=People("staff", {}),
        limited=frozenset({"facebook"}),
        digest="3f9ad2c1b7e04455",
    )


def balance(
    name: str = "daily-social",
    *,
    limit: float = 900.0,
    spent: float = 0.0,
    granted: float = 0.0,
    carried: float = 0.0,
    resets_at: float | None = MIDNIGHT,
) -> Balance:
    """A balance that adds up."""
    left = max(0.0, limit + granted + carried - spent)
    return Balance(name, limit, spent, granted, carried, left, resets_at)


def visit(
    platform: str,
    ago: float,
    minutes: float,
    allowance: str | None = "daily-social",
    section: str | None = None,
    rule: str | None = "Fifteen minutes a day",
) -> Visit:
    """A visit that began `ago` minutes before now."""
    start = NOW - ago * MINUTE
    number = f"{platform}-{ago}"
    return Visit(
        number, "dora", platform, section, allowance, rule, start, start + minutes * MINUTE, "node"
    )


@dataclass
class FixedProxyState:
    """Implements `Office` from the values that it is given."""

    held: Sequence[Balance] = ()
    seen: Sequence[Visit] = ()
    state: Health = field(default_factory=lambda: Health(True, {"rules": FINE, "ledger": FINE}))
    pem: bytes = CA_PEM
    next_pem: bytes = b""
    broken: bool = False
    distrusted: Distrust | None = None
    known: bool = True
    outcome: Outcome = Outcome(False, "3f9ad2c1b7e04455")  # noqa: RUF009 (frozen)

    def now(self) -> float:
        return NOW

    def rules(self) -> RuleSet:
        return rule_set()

    def engine(self) -> Engine:
        return Engine(self.rules())

    def person_now(self, person: str) -> PersonNow:
        who = Person(person, self.roles(person))
        visits = self.visits_today(person)
        used = {
            name: normalise(Interval(v.start, v.end) for v in visits if v.allowance == name)
            for name in self.rules().allowances
        }
        usage = StaticUsage(used)
        return PersonNow(NOW, who, usage, self.balances(person), visits, self.known)

    def roles(self, person: str) -> tuple[str, ...]:
        if self.broken:
            raise RuntimeError("the enforcer is gone")
        return ("staff", "care") if person == "dora" else ("guest",)

    def balances(self, person: str) -> Sequence[Balance]:
        return self.held

    def usage_mark(self, person: str) -> object:
        return tuple(self.held)

    def visits_today(self, person: str) -> Sequence[Visit]:
        return self.seen

    def explanation(self, user: str, url: str) -> Explanation:
        used = used_by(self.seen, ())
        return explain(
            Engine(self.rules()), Catalogue(self.rules().platforms), user, url, used, NOW
        )

    def health(self) -> Health:
        return self.state

    def status(self) -> Mapping[str, Json]:
        return {"status": "ok" if self.state.works else "degraded"}

    def reload(self) -> Outcome:
        return self.outcome

    def distrust(self, address: str, person: str) -> Distrust | None:
        return self.distrusted

    def ca_pem(self) -> bytes:
        return self.pem

    def next_ca_pem(self) -> bytes:
        return self.next_pem

    def proxy_port(self) -> int:
        return 8080

    def metrics(self, accept: str) -> tuple[bytes, str]:
        return b"allowance_active_people 3.0\n", "text/plain; version=1.0.0; charset=utf-8"
