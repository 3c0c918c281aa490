"""The reader's own page as its template needs it: finished texts and positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple, Self

from proxy_addon.core import periods
from proxy_addon.core.policy.open_groups import OpenGroup
from proxy_addon.core.ruleset import Limit, Period, RuleSet
from proxy_addon.core.types import Balance, Target, Visit
from proxy_addon.identity.pseudonyms import is_pseudonym
from proxy_addon.ledger.interface import AuditEntry
from proxy_addon.presentation import allowance_names, spoken_rules
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.theme import Bar, bar
from proxy_addon.report.notice_names import ACTION as NOT_READ
from proxy_addon.web.day_view import DayVisits, running, sums, until, visits_of
from proxy_addon.web.interface import PersonNow, ProxyState
from proxy_addon.web.opens_view import OpenRow, OpenState, Outlook, Speaker, state_of, titles
from proxy_addon.web.own_records import UNMASK, OwnRecords
from proxy_addon.web.week_view import Week, date_words, day_of_instant, week_of, window_of

MOST_NAMED: Final = 6  # platforms that are all named; of more the first few are
_SHOWN_LOOKS: Final = 3
_ANSWERERS: Final = 3  # names of people who answer requests


class Visitor(NamedTuple):
    """Who is viewing the page, as identified by the proxy. `reached` is the proxy's own address on
    that connection.

    `signed_in`: the name comes from a password or a trusted front proxy, not from an address alone.
    `newcomer`: has to sign in and has not: pages say nothing about anybody. `direct`: the page came
    from the proxy's port as from a web server. `port`: that of the connection, 0 where nobody can
    tell.
    """

    name: str
    identified: bool
    address: str
    reached: str | None = None
    signed_in: bool = False
    newcomer: bool = False
    direct: bool = False
    port: int = 0

    @classmethod
    def of(cls, scope: Mapping[str, object]) -> Self | None:
        """From the ASGI scope, where only our own adapter can write; None when it did not."""
        extensions = scope.get("extensions")
        entry = extensions.get("allowance.person") if isinstance(extensions, Mapping) else None
        if not isinstance(entry, Mapping) or not entry.get("name"):
            return None
        reached, port = entry.get("reached"), entry.get("port")
        return cls(
            str(entry["name"]),
            bool(entry.get("identified")),
            str(entry.get("address") or ""),
            str(reached) if reached else None,
            bool(entry.get("signed_in")),
            bool(entry.get("newcomer")),
            bool(entry.get("direct")),
            port if isinstance(port, int) else 0,
        )


class Card(NamedTuple):
    """One allowance. `heading`: what is left, and `lead` when there is more. `observed`: its rules
    are only observed: nothing is blocked when it is used up. `nothing`: the rules give no time,
    which does not come back either. `ring`: the part left, 0 to 100."""

    name: str
    title: str
    heading: str
    lead: str
    bar: Bar
    ring: float
    platforms: tuple[str, ...]
    observed: bool = False
    nothing: bool = False


class FactLine(NamedTuple):
    """`strong` first, then the text."""

    strong: str
    text: str


class OverviewFact(NamedTuple):
    """A line of the overview, such as what is free now. `more`: all that a line names in part."""

    key: str
    label: str
    lines: tuple[FactLine, ...]
    more: tuple[str, ...] = ()


class Look(NamedTuple):
    """Somebody who saw the reader by name: a sentence, and the reason that was given."""

    said: str
    reason: str


class OwnHistory(NamedTuple):
    """What the ledger has; `looks_known`: it could be read."""

    week: Week | None
    looks: tuple[Look, ...]
    is_known: bool


class Day(NamedTuple):
    """The page. `heading` is what the tab says, too; `tone` changes when somebody has to know:
    "ok", "low", "out", "free". `first` is the scarcest allowance, `cards` are the others.
    `is_today`: else `visits` are those of a past day, `date`."""

    heading: str
    tone: str
    person: str
    identified: bool
    address: str
    date: str
    at: str
    first: Card | None
    cards: tuple[Card, ...]
    facts: tuple[OverviewFact, ...]
    going: str
    visits: DayVisits | None
    history: OwnHistory
    is_today: bool
    is_known: bool
    tail: str
    retention: str
    answerers: str


NO_RECORDS: Final = OwnRecords((), ())


def day_of(
    proxy_state: ProxyState,
    outlook: Outlook,
    visitor: Visitor,
    one: PersonNow,
    records: OwnRecords | None,
    shown: date | None = None,
) -> Day:
    """The page of one person at an instant. `records`: None while the ledger cannot be read;
    `shown`: a past day whose visits are shown."""
    rules, now = proxy_state.rules(), one.at
    today = day_of_instant(rules, now)
    cards = _cards(one, rules)
    first = cards[0] if cards else None
    heading = first.heading if first else _("Nothing is limited for you")
    return Day(
        heading=heading,
        tone=first.bar.tone if first else "free",
        person=visitor.name,
        identified=visitor.identified,
        address=visitor.address,
        date=date_words(shown or today),
        at=words.time_of_day(now, rules.zone),
        first=first,
        cards=cards[1:],
        facts=_facts(first, outlook.rows(one), rules, now),
        going=_going(one, rules),
        visits=_visits(one, rules, records, shown),
        history=_history(proxy_state, one, records, shown or today),
        is_today=shown is None,
        is_known=one.is_known,
        tail=words.duration(rules.metering.tail),
        retention=spoken_rules.days(round(rules.retention / 86_400)),
        answerers=_answerers(rules),
    )


def _cards(one: PersonNow, rules: RuleSet) -> tuple[Card, ...]:
    """The scarcest first; what gives no time at all last."""
    made = [_card(balance, one.at, rules) for balance in one.balances]
    return tuple(sorted(made, key=lambda card: (card.nothing, card.bar.seconds_left)))


def _card(balance: Balance, now: float, rules: RuleSet) -> Card:
    name = balance.allowance
    nothing = balance.limit + balance.granted + balance.carried <= 0
    shown = bar(balance)
    again = ""
    if balance.resets_at is not None and not nothing:
        again = words.moment(balance.resets_at, now, rules.zone)
    spending = [rule for rule in rules.rules if rule.allowance == name]
    return Card(
        name,
        allowance_names.title(rules, name),
        _heading(shown, balance, again, nothing=nothing),
        _("You get more %(moment)s.") % {"moment": again} if again and balance.left > 0 else "",
        shown,
        round(100.0 - shown.share, 2),
        allowance_names.counts_for(rules, name),
        bool(spending) and all(rule.observes for rule in spending),
        nothing,
    )


def _heading(shown: Bar, balance: Balance, again: str, *, nothing: bool) -> str:
    if nothing:
        return _("No time for limited platforms")
    if balance.left > 0:
        return shown.heading
    if not again:
        return _("Used up")
    if balance.period == Period.DAY:
        return _("Used up today: more %(moment)s") % {"moment": again}
    return _("Used up: more %(moment)s") % {"moment": again}


def _going(one: PersonNow, rules: RuleSet) -> str:
    """What the clock runs for now; "" for nothing."""
    going = running(one.visits, one.at)
    names = dict.fromkeys(
        rules.platforms[visit.platform].title
        if visit.platform in rules.platforms
        else visit.platform
        for visit in going
    )
    if not names:
        return ""
    listed = spoken_rules.listed(list(names))
    if any(visit.allowance is not None for visit in going):
        return _("The clock is running: %(platforms)s.") % {"platforms": listed}
    return _("You are using %(platforms)s, and nothing is charged.") % {"platforms": listed}


def _facts(
    first: Card | None,
    rows: tuple[Sequence[OpenRow], Sequence[OpenRow]],
    rules: RuleSet,
    now: float,
) -> tuple[OverviewFact, ...]:
    whole, parts = rows
    found = []
    always_free = {
        title
        for row in whole
        if row.state is OpenState.FREE and row.group.next is None
        for title in (place.title for place in row.places)
    }
    counted = tuple(each for each in (first.platforms if first else ()) if each not in always_free)
    if counted:
        few = spoken_rules.some(counted)
        more = counted if len(counted) > MOST_NAMED else ()
        found.append(OverviewFact("counts", _("Counts for"), (FactLine("", few),), more))
    free = [row for row in whole if row.state is OpenState.FREE]
    if free:
        found.append(
            OverviewFact(
                "free", _("Free for you now"), tuple(_free(row, rules, now) for row in free)
            )
        )
    soon = _soon(whole, rules, now)
    if soon:
        found.append(OverviewFact("soon", _("Free soon"), soon))
    always = [row for row in parts if row.state is OpenState.FREE and row.group.next is None]
    lines = tuple(_always(rule, rows, rules) for rule, rows in _by_rule(always).items())
    others = _("Everything else: mail, banks, news and all other sites")
    found.append(OverviewFact("never", _("Never limited"), (*lines, FactLine("", others))))
    return tuple(found)


def _by_rule(rows: Iterable[OpenRow]) -> dict[str, list[OpenRow]]:
    found: dict[str, list[OpenRow]] = {}
    for row in rows:
        found.setdefault(row.rule, []).append(row)
    return found


def _always(rule: str, rows: Iterable[OpenRow], rules: RuleSet) -> FactLine:
    targets = [target for row in rows for target in row.group.targets]
    return FactLine(_("%(rule)s:") % {"rule": rule}, titles(rules, targets, 3))


def _free_time(group: OpenGroup) -> tuple[float, str, float] | None:
    """When what is not free now becomes free, by which rule, and when that ends; 0: not known."""
    if state_of(group.now) not in (OpenState.USED_UP, OpenState.CHARGED, OpenState.CLOSED):
        return None
    for change, end in ((group.next, group.after), (group.after, group.third)):
        if change is not None and state_of(change.decision) is OpenState.FREE:
            return change.at, change.decision.rule or "", end.at if end else 0.0
    return None


def _soon(rows: Iterable[OpenRow], rules: RuleSet, now: float) -> tuple[FactLine, ...]:
    """The next two times in which something becomes free that is not free now."""
    times: dict[tuple[float, str, float], list[Target]] = {}
    for row in rows:
        if (found := _free_time(row.group)) is not None:
            times.setdefault(found, []).extend(row.group.targets)
    return tuple(
        _time(begin, rule, end, titles(rules, targets), rules, now)
        for (begin, rule, end), targets in sorted(times.items())[:2]
    )


def _time(begin: float, rule: str, end: float, places: str, rules: RuleSet, now: float) -> FactLine:
    starts = allowance_names.sentence(words.moment(begin, now, rules.zone))
    text = _("%(places)s (“%(rule)s”)") % {"places": places, "rule": rule}
    if not end:
        return FactLine(starts, text)
    span = {"start": starts, "end": Speaker(rules, now).end(begin, end)}
    return FactLine(_("%(start)s, until %(end)s") % span, text)


def _free(row: OpenRow, rules: RuleSet, now: float) -> FactLine:
    text = _("%(places)s (“%(rule)s”)") % {"places": row.short, "rule": row.rule}
    if row.group.next is None:
        return FactLine("", text)
    end = {"end": Speaker(rules, now).end(now, row.group.next.at)}
    return FactLine(_("Until %(end)s:") % end, text)


def _visits(
    one: PersonNow, rules: RuleSet, records: OwnRecords | None, shown: date | None
) -> DayVisits | None:
    """Today's from memory, those of a past day from the ledger; None where that is away."""
    if shown is not None:
        if records is None:
            return None
        window = window_of(rules, shown)
        own = [v for v in records.visits if v.end > window.start and v.start < window.end]
        return visits_of(own, window.end, rules)
    return visits_of(one.visits, one.at, rules, _charged_words(one, rules))


