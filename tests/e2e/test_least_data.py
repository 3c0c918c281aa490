"""What a running proxy keeps of people: no URL anywhere, erasure and resets within two seconds,
pseudonyms."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_addon.observability.decision_log import about
from tests.e2e.client import NAVIGATE, Client
from tests.e2e.office import office, policy, request, spend_all, websocket
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

WITHIN = 2.0  # seconds: the promise for erasures and resets
SLACK = 1.0  # for a busy machine
MARKS = ("secretpath", "secretquery", "secretreferer", "secretcookie", "secretbody", "secrethost")
SENT = {"referer": "https://www.facebook.com/secretreferer", "cookie": "a=secretcookie"}
ANA, BO = "127.0.3.1", "127.0.3.2"  # desk1 and desk2


def texts(database: Path) -> list[str]:
    """Every text in every column of every table."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        tables = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        rows = (row for table in tables for row in connection.execute(f"SELECT * FROM {table}"))
        found = [value for row in rows for value in row if isinstance(value, str)]
    connection.close()
    return found


def browse(client: Client, source: str) -> None:
    """Pages, requests of pages, plain HTTP, a WebSocket and a refused site, all with recognisable
    parts."""
    url = "https://www.facebook.com/secretpath?q=secretquery"
    for address in (
        url,
        "http://www.facebook.com/secretpath?q=secretquery",
        "https://www.tiktok.com/@secretpath",
    ):
        client.get(address, headers=NAVIGATE | SENT, source=source)
        client.get(address, "-d", "secretbody", headers=SENT, source=source)
    client.open("https://news.example/secretpath?q=secretquery", source=source)
    client.open("https://secrethost.www.facebook.com/secretpath", source=source)
    with websocket(client, "x.com", source) as chat:
        chat.send("secretbody")
    with client.socket(source=source) as bare:
        request(bare, "www.facebook.com", "http://secretuser@www.facebook.com/secretpath\x01")
        bare.settimeout(2)
        bare.recv(1000)


@pytest.fixture
def proxy(origins: Origins, tmp_path: Path) -> Iterator[OfficeProxy]:
    """A proxy of the test's own; it keeps a decision log, too."""
    with office(
        tmp_path, origins, policy("30m"), settings={"decision-log": "var/decisions"}
    ) as started:
        yield started


def decisions(proxy: OfficeProxy, person: str) -> list[dict[str, object]]:
    """What the decision log says of somebody."""
    return list(about(proxy.folder / "var" / "decisions", person.__eq__))


def spent(proxy: OfficeProxy, person: str) -> float:
    """Seconds, from the ledger."""
    return proxy.spent(person, "short")


def test_no_part_of_a_url_is_stored(proxy: OfficeProxy) -> None:
    """After browsing, no column, no file of the proxy and no line of its log holds any part of a
    URL."""
    browse(proxy.client, ANA)
    until(lambda: proxy.usage("desk1")["visits"], "the visits in the ledger")
    proxy.stop()
    stored = texts(proxy.folder / "var" / "allowance.db")
    assert "desk1" in stored
    assert "facebook" in stored
    noted = {
        (each["platform"], each["reason"], each["activity"]) for each in decisions(proxy, "desk1")
    }
    assert {("facebook", "within", "visit"), ("tiktok", "blocked", None)} <= noted
    for mark in MARKS:
        assert not [text for text in stored if mark in text.lower()], mark
    files = [path for path in (proxy.folder / "var").rglob("*") if path.is_file()]
    for path in (*files, proxy.log_file):
        content = path.read_bytes().lower()
        assert not [mark for mark in MARKS if mark.encode() in content], path


def test_no_part_of_a_url_in_the_journal(proxy: OfficeProxy) -> None:
    """With the ledger out of reach the journal holds visits, and of their URLs nothing."""
    client = proxy.client
    with sqlite3.connect(proxy.folder / "var" / "allowance.db", isolation_level=None) as locked:
        locked.execute("BEGIN IMMEDIATE")  # nobody else can write
        deadline = time.monotonic() + 30
        journal = proxy.folder / "var" / "journal"
        content = b""
        while b"facebook" not in content and time.monotonic() < deadline:
            browse(client, ANA)
            content = b"".join(path.read_bytes() for path in journal.glob("*"))
        locked.execute("ROLLBACK")
    locked.close()
    assert b"desk1" in content
    assert b"facebook" in content
    assert not [mark for mark in MARKS if mark.encode() in content.lower()]


