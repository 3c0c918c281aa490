"""`/why`: which rule decides for the person viewing the page, which rules did not apply and why.

For each platform they used today, and for the one they choose or type. The answer comes from the
running proxy's own evaluation of the rules. Nobody else is named: of colleagues in a rule or limit
the page says only that there are some.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import Response

from proxy_addon.core.policy import wording
from proxy_addon.core.ruleset import Rule, RuleSet
from proxy_addon.core.types import Decision, Fit, Reason, Step, Verdict
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.rule_text import override, some, spelled_limit
from proxy_addon.rules.explanation import AllowanceDetail, Explanation
from proxy_addon.web import rendering as pages
from proxy_addon.web.interface import ProxyState
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

    person: str
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
        return pages.why(page if who.identified else page._replace(person="this device"))

    return show


def page_of(proxy_state: ProxyState, name: str, platform: str = "", address: str = "") -> WhyPage:
    """The page of one person."""
    rules = proxy_state.rules()
    choices = sorted(
        (PlatformChoice(each.name, each.title) for each in rules.platforms.values()), key=_title
    )
    asked, problem = None, None
    url = _url(rules, platform, address)
    if url is not None:
        try:
            asked = answer(proxy_state.explanation(name, url), rules)
        except ValueError:
            problem = "That is not an address; write it like www.linkedin.com/feed"
    elif platform:
        problem = "There is no such platform here."
    today = sorted(proxy_state.visits_today(name), key=lambda visit: visit.start, reverse=True)
    seen = dict.fromkeys(visit.platform for visit in today if visit.end > visit.start)
    urls = [url for url in (_url(rules, each, "") for each in seen) if url is not None]
    day = tuple(answer(proxy_state.explanation(name, url), rules) for url in urls[:MAX_ANSWERS])
    return WhyPage(name, tuple(choices), platform, address, asked, problem, day)


def _title(choice: PlatformChoice) -> str:
    return choice.title.casefold()


def _url(rules: RuleSet, platform: str, address: str) -> str | None:
    if address:
        return address if "://" in address else f"https://{address}"
    known = rules.platforms.get(platform)
    return None if known is None or not known.hosts else f"https://{known.hosts[0].lstrip('=')}/"


def answer(found: Explanation, rules: RuleSet) -> ExplanationView:
    """An explanation, worded for the person it is about."""
    decision = found.decision
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
        because=_because(decision),
        message=decision.message,
        facts=tuple(_facts(found, rules, rules.zone)),
        walk=shown,
        passed=len(passed) - len(passed[:MAX_STEPS]),
        later=len(decision.walk) - len(lines),
    )


def _name(decision: Decision, rules: RuleSet) -> str | None:
    if decision.platform is None:
        return None
    return _place(decision.platform, decision.section, rules)


def _place(platform: str, section: str | None, rules: RuleSet) -> str:
    known = rules.platforms.get(platform)
    title = known.title if known else words.label(platform)
    return title if section is None else f"{title} ({words.label(section)})"


def _because(decision: Decision) -> str:
    rule, allowance = f"the rule “{decision.rule}”", words.label(decision.allowance or "")
    if decision.platform is None:
        return "This is not a platform that we know: nothing is limited or counted there."
    if decision.reason is Reason.NOT_LIMITED:
        return "No rule limits this: nothing is counted there."
    text = {
        Reason.ALLOWED: f"It is free by {rule}: no allowance is charged.",
        Reason.WITHIN: f"It is charged to {allowance} by {rule}.",
        Reason.EXHAUSTED: f"{allowance} is used up, and {rule} charges this to it.",
        Reason.BLOCKED: f"It is closed by {rule}.",
        Reason.OTHERWISE: "No rule applies, so the default of the policy decides.",
        Reason.UNIDENTIFIED: "The proxy has to know who you are first.",
        Reason.ACKNOWLEDGE: "The written policy has to be read first.",
        Reason.UNAVAILABLE: "Balances cannot be read at the moment.",
    }[decision.reason]
    if decision.would is Verdict.BLOCK:
        text += " The rule is only being tried out; if it were enforced, this would be closed."
    return text


def _facts(found: Explanation, rules: RuleSet, zone: ZoneInfo) -> Iterator[str]:
    """The limits and their balances, what used them, and when the answer changes."""
    if found.allowance is not None:
        yield from _spent(found.allowance, rules)
    if found.decision.until is not None:
        changes = words.moment(found.decision.until, found.at, zone)
        again = found.decision.reason is Reason.EXHAUSTED and found.decision.blocks
        yield f"There is time again {changes}." if again else f"This may change {changes}."


def _spent(line: AllowanceDetail, rules: RuleSet) -> Iterator[str]:
    name = words.label(line.name)
    for limit in line.limits:
        more = [
            f"{words.duration(seconds)} {what}"
            for seconds, what in (
                (limit.granted, "granted to you"),
                (limit.carried, "carried over"),
            )
            if seconds > 0
        ]
        plus = f", and {some(more)}" if more else ""
        used, left = words.duration(limit.spent), words.duration(limit.left)
        yield f"{name}: {spelled_limit(limit.limit)}{plus}; {used} used, {left} left."
    if line.override is not None:
        whose = "to you" if line.override.users else f"to your {override(line.override)}"
        yield f"These limits apply {whose}."
    if line.by_platform:
        parts = [
            f"{_place(platform, None, rules)} {words.duration(seconds)}"
            for platform, seconds in line.by_platform.items()
        ]
        yield f"Used on {some(parts)}."


def _line(step: Step, rule: Rule, rules: RuleSet, roles: Sequence[str]) -> Line:
    if step.fits:
        tried = ", but is only being tried out." if step.fit is Fit.OBSERVED else "."
        return Line(step.rule, True, f"This rule decides{tried}")
    if step.fit is Fit.NOT_YOU:
        return Line(step.rule, False, _for_others(rule, roles))
    if step.fit is Fit.NOT_THERE:
        about = some(sorted(_place(*target, rules) for target in rule.targets or ()))
        return Line(step.rule, False, f"It is about {about}.")
    return Line(step.rule, False, _sentence(wording.why(rule, step.fit)))


def _for_others(rule: Rule, roles: Sequence[str]) -> str:
    """Who a rule is for: its roles, and no names."""
    theirs = (
        [f"the {'role' if len(rule.roles) == 1 else 'roles'} {some(sorted(rule.roles))}"]
        if rule.roles
        else []
    )
    if rule.users:
        theirs.append("colleagues that it names")
    yours = f"; you are in {some(roles)}" if rule.roles and roles else ""
    return f"It is for {' and for '.join(theirs)}{yours}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
