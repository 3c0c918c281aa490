"""`proxy_addon/web/device_pages.py`: the pages and files that set a device up, through the real
applications."""

from __future__ import annotations

import json
import plistlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx
import pytest
from starlette.types import ASGIApp

from proxy_addon.core.notices.notice import Office
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.network.distrust import Distrust
from proxy_addon.presentation import open_pages
from proxy_addon.presentation.open_pages import OPEN
from proxy_addon.web.app import employee_app, web_app
from proxy_addon.web.device_pages import DevicePages
from proxy_addon.web.device_systems import System
from proxy_addon.web.downloads import fingerprint, to_der
from tests.web.client import as_person
from tests.web.office import NEXT_PEM, NOW, FixedProxyState, rule_set
from tests.web.test_app import get, text_of

REACHED = "10.0.0.5"
STATE = FixedProxyState(next_pem=NEXT_PEM)
APP = employee_app(STATE)
DORA = as_person(APP, signed_in=True, reached=REACHED)
SECURE = as_person(APP, signed_in=True, reached=REACHED, secure=True)
NEWCOMER = as_person(APP, "ip:10.0.7.33", identified=False, newcomer=True, reached=REACHED)
DIRECT = as_person(
    APP, "ip:10.0.7.33", identified=False, newcomer=True, direct=True, reached=REACHED
)
WEB = web_app(STATE)
PAGES = (open_pages.DEVICE, open_pages.MANAGED, open_pages.CERTIFICATE, open_pages.HELP)


@dataclass
class German(FixedProxyState):
    """An office that speaks German first."""

    def rules(self) -> RuleSet:
        return replace(rule_set(), office=Office("Beispiel", languages=("de", "en")))


def test_what_is_open_is_here() -> None:
    """Every open path has an endpoint, and none but the way to sign in is not open."""
    assert set(DevicePages(STATE).endpoints()) - OPEN == {open_pages.SIGN_IN}
    assert set(DevicePages(STATE, is_web_port=True).endpoints()) == OPEN
    assert set(DevicePages(STATE).endpoints()) >= OPEN


@pytest.mark.parametrize("app", [NEWCOMER, DIRECT])
@pytest.mark.parametrize("path", sorted(OPEN))
async def test_nothing_about_anybody(app: ASGIApp, path: str) -> None:
    """What newcomers get names nobody, no role, no address of theirs, and no page that is not
    open."""
    answer = await get(app, path, accept="text/html")
    assert answer.status_code == 200
    for word in ("10.0.7.33", "dora", "staff", "guest", 'href="/opens"', 'href="/admin"'):
        assert re.search(rf"(?<!\w){re.escape(word)}(?!\w)", answer.text) is None, word
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("system", System)
async def test_each_system_can_be_chosen(system: System) -> None:
    """By a link, whatever the browser says of itself; its certificate is offered."""
    answer = await get(DORA, f"/device?system={system.value}", user_agent="Windows NT Edg/1")
    assert f"The certificate, on {system.label}" in text_of(answer.text)
    assert answer.text.count('aria-current="true"') == 1


async def test_the_system_that_looks() -> None:
    """By User-Agent, and by the hint before it."""
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    assert "Linux, Firefox." in text_of((await get(DORA, "/device", user_agent=agent)).text)
    hinted = await get(DORA, "/device", user_agent=agent, sec_ch_ua_platform='"macOS"')
    assert "on Mac" in text_of(hinted.text)
    unknown = await get(DORA, "/device?system=beos", user_agent="curl/8")
    assert "on Windows" in text_of(unknown.text)
    assert 'id="others" open' in unknown.text


async def test_over_tls_the_certificate_is_trusted() -> None:
    """Who has got the page over TLS need not check."""
    assert 'id="certificate" data-state="unknown"' in (await get(DORA, "/device")).text
    assert 'id="certificate" data-state="done"' in (await get(SECURE, "/device")).text


async def test_only_this_script() -> None:
    """The page runs the one script that is in it, which may ask our own host and nobody else."""
    policy = (await get(NEWCOMER, "/device")).headers["content-security-policy"]
    asks = "connect-src 'self' http://allowance.internal https://allowance.internal;"
    assert asks in policy
    assert "unsafe" not in policy


async def test_phones() -> None:
    """The code leads to the proxy's own port, which phones reach before they use it; where only
    this machine reaches it, there is none."""
    shown = (await get(DORA, "/device")).text
    assert "QR code of http://10.0.0.5:8080/device" in shown
    local = (await get(as_person(APP, reached="127.0.0.1"), "/device")).text
    assert "QR code" not in local
    web = (await get(WEB, "/device", host="proxy.example:8081")).text
    assert "QR code of http://proxy.example:8081/device" in web


