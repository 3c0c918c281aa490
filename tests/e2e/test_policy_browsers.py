"""The written policy in Chromium and Firefox, behind a real proxy: the page before the platform,
the text, the box, and then the platform; and again after a new version."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.interface import Browser, Proxy
from tests.browser.start import KINDS, start
from tests.e2e.office import office, people, policy
from tests.e2e.origins import Origins
from tests.e2e.policy_readers import FACEBOOK, change, notice, write
from tests.e2e.process import OfficeProxy

pytestmark = [pytest.mark.browser, pytest.mark.long]  # test_journey.py is the short form
PASSWORD = "a long enough password"
TEXT = "document.body.innerText"
HERE = "location.href"


@pytest.fixture(scope="module")
def proxy(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """A proxy with sign-in, and a policy that has to be read."""
    folder, settings = tmp_path_factory.mktemp("policy-browsers"), {"sign-in": "required"}
    made = office(folder, origins, policy("10m") + notice(), people(), settings)
    write(made, "3")
    for kind in KINDS:
        answer = made.cli("people", "add", kind, "--password-stdin", stdin=f"{PASSWORD}\n")
        assert answer.returncode == 0, answer.stderr
    with made:
        yield made


def follow(browser: Browser, words: str) -> None:
    """Click the link or button with these words."""
    marked = (
        "[...document.querySelectorAll('a, button')].forEach(each => each.id = "
        f"each.innerText.includes({words!r}) ? 'wanted' : each.id)"
    )
    browser.evaluate(f"({marked}, true)")
    browser.click("#wanted")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_from_the_gate_to_the_platform(kind: str, proxy: OfficeProxy) -> None:
    """Read, tick, confirm: the browser lands where it wanted to go, without anything to complain
    about; a new version asks again, and "later" leads on as well."""
    trust = (proxy.ca_file, proxy.origins.ca_file)
    with start(kind, Proxy(proxy.port, kind, PASSWORD), trust) as browser:
        assert browser.open(FACEBOOK) == 403
        assert "Before you open Facebook" in browser.evaluate(TEXT)
        follow(browser, "Read and confirm")
        browser.wait("location.host === 'allowance.internal'", "the policy")
        browser.wait("!!document.querySelector('#read')", "the form")
        assert "10 minutes a day" in browser.evaluate(TEXT)
        follow(browser, "Confirm and continue")
        browser.wait("document.title.startsWith('Please look again')", "what is missing")
        browser.click("#read")
        follow(browser, "Confirm and continue")
        browser.wait(f"location.href === {FACEBOOK!r}", "the platform")
        assert browser.complaints() == []
        change(proxy, "4" if kind == min(KINDS) else "6")
        try:
            assert browser.open(FACEBOOK) == 403
            assert "You have read version" in browser.evaluate(TEXT)
            follow(browser, "Later today")
            browser.wait("!!document.querySelector('#read')", "the form")
            follow(browser, "Later today")
            browser.wait(f"location.href === {FACEBOOK!r}", "the platform")
        finally:
            change(proxy, "5" if kind == min(KINDS) else "7")
