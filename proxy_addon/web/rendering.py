"""Rendering: templates and responses for the web pages. Compiled once, at import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from proxy_addon.presentation import open_pages
from proxy_addon.presentation.theme import Shell, environment, page_headers
from proxy_addon.web.employee_view import Day
from proxy_addon.web.opens_view import OpensPage
from proxy_addon.web.way_back import WayBack

_HERE: Final = Path(__file__).parent
_REFRESH: Final = (_HERE / "static" / "refresh.js").read_text("utf-8")
_DEVICE_SCRIPT: Final = (_HERE / "static" / "device.js").read_text("utf-8")
_TEMPLATES: Final = environment(_HERE / "templates", refresh=_REFRESH, device_script=_DEVICE_SCRIPT)
_EMPLOYEE: Final = _TEMPLATES.get_template("employee.html")
_OPENS: Final = _TEMPLATES.get_template("opens.html")
_CERTIFICATE: Final = _TEMPLATES.get_template("certificate.html")
_CHECK: Final = _TEMPLATES.get_template("check.html")
_DEVICE: Final = _TEMPLATES.get_template("device.html")
_MANAGED: Final = _TEMPLATES.get_template("managed.html")
_HELP: Final = _TEMPLATES.get_template("help.html")
_INDEX: Final = _TEMPLATES.get_template("index.html")
_ASK: Final = _TEMPLATES.get_template("ask.html")
_URGENT: Final = _TEMPLATES.get_template("urgent.html")
_TIME_GIVEN: Final = _TEMPLATES.get_template("time_given.html")
_ADMIN: Final = _TEMPLATES.get_template("admin.html")
_ADMIN_POLICY: Final = _TEMPLATES.get_template("admin_policy.html")
_ADMIN_REMIND: Final = _TEMPLATES.get_template("admin_remind.html")
_ADMIN_COMPARE: Final = _TEMPLATES.get_template("admin_compare.html")
_UNMASKED: Final = _TEMPLATES.get_template("unmasked.html")
_WHY: Final = _TEMPLATES.get_template("why.html")
_POLICY: Final = _TEMPLATES.get_template("policy.html")
_POLICY_DONE: Final = _TEMPLATES.get_template("policy_done.html")
_POLICY_OLD: Final = _TEMPLATES.get_template("policy_old.html")
_POLICY_CHANGES: Final = _TEMPLATES.get_template("policy_changes.html")
_NO_POLICY: Final = _TEMPLATES.get_template("no_policy.html")
_ERROR: Final = _TEMPLATES.get_template("error.html")

PRIVATE: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def employee(
    shell: Shell,
    day: Day,
    *,
    requests: Sequence[Any] = (),
    can_ask: bool = False,
    distrust: Any = None,
) -> Response:
    """The employee's own page; that of today keeps itself up to date while it is visible.

    `requests`: rows of `time_request_pages` about requests for more time. `distrust`: a
    `device_view.DistrustNote` about the reader's device.
    """
    page = _EMPLOYEE.render(
        shell=shell, day=day, requests=requests, can_ask=can_ask, distrust=distrust
    )
    script = _REFRESH if day.is_today else None
    return HTMLResponse(_bytes(page), headers=page_headers(script=script) | PRIVATE)


def opens(shell: Shell, page: OpensPage) -> Response:
    """What is open, charged, free and closed, now and next."""
    return _page(_OPENS.render(shell=shell, page=page))


def ask(shell: Shell, page: Any, status: int = 200) -> Response:
    """The form to ask for more time: a `time_request_pages.AskPage`."""
    return _form(_ASK.render(shell=shell, page=page), status)


def urgent(shell: Shell, page: Any, status: int = 200) -> Response:
    """Minutes that somebody may take at once: an `urgent_pages.UrgentPage`."""
    return _form(_URGENT.render(shell=shell, page=page), status)


def time_given(shell: Shell, *, title: str, back: WayBack, is_ready: bool) -> Response:
    """After time was given; goes on by itself when it can be used."""
    return _page(_TIME_GIVEN.render(shell=shell, title=title, back=back, is_ready=is_ready))


def admin(shell: Shell, page: Any, status: int = 200) -> Response:
    """The administrators' page: an `admin_view.Admin`."""
    return _form(_ADMIN.render(shell=shell, page=page), status)


def admin_policy(shell: Shell, page: Any, status: int = 200) -> Response:
    """Who has read the written policy: an `admin_policy_view.PolicyAdmin`, or None where there is
    none."""
    return _form(_ADMIN_POLICY.render(shell=shell, page=page), status)


def admin_remind(shell: Shell, page: Any, status: int = 200) -> Response:
    """Reminders for those who have not: an `admin_policy_view.Remind`."""
    return _form(_ADMIN_REMIND.render(shell=shell, page=page), status)


