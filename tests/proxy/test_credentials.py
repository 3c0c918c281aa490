"""`proxy_addon/proxy/credentials.py`: who is believed, and what goes no further."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from mitmproxy.test import tflow

from proxy_addon.proxy.credentials import Credentials
from tests.proxy.harness import ProxyHarness, request

PASSWORD = "correct horse battery"


def basic(user: str, password: str) -> str:
    """The value of the header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def asked(harness: ProxyHarness, address: str = "127.0.0.1", **headers: str):
    """Who asks, and the request as it goes on."""
    flow = request(
        "http://x.com/",
        headers={k.replace("_", "-"): v for k, v in headers.items()},
        address=address,
    )
    return await Credentials(harness.services).who(flow), flow.request.headers


async def test_password(tmp_path: Path) -> None:
    """The first time the password is checked off the loop, the second time from memory; a wrong one
    asks again."""
    harness = ProxyHarness(tmp_path, passwords={"dora": PASSWORD})
    for _ in range(2):
        who, headers = await asked(harness, proxy_authorization=basic("Dora", PASSWORD))
        assert (who.name, who.how) == ("dora", "sign-in")
        assert "proxy-authorization" not in headers
    who, headers = await asked(harness, proxy_authorization=basic("dora", "guess"))
    assert (who.identified, who.challenge) == (False, True)
    assert "proxy-authorization" not in headers
    harness.close()


@pytest.mark.parametrize(("address", "name"), [("127.0.9.1", "eve"), ("127.0.0.1", "ip:127.0.0.1")])
async def test_front_proxy(tmp_path: Path, address: str, name: str) -> None:
    """The header of a trusted front proxy counts; from anybody else it is taken off and ignored."""
    harness = ProxyHarness(tmp_path, front_proxies=["127.0.9.1/32"])
    who, headers = await asked(
        harness, address, x_forwarded_user="eve", proxy_connection="keep-alive"
    )
    assert who.name == name
    assert not {"x-forwarded-user", "proxy-connection"} & {key.lower() for key in headers}
    harness.close()


def test_person_and_sign_in(harness: ProxyHarness) -> None:
    """Roles come from the rules; the challenge names the realm."""
    credentials = Credentials(harness.services)
    who = harness.identifier.identify_now("127.0.3.1", None, None)
    assert who is not None
    person = credentials.person(who)
    assert (person.name, person.roles) == ("dora", ("staff",))
    flow = tflow.tflow()
    assert credentials.sign_in(flow).status == 407
    flow.request.headers["Accept-Language"] = "de"
    assert b'<html lang="en">' in credentials.sign_in(flow).body  # the office offers English alone


async def test_a_name_that_is_passed_on_twice_is_nobodys(tmp_path: Path) -> None:
    """One of the two fields may be the client's own: neither is believed, and no new person made of
    both."""
    harness = ProxyHarness(tmp_path, front_proxies=["127.0.9.1/32"])
    flow = request("http://x.com/", address="127.0.9.1")
    flow.request.headers.add("X-Forwarded-User", "emil")
    flow.request.headers.add("X-Forwarded-User", "dora")
    who = await Credentials(harness.services).who(flow)
    assert not who.identified
    assert "x-forwarded-user" not in flow.request.headers
    harness.close()
