"""`/why`: which rule decides for the person viewing the page, which rules did not apply and why.

For each platform they used today, and for the one they choose or type. The answer comes from the
running proxy's own evaluation of the rules. Nobody else is named: of colleagues in a rule or limit
the page says only that there are some.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, NamedTuple

from fastapi import Request
from fastapi.responses import Response

from proxy_addon.core.policy.open_groups import open_groups
from proxy_addon.core.ruleset import Embeds, Rule, RuleSet, When
from proxy_addon.core.types import Decision, Fit, Reason, Step, Target, Verdict
from proxy_addon.presentation import allowance_names, target_names
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import ngettext
from proxy_addon.presentation.spoken_rules import limit as limit_words
from proxy_addon.presentation.spoken_rules import listed, some
from proxy_addon.presentation.spoken_rules import when as when_words
from proxy_addon.rules.explanation import AllowanceDetail, Explanation, LimitLine
from proxy_addon.web import rendering as pages
from proxy_addon.web.interface import PersonNow, ProxyState
from proxy_addon.web.opens_view import Speaker
from proxy_addon.web.shell import OPENS, shell
from proxy_addon.web.visitor import visitor

PATH: Final = "/why"
MAX_STEPS: Final = 60  # rules that did not apply and are shown
MAX_ANSWERS: Final = 8
LONGEST: Final = 500  # characters of an address


class PlatformChoice(NamedTuple):
    """A platform that can be chosen."""

    value: str
    title: str


class Line(NamedTuple):
    """One rule, and whether and why it decides."""

    rule: str
    decides: bool
    why: str


class ExplanationView(NamedTuple):
    """What would happen if the person opened a platform now. `later`: the number of rules after the
    deciding one."""

    title: str
    opens: bool
    because: str
    message: str | None
    facts: tuple[str, ...]
    walk: tuple[Line, ...]
    passed: int
    later: int


class WhyPage(NamedTuple):
    """The page. `asked` is the answer to what was chosen or typed, `problem` says why there is no
    answer."""

    choices: tuple[PlatformChoice, ...]
    platform: str
    address: str
    asked: ExplanationView | None
    problem: str | None
    day: tuple[ExplanationView, ...]
    longest: int = LONGEST


def endpoint(proxy_state: ProxyState) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of `/why`; `?platform=` or `?address=` is what to explain."""

    async def show(request: Request) -> Response:
        who, query = visitor(request), request.query_params
        platform, address = query.get("platform", ""), query.get("address", "").strip()[:LONGEST]
        page = page_of(proxy_state, who.name, platform, address)
        kept = {"platform": platform} if platform and not address else {}
        roles = proxy_state.roles(who.name)
        around = shell(proxy_state.rules(), who, roles, OPENS, query=kept, path=PATH)
        return pages.why(around, page)

    return show


def page_of(proxy_state: ProxyState, name: str, platform: str = "", address: str = "") -> WhyPage:
    """The page of one person."""
    rules, one = proxy_state.rules(), proxy_state.person_now(name)
    choices = sorted(
        (PlatformChoice(each.name, each.title) for each in rules.platforms.values()), key=_title
    )

    def explained(url: str) -> ExplanationView:
        return answer(proxy_state, proxy_state.explanation(name, url), one)

    asked, problem = None, None
    url = _url(rules, platform, address)
    if url is not None:
        try:
            asked = explained(url)
        except ValueError:
            problem = _("That is not an address; write it like www.linkedin.com/feed")
    elif platform:
        problem = _("There is no such platform here.")
    today = sorted(one.visits, key=lambda visit: visit.start, reverse=True)
    seen = dict.fromkeys(visit.platform for visit in today if visit.end > visit.start)
    urls = [url for url in (_url(rules, each, "") for each in seen) if url is not None]
    day = tuple(explained(url) for url in urls[:MAX_ANSWERS])
    return WhyPage(tuple(choices), platform, address, asked, problem, day)


