"""`proxy_addon/proxy/responses/responses.py`: each kind of request gets the kind of answer that it
can use."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.types import Decision, Reason, Verdict
from proxy_addon.proxy.responses.responses import (
    RequestInfo,
    block,
    heads_up,
    refused,
    sign_in,
    tunnel_refused,
)
from tests.proxy.responses.samples import (
    ASK,
    BLOCKED,
    CONTEXT,
    EXHAUSTED,
    LOW,
    MIDNIGHT,
    NOTHING,
    NOW,
    PAGE,
    PROBLEM,
    USED_UP,
    WITHIN,
    fields,
    links_of,
    shape_of,
    text_of,
)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"dest": "document"}, PAGE),
        ({"dest": "iframe"}, PAGE),
        ({"dest": "frame"}, PAGE),
        ({"dest": "document", "method": "POST"}, PAGE),
        (
            {"dest": "empty", "mode": "navigate"},
            PAGE,
        ),  # a service worker that passes a navigation on
        ({"dest": "Document "}, PAGE),
        ({"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, PAGE),
        ({"dest": "empty", "mode": "cors", "accept": "*/*"}, PROBLEM),
        ({"dest": "empty", "mode": "cors", "accept": "text/html"}, PROBLEM),
        ({"accept": "application/json, text/plain, */*"}, PROBLEM),
        ({"accept": "text/html, */*; q=0.01", "x_requested_with": "XMLHttpRequest"}, PROBLEM),
        ({"accept": "*/*"}, PROBLEM),
        ({"accept": None}, PROBLEM),
        ({"upgrade": True, "dest": "websocket", "mode": "websocket"}, PROBLEM),
        ({"upgrade": True, "accept": "text/html"}, PROBLEM),
        ({"dest": "image", "mode": "no-cors", "accept": "image/avif,*/*"}, NOTHING),
        ({"dest": "script", "accept": "*/*"}, NOTHING),
        ({"dest": "style", "accept": "text/css,*/*;q=0.1"}, NOTHING),
        ({"dest": "font"}, NOTHING),
        ({"dest": "audio"}, NOTHING),
        ({"dest": "video"}, NOTHING),
        ({"dest": "track"}, NOTHING),
        ({"dest": "serviceworker"}, NOTHING),
        ({"dest": "report"}, NOTHING),
        ({"accept": "image/webp,image/*,*/*;q=0.8"}, NOTHING),
        ({"accept": "text/css,*/*;q=0.1"}, NOTHING),
    ],
)
def test_answer_kind_by_request_kind(changes: dict[str, object], kind: str | None) -> None:
    """Documents get a page, scripts a problem document, everything else an empty body; all are
    403."""
    ask = RequestInfo("GET", ASK.url, ASK.host)._replace(**changes)
    answer = block(ask, EXHAUSTED, CONTEXT)
    assert answer.status == 403
    assert fields(answer).get("content-type") == kind
    assert bool(answer.body) == (kind is not None)
    assert fields(answer)["content-length"] == str(len(answer.body))


@pytest.mark.parametrize("dest", ["document", "empty", "image"])
def test_headers_that_every_refusal_carries(dest: str) -> None:
    """The reason, when to come back, and that nobody may keep the answer."""
    headers = fields(block(ASK._replace(dest=dest, mode=None), EXHAUSTED, CONTEXT))
    assert headers["x-allowance-reason"] == "exhausted"
    assert headers["retry-after"] == str(int(MIDNIGHT - NOW))
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "Origin" in headers["vary"]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (Reason.EXHAUSTED, "exhausted"),
        (Reason.BLOCKED, "blocked"),
        (Reason.OTHERWISE, "blocked"),
        (Reason.UNIDENTIFIED, "unidentified"),
        (Reason.ACKNOWLEDGE, "acknowledge"),
        (Reason.UNAVAILABLE, "unavailable"),
    ],
)
def test_reason_codes(reason: Reason, code: str) -> None:
    """The header and the document carry the codes of the contract, and each reason has its own
    page."""
    decision = Decision(Verdict.BLOCK, reason, "facebook")
    answer = block(
        ASK._replace(dest="empty", mode="cors"), decision, CONTEXT._replace(balance=None)
    )
    assert fields(answer)["x-allowance-reason"] == json.loads(answer.body)["reason"] == code
    assert "retry-after" not in fields(answer)
    assert json.loads(answer.body)["title"] in text_of(
        block(ASK, decision, CONTEXT._replace(balance=None))
    )


@pytest.mark.parametrize(
    ("ahead", "seconds"), [(0.2, "1"), (10.01, "11"), (-5.0, "1"), (60.0, "60")]
)
def test_retry_after_is_whole_seconds_rounded_up(ahead: float, seconds: str) -> None:
    """Whoever waits as long as we say is not too early."""
    decision = Decision(Verdict.BLOCK, Reason.BLOCKED, "x", until=NOW + ahead)
    assert fields(block(ASK, decision, CONTEXT))["retry-after"] == seconds


def test_problem_document() -> None:
    """RFC 9457 with our members, and without the person's name."""
    ask = ASK._replace(dest="empty", mode="cors", request_id="0a1b2c3d-4e5f")
    answer = block(ask, EXHAUSTED, CONTEXT)
    assert json.loads(answer.body) == {
        "type": "http://allowance.internal/help#exhausted",
        "title": "Your time for Facebook is used up",
        "status": 403,
        "detail": "You have time again tomorrow at 00:00.",
        "reason": "exhausted",
        "platform": "facebook",
        "rule": "Fifteen minutes a day",
        "until": "2026-11-03T00:00:00+00:00",
        "allowance": "daily-social",
        "left": 0.0,
        "request": "0a1b2c3d-4e5f",
    }
    assert b"dora" not in answer.body


