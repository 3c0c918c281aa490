"""Who is viewing a page."""

from __future__ import annotations

from fastapi import HTTPException, Request

from proxy_addon.presentation.languages import gettext as _
from proxy_addon.web.employee_view import Visitor


def visitor(request: Request) -> Visitor:
    """Who is viewing the page. Raises HTTPException for a request that did not come through the
    proxy."""
    found = Visitor.of(request.scope)
    if found is None:
        raise HTTPException(
            403, _("Please open this page through the proxy, which knows who you are.")
        )
    return found