def _title(choice: PlatformChoice) -> str:
    return choice.title.casefold()


def _url(rules: RuleSet, platform: str, address: str) -> str | None:
    if address:
        return address if "://" in address else f"https://{address}"
    known = rules.platforms.get(platform)
    return None if known is None or not known.hosts else f"https://{known.hosts[0].lstrip('=')}/"


def answer(proxy_state: ProxyState, found: Explanation, one: PersonNow) -> ExplanationView:
    """An explanation, worded for the person it is about."""
    decision, rules = found.decision, proxy_state.rules()
    lines = [
        _line(step, rule, rules, found.roles)
        for rule, step in zip(found.rules, decision.walk, strict=True)
        if step.fit is not Fit.TOO_LATE
    ]
    passed = [line for line in lines if not line.decides]
    shown = (*passed[:MAX_STEPS], *(line for line in lines if line.decides))
    return ExplanationView(
        title=_name(decision, rules) or found.url.removeprefix("https://"),
        opens=not decision.blocks,
        because=_because(decision, rules),
        message=decision.message,
        facts=tuple(_facts(proxy_state, found, one)),
        walk=shown,
        passed=len(passed) - len(passed[:MAX_STEPS]),
        later=len(decision.walk) - len(lines),
    )


def _name(decision: Decision, rules: RuleSet) -> str | None:
    if decision.platform is None:
        return None
    return target_names.title(rules, Target(decision.platform, decision.section))


def _because(decision: Decision, rules: RuleSet) -> str:
    if decision.platform is None:
        return _("This is not a platform that we know: nothing is limited or counted there.")
    text = _reason(decision.reason)
    name = decision.allowance
    text = text % {
        "rule": decision.rule or "",
        "allowance": "" if name is None else allowance_names.yours(rules, name),
    }
    if decision.would is not Verdict.BLOCK:
        return text
    tried = _("The rule is only being tried out; if it were enforced, this would be closed.")
    return f"{text} {tried}"


def _reason(reason: Reason) -> str:
    match reason:
        case Reason.NOT_LIMITED:
            return _("No rule limits this: nothing is counted there.")
        case Reason.ALLOWED:
            return _("It is free by the rule “%(rule)s”: no allowance is charged.")
        case Reason.WITHIN:
            return _("It is charged to %(allowance)s by the rule “%(rule)s”.")
        case Reason.EXHAUSTED:
            return _("The rule “%(rule)s” charges it to %(allowance)s, which is used up.")
        case Reason.EMBED:
            return _(
                "As a part of another site’s page it is free, although %(allowance)s is used up."
            )
        case Reason.BLOCKED:
            return _("It is closed by the rule “%(rule)s”.")
        case Reason.OTHERWISE:
            return _("No rule applies, so the default of the policy decides.")
        case Reason.UNIDENTIFIED:
            return _("The proxy has to know who you are first.")
        case Reason.ACKNOWLEDGE:
            return _("The written policy has to be read first.")
        case Reason.UNAVAILABLE:
            return _("Balances cannot be read at the moment.")


def _facts(proxy_state: ProxyState, found: Explanation, one: PersonNow) -> Iterator[str]:
    """The limits and their balances, what used them, and when the answer changes."""
    rules, decision = proxy_state.rules(), found.decision
    if found.embed is not None:
        yield _on_other_pages(found)
    if found.allowance is not None:
        yield from _spent(found.allowance, rules)
    if decision.platform is None:
        return
    target = Target(decision.platform, decision.section)
    groups = open_groups(proxy_state.engine(), one.person, [[target]], one.usage, found.at)
    if later := Speaker(rules, found.at).later(groups[0]):
        yield _("Next: %(change)s.") % {"change": later}


