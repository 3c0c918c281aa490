"""Why a connection to a site could not be opened, as the metrics call it."""

from __future__ import annotations

import re

from proxy_addon.network.guards import refusal

_KINDS = (
    ("dns", r"getaddrinfo|name resolution|not known|no address|nodename|Errno -[2-5]\b"),
    ("timeout", r"timed? ?out|Errno 110\b"),
    ("unreachable", r"unreachable|no route|Errno 1(?:01|13)\b"),
    ("refused", r"refused|Connect call failed|Errno 111\b"),
    ("cancelled", r"cancelled|client disconnected"),
)


def kind_of(message: str) -> str:
    """The kind of a failure to connect, from the message of mitmproxy or the system."""
    if refusal(message) is not None:
        return "not_allowed"
    return next(
        (kind for kind, words in _KINDS if re.search(words, message, re.IGNORECASE)), "other"
    )
