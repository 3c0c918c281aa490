"""Names of endpoints: the same for each request to one endpoint."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final
from zlib import crc32

from proxy_addon.core.metering.activity import Exchange

MIXED = (
    0.4  # changes between small and capital letters, as a share of all: more than any camelCase has
)
LONGEST_NAME = 80  # letters; longer parts are tokens
LONGEST_WORD = 20  # letters in a row without a capital, of a part that is as long as a token
WITH_DIGITS = 32  # characters; a longer part with digits is an identifier

_OPERATION: Final = re.compile(r"[?&](?:queryId|operationName|doc_id|query_id)=([^&]{1,200})")
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[^A-Za-z]")


def series_name(x: Exchange) -> str:
    """The endpoint that `x` asks, and which of its operations where one path serves all of them.

    The operation is kept as a checksum: its name may be anything.
    """
    name = endpoint(x.host, x.path)
    operation = x.operation or _in_query(x.path)
    return name if operation is None else f"{name}#{crc32(operation.encode()):08x}"


def _in_query(path: str) -> str | None:
    if "?" not in path:
        return None
    found = _OPERATION.search(path)
    return found.group(1) if found is not None else None


def endpoint(host: str, path: str) -> str:
    """Host and path without identifiers, hashes and the query: the same for each request of a
    timer."""
    path = path.partition("?")[0]
    if len(path) <= 40 and path.islower() and not any(map(str.isdigit, path)):
        return host + path
    return host + "/".join(["*" if _changes(part) else part for part in path.split("/")])


def _changes(part: str) -> bool:
    size, digits = len(part), sum(map(str.isdigit, part))
    if digits >= 3 or digits == size > 0 or size > LONGEST_NAME:
        return True
    if size > WITH_DIGITS and (digits > 0 or not _is_of_words(part)):
        return True
    return size >= 12 and (
        digits > 0 or sum(a.isupper() != b.isupper() for a, b in pairwise(part)) >= MIXED * size
    )


def _is_of_words(part: str) -> bool:
    """Whether a long part is made of words, as names in programs are: not one run of letters."""
    words = _WORD.findall(part)
    letters = [word for word in words if word.isalpha()]
    return len(letters) >= 3 and max(map(len, letters)) <= LONGEST_WORD
