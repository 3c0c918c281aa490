"""The values of the rules in a written policy, for one reader: what `{{ allowance }}` and the
others stand for.

A value that says nothing for this reader is "" (nobody is free at lunch); the page leaves out the
line that holds only such values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from babel.dates import format_date

from proxy_addon.core.audience import AudienceIndex
from proxy_addon.core.notices.notice import Notice
from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Rule, RuleSet, Then
from proxy_addon.core.types import Person, Target
from proxy_addon.presentation import allowance_names, durations, spoken_rules, target_names
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import locale, ngettext, spoken
from proxy_addon.presentation.spoken_rules import listed, some

_NOTHING = StaticUsage({})


class NoticeValues:
    """The values for a person at an instant. `page` is the address of our own pages."""

    def __init__(
        self, engine: Engine, person: Person, notice: Notice, now: float, page: str
    ) -> None:
        self._engine, self._person, self._notice, self._now = engine, person, notice, now
        self._page = page

    def __call__(self, name: str, detail: str) -> str:
        """The value of a placeholder; unknown ones cannot be in force."""
        rules = self._rules
        match name:
            case "allowance":
                return self._allowance(detail)
            case "platforms":
                return self._platforms(detail)
            case "free":
                return self._free()
            case "never_counted":
                return self._never_counted()
            case "warning":
                return self._warning()
            case "urgent":
                return self._urgent()
            case "retention":
                return spoken_rules.length(rules.retention)
            case "office":
                return rules.office.name or _("the company")
            case "contact":
                return (
                    self._notice.contact_in(spoken()) or rules.office.contact or _("your team lead")
                )
            case "owner":
                return self._notice.owner_in(spoken()) or _("the office")
            case "version":
                return str(self._notice.version)
            case "effective":
                day = self._notice.effective
                return "" if day is None else str(format_date(day, "long", locale()))
            case "roles":
                return listed(self._person.roles)
            case "my_time":
                return self._page
        return ""

    @property
    def _rules(self) -> RuleSet:
        return self._engine.rule_set

    def _names(self, detail: str) -> list[str]:
        """The allowances meant: the one that is named, else all that the reader may spend."""
        if detail:
            return [detail]
        balances = self._engine.balances(self._person, _NOTHING, self._now)
        return [each.allowance for each in balances]

    def _allowance(self, detail: str) -> str:
        limits = {
            name: spoken_rules.limits(self._engine.limits(self._person, name, self._now))
            for name in self._names(detail)
        }
        if len(limits) > 1:
            return listed(
                [
                    f"{text} ({allowance_names.title(self._rules, name)})"
                    for name, text in limits.items()
                ]
            )
        return listed(list(limits.values())) or _("no limit")

    def _platforms(self, detail: str) -> str:
        names = self._names(detail)
        found = [
            target
            for rule in self._rules.rules
            if rule.allowance in names and self._is_for_reader(rule)
            for target in self._targets(rule)
        ]
        return self._places(found)

    def _places(self, targets: Iterable[Target]) -> str:
        """Platforms and sections: by the names of groups where whole groups are meant."""
        left = list(dict.fromkeys(targets))
        texts = []
        for name, members in self._rules.groups.items():
            group = [Target(member) for member in members]
            if len(group) > 2 and all(target in left for target in group):
                left = [target for target in left if target not in group]
                count = ngettext("%(n)d platform", "%(n)d platforms", len(group))
                texts.append(f"{allowance_names.group_name(name)} ({count % {'n': len(group)}})")
        return some([*texts, *map(self._title, left)])

    def _targets(self, rule: Rule) -> Iterator[Target]:
        """The targets of a rule, in the order in which the policy groups them."""
        if rule.targets is None:
            yield from (Target(name) for name in self._rules.platforms)
            return
        known = [name for group in self._rules.groups.values() for name in group]
        names = dict.fromkeys((*known, *self._rules.platforms))
        order = {name: number for number, name in enumerate(names)}
        yield from sorted(
            rule.targets, key=lambda target: (order[target.platform], target.section or "")
        )

    def _title(self, target: Target) -> str:
        return target_names.title(self._rules, target)

    def _is_for_reader(self, rule: Rule) -> bool:
        index = AudienceIndex([(rule.users, rule.roles)])
        return bool(index.bits(self._person) & index.bit(rule.users, rule.roles))

    def _free(self) -> str:
        """A sentence for each rule that opens whole platforms to the reader."""
        sentences = []
        for rule in self._rules.rules:
            if rule.then is not Then.ALLOW or rule.observes or not self._is_for_reader(rule):
                continue
            whole = [target for target in self._targets(rule) if target.section is None]
            if whole:
                sentences.append(self._free_by(rule, whole))
        return " ".join(sentences)

    def _free_by(self, rule: Rule, whole: list[Target]) -> str:
        times = "" if rule.when is None else spoken_rules.when(rule.when)
        if times and self._limited <= {target.platform for target in whole}:
            sentence = _("Free: %(times)s (“%(rule)s”).")
        elif times:
            sentence = _("Free: %(platforms)s, %(times)s (“%(rule)s”).")
        else:
            sentence = _("Always free: %(platforms)s (“%(rule)s”).")
        return sentence % {"times": times, "platforms": self._places(whole), "rule": rule.name}

    @property
    def _limited(self) -> set[str]:
        """The platforms that something limits for the reader."""
        return {
            target.platform
            for rule in self._rules.rules
            if rule.then is not Then.ALLOW and self._is_for_reader(rule)
            for target in self._targets(rule)
        }

    def _never_counted(self) -> str:
        """A sentence about sections that are always free."""
        found = [
            self._title(target)
            for rule in self._rules.rules
            if rule.then is Then.ALLOW
            and rule.when is None
            and not rule.observes
            and self._is_for_reader(rule)
            for target in self._targets(rule)
            if target.section is not None and target.section not in ("sign-in", "links")
        ]
        if not found:
            return ""
        return _("Never counted: %(sections)s.") % {"sections": some(list(dict.fromkeys(found)))}

    def _warning(self) -> str:
        """A sentence about the warning before the end."""
        lengths = [
            self._rules.allowances[name].warn_at
            for name in self._names("")
            if self._rules.allowances[name].warn_at > 0
        ]
        if not lengths:
            return ""
        length = durations.duration(min(lengths))
        return _("You are warned %(length)s before the end.") % {"length": length}

    def _urgent(self) -> str:
        """A sentence about minutes that need nobody's answer."""
        urgent = self._rules.urgent
        if urgent is None or not urgent.is_for(self._person.roles):
            return ""
        length = durations.duration(urgent.seconds)
        return _("If a customer is waiting, you can take %(length)s at once: %(often)s.") % {
            "length": length,
            "often": spoken_rules.times(urgent.times, urgent.period),
        }
