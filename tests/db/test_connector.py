"""Twin of db/connector.py: what a refused connection says, in any language; how long it takes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db import connector as module
from db.address import parse
from db.connector import ConnectError, PostgresConnector
from db.upgrade import upgrade
from proxy_addon.ledger.interface import LedgerError
from tests.postgres import PASSWORD, PostgresServer

pytestmark = pytest.mark.postgres
DEBIAN = Path("/usr/lib/postgresql")
GERMAN = "de_DE.UTF-8"


def german_server(folder: Path) -> PostgresServer:
    """A server of Debian whose messages are German."""
    versions = sorted(DEBIAN.glob("*/bin/initdb"))
    if not versions or shutil.which("localedef") is None:
        pytest.skip("Debian's postgresql and locales are not installed")
    locales = folder / "locales"
    locales.mkdir()
    made = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(locales / GERMAN)]
    if subprocess.run(made, capture_output=True, check=False).returncode:
        pytest.skip("the locale de_DE cannot be made here")
    settings = f"lc_messages={GERMAN}"
    return PostgresServer(folder, settings, programs=versions[-1].parent, locales=locales)


@pytest.fixture(scope="module", params=["english", "german"])
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A server in either language, with what it can refuse a connection for."""
    folder = Path(tempfile.mkdtemp(prefix="allowance-postgres-"))
    try:
        folder.chmod(0o755)
        made = german_server(folder) if request.param == "german" else PostgresServer(folder)
        made.start()
        for statement in (
            "CREATE ROLE crowd LOGIN PASSWORD 'pw' CONNECTION LIMIT 0",
            "CREATE ROLE guest LOGIN PASSWORD 'pw'",
            "CREATE ROLE nobody_else NOLOGIN PASSWORD 'pw'",
            "CREATE DATABASE closed ALLOW_CONNECTIONS false",
            "CREATE DATABASE private",
            "REVOKE CONNECT ON DATABASE private FROM public",
        ):
            made.run(statement)
        if request.param == "german":
            with pytest.raises(psycopg.OperationalError, match="existiert nicht"):
                psycopg.connect(made.url("nowhere"))
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize(
    ("old", "new", "state", "kind"),
    [
        ("open%20sesame", "s3cret", "28P01", "sign-in"),
        ("postgres:open%20sesame", "stranger:pw", "28P01", "sign-in"),
        ("postgres:open%20sesame", "nobody_else:pw", "28000", "sign-in"),
        ("/postgres", "/nowhere", "3D000", "missing"),
        ("/postgres", "/closed", "55000", "stopped"),
        ("/postgres", "/postgres?options=-cnonsense%3D1", "42704", "url"),
        ("/postgres", "/postgres?options=-cwork_mem%3Dmuch", "22023", "url"),
        ("postgres:open%20sesame", "crowd:pw", "53300", "busy"),
        ("postgres:open%20sesame@", "guest:pw@", "42501", "forbidden"),
    ],
)
def test_why_a_connection_is_refused(
    server: PostgresServer, old: str, new: str, state: str, kind: str
) -> None:
    """The SQLSTATE of the server decides, whatever language it speaks; nothing of the password is
    said."""
    url = server.url("private" if "guest" in new else "postgres")
    head, _, tail = url.rpartition(old)
    address = parse(f"{head}{new}{tail}")
    for _ in range(2):
        with pytest.raises(ConnectError) as caught:
            PostgresConnector.of(address, "a").connect()
        assert caught.value.sqlstate == state
    with pytest.raises(LedgerError) as told:
        upgrade(address.url.render_as_string(hide_password=False))
    assert told.value.kind == kind
    assert "s3cret" not in str(told.value)
    assert PASSWORD not in str(told.value)
    assert "\n" not in str(told.value)


def test_the_same_refusal_is_asked_about_once(server: PostgresServer) -> None:
    """The first refusal costs a second attempt, all others of the same words none."""
    address = parse(server.url("nowhere"))
    connector = PostgresConnector.of(address, "a")
    before = (server.folder / "log").read_text().count("nowhere")
    for _ in range(5):
        with pytest.raises(ConnectError):
            connector.connect()
    assert (server.folder / "log").read_text().count("nowhere") - before == 6


def test_a_server_that_stops(own_postgres: PostgresServer) -> None:
    """While it waits for its last session it is said to be stopping, not to be missing."""
    own_postgres.start()
    with psycopg.connect(own_postgres.url()):
        own_postgres.ask_to_stop()
        give_up = time.monotonic() + 20
        while True:
            with pytest.raises(LedgerError) as caught:
                upgrade(own_postgres.url("nowhere"))
            if caught.value.kind == "stopped":
                break
            assert time.monotonic() < give_up, caught.value
    assert "is starting or stopping" in str(caught.value)


def test_nobody_answers() -> None:
    """A port that accepts and is silent, a port that is closed and a name that is not resolved, all
    of them in the time for one."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hosts = f"127.0.0.1:{port},127.0.0.1:1,nowhere.invalid:1,127.0.0.1:{port}"
        connector = PostgresConnector.of(parse(f"postgresql://u:pw@{hosts}/d"), "a")
        began = time.monotonic()
        with pytest.raises(ConnectError) as caught:
            connector.connect()
    assert time.monotonic() - began < 15
    assert caught.value.sqlstate is None
    assert str(caught.value).count(f"127.0.0.1:{port}: timeout expired") == 2
    assert "refused" in str(caught.value)
    assert "nowhere.invalid" in str(caught.value)


def test_the_name_server_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is never resolved does not hold the connection up."""
    forever = threading.Event()

    def hang(*_: object, **__: object) -> None:
        forever.wait(60)
        raise socket.gaierror("too late")

    monkeypatch.setattr(module.socket, "getaddrinfo", hang)
    connector = PostgresConnector({"host": "db.example"}, {}, 0.3)
    began = time.monotonic()
    with pytest.raises(ConnectError, match="the name server does not answer"):
        connector.connect()
    assert time.monotonic() - began < 5
    forever.set()


def test_a_connection_is_a_session_of_its_own(postgres_server: PostgresServer) -> None:
    """Without a pooler the limits hold for the session, and nothing has to be set in each
    transaction; a name is resolved, and any of several hosts will do."""
    port = postgres_server.port
    url = postgres_server.url().replace(f"127.0.0.1:{port}", f"localhost:{port},localhost:{port}")
    address = parse(f"{url}?load_balance_hosts=random")
    with PostgresConnector.of(address, "a").connect(autocommit=True) as session:
        assert not session.is_pooled
        assert session.autocommit
        assert session.execute("SHOW lock_timeout").fetchall() == [("3s",)]
        assert session.execute("SHOW application_name").fetchall() == [("allowance a",)]