@pytest.mark.parametrize("app", [DORA, NEWCOMER, DIRECT, WEB])
async def test_wpad_is_the_configuration(app: ASGIApp) -> None:
    """`/wpad.dat` answers as `/proxy.pac` does, byte for byte and header for header."""
    pac, wpad = await get(app, "/proxy.pac"), await get(app, "/wpad.dat")
    assert pac.content == wpad.content
    assert pac.headers == wpad.headers
    assert pac.headers["content-type"].startswith("application/x-ns-proxy-autoconfig")


# -- the next certificate


@pytest.mark.parametrize("app", [DORA, NEWCOMER, DIRECT, WEB])
async def test_the_next_certificate(app: ASGIApp) -> None:
    """A CA that stands ready is offered beside the one in use, on all pages about certificates and
    in each form."""
    pem, der = await get(app, "/ca-next.pem"), await get(app, "/ca-next.cer")
    assert pem.content == NEXT_PEM
    assert der.content == to_der(NEXT_PEM)
    assert (await get(app, "/ca.pem")).content != NEXT_PEM
    for path in (open_pages.DEVICE, open_pages.MANAGED, open_pages.CERTIFICATE):
        page = (await get(app, path)).text
        assert "The next certificate" in page, path
        assert fingerprint(NEXT_PEM) in page.replace("<wbr>", ""), path
    profile = plistlib.loads((await get(app, "/allowance.mobileconfig")).content)
    assert len(profile["PayloadContent"]) == 2
    policies = (await get(app, "/device/firefox/policies.json")).json()["policies"]
    assert policies["Certificates"]["Install"][1] == "allowance-ca-next.pem"
    assert len((await get(app, "/device/chrome/allowance.json")).json()["CACertificates"]) == 2


@pytest.mark.parametrize(
    ("system", "name"),
    [
        (System.WINDOWS, "/ca-next.cer"),
        (System.LINUX, "/ca-next.pem"),
        (System.IOS, "/allowance.mobileconfig"),
    ],
)
async def test_the_next_certificate_for_a_system(system: System, name: str) -> None:
    """In the form that it takes; the profile of Apple's phones has both."""
    page = (await get(DORA, f"/device?system={system.value}")).text
    assert f'<a href="{name}">' in page.partition('id="next"')[2]


@pytest.mark.parametrize("make", [employee_app, web_app])
async def test_no_next_certificate(make: Callable[[FixedProxyState], ASGIApp]) -> None:
    """Without one there is no word of it."""
    app = as_person(make(FixedProxyState()), reached=REACHED)
    for path in ("/ca-next.pem", "/ca-next.cer"):
        assert (await get(app, path)).status_code == 404
    for path in (open_pages.DEVICE, open_pages.MANAGED, open_pages.CERTIFICATE):
        assert "The next certificate" not in (await get(app, path)).text


# -- checks


async def check(app: ASGIApp, **headers: str) -> httpx.Response:
    """A check by a script."""
    return await get(app, "/device/check", sec_fetch_mode="cors", **headers)


async def test_checks_by_a_script() -> None:
    """What came through the proxy is well; what came directly is not."""
    assert (await check(DORA)).json() == {"ok": True, "secure": False}
    assert (await check(SECURE)).json() == {"ok": True, "secure": True}
    assert (await check(NEWCOMER)).json()["ok"] is True
    assert (await check(DIRECT)).json()["ok"] is False
    assert (await check(WEB)).json()["ok"] is False


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://allowance.internal", True),
        ("https://allowance.internal", True),
        ("http://10.0.0.5:8080", True),
        ("http://10.0.0.5", True),
        ("https://10.0.0.5:8080", False),
        ("http://10.0.0.6:8080", False),
        ("http://evil.example", False),
        ("http://allowance.internal.evil.example", False),
        ("http://10.0.0.5.evil.example", False),
        ("null", False),
        ("http://", False),
        ("10.0.0.5", False),
        ("http://10.0.0.5:8080@evil.example", False),
    ],
)
async def test_who_may_read_a_check(origin: str, allowed: bool) -> None:
    """Pages of ours. No other site learns who is behind this proxy."""
    answer = await check(SECURE, origin=origin)
    shown = answer.headers.get("access-control-allow-origin")
    assert shown == (origin if allowed else None)
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("app", "said", "back"),
    [
        (SECURE, "This browser trusts the certificate", "http://allowance.internal/device"),
        (DORA, "This browser uses the proxy", "http://allowance.internal/device"),
        (NEWCOMER, "This browser uses the proxy", "http://allowance.internal/device"),
        (DIRECT, "This browser does not use the proxy yet", "/device"),
        (WEB, "This browser does not use the proxy yet", "/device"),
    ],
)
async def test_checks_by_a_link(app: ASGIApp, said: str, back: str) -> None:
    """Without scripts a link does the same, and a page says the outcome."""
    answer = await get(app, "/device/check", sec_fetch_mode="navigate")
    assert said in text_of(answer.text)
    assert f'href="{back}"' in answer.text
    assert said in text_of((await get(app, "/device/check", accept="text/html")).text)


