"""The message for somebody whose request is blocked: the same on the page, in JSON and in plain
text, in the language that is spoken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from proxy_addon.core.notices.notice import Office
from proxy_addon.core.policy.outlook import AHEAD
from proxy_addon.core.policy.urgent import UrgentOffer
from proxy_addon.core.ruleset import Period, RuleSet
from proxy_addon.core.types import Balance, Decision, Reason
from proxy_addon.metering.next_openings import NextOpening
from proxy_addon.presentation import allowance_names, spoken_rules
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import gettext as _

_CODES: Final = {
    Reason.EXHAUSTED: "exhausted",
    Reason.BLOCKED: "blocked",
    Reason.UNIDENTIFIED: "unidentified",
    Reason.ACKNOWLEDGE: "acknowledge",
    Reason.UNAVAILABLE: "unavailable",
}
# Those that end by the rules alone: only of these the next opening is looked for.
BY_RULES: Final = frozenset({Reason.EXHAUSTED, Reason.BLOCKED, Reason.OTHERWISE})


class PageContext(NamedTuple):
    """Who reads the page, what it is about, and when.

    `platform_title` is what people call the platform ("LinkedIn"), `allowance` the key of the
    allowance. `now` is an instant. `page_url` is the employee's page and ends in a slash.
    `request_more` is True when that page can take a request for more minutes. `opening`: when it
    opens next, if `looked_ahead`; None: not within a month. `urgent`: what may be taken at once.
    `back`: the sealed way back to what was asked for, "" where a link cannot lead there. `rules`:
    those in force, None where they cannot be read. `asks_policy`: what is not available is whether
    the written policy has been confirmed.
    """

    person: str | None
    roles: tuple[str, ...]
    platform_title: str | None
    balance: Balance | None
    allowance: str | None
    zone: ZoneInfo
    now: float
    page_url: str = "http://allowance.internal/"
    request_more: bool = False
    rules: RuleSet | None = None
    opening: NextOpening | None = None
    looked_ahead: bool = False
    urgent: UrgentOffer | None = None
    back: str = ""
    asks_policy: bool = False

    @property
    def office(self) -> Office:
        """What pages call the office."""
        return Office() if self.rules is None else self.rules.office

    @property
    def who(self) -> str:
        """The reader's name as shown: "dora", "this device (10.0.7.33)", or nothing."""
        name = self.person or ""
        if name.startswith("ip:"):
            return _("this device (%(address)s)") % {"address": name[3:]}
        return name

    @property
    def reader(self) -> str:
        """The same with the reader's roles."""
        return " · ".join((self.who, *self.roles)) if self.who else ""

    @property
    def what(self) -> str:
        """What was asked for, in the middle of a sentence."""
        return self.platform_title or _("this site")

    @property
    def allowance_title(self) -> str | None:
        """The allowance as a heading, never by its key."""
        return None if self.allowance is None else self.title_of(self.allowance)

    @property
    def yours(self) -> str:
        """The allowance in the middle of a sentence: "your social and video time"."""
        if self.rules is None or self.allowance is None:
            return _("your time for %(platform)s") % {"platform": self.what}
        return allowance_names.yours(self.rules, self.allowance)

    def title_of(self, allowance: str) -> str:
        """Any allowance as a heading."""
        if self.rules is None:
            return words.label(allowance)
        return allowance_names.title(self.rules, allowance)

    @property
    def counts_for(self) -> str:
        """The platforms that the allowance counts for."""
        if self.rules is None or self.allowance is None:
            return ""
        return spoken_rules.some(allowance_names.counts_for(self.rules, self.allowance))

    def moment(self, instant: float) -> str:
        """An instant as the reader would say it: "today at 14:00"."""
        return words.moment(instant, self.now, self.zone)

    def ask_url(self, allowance: str | None) -> str | None:
        """Where to ask for more of an allowance, if one can."""
        if not self.request_more or allowance is None:
            return None
        return self._form_url("ask", allowance)

    def urgent_url(self, allowance: str | None) -> str | None:
        """Where to take urgent minutes, if some are left."""
        if self.urgent is None or self.urgent.left == 0 or allowance is None:
            return None
        return self._form_url("urgent", allowance)

    def _form_url(self, page: str, allowance: str) -> str:
        query = {"allowance": allowance} | ({"back": self.back} if self.back else {})
        return f"{self.page_url}{page}?{urlencode(query, errors='replace')}"


