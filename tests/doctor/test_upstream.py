"""`proxy_addon/doctor/upstream.py`: the way to the sites, against real servers on loopback."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from proxy_addon.config.parsers import HostPort
from proxy_addon.config.settings import Settings
from proxy_addon.doctor import upstream as sites
from proxy_addon.doctor.check import State
from proxy_addon.rules import folder as rules_folder
from tests.e2e.authority import Authority
from tests.e2e.waiting import free_port

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_793_610_000.0
SITE = HostPort("www.example.test", 443)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs for the sites."""
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def loopback_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server for one connection after the other, on loopback; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.settimeout(5)
                    try:
                        serve(client)
                    except OSError:
                        continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            with socket.create_connection(server.getsockname()):
                pass
            thread.join()


def site(authority: Authority, at: float = NOW) -> Callable[[socket.socket], None]:
    """A web server with TLS that tells the time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.leaf_file(SITE.host))
    date = format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True)

    def serve(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as stream:
            stream.recv(4096)
            stream.sendall(f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode())

    return serve


def upstream(words: bytes, behind: Callable[[socket.socket], None] | None, heard: list[bytes]):
    """A proxy that answers CONNECT with `words`, and then is the site."""

    def serve(client: socket.socket) -> None:
        heard.append(client.recv(4096))
        client.sendall(words)
        if behind is not None:
            behind(client)

    return serve


def look(settings: Settings, now: float = NOW) -> dict[str, tuple[State, str, str]]:
    """The checks by name."""
    return {
        each.name: (each.state, each.fact, each.remedy) for each in sites.sites(settings, SITE, now)
    }


def settings_for(port: int, ca: Path | None = None, **more: object) -> Settings:
    """Settings that lead the site to a port of loopback."""
    return Settings(resolve=[f"{SITE}=127.0.0.1:{port}"], upstream_ca=ca, **more)


def test_through_the_table(authority: Authority) -> None:
    """The address is that of `--resolve`, TLS is checked, and the clocks are compared."""
    with loopback_server(site(authority)) as port:
        found = look(settings_for(port, authority.ca_file))
        assert found["DNS"][:2] == (State.OK, f"{SITE} is 127.0.0.1:{port} by the --resolve table")
        assert found["upstream"][0] is State.OK
        assert "TLSv1.3" in found["upstream"][1]
        assert found[f"clock of {SITE.host}"][0] is State.OK
        found = look(settings_for(port, authority.ca_file), NOW - 90)
        assert found[f"clock of {SITE.host}"][:2] == (State.WARNING, "90 s ahead of this machine")


def test_a_certificate_that_nobody_trusts(authority: Authority) -> None:
    """A warning that names the setting for networks which open TLS themselves."""
    with loopback_server(site(authority)) as port:
        state, _, remedy = look(settings_for(port))["upstream"]
    assert (state, "--upstream-ca" in remedy) == (State.WARNING, True)


def test_a_ca_that_does_not_say_what_its_key_may_do(tmp_path: Path) -> None:
    """The proxy takes such a CA of an office, so the doctor does not warn of it."""
    old = Authority(tmp_path / "old", usage=False)
    with loopback_server(site(old)) as port:
        assert look(settings_for(port, old.ca_file))["upstream"][0] is State.OK


def test_offline() -> None:
    """Nobody there: a warning with what to look at, and no exception."""
    state, fact, remedy = look(settings_for(free_port()))["upstream"]
    assert (state, "refused" in fact.lower(), "--upstream-proxy" in remedy) == (
        State.WARNING,
        True,
        True,
    )


def test_a_name_that_nobody_knows() -> None:
    """Names below `.invalid` are nowhere: a warning, and no connection is tried."""
    found = {each.name: each for each in sites.sites(Settings(), HostPort("no.invalid", 443), NOW)}
    assert found["DNS"].state is State.WARNING
    assert found["upstream"].state is State.NOT_CHECKED


def test_a_local_target_is_refused() -> None:
    """As the proxy would refuse it, with the setting that allows it."""
    check = sites.look_up(Settings(), HostPort("127.0.0.1", 443)).check
    assert (check.state, "--allow-targets" in check.remedy) == (State.WARNING, True)
    allowed = Settings(allow_targets=["127.0.0.1"])
    assert sites.look_up(allowed, HostPort("127.0.0.1", 443)).address == ("127.0.0.1", 443)


def test_through_another_proxy(authority: Authority) -> None:
    """CONNECT with our credentials, then TLS with the site."""
    heard: list[bytes] = []
    good = b"HTTP/1.1 200 Connection established\r\n\r\n"
    with loopback_server(upstream(good, site(authority), heard)) as port:
        found = look(
            Settings(
                upstream_proxy=f"http://ada:pw@127.0.0.1:{port}", upstream_ca=authority.ca_file
            )
        )
    assert found["upstream"][0] is State.OK, found
    assert heard[0].startswith(b"CONNECT www.example.test:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic YWRhOnB3\r\n" in heard[0]
    assert "pw" not in str(found)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (b"HTTP/1.1 407 Who are you\r\n\r\n", "USER:PASSWORD"),
        (b"HTTP/1.1 403 No\r\n\r\n", "ask whoever"),
        (b"", "ask"),
    ],
)
def test_another_proxy_refuses(words: bytes, remedy: str) -> None:
    """An error, because this does not fix itself."""
    with loopback_server(upstream(words, None, [])) as port:
        state, _, told = look(Settings(upstream_proxy=f"http://127.0.0.1:{port}"))["upstream"]
    assert state is State.ERROR
    assert remedy in told


def test_host_of_the_catalogue() -> None:
    """The first platform that the policy names and limits; none where nothing is limited."""
    rules = rules_folder.load(ROOT / "rules")
    assert sites.host_of(rules) == HostPort("facebook.com", 443)
    (check,) = sites.sites(Settings(), None, NOW)
    assert (check.state, "--probe" in check.remedy) == (State.NOT_CHECKED, True)
    assert "no platform" in check.fact
    (check,) = sites.sites(Settings(), None, NOW, readable=False)
    assert "cannot be read" in check.fact
