"""`proxy_addon/web/app.py`: the employee's pages and the web port, through the real ASGI
applications."""

from __future__ import annotations

import ssl
from html.parser import HTMLParser

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from proxy_addon.system.health import down
from proxy_addon.web.app import employee_app, web_app
from proxy_addon.web.interface import Health
from tests.web.client import as_person
from tests.web.office import MIDNIGHT, MINUTE, NOW, FixedProxyState, balance, visit

FULL = FixedProxyState(
    held=(
        balance(spent=690.0, granted=300.0),
        balance("weekly-video", limit=3600.0, spent=3600.0, resets_at=None),
    ),
    seen=(
        visit("facebook", 335, 6.2),
        visit("linkedin", 260, 22, None, "learning", "Learning is work"),
        visit("facebook", 200, 0.0),
        visit("mastodon", 1, 1.1),
    ),
)


async def get(app: ASGIApp, path: str, *, method: str = "GET", **headers: str) -> httpx.Response:
    """One request, straight into the application."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://allowance.internal"
    ) as client:
        return await client.request(
            method, path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )


def text_of(page: str) -> str:
    """What a person reads, on one line."""
    words: list[str] = []
    parser = HTMLParser(convert_charrefs=True)
    parser.handle_data = words.append  # type: ignore[method-assign]
    parser.feed(page.split("<body", 1)[1])
    return " ".join(" ".join(words).split())


async def test_the_employee_sees_balances_and_visits() -> None:
    """Name, roles, what is left of each allowance, when more comes, and today's visits, newest
    first."""
    answer = await get(as_person(employee_app(FULL)), "/")
    shown = text_of(answer.text)
    assert answer.status_code == 200
    for part in (
        "dora · staff · care",
        "As of 14:50",
        "Daily social 9 minutes left",
        "11 of 20 minutes used",
        "You get more tomorrow at 00:00",
        "Includes 5 minutes granted to you.",
        "Weekly video Used up 1 hour of 1 hour used",
        "LinkedIn Learning 10:30 10:52 22 minutes free Learning is work",
        "Facebook 09:15 09:21 6 minutes Daily social Fifteen minutes a day",
        "7 minutes charged",
        "22 minutes free",
    ):
        assert part in shown, part
    assert "Mastodon 14:49 now" in shown  # a platform that the rules no longer know, still going on
    assert shown.index("Mastodon") < shown.index("LinkedIn Learning")
    assert "11:30" not in shown  # given back whole


async def test_an_empty_day_is_kind() -> None:
    """With no allowance and no visit there are sentences, not empty tables."""
    answer = await get(as_person(employee_app(FixedProxyState())), "/")
    assert "Nothing is limited for you" in answer.text
    assert "No visits yet" in answer.text
    assert "<table" not in answer.text


async def test_somebody_unknown_is_told_how_minutes_are_counted() -> None:
    """A device without sign-in is named by its address, and told what signing in gives."""
    answer = await get(as_person(employee_app(FULL), "ip:10.0.7.33", identified=False), "/")
    assert "counted for the address 10.0.7.33" in text_of(answer.text)
    assert "ip:10.0.7.33" not in answer.text


@pytest.mark.parametrize("path", ["/", "/me.json", "/?person=maria", "/me.json?user=maria"])
async def test_only_the_proxy_says_who_asks(path: str) -> None:
    """Without the proxy's word there is no page, whatever headers and query say."""
    answer = await get(employee_app(FULL), path, x_forwarded_user="maria", x_proxy_user="maria")
    assert answer.status_code == 403
    shown = await get(as_person(employee_app(FULL)), path, x_forwarded_user="maria")
    assert "dora" in shown.text
    assert "maria" not in shown.text


async def test_me_json_is_the_format_of_the_contract() -> None:
    """`/me.json` and `usage USER --json` are one format: seconds and ISO instants in the policy's
    zone."""
    answer = await get(as_person(employee_app(FULL)), "/me.json")
    body = answer.json()
    assert list(body) == ["user", "roles", "allowances", "visits"]
    assert (body["user"], body["roles"]) == ("dora", ["staff", "care"])
    assert body["allowances"]["daily-social"] == {
        "limit": 900.0,
        "spent": 690.0,
        "granted": 300.0,
        "left": 510.0,
        "resets_at": "2026-11-03T00:00:00+00:00",
    }
    assert body["allowances"]["weekly-video"]["resets_at"] is None
    assert body["visits"][1] == {
        "platform": "linkedin",
        "section": "learning",
        "allowance": None,
        "rule": "Learning is work",
        "start": "2026-11-02T10:30:00+00:00",
        "end": "2026-11-02T10:52:00+00:00",
        "estimated": False,
    }
    assert len(body["visits"]) == 3
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/help", "/certificate", "/nope"])
async def test_pages_allow_themselves_nothing_else(path: str) -> None:
    """Every page is one document under a strict policy, stored by nobody."""
    answer = await get(as_person(employee_app(FULL)), path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert " style=" not in answer.text


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=30),
    st.sampled_from(["<b>x", '"><script>', "' onload='x", "{{7*7}}", "\udc80"]),
)
async def test_nothing_in_a_value_becomes_markup(free: str, nasty: str) -> None:
    """Names from rule files and sign-in are shown as text, never as elements."""
    value = f"z{free}{nasty}"
    office = FixedProxyState(
        held=(balance(value, spent=60.0),),
        seen=(visit(value, 30, 5, value, value, value),),
    )
    calm = FixedProxyState(
        held=(balance("z", spent=60.0),), seen=(visit("z", 30, 5, "z", "z", "z"),)
    )
    page = (await get(as_person(employee_app(office), value), "/")).text
    assert elements(page) == elements((await get(as_person(employee_app(calm), "z"), "/")).text)


