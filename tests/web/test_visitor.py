"""`proxy_addon/web/visitor.py`: who is looking."""

from __future__ import annotations

import pytest
from fastapi import HTTPException, Request

from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.visitor import visitor


def asked(**extensions: object) -> Request:
    """A request with these extensions in its scope."""
    return Request({"type": "http", "headers": [], "extensions": extensions})


def test_who_came_through_the_proxy() -> None:
    """What the proxy put into the scope is who is looking."""
    entry = {"name": "dora", "identified": True, "address": "10.0.0.7"}
    assert visitor(asked(**{"allowance.person": entry})) == Visitor(
        "dora", identified=True, address="10.0.0.7"
    )
    newcomer = visitor(asked(**{"allowance.person": entry | {"newcomer": True, "direct": True}}))
    assert (newcomer.newcomer, newcomer.direct, newcomer.signed_in) == (True, True, False)


def test_who_did_not() -> None:
    """Nobody is shown a page without the word of the proxy."""
    with pytest.raises(HTTPException) as caught:
        visitor(asked())
    assert caught.value.status_code == 403