def test_a_page_script_may_read_the_refusal() -> None:
    """With an Origin, the answer is readable for it, credentials included, headers too."""
    ask = ASK._replace(dest="empty", mode="cors", origin="https://www.facebook.com")
    headers = fields(block(ask, EXHAUSTED, CONTEXT))
    assert headers["access-control-allow-origin"] == "https://www.facebook.com"
    assert headers["access-control-allow-credentials"] == "true"
    assert {"X-Allowance-Reason", "X-Allowance-Request", "Retry-After"} <= set(
        headers["access-control-expose-headers"].split(", ")
    )


@pytest.mark.parametrize(
    "origin", [None, "", "evil\r\nX-A: b", "https://a b", "facebook.com", "https://ü.example"]
)
def test_no_origin_no_cors(origin: str | None) -> None:
    """A missing or malformed Origin is not reflected."""
    headers = fields(
        block(ASK._replace(dest="empty", mode="cors", origin=origin), EXHAUSTED, CONTEXT)
    )
    assert not [name for name in headers if name.startswith("access-control")]


def test_preflight_passes_so_that_the_refusal_can_be_read() -> None:
    """A preflight gets 204 with what it asked for, and nobody remembers it."""
    ask = RequestInfo(
        "OPTIONS", ASK.url, ASK.host, "empty", "cors", "*/*", "https://www.facebook.com"
    )
    ask = ask._replace(request_method="PATCH", request_headers="x-csrf, content-type")
    answer = block(ask, EXHAUSTED, CONTEXT)
    headers = fields(answer)
    assert (answer.status, answer.body) == (204, b"")
    assert headers["access-control-allow-methods"] == "PATCH"
    assert headers["access-control-allow-headers"] == "x-csrf, content-type"
    assert (headers["access-control-max-age"], headers["cache-control"]) == ("0", "no-store")
    assert "content-length" not in headers


def test_preflight_reflects_no_header_injection() -> None:
    """What is not a list of tokens is not sent back."""
    ask = RequestInfo("OPTIONS", ASK.url, ASK.host, origin="https://a.example")
    ask = ask._replace(request_method="GET\r\nA: b", request_headers="x\r\nSet-Cookie: a=b")
    headers = fields(block(ask, EXHAUSTED, CONTEXT))
    assert "GET" in headers["access-control-allow-methods"].split(", ")
    assert "access-control-allow-headers" not in headers


def test_head_has_headers_only() -> None:
    """HEAD gets what GET gets, without the body."""
    answer = block(ASK._replace(method="HEAD"), EXHAUSTED, CONTEXT)
    assert answer.body == b""
    assert fields(answer)["content-type"] == PAGE


def test_the_block_page_says_what_a_person_needs() -> None:
    """Who, which platform, which rule, what was used of how much, when it changes, and where to
    go."""
    shown = text_of(block(ASK, EXHAUSTED, CONTEXT))
    for part in (
        "dora",
        "staff",
        "Your time for Facebook is used up",
        "tomorrow at 00:00",
        "Fifteen minutes a day",
        "15 of 15 minutes used",
        "Daily social",
        "www.facebook.com",
    ):
        assert part in shown
    assert links_of(block(ASK, EXHAUSTED, CONTEXT)) == ["http://allowance.internal/"]


def test_the_pages_name_the_period_of_the_limit() -> None:
    """Whoever has used up a quarter reads that it is the quarter, on the block page and by screen
    reader."""
    quarter = replace(USED_UP, limit=480.0, spent=480.0, period="quarter")
    used_up = block(ASK, EXHAUSTED, CONTEXT._replace(balance=quarter))
    assert "8 of 8 minutes used this quarter" in text_of(used_up)
    assert (
        'aria-valuetext="8 of 8 minutes used this quarter, 0 minutes left"' in used_up.body.decode()
    )


def test_the_rules_message_and_the_way_to_ask_for_more() -> None:
    """A rule's own message is shown, and asking for more is offered where it is possible."""
    assert "Not on our devices." in text_of(block(ASK, BLOCKED, CONTEXT))
    links = links_of(block(ASK, EXHAUSTED, CONTEXT._replace(request_more=True)))
    assert "http://allowance.internal/ask?allowance=daily-social" in links


