"""What stands around our own pages: the office, who is reading, and the other pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.theme import Page, Shell
from proxy_addon.web.employee_view import Visitor

HOME: Final = "/"
POLICY: Final = "/policy"
OPENS: Final = "/opens"
DEVICE: Final = "/device"


def shell(rules: RuleSet, who: Visitor, roles: Sequence[str], current: str) -> Shell:
    """For the page at the path `current`, in the language that is spoken."""
    found = [(HOME, _("My time"))]
    if rules.notices:
        found.append((POLICY, _("The policy")))
    name = who.name if who.identified else _("this device")
    return Shell(
        rules.office.name,
        " · ".join((name, *roles)),
        tuple(Page(href, title, href == current) for href, title in found),
    )
