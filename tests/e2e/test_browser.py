"""A day in Chromium: sign in, browse, be warned, run out, look at what is left. Pictures are
kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Error, Page, Response

from tests.e2e import browser
from tests.e2e.browser import BrowserSession, screenshot
from tests.e2e.office import office, people, policy
from tests.e2e.origins import Origins
from tests.e2e.process import LIGHT_PATH, OfficeProxy
from tests.e2e.waiting import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        browser.executable() is None, reason="no chromium here: apt-get install chromium"
    ),
]
PASSWORD = "a long enough password"
PEOPLE = ("dora", "emil", "fay", "gus", "hal", "ida", "ada")
FACEBOOK = "https://www.facebook.com"


@pytest.fixture(scope="module")
def proxy(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """A proxy with sign-in and ten seconds a day, the last five of them after a warning."""
    rules, roles = policy(short="10s", warn="5s"), people("  admin: {members: [ada]}\n")
    settings = {"sign-in": "required"}
    office_proxy = office(tmp_path_factory.mktemp("browser"), origins, rules, roles, settings)
    for user in PEOPLE:
        answer = office_proxy.cli("people", "add", user, "--password-stdin", stdin=f"{PASSWORD}\n")
        assert answer.returncode == 0, answer.stderr
    with office_proxy:
        yield office_proxy


@pytest.fixture(scope="module")
def session(proxy: OfficeProxy) -> Iterator[BrowserSession]:
    """Chromium behind that proxy."""
    with browser.chromium(proxy) as started:
        yield started


def visit(page: Page, url: str) -> Response:
    """Open a page; its answer."""
    response = page.goto(url, wait_until="load")
    assert response is not None
    return response


def reason(response: Response) -> str | None:
    """The contract's reason header."""
    return response.headers.get("x-allowance-reason")


def browse_until_warned(page: Page) -> None:
    """Read the feed until the heads-up page stands in its place."""

    def warned() -> bool:
        assert reason(visit(page, f"{FACEBOOK}/feed")) is None
        return page.get_by_role("link", name="Continue").count() > 0

    until(warned, "the heads-up page", 20, every=0.4)


def why_it_was_charged(page: Page) -> None:
    """From the employee's page: the evidence of a visit, and which rule decides."""
    page.locator("summary", has_text="Why").first.click()
    page.get_by_text("by opening a page").first.wait_for()
    screenshot(page, "4-employee-why")
    page.get_by_role("link", name="Which rule decides").click()
    page.get_by_label("A platform").select_option(label="Facebook")
    page.get_by_role("button", name="What would happen?").click()
    answer = page.locator("#answer")
    answer.get_by_text("Closed now").wait_for()
    answer.get_by_text("This rule decides.").wait_for()
    assert "is used up" in answer.inner_text()
    screenshot(page, "4-why")


def test_a_day(proxy: OfficeProxy, session: BrowserSession, origins: Origins) -> None:
    """Browse, heads-up, continue, run out, block page, employee page: what a person sees, in this
    order."""
    with session.person("dora", PASSWORD) as page:
        assert visit(page, f"{FACEBOOK}/").status == 200
        page.get_by_text("api says /api/hello").wait_for()
        assert page.evaluate("[...document.images].every(i => i.naturalWidth === 48)")
        screenshot(page, "1-browsing")
        browse_until_warned(page)
        screenshot(page, "2-heads-up")
        page.get_by_role("link", name="Continue").click()
        page.get_by_role("heading", name="Feed of").wait_for()

        def over() -> bool:
            return reason(visit(page, f"{FACEBOOK}/feed")) == "exhausted"

        until(over, "the block page", 20, every=0.4)
        assert "A little every day" not in page.inner_text("body")  # what IT needs is folded away
        page.get_by_text("Why, and for IT").click()
        assert "A little every day" in page.inner_text("body")
        assert "tomorrow at 00:00" in page.inner_text("body")
        before = len(origins.record.to("www.facebook.com"))
        assert visit(page, f"{FACEBOOK}/profile").status == 403
        screenshot(page, "3-block")
        assert len(origins.record.to("www.facebook.com")) == before
        page.get_by_role("link", name="See my time").click()
        page.get_by_text("dora").first.wait_for()
        screenshot(page, "4-employee")
        why_it_was_charged(page)
        assert visit(page, "https://x.com/").status == 403
        assert visit(page, "https://www.youtube.com/").status == 200
    assert proxy.spent("dora", "short") >= 9


def test_asking_for_more(proxy: OfficeProxy, session: BrowserSession) -> None:
    """Out of time, gus asks from the block page; ada signs in and approves; gus goes on
    browsing."""
    with session.person("gus", PASSWORD, size=browser.PHONE) as page:

        def over() -> bool:
            return reason(visit(page, f"{FACEBOOK}/feed")) == "exhausted"

        until(over, "the block page", 25, every=0.4)
        page.get_by_role("link", name="Ask for more minutes").click()
        assert page.get_by_label("Time for").input_value() == "short"
        page.get_by_label("Minutes").fill("15")
        page.get_by_label("What for?").fill("The launch of <b>our</b> page")
        screenshot(page, "7-ask-phone")
        page.get_by_role("button", name="Ask").click()
        page.get_by_role("heading", name="waits for an answer").wait_for()
        waiting = page.url
        screenshot(page, "7-asked-phone")
        assert visit(page, "http://allowance.internal/admin").status == 403
        assert "role admin" in page.inner_text("body")
        with session.person("ada", PASSWORD, dark=True) as admin:
            assert visit(admin, "https://allowance.internal/admin").status == 200
            admin.get_by_text("The launch of <b>our</b> page").wait_for()
            assert admin.locator("script").count() == 0
            screenshot(admin, "8-admin-dark")
            admin.get_by_role("button", name="Approve").click()
            admin.get_by_text("No requests are waiting").wait_for()
            assert "done=granted" in admin.url
            screenshot(admin, "8-admin-granted")

        def led_back() -> bool:
            """The page that shows the request leads back once there is time."""
            visit(page, waiting)
            page.wait_for_timeout(300)
            return page.url.startswith(FACEBOOK)

        until(led_back, "the way back", 8, every=0.2)
        until(lambda: visit(page, f"{FACEBOOK}/feed").status == 200, "the grant", 5, every=0.2)
        visit(page, "http://allowance.internal/")
        assert "granted until" in page.inner_text("body")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        screenshot(page, "9-granted-phone")