def _charged_words(one: PersonNow, rules: RuleSet) -> str:
    """What was charged today in the words of the heading, where it is the same time."""
    start = periods.calendar_window(Period.DAY, rules, one.at).start
    charged = sums(one.visits, start, one.at).charged
    for balance in one.balances:
        total = balance.limit + balance.granted + balance.carried
        if balance.period == Period.DAY and abs(total - balance.left - charged) < 0.5:
            return words.parts(balance.left, total).used
    return ""


def _history(
    proxy_state: ProxyState, one: PersonNow, records: OwnRecords | None, shown: date
) -> OwnHistory:
    if records is None:
        return OwnHistory(None, (), is_known=False)
    rules, now = proxy_state.rules(), one.at
    start = periods.calendar_window(Period.DAY, rules, now).start
    past = [visit for visit in records.visits if visit.start < start]
    known = {visit.id for visit in one.visits}
    visits: list[Visit] = [visit for visit in past if visit.id not in known]
    visits += [visit for visit in one.visits if visit.start <= now]
    limit = _daily_limit(proxy_state, one)
    week = week_of(rules, until(visits, now), shown, now, limit)
    return OwnHistory(week, tuple(_looks(records.looks, now, rules)), is_known=True)


def _daily_limit(proxy_state: ProxyState, one: PersonNow) -> float | None:
    """Seconds of a day, where one allowance alone counts and has such a limit."""
    if len(one.balances) != 1:
        return None
    name = one.balances[0].allowance
    if name not in proxy_state.rules().allowances:
        return None
    limits: Sequence[Limit] = proxy_state.engine().limits(one.person, name, one.at)
    return next((each.seconds for each in limits if each.period is Period.DAY), None)


def _looks(entries: Iterable[AuditEntry], now: float, rules: RuleSet) -> Iterable[Look]:
    for entry in list(entries)[:_SHOWN_LOOKS]:
        name = entry.actor.partition(":")[2] or entry.actor
        who = _("Somebody") if is_pseudonym(name) else name
        day, time = words.day(entry.at, rules.zone), words.time_of_day(entry.at, rules.zone)
        told = {"who": who, "day": day, "time": time}
        said, reason = _("%(who)s looked at everybody by name: %(day)s, %(time)s"), entry.detail
        if entry.action == UNMASK:
            said = _("%(who)s looked up your name: %(day)s, %(time)s")
        elif entry.action == NOT_READ:
            said = _("%(who)s looked up who has not read the policy: %(day)s, %(time)s")
            reason = reason.partition(": ")[2]  # what stands before it says the same, in English
        yield Look(said % told, reason)


def _answerers(rules: RuleSet) -> str:
    """Who answers requests, by name; "" where the rules only have patterns."""
    names = [name for name in rules.people.roles.get("admin", ()) if "*" not in name]
    return spoken_rules.some(names, _ANSWERERS)
