"""The head of a plain request for our own pages, `GET http://HOST/ HTTP/1.1`, read strictly.

Only its bounds are read here: who sends it, and what it is for, is told by the one reader that
answers it. What is not such a request beyond doubt raises `Unusual`: the engine reads it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from proxy_addon.relay.heads import Unusual, agrees, end_of_head, read_fields

MAX_BODY_BYTES = 65_536  # a longer form is the engine's to refuse
_METHOD = re.compile(rb"[A-Z]{1,7}")
_UNUSUAL = frozenset({b"transfer-encoding", b"upgrade", b"expect", b"trailer", b"te"})
_LENGTH = re.compile(rb"0|[1-9][0-9]{0,5}")


class PageRequest(NamedTuple):
    """The bounds of a request: how many bytes its head takes, and how many its body."""

    size: int
    body: int


def read_page_request(data: bytes, host: str) -> PageRequest | None:
    """The request for `host` (normalised) at the beginning of `data`; None while its head is
    incomplete. Raises Unusual."""
    prefix = b"http://" + host.encode("ascii")
    if not _may_begin(data, prefix):
        raise Unusual
    end = end_of_head(data)
    if end is None:
        return None
    first, _, rest = data[:end].partition(b"\r\n")
    if not re.fullmatch(
        rb"[A-Z]{3,7} " + re.escape(prefix) + rb"(:80)?(/[!-~]*)? HTTP/1\.1", first
    ):
        raise Unusual
    fields = read_fields(rest, _UNUSUAL)
    length = fields.get(b"content-length", b"0")
    named = fields.get(b"host")
    if named is None or not agrees(named, host) or not _LENGTH.fullmatch(length):
        raise Unusual
    if int(length) > MAX_BODY_BYTES:
        raise Unusual
    return PageRequest(end + 4, int(length))


def _may_begin(data: bytes, prefix: bytes) -> bool:
    """Whether more bytes can make this a request for our pages, or it is one."""
    method, blank, target = data[: len(prefix) + 16].partition(b" ")
    if not _METHOD.fullmatch(method):
        return False
    if not blank:
        return True
    if len(target) <= len(prefix):
        return prefix.startswith(target)
    return target.startswith(prefix) and target[len(prefix) : len(prefix) + 1] in (b"/", b":", b" ")
