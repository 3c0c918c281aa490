"""Who is looking at a page."""

from __future__ import annotations

from fastapi import HTTPException, Request

from proxy_addon.web.employee_view import Visitor


def visitor(request: Request) -> Visitor:
    """Who is looking. Raises HTTPException for a request that did not come through the proxy."""
    found = Visitor.of(request.scope)
    if found is None:
        raise HTTPException(403, "This page is reached through the proxy, which knows who you are.")
    return found
