"""The page behind a request, from its Referer or Origin."""

from __future__ import annotations

from functools import lru_cache

from proxy_addon.core.hosts import normalise


@lru_cache(maxsize=8192)
def page_of(referer: str | None) -> tuple[str | None, str | None]:
    """Host (normalised) and path of a Referer or Origin; (None, None) for what is not a URL."""
    if not referer:
        return None, None
    _, colon, rest = referer.partition("://")
    if not colon:
        return None, None
    authority, slash, path = rest.partition("/")
    return normalise(authority) or None, slash + path or "/"
