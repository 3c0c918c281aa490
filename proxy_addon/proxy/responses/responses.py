"""The response to a request that is blocked, or whose time ends soon.

Pure functions without mitmproxy. The form of the response depends on what the browser will do with
it: a page for a person, a problem document for a script, and an empty body for an image or a script
tag, where nobody would see anything.
"""

from __future__ import annotations

import json
import math
import re
from enum import Enum, auto
from pathlib import Path
from typing import Final, NamedTuple

from proxy_addon.core.notices.notice import Office
from proxy_addon.core.types import Balance, Decision
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import chosen, marked, speaking
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.theme import Shell, bar, environment, page_headers, web_link
from proxy_addon.proxy.responses.messages import (
    BY_RULES,
    PageContext,
    block_message,
    code_of,
    comes_back,
    heads_up_message,
    urgent_text,
)

__all__ = [
    "Answer",
    "PageContext",
    "RequestInfo",
    "block",
    "heads_up",
    "refused",
    "sign_in",
    "tunnel_refused",
]

_TEMPLATES: Final = environment(Path(__file__).parent / "templates")
_BLOCK: Final = _TEMPLATES.get_template("block.html")
_HEADS_UP: Final = _TEMPLATES.get_template("heads_up.html")
_NOTICE: Final = _TEMPLATES.get_template("notice.html")

_PAGE_DESTINATIONS: Final = frozenset(
    {"document", "iframe", "frame", "fencedframe", "embed", "object"}
)
_FRAMES: Final = _PAGE_DESTINATIONS - {"document"}
_SCRIPT_DESTINATIONS: Final = frozenset({"empty", "websocket", "webtransport"})
_ORIGIN: Final = re.compile(r"null|[a-z][a-z0-9+.-]*://[!-~]{1,300}", re.IGNORECASE | re.ASCII)
_TOKENS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2000}")
NO_OFFICE: Final = Office()
_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"
_EXPOSED: Final = "X-Allowance-Reason, X-Allowance-Request, Retry-After, Link"


class RequestInfo(NamedTuple):
    """What the response to a request depends on. Header values are None where the header is
    missing."""

    method: str
    url: str
    host: str
    dest: str | None = None  # Sec-Fetch-Dest
    mode: str | None = None  # Sec-Fetch-Mode
    accept: str | None = None
    origin: str | None = None
    x_requested_with: str | None = None
    upgrade: bool = False  # asks to become a WebSocket
    request_method: str | None = None  # Access-Control-Request-Method
    request_headers: str | None = None  # Access-Control-Request-Headers
    request_id: str = ""  # as logs name this request
    languages: str | None = None  # Accept-Language