def test_the_admin_page_fits_a_phone(session: BrowserSession) -> None:
    """Everything on the administrators' page fits a phone, and other sites can neither frame nor
    script it."""
    with session.person("ada", PASSWORD, size=browser.PHONE) as page:
        answer = visit(page, "http://allowance.internal/admin")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        screenshot(page, "8-admin-phone")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_employee_page(session: BrowserSession, scheme: str) -> None:
    """The employee's page loads through the proxy with either scheme and shows name and
    allowances."""
    with session.person("emil", PASSWORD) as page:
        assert visit(page, f"{scheme}://allowance.internal/").status == 200
        text = page.inner_text("body")
        assert "emil" in text
        assert "30 minutes left today" in text and "10 seconds left today" in text
        screenshot(page, f"5-employee-{scheme}")


@pytest.mark.parametrize(("scheme", "name"), [("http", "hal"), ("https", "ida")])
def test_the_page_shows_changes_at_once(session: BrowserSession, scheme: str, name: str) -> None:
    """What is used elsewhere is shown long before the page would ask by itself, without a reload
    and without a complaint of the browser's; without the light path when it asks."""
    with session.person(name, PASSWORD) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        with page.expect_response("**/me/events") as opened:
            visit(page, f"{scheme}://allowance.internal/")
        assert opened.value.status == (200 if LIGHT_PATH else 501)
        page.evaluate("window.same = true")
        rows = page.locator("tbody tr").count()
        with session.person(name, PASSWORD) as other:
            assert visit(other, "https://www.youtube.com/").status == 200
        wait = 8 if LIGHT_PATH else 30
        until(lambda: page.locator("tbody tr").count() > rows, "the visit to be shown", wait)
        assert page.evaluate("window.same")
        assert not LIGHT_PATH or complaints == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [browser.PHONE, browser.DESKTOP])
def test_block_page_everywhere(session: BrowserSession, size: tuple[int, int], dark: bool) -> None:
    """The block page fits a phone and a desk, light and dark, and asks for nothing but itself."""
    with session.person("emil", PASSWORD, size=size, dark=dark) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        assert (
            visit(page, "https://www.tiktok.com/<script>alert(1)</script>?q='\"><b>x").status == 403
        )
        assert "TikTok is not available on office devices." in page.inner_text("body")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.locator("body script").count() == 0
        assert [url for url in asked if "favicon" not in url] == asked[:1]
        screenshot(page, f"6-block-{size[0]}-{'dark' if dark else 'light'}")


def test_unlimited_page_keeps_its_certificate(session: BrowserSession) -> None:
    """Chromium sees the site's own certificate where nothing is limited, and ours where something
    is."""
    with session.person("emil", PASSWORD) as page:
        own = visit(page, "https://work.example/").security_details()
        ours = visit(page, "https://www.youtube.com/").security_details()
    assert own is not None
    assert ours is not None
    assert own["issuer"] == "Test origins"
    assert ours["issuer"] != "Test origins"


def test_like_button_costs_nothing(
    proxy: OfficeProxy, session: BrowserSession, origins: Origins
) -> None:
    """A news page that carries a like button of a limited platform charges no time at all."""
    button = "https://platform.linkedin.com/embed/"
    with session.person("fay", PASSWORD) as page:
        for _ in range(3):
            visit(page, f"https://news.example/?embed={button}")
            page.frame_locator("iframe").get_by_text("api says").wait_for()
    assert origins.record.to("platform.linkedin.com", "/embed/")
    usage = proxy.usage("fay")
    assert (usage["allowances"]["short"]["spent"], usage["visits"]) == (0, [])


def test_script_can_read_the_refusal(session: BrowserSession) -> None:
    """A page's script that fetches from a blocked platform gets a problem that it can read."""
    with session.person("emil", PASSWORD) as page:
        visit(page, "https://news.example/")
        script = "fetch('https://www.tiktok.com/api/x').then(async r => [r.status, (await r.json()).rule])"
        assert page.evaluate(script) == [403, "Not on our network"]


def test_a_site_that_is_down(session: BrowserSession) -> None:
    """A limited site that cannot be reached: the page that says so is there, and loading ends."""
    with session.person("hal", PASSWORD) as page:
        assert visit(page, "https://nowhere.facebook.com/").status == 502
        page.get_by_role("heading", name="cannot be reached right now").wait_for()


def test_wrong_password(session: BrowserSession) -> None:
    """With a wrong password the browser shows no page of a limited platform."""
    with session.person("dora", "wrong") as page:
        try:
            response = page.goto("https://www.youtube.com/")
        except Error as error:
            assert "ERR_" in str(
                error
            )  # a proxy that keeps asking is a failed load for the browser
        else:
            assert response is not None
            assert response.status == 407
