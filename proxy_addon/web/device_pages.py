"""The pages and files that set a device up: `/device` and what belongs to it, the certificate, the
automatic proxy configuration, and how time is counted.

Most are open to everybody whom the proxy serves (`presentation/open_pages.py`). They also stand on
the web port, and on the proxy's port for devices that do not use it yet.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from proxy_addon.core.notices.gate import Need
from proxy_addon.core.ruleset import Embeds
from proxy_addon.presentation import durations as words
from proxy_addon.presentation import languages, notice_html, open_pages
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.theme import Shell
from proxy_addon.web import device_files, device_steps, device_view
from proxy_addon.web import downloads as files
from proxy_addon.web import rendering as pages
from proxy_addon.web.device_systems import System, browser_of, system_named, system_of
from proxy_addon.web.device_view import DistrustNote
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.notice_service import NoticeService
from proxy_addon.web.shell import DEVICE, open_shell, shell

_ORIGIN: Final = re.compile(r"http://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")

type Endpoint = Callable[[Request], Awaitable[Response]]


class ReachedPlace(NamedTuple):
    """Where a client reaches this proxy without using it: `host`, and `authority` as it stands in a
    URL."""

    host: str
    authority: str


class Guide(NamedTuple):
    """How one system takes the certificate."""

    key: str
    title: str
    download: device_steps.Download
    steps: tuple[str, ...]
    caveat: str


def distrust_note(state: ProxyState, who: Visitor) -> DistrustNote | None:
    """What connections of this person's own device say about our certificate; None: nothing."""
    found = state.distrust(who.address, who.name)
    if found is None or who.newcomer:
        return None
    rules = state.rules()
    platform = rules.platforms.get(found.platform)
    at = words.time_of_day(found.at, rules.zone)
    return DistrustNote("" if platform is None else platform.title, at)


