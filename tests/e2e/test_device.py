"""Somebody sets a device up with Chromium and Firefox: a page before any sign-in, the certificate,
the sign-in; and who does not trust us is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.interface import Browser, NotOpened, Proxy
from tests.browser.start import EACH, KINDS, start
from tests.e2e.office import office, people, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy

pytestmark = pytest.mark.browser
PASSWORD = "a plain password"
STRANGER = "{}-stranger"
DEVICE = "http://allowance.internal/device"
TEXT = "document.body.innerText"


@pytest.fixture(scope="module")
def proxy(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """A proxy with sign-in."""
    folder, settings = tmp_path_factory.mktemp("devices"), {"sign-in": "required"}
    made = office(folder, origins, policy(short="60s"), people(), settings)
    for kind in (*KINDS, *map(STRANGER.format, KINDS)):
        answer = made.cli("people", "add", kind, "--password-stdin", stdin=f"{PASSWORD}\n")
        assert answer.returncode == 0, answer.stderr
    with made:
        yield made


def trusted(proxy: OfficeProxy) -> tuple[Path, ...]:
    """The CA of the proxy, and that of the sites."""
    return proxy.ca_file, proxy.origins.ca_file


def becomes(browser: Browser, key: str, state: str) -> None:
    """Wait until one of the things that a device needs is so far."""
    tick = f"document.getElementById('{key}')?.dataset.state"
    browser.wait(f"{tick} === '{state}'", f"{key} to be {state}")


@pytest.mark.parametrize("kind", EACH)
def test_a_newcomer(kind: str, proxy: OfficeProxy) -> None:
    """Without credentials and without the CA the page is there: the proxy is used, a name and the
    certificate are missing; once the browser has the CA, the page sees it by itself."""
    with start(kind, Proxy(proxy.port)) as browser:
        assert browser.open(DEVICE) == 200
        becomes(browser, "proxy", "done")
        becomes(browser, "name", "missing")
        becomes(browser, "certificate", "missing")
        assert browser.evaluate("document.title") == "Two things are missing on this device"
        assert "ip:" not in browser.evaluate(TEXT)
        with pytest.raises(NotOpened):
            browser.open("https://allowance.internal/device/check")
    with start(kind, Proxy(proxy.port), trusted(proxy)) as browser:
        assert browser.open(DEVICE) == 200
        becomes(browser, "certificate", "done")
        assert browser.evaluate("document.title") == "One thing is missing on this device"
        assert browser.complaints() == []
        assert browser.open("https://allowance.internal/device/check") == 200
        assert "trusts the certificate" in browser.evaluate(TEXT)


@pytest.mark.parametrize("kind", EACH)
def test_signing_in(kind: str, proxy: OfficeProxy) -> None:
    """The way to sign in leads back to the page, where nothing is missing; also for somebody who
    began with a page over TLS, where no proxy can ask."""
    with start(kind, Proxy(proxy.port, kind, PASSWORD), trusted(proxy)) as browser:
        assert browser.open("https://allowance.internal/device/sign-in") == 200
        assert browser.evaluate("location.pathname") == "/device"
        assert f"Signed in as {kind}" in browser.evaluate(TEXT)
        becomes(browser, "certificate", "done")
        assert browser.evaluate("document.title") == "This device is ready"
        assert browser.open("https://allowance.internal/") == 200
        assert kind in browser.evaluate(TEXT)


@pytest.mark.parametrize("kind", EACH)
def test_before_the_proxy_is_used(kind: str, proxy: OfficeProxy) -> None:
    """A browser without a proxy opens the page on the proxy's port, by the address of a code for
    phones, and reads there what to enter."""
    with start(kind) as browser:
        assert browser.open(f"http://127.0.0.1:{proxy.port}/") == 200
        assert browser.evaluate("location.pathname") == "/device"
        becomes(browser, "proxy", "missing")
        assert f"http://127.0.0.1:{proxy.port}/proxy.pac" in browser.evaluate(TEXT)


@pytest.mark.parametrize("kind", EACH)
def test_who_does_not_trust_us_is_told(kind: str, proxy: OfficeProxy) -> None:
    """On their own page, until a connection of theirs succeeds."""
    told = "This device does not trust our certificate"
    who = Proxy(proxy.port, STRANGER.format(kind), PASSWORD)  # whom nothing is known of yet
    with start(kind, who) as browser:
        # Not by opening it: the browser's own page about that stands in the way of the next one.
        ask = "fetch('https://www.youtube.com/', {mode: 'no-cors'}).then(() => '', String)"
        assert "TypeError" in browser.evaluate(ask)
        assert browser.open("http://allowance.internal/") == 200
        said = browser.evaluate(TEXT)
        assert told in said
        assert "YouTube could not be opened" in said
        assert browser.open(DEVICE) == 200
        assert "YouTube could not be opened" in browser.evaluate(TEXT)
    with start(kind, who, trusted(proxy)) as browser:
        assert browser.open("https://allowance.internal/") == 200
        assert browser.open("http://allowance.internal/") == 200
        assert told not in browser.evaluate(TEXT)
