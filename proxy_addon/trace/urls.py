"""URLs cut by hand: the standard splitter would cost more than all the rest of reading a line."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from proxy_addon.trace.event import BadRecordError, TraceFault

_LONGEST = 65_536


class Url(NamedTuple):
    """Scheme, host (lower case, no userinfo, no port), path (at least "/"), query without question
    mark."""

    scheme: str
    host: str
    path: str
    query: str


def split_url(url: object) -> Url:
    """Cut an absolute URL; raises BadRecordError for anything else."""
    if url.__class__ is not str:
        raise BadRecordError(TraceFault.MISSING if url is None else TraceFault.TYPE, "url")
    assert isinstance(url, str)
    if len(url) > _LONGEST:
        raise BadRecordError(TraceFault.URL, "url is longer than 65,536 characters")
    scheme, found, rest = url.partition("://")
    if not found or not scheme:
        raise BadRecordError(TraceFault.URL, "url has no scheme")
    if "#" in rest:
        rest = rest[: rest.index("#")]
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    return Url(scheme.lower(), host_of(authority), slash + path if slash else "/", query)


@lru_cache(maxsize=8192)
def host_of(authority: str) -> str:
    """The host of `user:password@host:port`, lower case; raises BadRecordError when there is
    none."""
    host = authority.rpartition("@")[2].strip().lower()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    host = host.rstrip(".")
    if not host or len(host) > 253 or not host.isprintable() or " " in host:
        raise BadRecordError(TraceFault.URL, "url has no host")
    return host
