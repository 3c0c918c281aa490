"""What is open, charged, free and closed for one person, now and next: in words, platforms with the
same answer in one row. For `/opens` and for the person's own page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from proxy_addon.core.policy.open_groups import OpenGroup, alike, all_targets, open_groups
from proxy_addon.core.policy.outlook import NextAnswer
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Decision, Reason, Target, Verdict
from proxy_addon.presentation import allowance_names, spoken_rules, target_names
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.web.interface import PersonNow, ProxyState

FEW: Final = 5  # platforms that a row names before "and 7 more"


class OpenState(StrEnum):
    """What people see of an answer, in the order of the table."""

    USED_UP = "used-up"
    CHARGED = "charged"
    FREE = "free"
    CLOSED = "closed"
    OPEN = "open"  # never limited


class PlaceLink(NamedTuple):
    """A platform or a section, and the page that explains the answer for it; "" for none."""

    title: str
    href: str


class OpenRow(NamedTuple):
    """Places with one answer. `places` is the whole list, `short` its first few in words; `now` and
    `next` are sentences; `rule` is the rule that decides."""

    state: OpenState
    short: str
    places: tuple[PlaceLink, ...]
    now: str
    next: str
    rule: str
    group: OpenGroup


class OpensPage(NamedTuple):
    """The page. `others`: how many rows there are for sections that differ from their platform."""

    at: str
    platforms: tuple[OpenRow, ...]
    sections: tuple[OpenRow, ...]


class Outlook:
    """Rows for a person. Which targets are alike is found once for each set of rules."""

    def __init__(self, proxy_state: ProxyState) -> None:
        self._proxy_state = proxy_state
        self._known: tuple[RuleSet, tuple[tuple[Target, ...], ...]] | None = None

    def page(self, one: PersonNow) -> OpensPage:
        """The page of somebody at an instant."""
        rules = self._proxy_state.rules()
        whole, parts = self.rows(one)
        return OpensPage(words.time_of_day(one.at, rules.zone), tuple(whole), tuple(parts))

    def rows(self, one: PersonNow) -> tuple[list[OpenRow], list[OpenRow]]:
        """Rows of whole platforms, and rows of the sections whose answer is another one."""
        engine = self._proxy_state.engine()
        rules = engine.rule_set
        if self._known is None or self._known[0] is not rules:
            self._known = (rules, alike(rules, all_targets(rules)))
        found = open_groups(engine, one.person, self._known[1], one.usage, one.at)
        whole = _merged(_only(found, sections=False))
        answers = {target.platform: _answer(each) for each in whole for target in each.targets}
        parts = _merged(
            each._replace(targets=tuple(left))
            for each in _only(found, sections=True)
            if (left := [t for t in each.targets if answers.get(t.platform) != _answer(each)])
        )
        speaker = Speaker(rules, one.at)
        return speaker.rows(whole), speaker.rows(parts)

    def speaker(self, at: float) -> Speaker:
        """Puts groups into words at an instant."""
        return Speaker(self._proxy_state.rules(), at)


def state_of(decision: Decision) -> OpenState:
    """What people see of an answer."""
    if decision.blocks:
        used_up = decision.reason is Reason.EXHAUSTED
        return OpenState.USED_UP if used_up else OpenState.CLOSED
    if decision.verdict is Verdict.SPEND:
        return OpenState.CHARGED
    return OpenState.FREE if decision.reason is Reason.ALLOWED else OpenState.OPEN


def _only(groups: Iterable[OpenGroup], *, sections: bool) -> Iterable[OpenGroup]:
    for each in groups:
        targets = tuple(t for t in each.targets if (t.section is not None) is sections)
        if targets:
            yield each._replace(targets=targets)


type _Answer = tuple[object, ...]


def _answer(group: OpenGroup) -> _Answer:
    """What two groups must have in common to stand in one row."""
    now = group.now
    later = [(each.at, state_of(each.decision)) for each in (group.next, group.after) if each]
    return (state_of(now), now.rule, now.allowance, now.message, now.would, *later)


def _merged(groups: Iterable[OpenGroup]) -> list[OpenGroup]:
    found: dict[_Answer, OpenGroup] = {}
    for each in groups:
        known = found.get(_answer(each))
        targets = each.targets if known is None else (*known.targets, *each.targets)
        found[_answer(each)] = each._replace(targets=targets)
    order = list(OpenState)
    return sorted(found.values(), key=lambda each: order.index(state_of(each.now)))


@dataclass(frozen=True, slots=True)
class Speaker:
    """Puts groups into words at an instant."""

    rules: RuleSet
    at: float

    def rows(self, groups: Iterable[OpenGroup]) -> list[OpenRow]:
        """A row for each."""
        return [
            OpenRow(
                state_of(each.now),
                spoken_rules.some([self.title(target) for target in each.targets], FEW),
                tuple(map(self._place, each.targets)),
                self.now(each.now),
                self.later(each),
                each.now.rule or "",
                each,
            )
            for each in groups
        ]

    def _place(self, target: Target) -> PlaceLink:
        href = "" if target.section else f"/why?platform={target.platform}"
        return PlaceLink(self.title(target), href)

    def title(self, target: Target) -> str:
        """ "LinkedIn", "LinkedIn Learning"."""
        return target_names.title(self.rules, target)

    def now(self, decision: Decision) -> str:
        """The answer now, as a sentence without its end."""
        match state_of(decision):
            case OpenState.USED_UP:
                text = _("Used up: %(allowance)s")
            case OpenState.CHARGED:
                text = _("Charged to %(allowance)s")
            case OpenState.FREE:
                text = _("Free")
            case OpenState.CLOSED:
                text = _("Closed")
            case OpenState.OPEN:
                text = _("Open, nothing is counted")
        name = decision.allowance
        allowance = "" if name is None else allowance_names.yours(self.rules, name)
        text = text % {"allowance": allowance}
        return _("%(answer)s (only tried out)") % {"answer": text} if decision.would else text

    def later(self, group: OpenGroup) -> str:
        """The next change; "" where nothing is known to change it."""
        change = group.next
        if change is None:
            return ""
        starts = words.moment(change.at, self.at, self.rules.zone)
        ends = "" if group.after is None else self.end(change.at, group.after.at)
        if (
            state_of(group.now) is OpenState.USED_UP
            and state_of(change.decision) is OpenState.CHARGED
        ):
            return _("time again %(start)s") % {"start": starts}
        return _change(change, bool(ends)) % {"start": starts, "end": ends}

    def end(self, start: float, end: float) -> str:
        """When something that begins at `start` ends: the time alone where it is the same day."""
        zone = self.rules.zone
        if end - start < 86_400 and words.day(start, zone) == words.day(end, zone):
            return words.time_of_day(end, zone)
        return words.moment(end, self.at, zone)


def _change(change: NextAnswer, has_end: bool) -> str:
    match state_of(change.decision), has_end:
        case OpenState.FREE, True:
            return _("free %(start)s, until %(end)s")
        case OpenState.FREE, False:
            return _("free %(start)s")
        case OpenState.CHARGED, True:
            return _("charged %(start)s, until %(end)s")
        case OpenState.CHARGED, False:
            return _("charged %(start)s")
        case OpenState.OPEN, True:
            return _("open %(start)s, until %(end)s")
        case OpenState.OPEN, False:
            return _("open %(start)s")
        case _, True:
            return _("closed %(start)s, until %(end)s")
    return _("closed %(start)s")


def titles(rules: RuleSet, targets: Sequence[Target], most: int = FEW) -> str:
    """The first few, and how many more."""
    return spoken_rules.some([target_names.title(rules, target) for target in targets], most)