class DevicePages:
    """The endpoints."""

    def __init__(
        self, state: ProxyState, notices: NoticeService | None = None, *, is_web_port: bool = False
    ) -> None:
        self._state = state
        self._notices = notices
        self._is_web_port = is_web_port

    def endpoints(self) -> dict[str, Endpoint]:
        """By path."""
        made: dict[str, Endpoint] = {
            open_pages.DEVICE: self.device,
            open_pages.CHECK: self.check,
            open_pages.MANAGED: self.managed,
            open_pages.FIREFOX: self.firefox,
            open_pages.CHROME: self.chrome,
            open_pages.PROFILE: self.profile,
            open_pages.CERTIFICATE: self.certificate,
            open_pages.PEM: self.pem,
            open_pages.DER: self.der,
            open_pages.NEXT_PEM: self.next_pem,
            open_pages.NEXT_DER: self.next_der,
            open_pages.PAC: self.pac,
            open_pages.WPAD: self.pac,
            open_pages.HELP: self.help,
        }
        if not self._is_web_port:
            made[open_pages.SIGN_IN] = self.sign_in
        return made

    # -- who, and from where

    def _visitor(self, request: Request) -> Visitor | None:
        """None on the web port, where nobody has a name."""
        return None if self._is_web_port else Visitor.of(request.scope)

    def _is_through(self, request: Request) -> bool:
        """Whether the page came through the proxy."""
        who = self._visitor(request)
        return who is not None and not who.direct

    def _place(self, request: Request) -> ReachedPlace | None:
        """None where nobody can tell."""
        port = self._state.proxy_port()
        if self._is_web_port:
            named = request.headers.get("host", "")
            host = files.safe_host(named)
            try:
                port = urlsplit(f"//{named}").port or 80
            except ValueError:
                return None
        else:
            who = self._visitor(request)
            host = files.safe_host((who.reached if who else None) or "")
            port = (who.port if who else 0) or port
        if host is None:
            return None
        return ReachedPlace(host, host if port == 80 else f"{host}:{port}")

    def _script(self, request: Request) -> str | None:
        place = self._place(request)
        return None if place is None else f"http://{place.authority}{open_pages.PAC}"

    def _script_or_404(self, request: Request) -> str:
        script = self._script(request)
        if script is None:
            raise HTTPException(404, _("We cannot tell which address you use for this proxy."))
        return script

    def _ca(self) -> bytes:
        found = files.certificate(self._state.ca_pem())
        if found is None:
            raise HTTPException(404, _("This proxy has no certificate of its own yet."))
        return found

    def _next_ca(self) -> bytes | None:
        """The certificate of the CA that stands ready; None where there is none."""
        return files.certificate(self._state.next_ca_pem())

    def _next_ca_or_404(self) -> bytes:
        found = self._next_ca()
        if found is None:
            raise HTTPException(404, _("No other certificate stands ready."))
        return found

    def _cas(self) -> tuple[bytes, ...]:
        """All certificates that a device should have, the one in use first."""
        following = self._next_ca()
        return (self._ca(),) if following is None else (self._ca(), following)

    def _next_certificate(self, system: System | None) -> device_view.NextCertificate | None:
        found = self._next_ca()
        return None if found is None else device_view.next_certificate(found, system)

    def _shell(self, request: Request, current: str = DEVICE) -> Shell:
        """With a name and the other pages only for somebody who has one."""
        who, rules = self._visitor(request), self._state.rules()
        system = request.query_params.get("system", "")
        query = {"system": system} if system_named(system) is not None else None
        if who is None or who.newcomer:
            return open_shell(rules, current, query=query)
        return shell(rules, who, self._state.roles(who.name), current, query=query)

    # -- the page

    async def device(self, request: Request) -> Response:
        """GET /device."""
        who = self._visitor(request)
        agent = request.headers.get("user-agent", "")
        place = self._place(request)
        asked = system_named(request.query_params.get("system", ""))
        seen = system_of(agent, request.headers.get("sec-ch-ua-platform", ""))
        known = None if place is None else device_view.reachable_page(*place)
        device = device_view.SeenDevice(
            system=asked or seen,
            browser=browser_of(agent) if asked in (None, seen) else "",
            host=None if place is None else place.host,
            script=self._script(request),
            page=known,
            secure=request.scope["scheme"] == "https",
        )
        page = device_view.device_page(
            device,
            who,
            self._state.rules(),
            self._policy(who),
            files.fingerprint(self._ca()),
            None if who is None else distrust_note(self._state, who),
            self._next_certificate(device.system or System.WINDOWS),
        )
        return pages.device(self._shell(request), page)

    def _policy(self, who: Visitor | None) -> device_view.PolicyTick | None:
        if who is None or who.newcomer or self._notices is None:
            return None
        notice = self._notices.notice(self._notices.person(who.name))
        if notice is None:
            return None
        standing = self._notices.standing(who.name, notice, signed_in=who.signed_in)
        text = notice.text((languages.spoken(),))
        minutes = notice_html.minutes_to_read(text)
        return device_view.PolicyTick(standing.need is Need.NOTHING, minutes)

    async def check(self, request: Request) -> Response:
        """GET /device/check: whoever gets this over TLS trusts the certificate; whoever gets it at
        all from our own host uses the proxy. For a script of the page, and for people."""
        through = self._is_through(request)
        secure = request.scope["scheme"] == "https"
        if not _is_for_a_person(request):
            answer = pages.data({"ok": through, "secure": secure})
            if (origin := self._page_origin(request)) is not None:
                answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Vary"] = "Origin, Accept, Sec-Fetch-Mode"
            return answer
        back = open_pages.ADDRESS + DEVICE if through else DEVICE
        if through and secure:
            title = _("This browser trusts the certificate")
            detail = _("Limited platforms open without a warning.")
        elif through:
            title = _("This browser uses the proxy")
            detail = _("Whether it trusts the certificate, the other page tells.")
        else:
            title = _("This browser does not use the proxy yet")
            detail = _("This page came to you directly.")
        return pages.checked(self._shell(request), title, detail, back)

    def _page_origin(self, request: Request) -> str | None:
        """The origin of the request if it is a page of ours: on our own host, or on this
        machine."""
        origin = request.headers.get("origin", "")
        if origin in (open_pages.ADDRESS, open_pages.SECURE_ADDRESS):
            return origin
        place = self._place(request)
        named = _ORIGIN.fullmatch(origin)
        own = named is not None and place is not None and named[1] == place.host
        return origin if own else None

    async def sign_in(self, request: Request) -> Response:
        """GET /device/sign-in: who gets here has signed in, if that is asked for."""
        return RedirectResponse(DEVICE, 303, pages.PRIVATE)

    async def managed(self, request: Request) -> Response:
        """GET /device/managed."""
        fingerprint = files.fingerprint(self._ca())
        around = self._shell(request, open_pages.MANAGED)
        return pages.managed(
            around, self._script(request), fingerprint, self._next_certificate(None)
        )

    async def certificate(self, request: Request) -> Response:
        """GET /certificate."""
        guides = [_guide(each, "", each.label) for each in System]
        guides.append(_guide(System.LINUX, "Firefox", _("Linux, Firefox")))
        around = self._shell(request, open_pages.CERTIFICATE)
        return pages.install_help(
            around, files.fingerprint(self._ca()), guides, self._next_certificate(None)
        )

    async def help(self, request: Request) -> Response:
        """GET /help."""
        around = self._shell(request, open_pages.HELP)
        films = self._state.rules().embeds is Embeds.MEDIA
        through = self._is_through(request)
        return pages.explain(around, is_through=through, films_elsewhere=films)

    # -- files

    async def pem(self, request: Request) -> Response:
        """GET /ca.pem."""
        return pages.file(self._ca(), "application/x-pem-file", "allowance-ca.pem")

    async def der(self, request: Request) -> Response:
        """GET /ca.cer."""
        der = files.to_der(self._ca())
        return pages.file(der, "application/x-x509-ca-cert", "allowance-ca.cer")

    async def next_pem(self, request: Request) -> Response:
        """GET /ca-next.pem."""
        return pages.file(
            self._next_ca_or_404(), "application/x-pem-file", device_steps.NEXT_PEM.name
        )

    async def next_der(self, request: Request) -> Response:
        """GET /ca-next.cer."""
        der = files.to_der(self._next_ca_or_404())
        return pages.file(der, "application/x-x509-ca-cert", device_steps.NEXT_DER.name)

    async def pac(self, request: Request) -> Response:
        """GET /proxy.pac and /wpad.dat."""
        self._script_or_404(request)
        place, who = self._place(request), self._visitor(request)
        assert place is not None
        port = (who.port if who else 0) or self._state.proxy_port()
        script = files.pac(place.host, port)
        return pages.text(script, "application/x-ns-proxy-autoconfig")

    async def profile(self, request: Request) -> Response:
        """GET /allowance.mobileconfig; with `?ssid=` the proxy of that network, too."""
        network: str | None = None
        if "ssid" in request.query_params:
            network = device_files.network_named(request.query_params["ssid"])
            if network is None:
                raise HTTPException(
                    400, _("The name of a Wi-Fi network has 1 to 32 bytes, all of them visible.")
                )
        script = self._script_or_404(request) if network is not None else ""
        office = self._state.rules().office.name
        made = device_files.profile(self._cas(), office, script, network)
        return pages.file(made, "application/x-apple-aspen-config", "allowance.mobileconfig")

    async def firefox(self, request: Request) -> Response:
        """GET /device/firefox/policies.json."""
        made = device_files.firefox(
            self._script_or_404(request), has_next=self._next_ca() is not None
        )
        return pages.file(made, "application/json", "policies.json")

    async def chrome(self, request: Request) -> Response:
        """GET /device/chrome/allowance.json."""
        made = device_files.chrome(self._script_or_404(request), self._cas())
        return pages.file(made, "application/json", "allowance.json")


def _guide(system: System, browser: str, title: str) -> Guide:
    return Guide(
        f"{system.value}{'-' + browser.lower() if browser else ''}",
        title,
        device_steps.download(system),
        tuple(device_steps.certificate_steps(system, browser)),
        device_steps.caveat(system),
    )


def _is_for_a_person(request: Request) -> bool:
    mode = request.headers.get("sec-fetch-mode", "")
    if mode:
        return mode == "navigate"
    return "text/html" in request.headers.get("accept", "")
