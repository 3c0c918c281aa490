"""A small allowance for two platforms, and requests, films and tunnels to use it up with."""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.metering.activity import Exchange, Judgement
from proxy_addon.core.ruleset import (
    Allowance,
    Limit,
    Metering,
    Period,
    Platform,
    Rule,
    RuleSet,
    Section,
    Then,
)
from proxy_addon.metering.flight import Asked, Due, Flight
from tests.core.policies import SAMPLE, M, at, targets
from tests.shell import Shell

START = at("09:00")
TAIL = 10.0
# seconds after which what is due is asked for; a stream runs on, and is charged, until then
LOOKS = 0.1
NAVIGATE = Exchange("GET", "x.com", "/", "document", "navigate", "none", gesture=True)
FETCH = Exchange(
    "GET", "x.com", "/api", "empty", "cors", "same-origin", page_host="x.com", page_path="/"
)
SPEND = Rule("Little", Then.SPEND, "a", targets=targets("x", "facebook"))
X = Platform(
    "x", "X", ("x.com",), (Section("learning", paths=("/learning/*",)),), background=("/beat",)
)


def small_allowance(limit: float = 5 * M, warn_at: float = 0.0, **more: object) -> RuleSet:
    """A small allowance for two platforms, a third that is blocked, and a section that is free."""
    rules = (
        Rule("Free", Then.ALLOW, targets=targets("x/learning")),
        SPEND,
        Rule("Never", Then.BLOCK, targets=targets("tiktok")),
    )
    made = replace(
        SAMPLE,
        platforms={**SAMPLE.platforms, "x": X},
        rules=rules,
        allowances={"a": Allowance("a", (Limit(limit, Period.DAY),), warn_at=warn_at)},
        limited=frozenset({"x", "facebook", "tiktok"}),
        metering=Metering(interaction_gap=60.0),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def ask(shell: Shell, x: Exchange, now: float, name: str = "dora") -> Asked:
    """Ask about a request."""
    hit = shell.enforcer.catalogue.lookup(x.host, x.path)
    assert hit is not None
    return shell.enforcer.ask(shell.enforcer.person(name, None, now), x, hit, now)


def load(
    shell: Shell,
    x: Exchange,
    now: float,
    kind: str = "application/json",
    size: int = 9000,
    status: int = 200,
) -> Judgement | None:
    """A request, answered at once and over; None when it was blocked."""
    flight = ask(shell, x, now).flight
    if flight is None:
        return None
    judged = shell.enforcer.finished(flight, status, kind, size, 0.1)
    shell.enforcer.closed(flight)
    return judged


def tunnel(shell: Shell, now: float, platform: str = "x") -> Flight:
    """A tunnel that is let through."""
    flight = shell.enforcer.tunnel(shell.enforcer.person("dora", None, now), platform, now).flight
    assert flight is not None
    return flight


def film(shell: Shell, now: float) -> Flight:
    """A film whose answer has begun."""
    flight = ask(shell, FETCH._replace(path="/film", dest="video", mode="no-cors"), now).flight
    assert flight is not None
    shell.enforcer.answered(flight, 200, "video/mp4", 10**9, now)
    return flight


def until_cut(
    shell: Shell, flight: Flight, since: float, seconds: int, rate: int = 10**6
) -> tuple[float, Due] | None:
    """Bytes flow second by second; when something was due, and what."""
    pass_on = shell.enforcer.tunnel_bytes if flight.kind == "tunnel" else shell.enforcer.body
    for second in range(1, seconds + 1):
        pass_on(flight, rate, since + second)
        for due in shell.enforcer.due(since + second + LOOKS):
            return since + second - START, due
    return None
