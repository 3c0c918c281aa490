"""What an allowance is called on a page: by the title that the rules give it, else by what it
counts for ("Social and video time"). Never by its key, where the rules still know it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proxy_addon.core.ruleset import Rule, RuleSet
from proxy_addon.core.types import Target
from proxy_addon.presentation import durations, spoken_rules
from proxy_addon.presentation.languages import gettext as _

_FEW: Final = 3  # platforms that a name may list


def title(rules: RuleSet, name: str) -> str:
    """As a heading: "Social and video time". One that the rules no longer have is called by its
    key."""
    words = _title(rules, name)
    alike = [other for other in rules.allowances if _title(rules, other) == words]
    if len(alike) < 2 or name not in alike:
        return words
    limits = spoken_rules.limits(rules.allowances[name].limits)
    return _("%(title)s, %(limits)s") % {"title": words, "limits": limits}


def yours(rules: RuleSet, name: str) -> str:
    """In a sentence to its reader: "your social and video time"."""
    known = rules.allowances.get(name)
    if known is None or known.title:
        return _("your allowance “%(title)s”") % {"title": title(rules, name)}
    targets = _targets(rules, name)
    if targets is None:
        return _("your time on limited platforms")
    if not (kinds := _kinds(rules, targets)):
        return _("your allowance “%(title)s”") % {"title": title(rules, name)}
    return _("your %(kinds)s time") % {"kinds": spoken_rules.listed(kinds)}


def sentence(text: str) -> str:
    """The same at the beginning of a sentence: "Your social and video time"."""
    return text[:1].upper() + text[1:]


def counts_for(rules: RuleSet, name: str) -> tuple[str, ...]:
    """The titles of the platforms that an allowance counts for, in the order of the groups."""
    targets = _targets(rules, name)
    meant = rules.platforms if targets is None else {target.platform for target in targets}
    known = dict.fromkeys(member for group in rules.groups.values() for member in group)
    ordered = [each for each in (known | dict.fromkeys(rules.platforms)) if each in meant]
    return tuple(rules.platforms[each].title for each in ordered if each in rules.platforms)


def group_name(name: str) -> str:
    """A group of platforms in a sentence: "social". Ours are translated, an office's own are as it
    wrote them."""
    ours = {
        "social": _("social"),
        "video": _("video"),
        "chat": _("chat"),
        "reading": _("reading"),
        "news": _("news"),
    }
    return ours.get(name) or " ".join(name.replace("-", " ").replace("_", " ").split())


def _title(rules: RuleSet, name: str) -> str:
    known = rules.allowances.get(name)
    if known is not None and known.title:
        return known.title
    if known is None or not _rules(rules, name):
        return durations.label(name)
    targets = _targets(rules, name)
    if targets is None:
        return _("Time on limited platforms")
    if not (kinds := _kinds(rules, targets)):
        return durations.label(name)
    return sentence(_("%(kinds)s time") % {"kinds": spoken_rules.listed(kinds)})


def _kinds(rules: RuleSet, targets: frozenset[Target]) -> list[str]:
    """The groups that are meant whole, else the platforms where they are few, else the groups that
    are meant in part."""
    platforms = {target.platform for target in targets}
    groups = {name: {*members} for name, members in rules.groups.items()}
    whole = {name: members for name, members in groups.items() if members <= platforms}
    inner = [name for name, members in whole.items() if not _holds_another(members, whole)]
    outer = [name for name, members in whole.items() if not _is_held(members, whole)]
    for names in (inner, outer):  # "social and video" says more than a group of both
        if names and platforms == {each for name in names for each in groups[name]}:
            return [group_name(name) for name in names]
    if 0 < len(platforms) <= _FEW:
        return [each.title for name, each in rules.platforms.items() if name in platforms]
    partly = [name for name, members in groups.items() if platforms & members]
    return [group_name(name) for name in inner or partly]


def _holds_another(members: set[str], whole: Mapping[str, set[str]]) -> bool:
    return any(other < members for other in whole.values())


def _is_held(members: set[str], whole: Mapping[str, set[str]]) -> bool:
    return any(members < other for other in whole.values())


def _rules(rules: RuleSet, name: str) -> list[Rule]:
    return [rule for rule in rules.rules if rule.allowance == name]


def _targets(rules: RuleSet, name: str) -> frozenset[Target] | None:
    """What the rules charge to an allowance; None: everything that is known."""
    found: set[Target] = set()
    for rule in _rules(rules, name):
        if rule.targets is None:
            return None
        found |= rule.targets
    return frozenset(found)
