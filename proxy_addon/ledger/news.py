"""Reads what other proxies wrote, and passes on each row once.

A ledger may return rows again, because clocks differ and transactions end out of order. The rows of
the last answer are remembered here, and left out of the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy_addon.ledger.interface import Acknowledgement, Ledger, News, NoticeMeeting

LOOK_BACK: Final = (
    120.0  # seconds; the first news overlap what was loaded at start, even with clocks apart
)

type OnNews = Callable[[News], None]


def news_cursor(now: float, cursor: float | None) -> float:
    """Where news begin: at `cursor` (`News.cursor`), without one `LOOK_BACK` seconds before
    `now`."""
    return max(0.0, now - LOOK_BACK) if cursor is None else cursor


class NewsReader:
    """Keeps the cursor up to which one proxy has read. `node` is its name in visits: its own rows
    are not news.

    Not thread-safe.
    """

    def __init__(self, ledger: Ledger, node: str, on_news: OnNews, cursor: float) -> None:
        self._ledger = ledger
        self._node = node
        self._on_news = on_news
        self._cursor = cursor
        self._revs: dict[str, int] = {}  # of the last answer: visits with their revs,
        self._seen_ids: set[str] = set()  # grants and erasures,
        self._seen: set[Acknowledgement | NoticeMeeting] = set()  # which change: whole rows

    def begin(self, cursor: float) -> None:
        """Begin at another cursor."""
        self._cursor = cursor

    def read(self) -> None:
        """Ask once, and pass on what is new. Raises what the ledger and `on_news` raise; then all
        of it comes again."""
        news = self._ledger.news(self._cursor, not_from=self._node)
        fresh = News(
            tuple(visit for visit in news.visits if self._revs.get(visit.id) != visit.rev),
            tuple(grant for grant in news.grants if grant.id not in self._seen_ids),
            news.cursor,
            tuple(erasure for erasure in news.erasures if erasure.id not in self._seen_ids),
            tuple(done for done in news.acknowledgements if done not in self._seen),
            tuple(meeting for meeting in news.meetings if meeting not in self._seen),
        )
        if fresh != News((), (), news.cursor):
            self._on_news(fresh)
        # Only now: had the news not been taken, they would have to come again.
        self._revs = {visit.id: visit.rev for visit in news.visits}
        self._seen_ids = {grant.id for grant in news.grants} | {e.id for e in news.erasures}
        self._seen = {*news.acknowledgements, *news.meetings}
        self._cursor = news.cursor
