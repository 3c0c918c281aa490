"""Chromium and Firefox behind a real proxy: sign-in, certificates, pages, and what is limited."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.browser.interface import Browser, NotOpened, Proxy
from tests.browser.start import KINDS, start
from tests.e2e.office import office, people, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.long]
PASSWORD = "with:colon and ümlaut"
TEXT = "document.body.innerText"


@pytest.fixture(scope="module")
def proxy(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """A proxy with sign-in."""
    folder, settings = tmp_path_factory.mktemp("browsers"), {"sign-in": "required"}
    made = office(folder, origins, policy(short="60s"), people(), settings)
    for kind in KINDS:
        answer = made.cli("people", "add", kind, "--password-stdin", stdin=f"{PASSWORD}\n")
        assert answer.returncode == 0, answer.stderr
    with made:
        yield made


def trusted(proxy: OfficeProxy) -> tuple[Path, ...]:
    """The CA of the proxy, and that of the sites."""
    return proxy.ca_file, proxy.origins.ca_file


@pytest.fixture(scope="module", params=sorted(KINDS))
def browser(request: pytest.FixtureRequest, proxy: OfficeProxy) -> Iterator[Browser]:
    """Each browser in turn, signed in under its own name, trusting the proxy's CA and that of the
    sites."""
    who = Proxy(proxy.port, request.param, PASSWORD)
    with start(request.param, who, trusted(proxy)) as started:
        yield started


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_own_page(browser: Browser, scheme: str) -> None:
    """The employee's page shows who has signed in, over either scheme, and nothing goes wrong."""
    assert browser.open(f"{scheme}://allowance.internal/") == 200
    assert browser.name in browser.evaluate(TEXT)
    assert browser.complaints() == []


def test_limited_and_unlimited(browser: Browser, proxy: OfficeProxy) -> None:
    """A limited platform is opened under our certificate and charged to who has signed in; a site
    that is not limited keeps its own; what is blocked has our page."""
    assert browser.open("https://work.example/") == 200
    assert browser.open("https://www.youtube.com/") == 200
    until(lambda: proxy.usage(browser.name)["visits"], "the visit to be charged")
    assert browser.open("https://www.tiktok.com/") == 403
    assert "TikTok is not available on office devices." in browser.evaluate(TEXT)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_wrong_password(kind: str, proxy: OfficeProxy, origins: Origins) -> None:
    """With a wrong password nothing of a limited platform is asked for, and the browser gives
    up."""
    before = len(origins.record.to("www.youtube.com"))
    with (
        start(kind, Proxy(proxy.port, kind, "wrong"), trusted(proxy)) as browser,
        suppress(NotOpened),
    ):
        assert browser.open("https://www.youtube.com/") == 407
    assert len(origins.record.to("www.youtube.com")) == before


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_without_trust(kind: str, proxy: OfficeProxy) -> None:
    """A browser that does not trust the CA opens our page over http, and over https says why
    not."""
    with start(kind, Proxy(proxy.port, kind, PASSWORD)) as browser:
        assert browser.open("http://allowance.internal/") == 200
        with pytest.raises(NotOpened, match=r"ERR_CERT_AUTH|UNKNOWN_ISSUER"):
            browser.open("https://allowance.internal/")
