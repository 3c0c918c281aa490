"""The pages that set a device up: each system, and each outcome of the checks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proxy_addon.core.notices.notice import Office
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.network.distrust import Distrust
from proxy_addon.presentation import open_pages
from proxy_addon.web.app import employee_app, web_app
from proxy_addon.web.device_systems import System
from tests.web.client import as_person
from tests.web.office import NOW, FixedProxyState, rule_set

REACHED = "10.0.0.5"


@dataclass
class NamedOffice(FixedProxyState):
    """An office with a name and a contact."""

    def rules(self) -> RuleSet:
        office = Office("Example Ltd", "help@example.com")
        return replace(rule_set(), office=office)


class Answered:
    """An application whose checks have this outcome. The page asks over plain HTTP here, where the
    browsers of these tests can be answered."""

    def __init__(self, app: ASGIApp, *, passes: bool) -> None:
        self._app, self._passes = app, passes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == open_pages.CHECK:
            await JSONResponse({"ok": self._passes})(scope, receive, send)
            return
        secure = (open_pages.SECURE_ADDRESS + open_pages.CHECK).encode()
        plain = (open_pages.ADDRESS + open_pages.CHECK).encode()

        async def over_plain_http(message: Message) -> None:
            if message["type"] == "http.response.body":
                # As long as before: the length has been sent.
                put = b'data-check="%s"' % secure
                body = message["body"].replace(put, b'data-check="%s" ' % plain)
                message = {**message, "body": body}
            await send(message)

        await self._app(scope, receive, over_plain_http)


def device_apps() -> dict[str, tuple[ASGIApp, str]]:
    """Applications and paths by name. `device-…` has a script, `setup-…` has none."""
    own = employee_app(NamedOffice())
    refused = employee_app(NamedOffice(distrusted=Distrust("facebook", NOW - 60)))
    signed_in = as_person(own, signed_in=True, reached=REACHED)
    newcomer = as_person(own, "ip:10.0.7.33", identified=False, newcomer=True, reached=REACHED)
    nobody = as_person(own, "ip:10.0.7.33", identified=False, reached=REACHED)
    known = as_person(own, "reception", reached=REACHED)
    direct = as_person(
        own, "ip:10.0.7.33", identified=False, newcomer=True, direct=True, reached=REACHED
    )
    secure = as_person(own, signed_in=True, reached=REACHED, secure=True)
    told = as_person(refused, signed_in=True, reached=REACHED)
    made = {
        f"device-{system.value}": (
            Answered(signed_in, passes=False),
            f"/device?system={system.value}",
        )
        for system in System
    }
    made |= {
        "device-ready": (Answered(signed_in, passes=True), "/device?system=windows"),
        "device-newcomer": (Answered(newcomer, passes=False), "/device?system=macos"),
        "device-nobody-signs-in": (Answered(nobody, passes=True), "/device?system=android"),
        "device-known": (Answered(known, passes=False), "/device?system=linux"),
        "device-direct": (Answered(direct, passes=False), "/device?system=ios"),
        "device-distrusts": (Answered(told, passes=False), "/device?system=windows"),
        "device-web-port": (Answered(web_app(NamedOffice()), passes=False), "/device"),
        "setup-managed": (signed_in, "/device/managed"),
        "setup-check": (secure, "/device/check"),
        "setup-check-direct": (direct, "/device/check"),
        "setup-help-newcomer": (newcomer, "/help"),
        "setup-certificate-newcomer": (newcomer, "/certificate"),
    }
    return made
