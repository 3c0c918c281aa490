"""All connections of one event loop on which our own pages are answered."""

from __future__ import annotations

from typing import Protocol

from proxy_addon.relay.heads import METHOD, ConnectHead, Unusual, read_head
from proxy_addon.relay.interface import PageServer, RelayCounts, RelayPolicy
from proxy_addon.relay.page_connection import Origin, PageConnection
from proxy_addon.relay.page_requests import read_page_request

LAST_SECONDS = 0.02  # what is being answered may still write for this long, when all is ended


class Returning(Origin, Protocol):
    """A connection that can be judged again."""

    def resume(self, data: bytes, *, answered: bytes, unread: bool) -> None:
        """Go on with it; see `PageOwner.given_back`."""


class PageConnections:
    """See above."""

    def __init__(self, policy: RelayPolicy, counts: RelayCounts) -> None:
        self._policy = policy
        self._counts = counts
        self._open: dict[PageConnection, Returning] = {}

    def __len__(self) -> int:
        return len(self._open)

    def takes(self, origin: Returning, data: bytes) -> bool | None:
        """Answer a connection that begins with `data`. False: it is not for our pages; None: it may
        be, when more of it has come."""
        pages = self._policy.pages
        if pages is None:
            return False
        try:
            if data.startswith(METHOD):
                return self._takes_tunnel(pages, origin, read_head(data), data)
            if read_page_request(data, pages.host) is None:
                return None
        except Unusual:
            return False
        self._begin(pages, origin).requests(data)
        return True

    def _takes_tunnel(
        self, pages: PageServer, origin: Returning, head: ConnectHead | None, data: bytes
    ) -> bool | None:
        if head is None:
            return None
        if head.host != pages.host:
            return False
        self._begin(pages, origin).tunnel(head, data)
        return True

    def _begin(self, pages: PageServer, origin: Returning) -> PageConnection:
        page = PageConnection(self, pages, origin)
        self._open[page] = origin
        return page

    # -- what connections report

    def given_back(
        self, page: PageConnection, data: bytes, *, answered: bytes = b"", unread: bool = False
    ) -> None:
        """See `PageOwner`."""
        origin = self._open.pop(page, None)
        if origin is not None and not origin.transport.is_closing():
            origin.resume(data, answered=answered, unread=unread)

    def closed(self, page: PageConnection) -> None:
        """See `PageOwner`."""
        if self._open.pop(page, None) is not None:
            self._counts.accepted()

    def failed(self) -> None:
        """See `PageOwner`."""
        self._policy.failed("pages")

    # -- from outside

    def follow_rules(self) -> None:
        """The rules have changed."""
        if self._policy.pages is not None:
            self._policy.pages.follow_rules()

    def close_idle(self, now: float, idle: float, unanswered: float) -> None:
        """While draining: end streams, and close what has been idle for so many seconds; see
        `PageConnection.close_idle`."""
        if self._policy.pages is not None:
            self._policy.pages.end_streams()
        for page in list(self._open):
            page.close_idle(now, idle, unanswered)

    def close_all(self) -> None:
        """End all of them; streams have a moment to come to their end."""
        if self._policy.pages is not None:
            self._policy.pages.end_streams()
        for page in list(self._open):
            page.close_soon(LAST_SECONDS)

    def close_overdue(self, now: float) -> None:
        """Close those that have waited for too long."""
        for page in list(self._open):
            page.close_overdue(now)
