"""Takes a picture of each page, light, dark and on a phone, into `artifacts/pages/`, for people to
look at.

Run it as `python tests/web/screenshots.py`. `ALLOWANCE_CHROMIUM` names the browser (default
`chromium` on PATH).
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from fastapi.testclient import TestClient
from httpx import Response
from playwright.sync_api import Browser, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from proxy_addon.core.types import Decision, EvidenceSummary, Extension, Reason, Verdict, Visit
from proxy_addon.proxy.responses import responses as answers
from proxy_addon.system.health import FINE, down
from proxy_addon.web.app import employee_app, web_app
from proxy_addon.web.interface import Health
from tests.web.admin_setup import NAMES, SAME, TOKENS, UP, AdminSetup
from tests.web.client import as_person
from tests.web.office import MIDNIGHT, MINUTE, NOW, ZONE, FixedProxyState, balance, visit
from tests.web.test_admin_pages import UnreachableLedger
from tests.web.test_rule_explanation import StateWithRules

type Page = tuple[dict[str, str], bytes]  # headers, body

OUT = ROOT / "artifacts" / "pages"
DESKTOP, PHONE = {"width": 1100, "height": 800}, {"width": 390, "height": 844}
ASK = answers.RequestInfo(
    "GET", "https://www.facebook.com/", "www.facebook.com", "document", "navigate"
)
RULE = "Fifteen minutes a day"


def context(**changes: object) -> answers.PageContext:
    """Dora, who has used what she had."""
    used_up = balance(spent=15 * MINUTE)
    made = answers.PageContext(
        "dora", ("staff", "care"), "Facebook", used_up, "Daily social", ZONE, NOW
    )
    return made._replace(**changes)


def refusals() -> dict[str, Page]:
    """The pages of `proxy/responses/responses.py`."""
    no = Verdict.BLOCK
    exhausted = Decision(
        no, Reason.EXHAUSTED, "facebook", None, RULE, "daily-social", 0.0, MIDNIGHT
    )
    tiktok = Decision(
        no,
        Reason.BLOCKED,
        "tiktok",
        rule="Not on our network",
        message="TikTok is not available on office devices.",
    )
    shut = Decision(
        no, Reason.BLOCKED, "youtube", rule="Video after work", until=NOW + 190 * MINUTE
    )
    within = Decision(Verdict.SPEND, Reason.WITHIN, "facebook", None, RULE, "daily-social", 112.0)
    low = balance(spent=15 * MINUTE - 112)
    granted = balance(spent=25 * MINUTE, granted=10 * MINUTE)
    plain = context(balance=None, allowance=None)
    made = {
        "block": answers.block(ASK, exhausted, context()),
        "block-more": answers.block(ASK, exhausted, context(balance=granted, request_more=True)),
        "block-rule": answers.block(
            ASK._replace(host="www.tiktok.com"), tiktok, plain._replace(platform_title="TikTok")
        ),
        "block-until": answers.block(
            ASK._replace(host="www.youtube.com"), shut, plain._replace(platform_title="YouTube")
        ),
        "unidentified": answers.block(
            ASK,
            Decision(no, Reason.UNIDENTIFIED, "facebook"),
            plain._replace(person="ip:10.0.7.33", roles=()),
        ),
        "unavailable": answers.block(ASK, Decision(no, Reason.UNAVAILABLE, "facebook"), plain),
        "heads-up": answers.heads_up(ASK, within, low, context(balance=low)),
        "sign-in": answers.sign_in("Office proxy"),
    }
    return {name: (dict(answer.headers), answer.body) for name, answer in made.items()}


def with_evidence(visit: Visit) -> Visit:
    """With evidence."""
    at = visit.start
    lines = (
        Extension("page-action", at + 15, at + 50, 14),
        Extension("media-played", at + 30, at + 60, 1),
    )
    return replace(
        visit, evidence=EvidenceSummary(("page-opened", at), lines, ("time-up", visit.end), 600.0)
    )


def office() -> FixedProxyState:
    """Three allowances and a day's visits."""
    return FixedProxyState(
        held=(
            balance(spent=11.5 * MINUTE, granted=5 * MINUTE),
            balance(
                "weekly-video", limit=60 * MINUTE, spent=55 * MINUTE, resets_at=MIDNIGHT + 6 * 86400
            ),
            balance("news", limit=10 * MINUTE, spent=10 * MINUTE, resets_at=NOW + 70 * MINUTE),
        ),
        seen=(
            with_evidence(visit("facebook", 335, 6.2)),
            visit("linkedin", 260, 22, None, "learning", "Learning is work"),
            visit("youtube", 131, 41, None, None, "Lunch is yours"),
            visit("facebook", 60, 4.4),
            visit("youtube", 31, 0.3, "weekly-video", None, "An hour of video a week"),
            with_evidence(visit("linkedin", 1, 1.1)),
        ),
    )