def _on_other_pages(found: Explanation) -> str:
    """What somebody pays where this is a part of another site's page."""
    if found.embeds is Embeds.FREE:
        return _("On other sites’ pages this costs nothing.")
    if found.embed == "player":
        return _("On other sites’ pages, a video that plays in it is charged as it is here.")
    return _("On other sites’ pages this costs nothing, also when the time is used up.")


def _spent(line: AllowanceDetail, rules: RuleSet) -> Iterator[str]:
    title = allowance_names.title(rules, line.name)
    for limit in line.limits:
        parts = words.parts(limit.left, limit.limit.seconds + limit.granted + limit.carried)
        yield _("%(title)s: %(limit)s; %(used)s used, %(left)s left.") % {
            "title": title,
            "limit": limit_words(limit.limit),
            "used": parts.used,
            "left": parts.left,
        }
        if extra := _extra(limit):
            yield extra
    if line.override is not None:
        yield _whose(line.override.users, line.override.roles)
    if line.by_platform:
        uses = [
            _("%(platform)s %(time)s")
            % {"platform": target_names.title(rules, Target(name)), "time": words.spent(seconds)}
            for name, seconds in line.by_platform.items()
        ]
        yield _("Used on %(places)s.") % {"places": some(uses)}


def _extra(limit: LimitLine) -> str:
    """What came on top of the limit; "" for nothing."""
    granted, carried = words.duration(limit.granted), words.duration(limit.carried)
    if limit.granted > 0 and limit.carried > 0:
        text = _("Includes %(granted)s granted to you and %(carried)s carried over.")
    elif limit.granted > 0:
        text = _("Includes %(granted)s granted to you.")
    elif limit.carried > 0:
        text = _("Includes %(carried)s carried over.")
    else:
        return ""
    return text % {"granted": granted, "carried": carried}


def _whose(users: Sequence[str], roles: Sequence[str]) -> str:
    """Whose limits hold; of people only that they are the reader."""
    if users:
        return _("These limits apply to you.")
    return ngettext(
        "These limits apply to your role %(roles)s.",
        "These limits apply to people with one of the roles %(roles)s.",
        len(roles),
    ) % {"roles": listed(roles)}


def _line(step: Step, rule: Rule, rules: RuleSet, roles: Sequence[str]) -> Line:
    return Line(step.rule, step.fits, _why(step.fit, rule, rules, roles))


def _why(fit: Fit, rule: Rule, rules: RuleSet, roles: Sequence[str]) -> str:
    """Why a rule decides, or does not apply."""
    match fit:
        case Fit.FITS:
            return _("This rule decides.")
        case Fit.OBSERVED:
            return _("This rule decides, but is only being tried out.")
        case Fit.NOT_YOU:
            return _for_others(rule, roles)
        case Fit.NOT_THERE:
            places = sorted(target_names.title(rules, target) for target in rule.targets or ())
            return _("It is about %(places)s.") % {"places": some(places)}
        case Fit.EXCEPTED if rule.when is not None and rule.when.negated is not None:
            return _("Not now: it makes an exception (%(times)s).") % {
                "times": when_words(rule.when.negated)
            }
    times = {"times": when_words(rule.when or When())}
    return _("Not now: its time is %(times)s.") % times


def _for_others(rule: Rule, roles: Sequence[str]) -> str:
    """Who a rule is for: its roles, and no names."""
    theirs = {"roles": some(sorted(rule.roles)), "yours": some(list(roles))}
    if not rule.roles:
        return _("It is for colleagues that it names.")
    if not rule.users:
        return (
            ngettext(
                "It is for the role %(roles)s; you are in %(yours)s.",
                "It is for the roles %(roles)s; you are in %(yours)s.",
                len(rule.roles),
            )
            % theirs
        )
    return (
        ngettext(
            "It is for the role %(roles)s and for colleagues that it names; you are in %(yours)s.",
            "It is for the roles %(roles)s and for colleagues that it names; you are in %(yours)s.",
            len(rule.roles),
        )
        % theirs
    )
