"""The minutes are gone: the page names the next opening, and a customer is waiting. Through real
proxies, on both databases."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.client import FETCH, IMAGE, Client, Reply
from tests.e2e.nodes import Nodes, nodes
from tests.e2e.office import noon_zone, office, policy, spend_all
from tests.e2e.origins import Origins
from tests.e2e.policy_readers import FACEBOOK, PAGE, Reader, fields
from tests.e2e.process import OfficeProxy
from tests.postgres import PostgresServer

PEOPLE = "default_role: staff\nroles: {staff: {}}\n"
URGENT = "urgent: {minutes: 10, times: 2, per: day}\noffice: {languages: [en, de]}\n"
LUNCH = '  - {name: Lunch is yours, platforms: [facebook], when: {between: "%s-%s"}, then: allow}\n'


def clock(minutes: int) -> str:
    """The time that the office's clock shows so many minutes from now."""
    now = datetime.now(ZoneInfo(noon_zone()))  # noqa: TID251 - the real clock of the real proxy
    at = now + timedelta(minutes=minutes)
    return f"{at:%H:%M}"


def link(page: Reply, form: str) -> str:
    """The address of one of our forms, as the page has it."""
    found = re.search(rf'href="({PAGE}/{form}\?[^"]+)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


@pytest.fixture(scope="module")
def lunch(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """An office in which lunch begins in an hour."""
    rules = policy("2s").replace("rules:\n", "rules:\n" + LUNCH % (clock(60), clock(90)), 1)
    folder = tmp_path_factory.mktemp("urgent-lunch")
    with office(folder, origins, rules + URGENT, PEOPLE) as proxy:
        yield proxy


def used_up(reader: Reader) -> Reply:
    """The page that somebody gets who has used up what they had."""
    spend_all(reader.client, FACEBOOK, source=reader.source, user=reader.name)
    return reader.open(FACEBOOK)


def test_the_next_opening_comes_first(lunch: OfficeProxy) -> None:
    """The page names lunch and then midnight; `Retry-After` and the problem document go by lunch,
    also where nobody sees a page."""
    dora = Reader(lunch.client, "dora")
    page = used_up(dora)
    assert (page.status, page.reason) == (403, "exhausted")
    text = re.sub(r"<[^>]+>", "", page.text)
    assert re.search(r"Facebook opens today at \d\d:\d\d: Lunch is yours\.", text), text
    assert text.index("Lunch is yours") < text.index("You have time again")
    assert "short" not in text.partition("Why, and for IT")[0]
    call, picture = dora.get(FACEBOOK, FETCH), dora.get(FACEBOOK, IMAGE)
    for each in (page, call, picture):
        assert 3400 < int(each.headers["retry-after"]) <= 3600
    until = datetime.fromisoformat(call.json()["until"])
    now = datetime.now(until.tzinfo)  # noqa: TID251 - as above
    assert 3400 < (until - now).total_seconds() <= 3600
    german = dora.get(FACEBOOK, {"Accept": "text/html", "Accept-Language": "de"})
    assert '<html lang="de">' in german.text


def test_taking_urgent_minutes_leads_back(lunch: OfficeProxy) -> None:
    """The page holds a link and no form; after the form, it opens, and the last page leads back.
    After two times it says so."""
    emil = Reader(lunch.client, "emil")
    page = used_up(emil)
    assert "<form" not in page.text
    where = link(page, "urgent")
    sent = fields(emil.open(where))
    done = emil.send(f"{PAGE}/urgent", **sent, reason="crisis")
    assert done.status == 303
    last = emil.open(PAGE + done.headers["location"])
    assert f'content="0; url={html.escape(FACEBOOK)}"' in last.text
    assert emil.open(FACEBOOK).status == 200
    again = emil.send(f"{PAGE}/urgent", **sent)
    assert again.status == 400 and "You still have time" in again.text


def test_somebody_else_and_another_site(lunch: OfficeProxy) -> None:
    """The way back and the form are one person's."""
    finn, gina = Reader(lunch.client, "finn"), Reader(lunch.client, "gina")
    where = link(used_up(finn), "urgent")
    used_up(gina)
    assert "Facebook" not in gina.open(where).text
    sent = fields(finn.open(where))
    assert gina.send(f"{PAGE}/urgent", **sent).status == 403


@pytest.fixture(scope="module")
def two(
    origins: Origins, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nodes]:
    """Two proxies that share a Postgres."""

    def given(node: OfficeProxy) -> None:
        file = node.rules / "policy.yaml"
        file.write_text(file.read_text() + URGENT.replace("times: 2", "times: 1"))

    url = postgres_server.url(postgres_server.new_database())
    folder = tmp_path_factory.mktemp("urgent-nodes")
    with nodes(Nodes, folder, origins, url, 2.0, PEOPLE, {}, policies=given) as made:
        yield made


@pytest.mark.postgres
def test_two_proxies_at_once(two: Nodes) -> None:
    """Of clicks on both at the same moment one is given; what it gave can be used on both."""
    both = [Reader(Client(node.port, two.trust), "dora") for node in two.all]
    page = used_up(both[0])
    sent = fields(both[0].open(link(page, "urgent")))
    with ThreadPoolExecutor(6) as clicks:
        answers = list(
            clicks.map(
                lambda n: both[n % 2].send(f"{PAGE}/urgent", **(sent | {"form": f"{n}"})), range(6)
            )
        )
    assert sorted(answer.status for answer in answers if answer.status == 303) == [303]
    assert {answer.status for answer in answers} <= {303, 400, 409}
    assert [each.open(FACEBOOK).status for each in both] == [200, 200]
    audit = two.all[0].cli("audit", "--json")
    assert audit.stdout.count('"urgent"') == 1, audit.stdout