class MessageLine(NamedTuple):
    """A sentence in the language that is spoken: a pattern, and what stands for its names. "when"
    is emphasised."""

    pattern: str
    values: Mapping[str, str]

    @property
    def text(self) -> str:
        """As plain text."""
        return self.pattern % self.values

    @property
    def html(self) -> Markup:
        """For a page; everything is escaped."""
        values = {
            name: Markup("<strong>%s</strong>") % value if name == "when" else escape(value)
            for name, value in self.values.items()
        }
        return escape(self.pattern) % values


class BlockMessage(NamedTuple):
    """What is blocked; the rule's own sentence, "" where it has none; and what comes next."""

    code: str
    headline: str
    own: str
    lines: tuple[MessageLine, ...]

    @property
    def next(self) -> str:
        """All but the headline, as plain text."""
        return " ".join(filter(None, (self.own, *(line.text for line in self.lines))))

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.headline}. {self.next}" if self.next else f"{self.headline}."


def code_of(reason: Reason) -> str:
    """The value of `X-Allowance-Reason`. Whatever else blocks (`otherwise: block`) is "blocked"."""
    return _CODES.get(reason, "blocked")


def comes_back(decision: Decision, context: PageContext) -> float | None:
    """The instant at which it is worth trying again; None: none is known."""
    if not context.looked_ahead:
        return decision.until
    if context.opening is not None:
        return context.opening.at
    far = decision.until is not None and decision.until > context.now + AHEAD
    return decision.until if far and decision.reason is Reason.EXHAUSTED else None


def block_message(decision: Decision, context: PageContext) -> BlockMessage:
    """The message for a decision that blocks."""
    own = decision.message or ""
    what = {"platform": context.what}
    match decision.reason:
        case Reason.EXHAUSTED:
            headline, lines = _used_up(context), tuple(_after_used_up(decision, context))
        case Reason.UNIDENTIFIED:
            headline = _("We do not know who you are")
            told = _(
                "To use %(platform)s, sign in to the proxy with your own name and password, then "
                "load this page again. If you were never asked to sign in, your IT team can help."
            )
            lines = (MessageLine(told, what),)
        case Reason.ACKNOWLEDGE:
            headline = _("Please read our social media policy first")
            told = _(
                "It takes a few minutes, and you do it once. Then %(platform)s is open to you."
            )
            lines = (MessageLine(told, what),)
        case Reason.UNAVAILABLE:
            headline = _("We cannot look up your time right now")
            if context.asks_policy:
                headline = _("We cannot look up right now whether you have confirmed our policy")
            told = _(
                "The fault is ours, not yours, and it costs you no minutes. Until it is fixed, "
                "%(platform)s stays closed. Please try again in a little while."
            )
            lines = (MessageLine(told, what),)
        case _:
            headline, lines = _closed(decision, context)
    return BlockMessage(code_of(decision.reason), headline, own, lines)


def heads_up_message(balance: Balance, context: PageContext) -> tuple[MessageLine, ...]:
    """What comes after the time that is left: a free time first, then when the minutes renew."""
    lines = [MessageLine(_("A good moment to finish what you are doing."), {})]
    if context.opening is not None and context.opening.allowance is None:
        lines.append(_becomes_free(context.opening, context))
    if balance.resets_at is not None:
        when = context.moment(balance.resets_at)
        lines.append(MessageLine(_("You have time again %(when)s."), {"when": when}))
    return tuple(lines)


def urgent_text(context: PageContext) -> str:
    """What stands where urgent minutes have been taken already; "" where they can be, or are not
    given."""
    offer = context.urgent
    if offer is None or offer.left > 0:
        return ""
    told = _(
        "You have taken the urgent minutes that the rules give you. You can take some again %(when)s."
    )
    return told % {"when": context.moment(offer.renews)}


def has_nothing(balance: Balance | None) -> bool:
    """Whether the rules give the person no time at all."""
    return balance is not None and balance.limit + balance.granted <= 0