def site() -> dict[str, Page]:
    """The pages of the two web applications."""
    away = Health(
        False, {"rules": FINE, "ledger": down("down: database is locked"), "certificate": FINE}
    )
    full, empty = (TestClient(as_person(employee_app(o))) for o in (office(), FixedProxyState()))
    ruled = TestClient(
        as_person(
            employee_app(StateWithRules(seen=(visit("linkedin", 60, 4), visit("facebook", 30, 5))))
        )
    )
    guest = TestClient(
        as_person(employee_app(FixedProxyState()), name="ip:10.0.7.33", identified=False)
    )
    asking, deciding, broken = setup()
    admin, ill = TestClient(web_app(office())), TestClient(web_app(FixedProxyState(state=away)))
    made = {
        "employee": full.get("/"),
        "employee-empty": empty.get("/"),
        "employee-guest": guest.get("/"),
        "help": full.get("/help"),
        "why": ruled.get("/why?platform=facebook"),
        "certificate": full.get("/certificate"),
        "admin": admin.get("/"),
        "admin-down": ill.get("/"),
        "not-found": full.get("/nope"),
        "asking": asking.get("/"),
        "ask": asking.get("/ask?allowance=weekly-video"),
        "office": deciding.get("/admin?done=granted"),
        "office-broken": broken.get("/admin"),
        "office-refused": asking.get("/admin"),
        "unmasked": unmasked(deciding),
    }
    return {name: (dict(answer.headers), answer.content) for name, answer in made.items()}


def setup() -> tuple[TestClient, TestClient, TestClient]:
    """Somebody who has asked, an administrator, and one on a bad day."""
    full = AdminSetup(pseudonyms=True)
    full.inner.write_visits([visit("facebook", 60, 5), visit("youtube", 30, 20, None)])
    full.asked(
        1,
        "emil",
        reason="The election night needs somebody on every channel, from eight until the end",
    )
    full.asked(2, "ada", reason="A course")
    full.asked(3, reason="The launch")
    full.ledger.decide(
        "r3", at=NOW - 30, by="ada", actor="web:ada", grant=None, note="After lunch, gladly."
    )
    full.asked(4, reason="A customer waits")
    lines = [
        f"rules/policy.yaml:{n}:5: unknown-key: 'lmit' is not known here; did you mean limit?"
        for n in (3, 14)
    ]
    state = replace(UP, up=False, journal_visits=12)
    bad = AdminSetup(UnreachableLedger(), problems=lines, state=state, would=())
    bad.office.state = Health(
        False, {"proxy": FINE, "ledger": down("down since 12:04: the database does not answer")}
    )
    return (
        TestClient(full.person("dora")),
        TestClient(full.person("ada")),
        TestClient(bad.person("ada")),
    )


def unmasked(admin: TestClient) -> Response:
    """The page that shows a name."""
    fields = {
        "token": TOKENS.of("ada", now=NOW),
        "pseudonym": NAMES.of("dora"),
        "reason": "a complaint",
    }
    return admin.post("http://allowance.internal/admin/unmask", data=fields, headers=SAME)


def take_screenshot(
    browser: Browser, name: str, page: Page, look: str, size: dict[str, int]
) -> None:
    """One picture, of the whole page; the browser can reach nothing but the page itself."""
    view = browser.new_page(
        viewport=size, color_scheme="dark" if "dark" in look else "light", device_scale_factor=1.5
    )

    def answer(route: Route) -> None:
        if route.request.is_navigation_request():
            route.fulfill(body=page[1], headers=page[0])
        else:
            route.abort()

    complaints: list[str] = []
    view.on("console", lambda message: complaints.append(message.text))
    view.on("pageerror", lambda problem: complaints.append(str(problem)))
    view.route("**/*", answer)
    view.goto("http://allowance.internal/")
    view.wait_for_function(
        "getComputedStyle(document.querySelector('.card')).borderRadius === '16px'"
    )
    wide = view.evaluate("document.documentElement.scrollWidth > innerWidth")
    view.screenshot(path=OUT / f"{name}-{look}.png", full_page=True)
    view.close()
    if complaints:
        raise SystemExit(f"{name} ({look}): {complaints}")
    if wide:
        raise SystemExit(f"{name} ({look}) is wider than its window")


def main() -> None:
    """All pages in all looks."""
    OUT.mkdir(parents=True, exist_ok=True)
    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--disable-sync"]
    path = os.environ.get("ALLOWANCE_CHROMIUM") or shutil.which("chromium")
    only = sys.argv[1:]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=quiet)
        for name, page in (refusals() | site()).items():
            if only and name not in only:
                continue
            take_screenshot(browser, name, page, "light", DESKTOP)
            take_screenshot(browser, name, page, "dark", DESKTOP)
            take_screenshot(browser, name, page, "phone", PHONE)
        browser.close()


if __name__ == "__main__":
    main()