async def test_after_signing_in() -> None:
    """Back to the page."""
    answer = await get(DORA, "/device/sign-in")
    assert (answer.status_code, answer.headers["location"]) == (303, "/device")


# -- files


async def test_profile() -> None:
    """A profile of both certificates, and with a network its proxy."""
    answer = await get(NEWCOMER, "/allowance.mobileconfig")
    assert answer.headers["content-type"] == "application/x-apple-aspen-config"
    assert len(plistlib.loads(answer.content)["PayloadContent"]) == 2
    answer = await get(NEWCOMER, "/allowance.mobileconfig?ssid=Office%20Wi-Fi")
    wifi = plistlib.loads(answer.content)["PayloadContent"][2]
    assert wifi["SSID_STR"] == "Office Wi-Fi"
    assert wifi["ProxyPACURL"] == "http://10.0.0.5:8080/proxy.pac"


@pytest.mark.parametrize("ssid", ["", "x" * 33, "a%00b", "%F0%9F%98%80" * 9])
async def test_no_such_network(ssid: str) -> None:
    """A name that no network can have is refused, with a reason."""
    answer = await get(NEWCOMER, f"/allowance.mobileconfig?ssid={ssid}", accept="text/html")
    assert answer.status_code == 400
    assert "1 to 32 bytes" in text_of(answer.text)


async def test_policies_of_browsers() -> None:
    """With this proxy's address."""
    firefox = json.loads((await get(NEWCOMER, open_pages.FIREFOX)).content)
    assert firefox["policies"]["Proxy"]["AutoConfigURL"] == "http://10.0.0.5:8080/proxy.pac"
    chrome = json.loads((await get(WEB, open_pages.CHROME, host="proxy.example:8081")).content)
    assert chrome["ProxySettings"]["ProxyPacUrl"] == "http://proxy.example:8081/proxy.pac"


@pytest.mark.parametrize("host", ["", "a b", 'x"y', "proxy.example:99999", "[nonsense]"])
@pytest.mark.parametrize("path", [open_pages.PAC, open_pages.FIREFOX, open_pages.CHROME])
async def test_an_address_that_is_none(host: str, path: str) -> None:
    """Nothing is made with a host that is not one."""
    answer = await get(WEB, path, host=host)
    assert answer.status_code == 404
    assert (await get(WEB, "/device", host=host)).status_code == 200


async def test_no_certificate_yet() -> None:
    """A page that says so."""
    app = as_person(employee_app(FixedProxyState(pem=b"")), reached=REACHED)
    for path in (open_pages.DEVICE, open_pages.CERTIFICATE, open_pages.PROFILE):
        assert (await get(app, path)).status_code == 404


# -- help, distrust, languages


async def test_help_has_every_reason() -> None:
    """Problem documents link to these."""
    shown = (await get(NEWCOMER, "/help")).text
    for reason in ("exhausted", "blocked", "unidentified", "acknowledge", "unavailable"):
        assert f'<dt id="{reason}">' in shown


async def test_help_leads_nowhere_that_is_not_there() -> None:
    """On the web port, and directly, there are no pages of a person."""
    for app in (WEB, DIRECT):
        shown = (await get(app, "/help")).text
        assert 'href="/policy"' not in shown
        assert 'href="/"' not in shown
    assert 'href="/policy"' in (await get(NEWCOMER, "/help")).text


async def test_a_device_that_distrusts_us() -> None:
    """Its own person is told, on the page that helps and on their own; a newcomer has no name by
    which the proxy could know."""
    app = employee_app(FixedProxyState(distrusted=Distrust("facebook", NOW - 60)))
    device = (await get(as_person(app, signed_in=True), "/device")).text
    assert "Facebook could not be opened at 14:49" in text_of(device)
    home = (await get(as_person(app, signed_in=True), "/")).text
    assert "This device does not trust our certificate" in text_of(home)
    assert "Facebook could not be opened at 14:49" in text_of(home)
    newcomer = as_person(app, "ip:10.0.7.33", identified=False, newcomer=True)
    assert "could not be opened" not in (await get(newcomer, "/device")).text
    assert "does not trust" not in (await get(as_person(APP), "/")).text


@pytest.mark.parametrize("path", PAGES)
async def test_in_the_reader_s_language(path: str) -> None:
    """As the office speaks, and in another language by a link that keeps the chosen system."""
    app = as_person(employee_app(German()), newcomer=True, reached=REACHED)
    answer = await get(app, path)
    assert '<html lang="de"' in answer.text
    assert f'href="{path}?lang=en"' in answer.text
    if path == open_pages.DEVICE:
        chosen = (await get(app, f"{path}?system=ios")).text
        assert f'href="{path}?system=ios&amp;lang=en"' in chosen
