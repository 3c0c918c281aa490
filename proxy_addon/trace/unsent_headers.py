"""What a record without request headers says in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proxy_addon.trace.event import NO_HEADERS

_PAGE: Final[Mapping[str, str]] = {"accept": "text/html"}
_REVALIDATED = 304


def page_headers(
    method: str, status: int, content_type: str, known: Mapping[str, str] = NO_HEADERS
) -> Mapping[str, str]:
    """The headers of a request of which only `known` ones are recorded.

    An answer of `text/html` to a GET is a document that a browser asked for as such, be it from the
    site or confirmed as unchanged; an app's own agent asks for none.
    """
    shown = method == "GET" and (200 <= status < 300 or status == _REVALIDATED)
    if not shown or not content_type.startswith(("text/html", "application/xhtml")):
        return known or NO_HEADERS
    agent = known.get("user-agent")
    if agent is not None and not agent.startswith("Mozilla/"):
        return known
    return {**known, **_PAGE} if known else _PAGE
