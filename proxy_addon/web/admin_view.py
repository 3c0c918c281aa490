"""The administrators' page as the template needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Grant
from proxy_addon.ledger.interface import TimeRequest
from proxy_addon.ledger.time_requests import LONGEST
from proxy_addon.ledger.writer_state import WriterState
from proxy_addon.presentation import allowance_names, spoken_rules
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import marked, ngettext
from proxy_addon.web.admin_service import Totals
from proxy_addon.web.interface import Health
from proxy_addon.web.urgent_service import NO_REASON

_PARTS = {
    "proxy": marked("Proxy"),
    "loop": marked("Event loop"),
    "ledger": marked("Ledger"),
    "rules": marked("Rules"),
    "ca": marked("Certificate"),
}
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


class UrgentTaken(NamedTuple):
    """Urgent minutes that somebody took today, without an answer."""

    who: str
    allowance: str
    time: str
    reason: str
    at: str


class Admin(NamedTuple):
    """The whole page. `today`, `waiting`: None while the ledger is unavailable. `message`: what the
    last form did; `problem`: what is wrong with it, `problem_at` at which field: that of a request,
    by its id, "pseudonym" or "why"."""

    date: str
    at: str
    rules: InForce
    parts: tuple[Part, ...]
    ready: bool
    observing: Observing
    today: Today | None
    waiting: tuple[OpenRequest, ...] | None
    more_waiting: int
    urgent: tuple[UrgentTaken, ...]
    more_urgent: int
    pseudonyms: bool
    workers: int
    token: str
    message: str | None = None
    problem: str | None = None
    problem_at: str = ""
    longest: int = LONGEST


def in_force(rules: RuleSet, loaded: float, problems: Sequence[str], now: float) -> InForce:
    """A description of the rules in force."""
    shown = tuple(problems[:MAX_SHOWN])
    since = words.past(loaded, now, rules.zone)
    return InForce(
        rules.digest[:12],
        since,
        spoken_rules.size(rules),
        rules.zone.key,
        shown,
        len(problems) - len(shown),
    )


def parts(health: Health, state: WriterState) -> tuple[Part, ...]:
    """Each part of this proxy, and the journal."""
    found = [Part(part_name(name), part.text, part.ok) for name, part in health.checks.items()]
    return (*found, Part(_("Journal"), *_journal(state)))


def part_name(name: str) -> str:
    """What a part of the proxy is called. What it says of itself is as in the log: English."""
    return _(_PARTS[name]) if name in _PARTS else name.capitalize()


def _journal(state: WriterState) -> tuple[str, bool]:
    if state.journal_message is not None:
        return _("cannot be written: %(reason)s") % {"reason": state.journal_message}, False
    if state.journal_dropped:
        pattern = ngettext(
            "%(n)d visit did not fit", "%(n)d visits did not fit", state.journal_dropped
        )
        return pattern % {"n": state.journal_dropped}, False
    if state.journal_visits:
        pattern = ngettext(
            "%(n)d visit waits on this disk for the ledger",
            "%(n)d visits wait on this disk for the ledger",
            state.journal_visits,
        )
        return pattern % {"n": state.journal_visits}, False
    return _("empty: the ledger has everything"), True


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
            Share(
                _("Free of charge") if name is None else allowance_names.title(rules, name),
                words.duration(seconds),
            )
            for name, seconds in totals.allowances.items()
        ),
    )


def waiting(request: TimeRequest, now: float, rules: RuleSet, *, own: bool) -> OpenRequest:
    """One row of the open requests."""
    return OpenRequest(
        request.id,
        request.person,
        allowance_names.title(rules, request.allowance),
        words.duration(request.seconds),
        request.reason,
        words.past(request.created, now, rules.zone),
        own,
    )


def urgent_taken(grant: Grant, now: float, rules: RuleSet) -> UrgentTaken:
    """Urgent minutes as a row."""
    return UrgentTaken(
        who=grant.person,
        allowance=allowance_names.title(rules, grant.allowance),
        time=words.duration(grant.seconds),
        reason=_("a customer is waiting") if grant.reason == NO_REASON else grant.reason,
        at=words.past(grant.created, now, rules.zone),
    )
