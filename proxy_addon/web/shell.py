"""What stands around our own pages: the office, who is reading, the other pages and languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.presentation import languages
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.theme import Language, Page, Shell
from proxy_addon.web.admin_service import ADMIN
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.language import PARAMETER

HOME: Final = "/"
POLICY: Final = "/policy"
OPENS: Final = "/opens"
DEVICE: Final = "/device"


def shell(
    rules: RuleSet,
    who: Visitor,
    roles: Sequence[str],
    current: str,
    *,
    query: Mapping[str, str] | None = None,
    path: str = "",
) -> Shell:
    """For the page at the path `current`, in the language that is spoken. `query`: what a link to
    the same page in another language keeps of its query; `path`: where that page is, if `current`
    is the page that it belongs to."""
    found = [(HOME, _("My time"))]
    if rules.notices:
        found.append((POLICY, _("The policy")))
    found.append((OPENS, _("What opens for me")))
    found.append((DEVICE, _("Set up a device")))
    name = who.name if who.identified else _("this device")
    return Shell(
        rules.office.name,
        " · ".join((name, *roles)),
        tuple(Page(href, title, href == current) for href, title in found),
        other_languages(rules, path or current, query or {}),
        rules.office.contact,
        who.signed_in and ADMIN in roles,
    )


def open_shell(rules: RuleSet, current: str, *, query: Mapping[str, str] | None = None) -> Shell:
    """The same for somebody without a name, to whom the other pages are not open."""
    return Shell(
        rules.office.name,
        languages=other_languages(rules, current, query or {}),
        contact=rules.office.contact,
    )


def other_languages(rules: RuleSet, path: str, query: Mapping[str, str]) -> tuple[Language, ...]:
    """Links to the page at `path` in the other languages that the office offers."""
    return tuple(
        Language(f"{path}?{urlencode({**query, PARAMETER: each})}", each, languages.name_of(each))
        for each in rules.office.languages
        if each in languages.LANGUAGES and each != languages.spoken()
    )
