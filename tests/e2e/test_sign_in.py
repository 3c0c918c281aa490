"""Who is asking: sign-in, the map of devices, a trusted front proxy; and that nobody's secret gets
out."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.e2e.client import NAVIGATE, Client, fresh_address
from tests.e2e.office import FRONT_PROXY, office
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy

PASSWORDS = {"dora": "correct horse battery", "emil": "with:colon and ümlaut"}
PAGE = "http://allowance.internal/"


@pytest.fixture(scope="module")
def signed(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """A proxy where everybody has to sign in."""
    proxy = office(tmp_path_factory.mktemp("signed"), origins, settings={"sign-in": "required"})
    for user, password in PASSWORDS.items():
        answer = proxy.cli("people", "add", user, "--password-stdin", stdin=f"{password}\n")
        assert answer.returncode == 0, answer.stderr
    with proxy:
        yield proxy


@pytest.fixture
def services(signed: OfficeProxy) -> Client:
    """Clients of the proxy with sign-in."""
    return signed.client


def credentials(user: str) -> str:
    """What curl takes as `--proxy-user`."""
    return f"{user}:{PASSWORDS[user]}"


@pytest.mark.parametrize("user", [None, "dora:wrong", "nobody:nothing", "dora:", ":"])
def test_without_sign_in(services: Client, origins: Origins, user: str | None) -> None:
    """Without a right password there is a 407 with a challenge, over CONNECT and over plain
    HTTP."""
    before = len(origins.record.to("www.youtube.com"))
    tunnel = services.open("https://www.youtube.com/", user=user)
    assert (tunnel.status, tunnel.connect) == (0, 407)
    plain = services.open("http://www.youtube.com/", user=user)
    assert plain.status == 407
    assert plain.headers["proxy-authenticate"].startswith("Basic realm=")
    assert len(origins.record.to("www.youtube.com")) == before


@pytest.mark.parametrize("user", PASSWORDS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_right_password(signed: OfficeProxy, services: Client, user: str, scheme: str) -> None:
    """Who signs in gets through, also with a colon and an umlaut in the password, and pays with own
    time."""
    assert services.open(f"{scheme}://www.youtube.com/", user=credentials(user)).status == 200
    assert user in services.open(PAGE, user=credentials(user)).text
    assert signed.usage(user)["visits"]


def test_one_sign_in_for_a_tunnel(services: Client) -> None:
    """Signing in at CONNECT is enough for every stream in the tunnel."""
    urls = [f"https://www.youtube.com/image/{n}.png" for n in range(4)]
    replies = services.start(urls, user=credentials("dora"), http2=True).finish()
    assert [reply.status for reply in replies] == [200] * 4


def test_unlimited_needs_no_sign_in(services: Client, origins: Origins) -> None:
    """What is not limited is nobody's business: no sign-in is asked for."""
    assert services.get("https://work.example/", trust=origins.ca_file).status == 200


def test_new_password_counts(signed: OfficeProxy, services: Client) -> None:
    """A person added while the proxy runs can sign in without a restart."""
    answer = signed.cli("people", "add", "fay", "--password-stdin", stdin="a fresh password\n")
    assert answer.returncode == 0, answer.stderr
    assert services.open("https://www.youtube.com/", user="fay:a fresh password").status == 200


def test_device_map(client: Client) -> None:
    """Where nobody signs in, the map of devices says who it is; anybody else is named by the
    address."""
    assert "reception" in client.open(PAGE, source="127.0.2.1").text
    source = fresh_address()
    assert source in client.open(PAGE, source=source).text


def test_front_proxy_is_believed(running_office: OfficeProxy, client: Client) -> None:
    """A front proxy that is listed passes the user on, in CONNECT and in plain requests."""
    told = {"X-Forwarded-User": "gina"}
    assert "gina" in client.open(PAGE, source=FRONT_PROXY, headers=told).text
    url = "https://www.youtube.com/"
    assert client.open(url, source=FRONT_PROXY, proxy_headers=told).status == 200
    assert running_office.usage("gina")["visits"]
    plain = client.open("http://www.youtube.com/headers", source=FRONT_PROXY, headers=told)
    assert "x-forwarded-user" not in plain.json()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_pretended_front_proxy(running_office: OfficeProxy, client: Client, scheme: str) -> None:
    """From anybody else the header is ignored, and the site never sees it."""
    source, told = fresh_address(), {"X-Forwarded-User": "hank"}
    assert "hank" not in client.open(PAGE, source=source, headers=told).text
    url = f"{scheme}://www.youtube.com/headers"
    reply = client.get(url, source=source, headers=NAVIGATE | told, proxy_headers=told)
    assert "x-forwarded-user" not in reply.json()
    assert running_office.usage("hank")["visits"] == []
    assert running_office.usage(f"ip:{source}")["visits"]


def test_nothing_leaks(signed: OfficeProxy, services: Client, origins: Origins) -> None:
    """No password, in clear or as sent, reaches a site, the log, the database or the password
    file."""
    for user in PASSWORDS:
        for url in (
            "https://www.youtube.com/headers",
            "http://www.youtube.com/headers",
            "http://work.example/",
        ):
            assert services.open(url, user=credentials(user)).status == 200
    assert "proxy-authorization" not in origins.record.header_names()
    stored = b"".join(
        file.read_bytes() for file in (signed.folder / "var").rglob("*") if file.is_file()
    )
    for user, password in PASSWORDS.items():
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        for secret in (password, encoded):
            assert secret not in origins.record.text()
            assert secret not in signed.log
            assert secret.encode() not in stored
    assert "Traceback" not in signed.log
