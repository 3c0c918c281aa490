"""The pages that set a device up, and no others, answer to newcomers on every way through: the
light path, the engine alone, several workers that share people, and somebody's own mitmdump."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from proxy_addon.presentation.open_pages import NEXT_DER, NEXT_PEM, OPEN
from tests.e2e.client import Client, read_all
from tests.e2e.office import office
from tests.e2e.origins import Origins
from tests.e2e.process import ROOT, Mitmdump, OfficeProxy
from tests.e2e.test_workers import alive
from tests.e2e.waiting import until

SCRIPT = ROOT / "proxy_addon" / "proxy" / "script.py"
PASSWORD = "a plain password"
OWN = "http://allowance.internal"
WORKERS = 2
WAYS = (
    "light",
    pytest.param("engine", marks=pytest.mark.long),
    "workers",
    pytest.param("mitmdump", marks=pytest.mark.long),
)


def running(way: str, made: OfficeProxy, origins: Origins, stack: ExitStack) -> Client:
    """Clients of a proxy that runs this way."""
    if way == "mitmdump":
        variables = {f"ALLOWANCE_{name.upper()}": value for name, value in made.shared.items()}
        variables["ALLOWANCE_SIGN_IN"] = "required"
        folder = made.folder / "bare"
        folder.mkdir()
        return stack.enter_context(Mitmdump(folder, origins, SCRIPT, variables=variables)).client
    stack.enter_context(made)
    if way == "workers":
        until(lambda: len(alive(made)) == WORKERS, "all workers")
    return made.client


@pytest.fixture(scope="module", params=WAYS)
def visitors(
    request: pytest.FixtureRequest, origins: Origins, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """Clients of a proxy with sign-in."""
    settings: dict[str, object] = {"sign-in": "required"}
    if request.param == "engine":
        settings["light-path"] = "off"
    if request.param == "workers":
        settings["workers"] = WORKERS
    made = office(tmp_path_factory.mktemp(request.param), origins, settings=settings)
    answer = made.cli("people", "add", "dora", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert answer.returncode == 0, answer.stderr
    with ExitStack() as stack:
        yield running(request.param, made, origins, stack)


def ask(connection: socket.socket, path: str, host: str, *fields: str) -> tuple[int, bytes]:
    """Send a request; status and whole answer. The connection ends with it."""
    connection.settimeout(30.0)
    lines = (f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *fields, "", "")
    connection.sendall("\r\n".join(lines).encode())
    answer = read_all(connection)
    return int(answer.split()[1]), answer


def test_open_pages(visitors: Client) -> None:
    """Each is answered over plain HTTP, in a tunnel, with TLS in it, and on the proxy's own
    port."""
    own = f"127.0.0.1:{visitors.port}"
    for path in sorted(OPEN):
        statuses = [ask(visitors.socket(), OWN + path, "allowance.internal")[0]]
        status, tunnel = visitors.tunnel("allowance.internal", 80)
        assert status == 200
        statuses.append(ask(tunnel, path, "allowance.internal")[0])
        tls = visitors.tls(visitors.tunnel("allowance.internal")[1], "allowance.internal")
        statuses.append(ask(tls, path, "allowance.internal")[0])
        statuses.append(ask(visitors.socket(), path, own)[0])
        # No other CA stands ready here; nobody is asked for a name to hear that.
        expected = 404 if path in (NEXT_PEM, NEXT_DER) else 200
        assert (path, statuses) == (path, [expected] * 4)


@pytest.mark.parametrize("path", ["/", "/me.json", "/admin", "/device/", "//device", "/%64evice"])
def test_other_pages(visitors: Client, path: str) -> None:
    """None of them is: 407 where a proxy can ask, the way there where it cannot; nothing on the
    port."""
    assert ask(visitors.socket(), OWN + path, "allowance.internal")[0] == 407
    tls = visitors.tls(visitors.tunnel("allowance.internal")[1], "allowance.internal")
    status, answer = ask(tls, path, "allowance.internal", "Sec-Fetch-Mode: navigate")
    assert status == 303
    assert f"{OWN}{path}".encode() in answer
    tls = visitors.tls(visitors.tunnel("allowance.internal")[1], "allowance.internal")
    assert ask(tls, path, "allowance.internal")[0] == 403
    if path != "/":
        assert ask(visitors.socket(), path, f"127.0.0.1:{visitors.port}")[0] in (400, 403)


def test_signing_in(visitors: Client) -> None:
    """Whoever has signed in gets their own page, and the page that sets a device up knows them."""
    token = base64.b64encode(f"dora:{PASSWORD}".encode()).decode()
    signed = f"Proxy-Authorization: Basic {token}"
    status, answer = ask(visitors.socket(), f"{OWN}/me.json", "allowance.internal", signed)
    assert status == 200
    assert b'"dora"' in answer
    status, answer = ask(visitors.socket(), f"{OWN}/device", "allowance.internal", signed)
    assert b"Signed in as dora" in answer
    status, tunnel = visitors.tunnel("allowance.internal", headers=f"{signed}\r\n")
    assert status == 200
    tls = visitors.tls(tunnel, "allowance.internal")
    assert b'"dora"' in ask(tls, "/me.json", "allowance.internal")[1]


def test_the_configuration_leads_here(visitors: Client) -> None:
    """The address that a newcomer reads on the port is the one of the proxy itself."""
    own = f"127.0.0.1:{visitors.port}"
    _, answer = ask(visitors.socket(), "/wpad.dat", own)
    assert f'return "PROXY {own}";'.encode() in answer
    _, answer = ask(visitors.socket(), "/device/firefox/policies.json", own)
    policies = json.loads(answer.partition(b"\r\n\r\n")[2])["policies"]
    assert policies["Proxy"]["AutoConfigURL"] == f"http://{own}/proxy.pac"
