"""A newcomer's way through the office, in real Chromium and Firefox: the device, the sign-in, the
written policy, the warning, the end, urgent minutes, a request, and a new version of the policy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.interface import Browser, Proxy
from tests.browser.start import EACH, start
from tests.e2e.office import noon_zone, office
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

pytestmark = pytest.mark.browser
PASSWORD = "a long password"
PAGE = "http://allowance.internal"
SITE = "https://www.facebook.com/"
TEXT = "document.body.innerText"
PEOPLE = "default_role: staff\nroles:\n  staff: {}\n  admin: {members: [ada]}\n"
POLICY = f"""
version: 1
timezone: {noon_zone()}
office: {{name: Example Ltd, contact: ext. 120}}
notice: {{file: notices/social.md, grace: 3d}}
urgent: {{minutes: 1, times: 1, per: day}}
allowances:
  short: {{limit: 10s per day, warn_at: 6s}}
rules:
  - {{name: A little every day, platforms: [facebook, x], then: {{spend: short}}}}
otherwise: allow
metering: {{tail: 1s}}
"""
NOTICE = """\
---
version: {version}
summary: ["You have {{{{ allowance.short }}}}."]
changes: The part about images.
---
# Social media at work
## Purpose
You have **{{{{ allowance.short }}}}**.
## Who is responsible
## What may and may not be said
## When to escalate
> **ext. 120**
## Talking with the public
## Disclaimer
> My own view.
## Images and video
## Data protection and confidentiality
"""
ON_THE_SITE = "location.hostname === 'www.facebook.com' && document.readyState === 'complete'"


def write(folder: Path, version: str) -> None:
    """The written policy, in a version."""
    (folder / "notices").mkdir(parents=True, exist_ok=True)
    (folder / "notices" / "social.md").write_text(NOTICE.format(version=version))


@pytest.fixture(params=EACH)
def kind(request: pytest.FixtureRequest) -> str:
    """Each browser in turn."""
    return str(request.param)


@pytest.fixture
def proxy(origins: Origins, tmp_path: Path, kind: str) -> Iterator[OfficeProxy]:
    """An office with sign-in and a written policy; nobody has used it yet."""
    made = office(tmp_path, origins, POLICY, PEOPLE, {"sign-in": "required"})
    write(made.rules, "3")
    for name in (kind, "ada"):
        answer = made.cli("people", "add", name, "--password-stdin", stdin=f"{PASSWORD}\n")
        assert answer.returncode == 0, answer.stderr
    with made:
        yield made


class Employee:
    """Somebody with a browser. `seen`: what stood on the way, in order."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def open(self, url: str) -> int:
        """Open a page; its status."""
        return self.browser.open(url)

    def follow(self, selector: str, arrived: str) -> None:
        """Click, and wait until the page after it is there."""
        self.browser.click(selector)
        self.browser.wait(arrived, f"{arrived} after a click on {selector}")

    def use_until(self, seen: Callable[[], bool], what: str) -> None:
        """Use the platform page after page until something stands in its place."""
        for _ in range(60):
            self.open(SITE)
            if seen():
                return
            time.sleep(0.5)
        raise AssertionError(f"{what} did not come: {self.text()}")

    def text(self) -> str:
        """What the page says."""
        return str(self.browser.evaluate(TEXT))

    def has(self, selector: str) -> bool:
        """Whether the page has such an element."""
        return bool(self.browser.evaluate(f"document.querySelector({selector!r}) !== null"))


def confirm(employee: Employee) -> None:
    """From the gate over the written policy to the platform."""
    employee.follow("a.act.main", "location.pathname === '/policy'")
    assert "10 seconds a day" in employee.text()
    employee.browser.click("input[name=read]")
    employee.follow("button[value=confirm]", ON_THE_SITE)


def test_from_the_first_day_to_a_new_version(proxy: OfficeProxy, kind: str) -> None:
    """A newcomer sets up a device without a password, signs in, reads and confirms the policy and
    lands on the platform, is warned, runs out, takes urgent minutes, asks for more; a new version
    asks again, and the administrators' page shows who has not read it."""
    ca = (proxy.ca_file, proxy.origins.ca_file)
    with start(kind, Proxy(proxy.port), ca) as newcomer:
        assert newcomer.open(f"{PAGE}/device") == 200
        newcomer.wait(
            "document.querySelector('#certificate').dataset.state === 'done'",
            "the certificate's tick",
        )
        assert newcomer.complaints() == []
    with start(kind, Proxy(proxy.port, kind, PASSWORD), ca) as browser:
        employee = Employee(browser)
        assert employee.open(SITE) == 403
        assert not employee.has("form")
        confirm(employee)
        _run_out(employee)
        _take_urgent_minutes(employee)
        _ask_for_more(employee, proxy)
        write(proxy.rules, "4")
        employee.open(f"{PAGE}/policy")
        until(
            lambda: employee.open(f"{PAGE}/policy") and "Version 4" in employee.text(), "version 4"
        )
        _see_who_has_not(proxy, kind, kind)
        employee.open(SITE)
        assert "The part about images." in employee.text()
        employee.follow("a.act.main", "location.pathname === '/policy'")


def _run_out(employee: Employee) -> None:
    """Used to its end, with a page of warning before."""
    going_on = f'a.act.main[href^="{SITE}"]'
    employee.use_until(lambda: employee.has(going_on), "the warning")
    assert "left" in str(employee.browser.evaluate("document.title"))
    employee.follow(going_on, ON_THE_SITE)
    employee.use_until(lambda: employee.has('a[href*="/urgent"]'), "the end")
    assert "used up" in employee.text()


def _take_urgent_minutes(employee: Employee) -> None:
    """One minute at once, and back to the platform."""
    employee.follow('a[href*="/urgent"]', "location.pathname === '/urgent'")
    employee.follow("button[type=submit]", ON_THE_SITE)
    assert employee.open(SITE) == 200


def _ask_for_more(employee: Employee, proxy: OfficeProxy) -> None:
    """The request waits for an answer and stands on the person's own page."""
    assert employee.open(f"{PAGE}/ask") == 200
    employee.browser.click("#reason")
    employee.browser.type("A customer waits")
    employee.follow("button[type=submit]", "location.pathname === '/'")
    assert "A customer waits" in employee.text()


def _see_who_has_not(proxy: OfficeProxy, kind: str, name: str) -> None:
    """The administrator sees how many, and after a reason, who."""
    ca = (proxy.ca_file, proxy.origins.ca_file)
    with start(kind, Proxy(proxy.port, "ada", PASSWORD), ca) as browser:
        admin = Employee(browser)
        assert admin.open(f"{PAGE}/admin/policy") == 200
        assert "0 of 2" in admin.text()
        assert name not in str(browser.evaluate("document.querySelector('#names').innerText"))
        browser.click("#reason")
        browser.type("To remind them")
        admin.follow("button[value=page]", "document.querySelector('#names table') !== null")
        assert name in str(browser.evaluate("document.querySelector('#names').innerText"))
