"""A real proxy whose Postgres hangs, or is slow: how long anybody waits for it, and who is asked to
read the written policy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.policy_readers import FACEBOOK, PAGE, Reader, fields, notice, write
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until
from tests.postgres import PostgresServer

pytestmark = pytest.mark.postgres

PROMISED = 3.0  # seconds for a page that asks the ledger
SLOWER = 3.0  # times: what a busy machine may need of everything else
# Every commit of visits or confirmations takes 1.5 s, however many there are.
SLOW = """
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF coalesce(current_setting('slow.waited', true), '') = '' THEN
    PERFORM set_config('slow.waited', 'yes', true), pg_sleep(1.5);
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER slow_visits AFTER INSERT OR UPDATE ON visits
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait();
CREATE CONSTRAINT TRIGGER slow_confirmations AFTER INSERT ON acknowledgements
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait();
"""


@pytest.fixture
def proxy(origins: Origins, tmp_path: Path, own_postgres: PostgresServer) -> Iterator[OfficeProxy]:
    """An office with a written policy, on a server of its own."""
    own_postgres.start()
    made = office(tmp_path, origins, policy("10m") + notice(), settings={"flush": "1s"})
    made.database = own_postgres.url(own_postgres.new_database())
    write(made, "1")
    with made:
        yield made


def timed(reader: Reader, url: str, **form: str) -> tuple[int, float]:
    """The status of a page, or of a form that is sent there, and how many seconds it took."""
    began = time.monotonic()
    answer = reader.send(url, **form) if form else reader.open(url)
    return answer.status, time.monotonic() - began


def test_a_database_that_hangs(proxy: OfficeProxy, own_postgres: PostgresServer) -> None:
    """The first page gives up within three seconds, the next does not wait, and after four nobody
    is asked to confirm what cannot be stored; everybody is, once the database goes on."""
    ann, bob, cleo = (Reader(proxy.client, name) for name in ("ann", "bob", "cleo"))
    assert ann.open(FACEBOOK).reason == "acknowledge"
    form = fields(ann.open(f"{PAGE}/policy"))
    usual = timed(bob, f"{PAGE}/ask")[1]
    own_postgres.pause()
    began = time.monotonic()
    status, first = timed(ann, f"{PAGE}/policy", **form, action="confirm", read="yes")
    assert status == 503 and first < PROMISED + SLOWER * usual + 1.0
    # Known by now, from that page or from the writer: for all pages, and for the gate.
    status, second = timed(bob, f"{PAGE}/policy", **form, action="confirm", read="yes")
    assert second < 1.0 + SLOWER * usual
    until(lambda: cleo.open(FACEBOOK).status == 200, "the gate to be open", 4.0 * SLOWER, every=0.1)
    opened = time.monotonic() - began
    waits = [timed(each, f"{PAGE}/ask")[1] for each in (ann, bob, cleo) * 3]
    assert max(waits) < 1.0 + SLOWER * usual
    print(
        f"first page {first:.2f} s, second {second:.2f} s, gate open after {opened:.2f} s,"
        f" others at most {max(waits):.2f} s, usual {usual:.2f} s"
    )
    assert cleo.open(FACEBOOK).status == 200
    own_postgres.resume()
    until(lambda: cleo.open(FACEBOOK).reason == "acknowledge", "the gate to ask again", 30)
    bob.confirm()
    assert bob.open(FACEBOOK).status == 200


@pytest.mark.long
def test_a_database_that_is_slow(proxy: OfficeProxy) -> None:
    """With commits that take a second and a half the ledger is not away: confirming works, the
    gate asks, and nothing is reported."""
    ann, bob = Reader(proxy.client, "ann"), Reader(proxy.client, "bob")
    with psycopg.connect(proxy.database, autocommit=True) as connection:
        connection.execute(SLOW)
    ann.confirm()
    ends = time.monotonic() + 8.0
    while time.monotonic() < ends:
        assert ann.open(FACEBOOK).status == 200
        assert bob.open(FACEBOOK).reason == "acknowledge"
        assert '"ledger":"ok"' in proxy.web("/readyz")[1]
        time.sleep(0.2)
    assert not proxy.events("the ledger is away")