class Answer(NamedTuple):
    """A whole response. `headers` holds Content-Length where there may be one."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def is_top_level(ask: RequestInfo) -> bool:
    """Whether a person sees the answer as a page of its own, not in a frame."""
    return _kind(ask) is _Kind.PAGE and (ask.dest or "").lower() not in _FRAMES


class _Kind(Enum):
    """What the client can do with a response."""

    PAGE = auto()
    PROBLEM = auto()
    NOTHING = auto()


def block(ask: RequestInfo, decision: Decision, context: PageContext) -> Answer:
    """The answer to a request that must not reach the site: 403 in the form that fits the request.

    A CORS preflight passes (204): it asks for nothing itself, and without it the page's script
    could not read the 403 of the request that follows.
    """
    headers = block_headers(decision, context) | _cors(ask)
    if ask.method.upper() == "OPTIONS" and ask.origin and not ask.upgrade:
        return Answer(204, tuple((headers | _preflight(ask)).items()), b"")
    with speaking(chosen(ask.languages, context.office.languages)):
        match _kind(ask):
            case _Kind.PAGE:
                headers |= page_headers(framed=(ask.dest or "").lower() in _FRAMES)
                return _answer(ask, 403, headers, _page(ask, decision, context))
            case _Kind.PROBLEM:
                headers["Content-Type"] = "application/problem+json"
                return _answer(ask, 403, headers, _problem(ask, decision, context))
            case _Kind.NOTHING:
                return _answer(ask, 403, headers, b"")


def heads_up(
    ask: RequestInfo, decision: Decision, balance: Balance, context: PageContext
) -> Answer:
    """The page before the end: "2 minutes left", and a way on to where the person was going.

    For a top-level navigation with GET. Another method gets the page without a link, for a link
    would not send again what the person sent.
    """
    with speaking(chosen(ask.languages, context.office.languages)):
        page = _HEADS_UP.render(
            shell=Shell(context.office.name, context.reader),
            context=context,
            message=heads_up_message(balance, context),
            host=ask.host,
            bar=bar(balance),
            rule=decision.rule,
            time=words.time_of_day(context.now, context.zone),
            request=ask.request_id,
            link=web_link(ask.url) if ask.method.upper() == "GET" else None,
            ask_url=context.ask_url(balance.allowance),
        )
    return _answer(ask, 200, page_headers(), _bytes(page))


def tunnel_refused(decision: Decision, context: PageContext) -> Answer:
    """The answer to CONNECT. Browsers do not show it, so it is short; a log or curl shows it. They
    do not say with CONNECT which language they want: it is in the office's first."""
    headers = block_headers(decision, context)
    headers |= {"Content-Type": "text/plain; charset=utf-8", "Connection": "close"}
    with speaking(chosen(None, context.office.languages)):
        told = block_message(decision, context).text
        where = _("Your time: %(address)s") % {"address": context.page_url}
    return _complete(403, headers, _bytes(f"{told}\n{where}\n"))


def sign_in(realm: str, office: Office = NO_OFFICE, languages: str | None = None) -> Answer:
    """407. The page is shown when somebody closes the browser's sign-in window. `languages`: the
    Accept-Language of the request."""
    shown = re.sub(r"[^ -~]", "", realm)
    quoted = re.sub(r'(["\\])', r"\\\1", shown)
    page = _notice(
        marked("Please sign in to the proxy"),
        marked(
            "Everybody signs in to this proxy, so that each person has their own time. Load the page "
            "again and enter the name and password that you were given for the proxy."
        ),
        marked(
            "If you have none, or they do not work, your IT team can help. Do not enter your password "
            "for the site that you want to visit."
        ),
        office=office,
        languages=languages,
    )
    headers = page_headers() | {"Proxy-Authenticate": f'Basic realm="{quoted}", charset="UTF-8"'}
    return _complete(407, headers, page)


def refused(
    status: int,
    title: str,
    detail: str,
    office: Office = NO_OFFICE,
    languages: str | None = None,
) -> Answer:
    """The page for what the proxy refuses to everybody: a port, a network or an address that is not
    allowed. `title` and `detail` are messages in English, marked where they are written;
    `languages`: the Accept-Language of the request, where it is known."""
    page = _notice(title, detail, office=office, languages=languages)
    return _complete(status, page_headers() | {"Connection": "close"}, page)


def _notice(
    title: str, detail: str, hint: str = "", *, office: Office, languages: str | None
) -> bytes:
    with speaking(chosen(languages, office.languages)):
        texts = {"title": _(title), "detail": _(detail), "hint": _(hint)}
        page = _NOTICE.render(shell=Shell(office.name), office=office, **texts)
    return _bytes(page)


def _kind(ask: RequestInfo) -> _Kind:
    """Fetch metadata says it; for older browsers and apps the Accept header decides."""
    if ask.upgrade:
        return _Kind.PROBLEM
    dest = (ask.dest or "").strip().lower()
    if dest in _PAGE_DESTINATIONS or (ask.mode or "").strip().lower() == "navigate":
        return _Kind.PAGE
    if dest:
        return _Kind.PROBLEM if dest in _SCRIPT_DESTINATIONS else _Kind.NOTHING
    return _kind_without_metadata(ask)


