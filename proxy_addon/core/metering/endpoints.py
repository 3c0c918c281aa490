"""Names of endpoints: the same for each request to one endpoint."""

from __future__ import annotations

from itertools import pairwise

MIXED = (
    0.4  # changes between small and capital letters, as a share of all: more than any camelCase has
)


def endpoint(host: str, path: str) -> str:
    """Host and path without identifiers, hashes and the query: the same for each request of a
    timer."""
    path = path.partition("?")[0]
    if len(path) <= 40 and path.islower() and not any(map(str.isdigit, path)):
        return host + path
    return host + "/".join(["*" if _changes(part) else part for part in path.split("/")])


def _changes(part: str) -> bool:
    size, digits = len(part), sum(map(str.isdigit, part))
    if size > 32 or digits >= 3 or digits == size > 0:
        return True
    return size >= 12 and (
        digits > 0 or sum(a.isupper() != b.isupper() for a, b in pairwise(part)) >= MIXED * size
    )
