"""Twin of proxy_addon/ledger/news.py: what others wrote is passed on, once."""

from __future__ import annotations

import pytest

from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import News
from proxy_addon.ledger.news import LOOK_BACK, NewsReader, news_cursor
from tests.ledger.test_notices_contract import confirmed, met
from tests.ledger.writers import START, NewsCollector, visit

GRANT = Grant("g", "ana", "daily", 60.0, "why", "ada", START, START + 60.0)
ERASED = Erasure.of("bob", START)


class RepeatingLedger:
    """A ledger that tells the same again with each answer; of it `news` alone is asked."""

    def __init__(self, *visits: Visit) -> None:
        self.visits = visits
        self.confirmed, self.met = confirmed(), met()
        self.asked: list[tuple[float, str | None]] = []

    def news(self, cursor: float, *, not_from: str | None = None) -> News:
        """See Ledger."""
        self.asked.append((cursor, not_from))
        return News(self.visits, (GRANT,), cursor + 1.0, (ERASED,), (self.confirmed,), (self.met,))


def reader(ledger: object, heard: object) -> NewsReader:
    """A reader of node a that begins at ten."""
    return NewsReader(ledger, "a", heard, 10.0)  # type: ignore[arg-type]


def test_known_news_is_left_out() -> None:
    """An answer that repeats itself is passed on once; a newer revision of a visit is new."""
    ledger, told = RepeatingLedger(visit(1, node="b")), list[News]()
    news = reader(ledger, told.append)
    news.read()
    news.read()
    assert [(len(one.visits), len(one.grants), len(one.erasures)) for one in told] == [(1, 1, 1)]
    ledger.visits = (visit(1, 2, node="b"),)
    news.read()
    assert [(one.visits[0].rev, one.grants, one.erasures) for one in told[1:]] == [(2, (), ())]
    assert ledger.asked == [(10.0, "a"), (11.0, "a"), (12.0, "a")]


def test_confirmations_are_told_once() -> None:
    """Confirmations and meetings that come again are left out; a renewed or merged one is new, also
    where nothing else is."""
    ledger, told = RepeatingLedger(), list[News]()
    news = reader(ledger, told.append)
    news.read()
    news.read()
    assert [(one.acknowledgements, one.meetings) for one in told] == [((confirmed(),), (met(),))]
    ledger.confirmed = confirmed(START + 1)
    news.read()
    ledger.met = met(START, START + 9)
    news.read()
    news.read()
    assert [(one.acknowledgements, one.meetings) for one in told[1:]] == [
        ((confirmed(START + 1),), ()),
        ((), (met(START, START + 9),)),
    ]


def test_what_was_not_taken_comes_again() -> None:
    """A receiver that fails has heard nothing: the same is asked for, and passed on, again."""
    ledger, heard, fails = RepeatingLedger(visit(1, node="b")), NewsCollector(), [True]

    def sometimes(news: News) -> None:
        if fails.pop():
            raise RuntimeError("not now")
        heard(news)

    news = reader(ledger, sometimes)
    with pytest.raises(RuntimeError):
        news.read()
    fails.append(False)
    news.read()
    assert [cursor for cursor, _ in ledger.asked] == [10.0, 10.0]
    assert (len(heard.visits), heard.grants) == (1, [GRANT])


def test_where_news_begin() -> None:
    """Where reading at the start ended; else a little before now, and never before the
    beginning."""
    assert news_cursor(1000.0, 7.0) == 7.0
    assert news_cursor(1000.0, None) == 1000.0 - LOOK_BACK
    assert news_cursor(1.0, None) == 0.0