def _used_up(context: PageContext) -> str:
    if has_nothing(context.balance):
        return _("You have no time for %(platform)s") % {"platform": context.what}
    period = None if context.balance is None else context.balance.period
    match spoken_rules.period_of(period):
        case Period.HOUR:
            pattern = _("%(allowance)s is used up for this hour")
        case Period.DAY:
            pattern = _("%(allowance)s is used up for today")
        case Period.WEEK:
            pattern = _("%(allowance)s is used up for this week")
        case Period.MONTH:
            pattern = _("%(allowance)s is used up for this month")
        case Period.QUARTER:
            pattern = _("%(allowance)s is used up for this quarter")
        case Period.YEAR:
            pattern = _("%(allowance)s is used up for this year")
        case _:
            pattern = _("%(allowance)s is used up")
    return allowance_names.sentence(pattern % {"allowance": context.yours})


def _after_used_up(decision: Decision, context: PageContext) -> Iterator[MessageLine]:
    """The next opening first, then when the minutes renew."""
    opening, renews = context.opening, decision.until
    if opening is not None and (
        opening.allowance is None or opening.allowance != decision.allowance
    ):
        yield from _opens(opening, context)
    elif opening is not None:
        renews = opening.at  # the minutes, and at a time at which they may be used
    elif context.looked_ahead and not _is_far(renews, context) and not has_nothing(context.balance):
        platform = _first_up(context)
        yield MessageLine(
            _("No time is known at which %(platform)s opens."), {"platform": platform}
        )
    if renews is None and has_nothing(context.balance):
        yield MessageLine(_("The rules of your office give you none."), {})
    elif renews is None:
        yield MessageLine(_("You get it back as the time you have used moves into the past."), {})
    else:
        yield MessageLine(_("You have time again %(when)s."), {"when": context.moment(renews)})


def _is_far(instant: float | None, context: PageContext) -> bool:
    """Whether it lies beyond what was looked at."""
    return instant is not None and instant > context.now + AHEAD


def _closed(decision: Decision, context: PageContext) -> tuple[str, tuple[MessageLine, ...]]:
    """By a rule, or since no rule opens it."""
    platform = {"platform": _first_up(context)}
    lines: tuple[MessageLine, ...] = ()
    if context.opening is not None:
        lines = tuple(_opens(context.opening, context))
    elif not context.looked_ahead and decision.until is not None:
        when = {"when": context.moment(decision.until)}
        lines = (MessageLine(_("This changes %(when)s."), when),)
    if decision.message:
        return _("%(platform)s is closed") % platform, lines
    if lines:
        return _("%(platform)s is closed for now") % platform, lines
    why = (
        _("A rule of your office keeps it closed.")
        if decision.rule
        else _("No rule of your office opens it.")
    )
    return _("%(platform)s is not available here") % platform, (MessageLine(why, {}),)


def _opens(opening: NextOpening, context: PageContext) -> Iterator[MessageLine]:
    when, platform = context.moment(opening.at), _first_up(context)
    values = {"platform": platform, "when": when}
    if opening.allowance is not None:
        pattern = _("%(platform)s opens %(when)s, and then counts towards “%(allowance)s”.")
        yield MessageLine(pattern, values | {"allowance": context.title_of(opening.allowance)})
    elif opening.rule is None:
        yield MessageLine(_("%(platform)s opens %(when)s."), values)
    elif opening.free_until is None:
        yield MessageLine(
            _("%(platform)s opens %(when)s: %(rule)s."), values | {"rule": opening.rule}
        )
    else:
        ends = _until(opening.free_until, opening.at, context)
        pattern = _("%(platform)s opens %(when)s: %(rule)s. It is free until %(end)s.")
        yield MessageLine(pattern, values | {"rule": opening.rule, "end": ends})


def _becomes_free(opening: NextOpening, context: PageContext) -> MessageLine:
    values = {"platform": _first_up(context), "when": context.moment(opening.at)}
    if opening.rule is None:
        return MessageLine(_("%(platform)s becomes free %(when)s."), values)
    pattern = _("%(platform)s becomes free %(when)s: %(rule)s.")
    return MessageLine(pattern, values | {"rule": opening.rule})


def _until(end: float, start: float, context: PageContext) -> str:
    """The end of a window: the time alone where it is on the day on which it begins."""
    if words.day(end, context.zone) == words.day(start, context.zone):
        return words.time_of_day(end, context.zone)
    return words.deadline(end, context.now, context.zone)


def _first_up(context: PageContext) -> str:
    """At the start of a sentence; the name of a platform is never changed."""
    return context.platform_title or _("This site")