def elements(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Elements with the names of their attributes."""
    found: list[tuple[str, tuple[str, ...]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append((tag, tuple(n for n, _ in attrs)))  # type: ignore[method-assign]
    parser.feed(page)
    return found


@pytest.mark.parametrize("make", [employee_app, web_app])
async def test_the_certificate_and_never_a_key(make: type) -> None:
    """Both forms of the certificate are offered; a key that stands beside it is not."""
    key = b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
    office = FixedProxyState()
    office.pem = key + office.pem + key
    app = as_person(make(office))
    pem, der = await get(app, "/ca.pem"), await get(app, "/ca.cer")
    assert "PRIVATE" not in pem.text
    assert ssl.PEM_cert_to_DER_cert(pem.text) == der.content
    assert der.headers["content-type"] == "application/x-x509-ca-cert"
    assert "allowance-ca.pem" in pem.headers["content-disposition"]
    assert (await get(app, "/certificate")).status_code == 200


async def test_no_certificate_yet() -> None:
    """Without a certificate the answer is 404, not a broken download."""
    assert (await get(web_app(FixedProxyState(pem=b"")), "/ca.pem")).status_code == 404


@pytest.mark.parametrize(
    ("host", "proxy"),
    [
        ("proxy.office.example:8081", "proxy.office.example:8080"),
        ("10.0.0.5", "10.0.0.5:8080"),
        ("[2001:db8::5]:8081", "[2001:db8::5]:8080"),
        ('x"; evil(); "', None),
        ("proxy_1:8081", "proxy_1:8080"),
        ("", None),
        ('[fe80::1%25eth0"]', "[fe80::1]:8080"),
        ("-a.example", None),
    ],
)
async def test_pac_names_the_host_that_the_client_used(host: str, proxy: str | None) -> None:
    """The script sends browsers where they asked; what is not a host name never gets into it."""
    answer = await get(web_app(FixedProxyState()), "/proxy.pac", host=host)
    if proxy is None:
        assert answer.status_code == 404
    else:
        assert f'return "PROXY {proxy}";' in answer.text
        assert answer.headers["content-type"].startswith("application/x-ns-proxy-autoconfig")


async def test_pac_through_the_proxy_needs_the_proxys_address() -> None:
    """`allowance.internal` is not a name that a browser could connect to: the adapter says which
    is."""
    app = employee_app(FixedProxyState())
    assert (
        "PROXY 10.0.0.5:8080" in (await get(as_person(app, reached="10.0.0.5"), "/proxy.pac")).text
    )
    assert (await get(as_person(app), "/proxy.pac")).status_code == 404


async def test_health_pages_and_metrics() -> None:
    """The health pages are there (`tests/web/test_health_api.py`); metrics are passed on as they
    are."""
    well = web_app(FixedProxyState())
    for path in ("/livez", "/healthz", "/readyz", "/statusz"):
        assert (await get(well, path)).status_code == 200
    metrics = await get(well, "/metrics")
    assert metrics.text == "allowance_active_people 3.0\n"
    assert metrics.headers["content-type"] == "text/plain; version=1.0.0; charset=utf-8"


async def test_the_index_names_the_state_and_no_employee() -> None:
    """The administrator sees what is wrong at a glance, and nobody's name."""
    page = (
        await get(
            web_app(FixedProxyState(state=Health(False, {"ledger": down("down: locked")}))), "/"
        )
    ).text
    assert "needs attention" in page
    assert "down: locked" in page
    assert "dora" not in page


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/nope"])
@pytest.mark.parametrize("make", [employee_app, web_app])
async def test_there_is_nothing_else(make: type, path: str) -> None:
    """No documentation endpoints; a page for people and a problem document for programs."""
    app = as_person(make(FixedProxyState()))
    page = await get(app, path, accept="text/html")
    assert page.status_code == 404
    problem = await get(app, path, accept="application/json")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == 404


async def test_a_wrong_method_and_head() -> None:
    """HEAD works where GET does; other methods are refused with a page."""
    app = as_person(employee_app(FULL))
    assert (await get(app, "/", method="HEAD")).status_code == 200
    assert (await get(app, "/", method="POST")).status_code == 405


async def test_a_failure_of_ours_is_a_page(caplog: pytest.LogCaptureFixture) -> None:
    """An exception ends in a styled 500 and one log entry; nothing of it reaches the reader or the
    server."""
    answer = await get(as_person(employee_app(FixedProxyState(broken=True))), "/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "enforcer" not in answer.text
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "a page failed"
    ]


def test_now_is_what_the_fixture_says() -> None:
    """The instants of the fixture fit each other."""
    assert MIDNIGHT - NOW == (9 * 60 + 10) * MINUTE
