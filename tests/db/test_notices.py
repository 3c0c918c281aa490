"""Twin of db/notices.py: what the contract test cannot see from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from db import notices
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.identity.pseudonyms import Pseudonyms
from tests.db.engines import ENGINES, connected, new_url
from tests.ledger.test_notices_contract import START, confirmed, met

NAMES = Pseudonyms(b"k" * 32)


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger with nothing in it."""
    url = new_url(request.param, request, tmp_path)
    upgrade(url)
    return url


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    """The ledger in it."""
    ledger = SqlLedger(url, "a")
    yield ledger
    ledger.close()


def test_what_changes_nothing_is_not_written(url: str) -> None:
    """The answer says whether a row changed: a renewal and an earlier first meeting do, what is
    there already does not."""
    with connected(url) as connection:
        assert notices.acknowledge(connection, confirmed())
        assert not notices.acknowledge(connection, confirmed(START - 1))
        assert notices.acknowledge(connection, confirmed(START + 1))
        assert notices.meet(connection, met())
        assert not notices.meet(connection, met(START + 1))
        assert notices.meet(connection, met(START - 1))
        assert notices.meet(connection, met(START, START + 5))


def test_a_renewal_takes_all_fields(url: str, ledger: SqlLedger) -> None:
    """A text that is in force under another name or from another page: the row says what was
    confirmed last."""
    ledger.acknowledge(confirmed())
    renamed = confirmed(START + 1, notice="policy", version="4.2", page="policy")
    ledger.acknowledge(renamed)
    assert list(ledger.acknowledgements()) == [renamed]
    with connected(url) as connection:
        assert connection.execute(text("SELECT major FROM acknowledgements")).scalars().all() == [4]


def test_names_become_pseudonyms_that_are_there_already(ledger: SqlLedger) -> None:
    """Where somebody has confirmed by name and by pseudonym, the later one and the earliest meeting
    stay, and other proxies hear of them."""
    hidden = NAMES.of("ana")
    ledger.acknowledge(confirmed(START + 5))
    ledger.acknowledge(confirmed(START + 9, person=hidden))
    ledger.acknowledge(confirmed(START + 7, digest="d4", version="4"))
    ledger.meet(met(START, START + 3))
    ledger.meet(met(START + 1, START + 9, person=hidden))
    cursor = ledger.news(0.0).cursor
    assert ledger.mask_names(NAMES.of, NAMES.actor) > 0
    assert list(ledger.acknowledgements()) == [
        confirmed(START + 7, person=hidden, digest="d4", version="4"),
        confirmed(START + 9, person=hidden),
    ]
    assert list(ledger.meetings()) == [met(START, START + 9, person=hidden)]
    news = ledger.news(cursor)
    assert {each.person for each in (*news.acknowledgements, *news.meetings)} == {hidden}
    assert ledger.mask_names(NAMES.of, NAMES.actor) == 0


def test_no_news_reads_the_whole_table(url: str, ledger: SqlLedger) -> None:
    """What has changed since an instant is found by an index, on tables of some size."""
    with connected(url) as connection:
        for number in range(1000):
            notices.acknowledge(connection, confirmed(person=f"p{number}"))
            notices.meet(connection, met(person=f"p{number}"))
    with connected(url) as connection:
        connection.execute(text("ANALYZE"))
        explain = "EXPLAIN QUERY PLAN" if url.startswith("sqlite") else "EXPLAIN"
        late = "'2100-01-01 00:00:00.000000+00:00'"
        for table in ("acknowledgements", "notice_meetings"):
            query = f"{explain} SELECT * FROM {table} WHERE updated_at >= {late}"
            plan = "\n".join(str(row) for row in connection.execute(text(query)))
            assert f"ix_{table}_updated_at" in plan
