"""The administrators' page as the template needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.ledger.interface import TimeRequest
from proxy_addon.ledger.time_requests import LONGEST
from proxy_addon.ledger.writer import WriterState
from proxy_addon.presentation import durations as words
from proxy_addon.presentation import rule_text
from proxy_addon.web.admin_service import Totals
from proxy_addon.web.interface import Health
from proxy_addon.web.time_request_pages import when

MAX_SHOWN = 50  # of requests, problems, and rows of what would have been stopped


class InForce(NamedTuple):
    """The rules in force. `problems`: what keeps those of the folder from coming into force, a line
    each."""

    digest: str
    loaded: str
    counts: str
    zone: str
    problems: tuple[str, ...]
    more: int


class Part(NamedTuple):
    """A part of the proxy and its health."""

    name: str
    state: str
    ok: bool


class WouldBlock(NamedTuple):
    """Requests that an observed rule would have blocked."""

    rule: str
    platform: str
    role: str
    times: int


class Observing(NamedTuple):
    """Rules that are only observed. `policy`: so is what no rule names."""

    rules: tuple[str, ...]
    policy: bool
    would: tuple[WouldBlock, ...]
    total: int


class Share(NamedTuple):
    """Attention of everybody today."""

    name: str
    time: str


class Today(NamedTuple):
    """Totals of the day, without people."""

    people: int
    platforms: tuple[Share, ...]
    allowances: tuple[Share, ...]


class OpenRequest(NamedTuple):
    """A request for more time that waits for an answer. `own`: the reader made it."""

    id: str
    who: str
    allowance: str
    time: str
    reason: str
    asked: str
    own: bool


class Admin(NamedTuple):
    """The whole page. `today`, `waiting`: None while the ledger is unavailable. `message`: what the
    last form did."""

    person: str
    date: str
    at: str
    rules: InForce
    parts: tuple[Part, ...]
    ready: bool
    observing: Observing
    today: Today | None
    waiting: tuple[OpenRequest, ...] | None
    more_waiting: int
    pseudonyms: bool
    workers: int
    token: str
    message: str | None = None
    problem: str | None = None
    longest: int = LONGEST


def in_force(rules: RuleSet, loaded: float, problems: Sequence[str], now: float) -> InForce:
    """A description of the rules in force."""
    shown = tuple(problems[:MAX_SHOWN])
    since = when(loaded, now, rules.zone)
    return InForce(
        rules.digest[:12],
        since,
        rule_text.size(rules),
        rules.zone.key,
        shown,
        len(problems) - len(shown),
    )


def parts(health: Health, state: WriterState) -> tuple[Part, ...]:
    """Each part of this proxy, and the journal."""
    found = [Part(name.capitalize(), part.text, part.ok) for name, part in health.checks.items()]
    return (*found, Part("Journal", *_journal(state)))


def _journal(state: WriterState) -> tuple[str, bool]:
    if state.journal_message is not None:
        return f"cannot be written: {state.journal_message}", False
    if state.journal_dropped:
        return f"{state.journal_dropped} visits did not fit", False
    if state.journal_visits:
        return f"{state.journal_visits} visits wait on this disk for the ledger", False
    return "empty: the ledger has everything", True


def observing(rules: RuleSet, would: Sequence[tuple[Mapping[str, str], int]]) -> Observing:
    """Which rules are only observed, and what they would have blocked."""
    titles = {name: platform.title for name, platform in rules.platforms.items()}
    rows = [
        WouldBlock(
            labels["rule"],
            titles.get(labels["platform"], labels["platform"]),
            labels["role"],
            count,
        )
        for labels, count in would
    ]
    names = tuple(rule.name for rule in rules.rules if rule.observes)
    return Observing(names, rules.observes, tuple(rows[:MAX_SHOWN]), sum(row.times for row in rows))


def today(totals: Totals, rules: RuleSet) -> Today:
    """The totals in words, largest first."""
    titles = {name: platform.title for name, platform in rules.platforms.items()}
    return Today(
        totals.people,
        tuple(
            Share(titles.get(name, name), words.duration(seconds))
            for name, seconds in totals.platforms.items()
        ),
        tuple(
            Share("Free of charge" if name is None else words.label(name), words.duration(seconds))
            for name, seconds in totals.allowances.items()
        ),
    )


def waiting(request: TimeRequest, now: float, rules: RuleSet, *, own: bool) -> OpenRequest:
    """One row of the open requests."""
    return OpenRequest(
        request.id,
        request.person,
        words.label(request.allowance),
        words.duration(request.seconds),
        request.reason,
        when(request.created, now, rules.zone),
        own,
    )