def test_erased_while_it_runs(proxy: OfficeProxy) -> None:
    """The proxy forgets somebody within two seconds, others stay, and what is used afterwards
    counts from zero."""
    client = proxy.client
    for source in (ANA, BO):
        client.open("https://www.facebook.com/", source=source)
    until(
        lambda: spent(proxy, "desk1") > 0 and spent(proxy, "desk2") > 0, "the visits in the ledger"
    )
    refused = proxy.cli("people", "erase", "desk1")
    assert refused.returncode == 1
    assert "desk1 has used something in a window that is open until" in refused.stderr
    assert proxy.cli("people", "erase", "desk1", "--now").returncode == 0
    erased = time.monotonic()

    def me() -> float:
        page = client.get("http://allowance.internal/me.json", source=ANA).json()
        return float(page["allowances"]["short"]["spent"])

    until(lambda: me() == 0, "the proxy to forget", WITHIN + SLACK)
    until(lambda: not decisions(proxy, "desk1"), "the decision log to forget", WITHIN + SLACK)
    print(f"forgotten after {time.monotonic() - erased:.1f} s")
    assert decisions(proxy, "desk2")
    assert spent(proxy, "desk2") > 0
    client.open("https://www.facebook.com/", source=ANA)
    until(lambda: spent(proxy, "desk1") > 0, "the next visit")
    assert spent(proxy, "desk1") <= 3
    stored = texts(proxy.folder / "var" / "allowance.db")
    assert [text for text in stored if text.startswith("erased:")]
    assert "desk1" not in proxy.log


def test_reset_reaches_a_running_proxy(origins: Origins, tmp_path: Path) -> None:
    """Who was blocked gets through within two seconds of a reset."""
    with office(tmp_path, origins) as proxy:
        client = proxy.client
        spend_all(client, source=ANA)
        assert proxy.cli("reset", "desk1", "short", "--reason", "a page that hung").returncode == 0
        reset = time.monotonic()
        until(
            lambda: client.open("https://www.facebook.com/", source=ANA).status == 200,
            "the reset",
            WITHIN + SLACK,
        )
        print(f"the reset counted after {time.monotonic() - reset:.1f} s")
        actions = [
            entry["action"] for entry in json.loads(proxy.cli("audit", "--json").stdout)["audit"]
        ]
        assert sorted(actions) == ["reset", "rules"]


@pytest.mark.long
def test_pseudonyms_from_end_to_end(origins: Origins, tmp_path: Path) -> None:
    """Switched on with names in the ledger: they go, balances stay, limits and grants work, restart
    included."""
    proxy = office(tmp_path, origins, policy("8s"))
    with proxy:
        proxy.client.open("https://www.facebook.com/", source=ANA)
        until(lambda: spent(proxy, "desk1") > 0, "the visit in the ledger")
    before = spent(proxy, "desk1")
    rules = proxy.rules / "policy.yaml"
    rules.write_text(rules.read_text() + "privacy: {pseudonyms: true}\n")
    with proxy:
        client = proxy.client
        assert spent(proxy, "desk1") == pytest.approx(before, abs=0.01)
        spend_all(client, source=ANA)
        assert proxy.cli("grant", "desk1", "short", "10m", "--reason", "a course").returncode == 0
        until(
            lambda: client.open("https://www.facebook.com/", source=ANA).status == 200,
            "the grant",
            3.0,
        )
        assert "desk1" in client.open("http://allowance.internal/", source=ANA).text
        stored = texts(proxy.folder / "var" / "allowance.db")
        assert "desk1" not in stored
        pseudonym = next(text for text in stored if text.startswith("p:"))
        assert proxy.cli("people", "unmask", pseudonym, "--reason", "a test").stdout.strip()
        proxy.restart()
        assert proxy.client.open("https://www.facebook.com/", source=ANA).status == 200
        assert proxy.usage("desk1")["allowances"]["short"]["granted"] == 600
    assert "desk1" not in proxy.log
    key = proxy.folder / "var" / "pseudonym.key"
    assert key.stat().st_mode & 0o777 == 0o600
