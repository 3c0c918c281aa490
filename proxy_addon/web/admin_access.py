"""Who may see the administrators' pages, and what stands around those pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request

from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.theme import Page, Shell
from proxy_addon.web import forms
from proxy_addon.web.admin_service import ADMIN, AdminService
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.shell import HOME, other_languages
from proxy_addon.web.visitor import visitor

START: Final = "/admin"
POLICY: Final = "/admin/policy"


def administrator(request: Request, service: AdminService) -> Visitor:
    """The administrator who asks. Raises Refusal for anybody else: for somebody without the role,
    and for somebody known by an address alone, since another person may use that device."""
    who = visitor(request)
    title = _("For administrators only")
    if not who.signed_in:
        raise forms.Refusal(
            403,
            title,
            _(
                "This page needs the role %(role)s, and that you sign in to the proxy with your own name and "
                "password. You are only known by the address of your device."
            )
            % {"role": ADMIN},
        )
    if not service.is_admin(who.name):
        raise forms.Refusal(
            403,
            title,
            _("This page needs the role %(role)s, which the people file gives.") % {"role": ADMIN},
        )
    return who


def admin_shell(
    service: AdminService,
    who: Visitor,
    current: str,
    *,
    waiting: int | None = None,
    path: str | None = None,
    query: Mapping[str, str] | None = None,
) -> Shell:
    """For an administrators' page below `current`, which the navigation names. `waiting`: how many
    requests wait for an answer, None where that is not known. Links to other languages lead to
    `path`, and keep the `query`."""
    rules = service.engine().rule_set
    requests = _("Requests (%(n)d)") % {"n": waiting} if waiting else _("Requests")
    found = ((START, requests), (POLICY, _("Policy")), (HOME, _("My own time")))
    return Shell(
        rules.office.name,
        " · ".join((who.name, *service.roles(who.name))),
        tuple(Page(href, title, current == href) for href, title in found),
        other_languages(rules, path or current, query or {}),
    )