def _kind_without_metadata(ask: RequestInfo) -> _Kind:
    accept = (ask.accept or "*/*").lower()
    if ask.x_requested_with or "json" in accept:
        return _Kind.PROBLEM
    if "text/html" in accept or "application/xhtml" in accept:
        return _Kind.PAGE
    return _Kind.PROBLEM if accept.split(",")[0].split(";")[0].strip() == "*/*" else _Kind.NOTHING


def block_headers(decision: Decision, context: PageContext) -> dict[str, str]:
    """The headers of every block response, whatever its form."""
    headers = {
        "X-Allowance-Reason": code_of(decision.reason),
        "Cache-Control": "no-store",
        "Vary": "Origin, Accept, Accept-Language, Sec-Fetch-Dest, Sec-Fetch-Mode, X-Requested-With",
        "X-Content-Type-Options": "nosniff",
        "Link": f'<{context.page_url}>; rel="help"',
    }
    until = comes_back(decision, context)
    if until is not None:
        headers["Retry-After"] = str(max(1, math.ceil(until - context.now)))
    return headers


def _cors(ask: RequestInfo) -> dict[str, str]:
    """Lets the script that asked read why it was refused; nothing for a missing or malformed
    Origin."""
    if not ask.origin or not _ORIGIN.fullmatch(ask.origin):
        return {}
    return {
        "Access-Control-Allow-Origin": ask.origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": _EXPOSED,
    }


def _preflight(ask: RequestInfo) -> dict[str, str]:
    """Permission for the request that follows. Wildcards do not work with credentials, so names are
    listed."""
    headers = {"Access-Control-Allow-Methods": _METHODS, "Access-Control-Max-Age": "0"}
    if ask.request_method and _TOKENS.fullmatch(ask.request_method):
        headers["Access-Control-Allow-Methods"] = ask.request_method
    if ask.request_headers and _TOKENS.fullmatch(ask.request_headers):
        headers["Access-Control-Allow-Headers"] = ask.request_headers
    return headers


def _page(ask: RequestInfo, decision: Decision, context: PageContext) -> bytes:
    retry = ask.method.upper() in ("GET", "HEAD") and decision.reason not in BY_RULES
    page = _BLOCK.render(
        shell=Shell(context.office.name, context.reader),
        message=block_message(decision, context),
        context=context,
        host=ask.host,
        request=ask.request_id,
        bar=bar(context.balance) if context.balance else None,
        rule=decision.rule,
        time=words.time_of_day(context.now, context.zone),
        link=web_link(ask.url) if retry else None,
        ask_url=context.ask_url(decision.allowance),
        urgent=urgent_text(context),
        urgent_url=context.urgent_url(decision.allowance),
    )
    return _bytes(page)


def _problem(ask: RequestInfo, decision: Decision, context: PageContext) -> bytes:
    """RFC 9457. No name in it: any page's script may read this."""
    message, until = block_message(decision, context), comes_back(decision, context)
    document = {
        "type": f"{context.page_url}help#{message.code}",
        "title": message.headline,
        "status": 403,
        "detail": message.next,
        "reason": message.code,
        "platform": decision.platform,
        "rule": decision.rule,
        "until": None if until is None else words.iso(until, context.zone),
        "allowance": decision.allowance,
        "left": None if decision.left is None else round(max(0.0, decision.left), 1),
        "request": ask.request_id or None,
    }
    return json.dumps(document).encode("ascii")


def _answer(ask: RequestInfo, status: int, headers: dict[str, str], body: bytes) -> Answer:
    if ask.method.upper() == "HEAD":
        return Answer(status, tuple(headers.items()), b"")
    return _complete(status, headers, body)


def answer_page(ask: RequestInfo, status: int, headers: dict[str, str], page: str) -> Answer:
    """A page of another module, as an answer."""
    return _answer(ask, status, headers, _bytes(page))


def _complete(status: int, headers: dict[str, str], body: bytes) -> Answer:
    return Answer(status, (*headers.items(), ("Content-Length", str(len(body)))), body)


def _bytes(text: str) -> bytes:
    """UTF-8; a lone surrogate becomes a question mark."""
    return text.encode("utf-8", "replace")