def test_a_person_known_by_address_is_this_device() -> None:
    """Nobody is called `ip:10.0.7.33` to their face."""
    shown = text_of(block(ASK, EXHAUSTED, CONTEXT._replace(person="ip:10.0.7.33")))
    assert "this device (10.0.7.33)" in shown


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https:///no-host",
        "https://a b/",
        "//x",
        "https://[",
        "https://x\\y",
    ],
)
def test_an_odd_url_never_becomes_a_link(url: str) -> None:
    """Only http and https URLs with a host are linked."""
    assert links_of(block(ASK._replace(url=url), EXHAUSTED, CONTEXT)) == [
        "http://allowance.internal/"
    ]
    assert links_of(heads_up(ASK._replace(url=url), WITHIN, LOW, CONTEXT)) == [
        "http://allowance.internal/"
    ]


def test_heads_up_leads_on() -> None:
    """The warning is a 200 that says what is left and continues to the same address."""
    answer = heads_up(ASK, WITHIN, LOW, CONTEXT)
    assert (answer.status, fields(answer)["cache-control"]) == (200, "no-store")
    assert "2 minutes left" in text_of(answer)
    assert links_of(answer) == [ASK.url, "http://allowance.internal/"]


def test_heads_up_after_a_form_has_no_link() -> None:
    """A link would lose what the form sent; loading the page again sends it."""
    answer = heads_up(ASK._replace(method="POST"), WITHIN, LOW, CONTEXT)
    assert ASK.url not in links_of(answer)
    assert "Load this page again" in text_of(answer)


def test_a_tunnel_is_refused_in_plain_text() -> None:
    """CONNECT gets the same headers, two lines and a closed connection."""
    answer = tunnel_refused(EXHAUSTED, CONTEXT)
    headers = fields(answer)
    assert (answer.status, headers["x-allowance-reason"], headers["connection"]) == (
        403,
        "exhausted",
        "close",
    )
    assert answer.body.decode().splitlines() == [
        "Your time for Facebook is used up. You have time again tomorrow at 00:00.",
        "Your time: http://allowance.internal/",
    ]


def test_sign_in_asks_for_basic() -> None:
    """407 with a challenge whose realm cannot break out of its quotes, and a page for who
    cancels."""
    answer = sign_in('Off"ice\\\r\n proxy')
    assert answer.status == 407
    assert (
        fields(answer)["proxy-authenticate"] == 'Basic realm="Off\\"ice\\\\ proxy", charset="UTF-8"'
    )
    assert "sign in" in text_of(answer)


def test_refused_says_why() -> None:
    """What nobody may do has a page of its own and ends the connection."""
    answer = refused(403, "This port is not open", "CONNECT goes to port 443 only, not <25>.")
    assert (answer.status, fields(answer)["connection"]) == (403, "close")
    assert "not <25>." in text_of(answer)


@pytest.mark.parametrize("dest", ["document", "iframe"])
def test_the_policy_allows_the_style_sheet_and_nothing_else(dest: str) -> None:
    """The hash fits the one style sheet; no script, no form, no foreign frame but for a framed
    request."""
    answer = block(ASK._replace(dest=dest), EXHAUSTED, CONTEXT)
    policy = fields(answer)["content-security-policy"]
    (style,) = re.findall(r"<style>(.*?)</style>", answer.body.decode(), re.DOTALL)
    assert (
        f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
    )
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert ("frame-ancestors 'none'" in policy) == (dest == "document")
    assert "script" not in answer.body.decode().lower()
    assert not re.search(r"\sstyle=|\son\w+=|url\(", answer.body.decode())


NASTY = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "' onfocus='a",
            "{{ 7*7 }}",
            "</style><b>",
            "\udcff\x00",
        ]
    ),
)


@settings(max_examples=100, deadline=None)
@given(NASTY, NASTY, NASTY, NASTY, NASTY, NASTY)
def test_every_reflected_value_is_escaped(
    person: str, title: str, rule: str, message: str, host: str, url: str
) -> None:
    """Whatever stands in a value, the page has the same elements and attributes as with harmless
    ones."""
    context = CONTEXT._replace(
        person=f"p{person}", platform_title=f"p{title}", allowance=f"a{title}", roles=(rule,)
    )
    decision = Decision(
        Verdict.BLOCK,
        Reason.BLOCKED,
        title,
        None,
        f"r{rule}",
        "daily-social",
        0.0,
        MIDNIGHT,
        f"m{message}",
    )
    ask = ASK._replace(url=f"javascript:{url}", host=f"h{host}")
    calm = block(
        ASK._replace(url="javascript:"),
        Decision(Verdict.BLOCK, Reason.BLOCKED, "t", None, "r", "daily-social", 0.0, MIDNIGHT, "m"),
        CONTEXT._replace(roles=("r",)),
    )
    assert shape_of(block(ask, decision, context)) == shape_of(calm)
    for answer in (
        block(ask, decision, context),
        heads_up(ask, decision, LOW, context),
        refused(403, title, message),
    ):
        answer.body.decode("utf-8")
        assert all("\n" not in value and "\r" not in value for _, value in answer.headers)
    json.loads(block(ask._replace(dest="empty", mode="cors"), decision, context).body)