def admin_compare(shell: Shell, page: Any) -> Response:
    """How two texts differ: an `admin_policy_view.Compare`."""
    return _page(_ADMIN_COMPARE.render(shell=shell, page=page))


def why(shell: Shell, page: Any) -> Response:
    """Which rule decides: a `rule_explanation.WhyPage`."""
    return _form(_WHY.render(shell=shell, page=page), 200)


def policy(shell: Shell, page: Any, status: int = 200) -> Response:
    """The written policy: a `notice_pages.PolicyPage`."""
    return _form(_POLICY.render(shell=shell, page=page), status)


def policy_done(
    shell: Shell, *, target: str | None, platform: str, is_confirmed: bool, again: str
) -> Response:
    """After confirming or putting off; goes on to `target` by itself. `again`: the day on which it
    has to be confirmed again, "" for never."""
    page = _POLICY_DONE.render(
        shell=shell, target=target, platform=platform, is_confirmed=is_confirmed, again=again
    )
    return _page(page)


def policy_old(shell: Shell, page: Any) -> Response:
    """A text that is not in force any more: a `notice_history.OldPolicyPage`."""
    return _page(_POLICY_OLD.render(shell=shell, page=page))


def policy_changes(shell: Shell, page: Any) -> Response:
    """What has changed: a `notice_history.ChangesPage`."""
    return _page(_POLICY_CHANGES.render(shell=shell, page=page))


def no_policy(shell: Shell) -> Response:
    """There is no written policy for this reader."""
    return _page(_NO_POLICY.render(shell=shell))


def unmasked(shell: Shell, pseudonym: str, name: str | None) -> Response:
    """Who a pseudonym is; None when this host does not know it."""
    return _page(_UNMASKED.render(shell=shell, pseudonym=pseudonym, name=name))


def device(shell: Shell, page: Any) -> Response:
    """How to set a device up: a `device_view.DevicePage`; its script asks our own host, also over
    the other scheme."""
    shown = _DEVICE.render(shell=shell, page=page)
    asks = (open_pages.ADDRESS, open_pages.SECURE_ADDRESS)
    headers = page_headers(script=_DEVICE_SCRIPT, asks=asks) | PRIVATE
    return HTMLResponse(_bytes(shown), headers=headers)


def checked(shell: Shell, title: str, detail: str, back: str) -> Response:
    """The outcome of one check, for browsers without scripts."""
    return _page(_CHECK.render(shell=shell, title=title, detail=detail, back=back))


def managed(shell: Shell, script: str | None, fingerprint: str, following: Any) -> Response:
    """How administrators set many devices up. `following`: a `device_view.NextCertificate`, or
    None."""
    values = {"script": script, "fingerprint": fingerprint, "following": following}
    return _page(_MANAGED.render(shell=shell, **values))


def install_help(shell: Shell, fingerprint: str, guides: Sequence[Any], following: Any) -> Response:
    """How to trust our CA: `guides` are `device_pages.Guide`, `following` is a
    `device_view.NextCertificate`, or None."""
    values = {"fingerprint": fingerprint, "guides": guides, "following": following}
    return _page(_CERTIFICATE.render(shell=shell, **values))


def explain(shell: Shell, *, is_through: bool, films_elsewhere: bool) -> Response:
    """How minutes are counted, and what each refusal means. `is_through`: it came through the
    proxy, as the pages do to which it links. `films_elsewhere`: films in embeds are charged."""
    page = _HELP.render(shell=shell, is_through=is_through, films_elsewhere=films_elsewhere)
    return _page(page)


def index(shell: Shell, **values: object) -> Response:
    """The administrator's front page."""
    return _page(_INDEX.render(shell=shell, **values))


def data(content: Any, status: int = 200) -> Response:
    """JSON about one person or the current moment; it may not be stored."""
    return JSONResponse(content, status, headers=PRIVATE)


def file(content: bytes, media_type: str, name: str) -> Response:
    """A file to download."""
    headers = PRIVATE | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def text(content: bytes | str, media_type: str, status: int = 200) -> Response:
    """Text for a program."""
    return Response(content, status, media_type=media_type, headers=PRIVATE)


def error(
    request: Request, status: int, title: str, detail: str, shell: Shell | None = None
) -> Response:
    """A page, or a problem document when JSON was requested."""
    accept = request.headers.get("accept", "").lower()
    if request.url.path.endswith(".json") or ("json" in accept and "text/html" not in accept):
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        headers = PRIVATE
        return JSONResponse(body, status, headers=headers, media_type="application/problem+json")
    return _page(_ERROR.render(shell=shell, title=title, detail=detail), status)


def _form(page: str, status: int) -> Response:
    return HTMLResponse(_bytes(page), status, headers=page_headers(forms=True) | PRIVATE)


def _page(page: str, status: int = 200) -> Response:
    return HTMLResponse(_bytes(page), status, headers=page_headers() | PRIVATE)


def _bytes(page: str) -> bytes:
    return page.encode("utf-8", "replace")
