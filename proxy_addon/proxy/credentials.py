"""Who asks, read from a request; the headers that say so go no further."""

from __future__ import annotations

from mitmproxy import http

from proxy_addon.core.types import Person
from proxy_addon.identity.identification import Who
from proxy_addon.proxy.responses import responses as answers
from proxy_addon.proxy.services import Desk

REALM = "Allowance"
_HOP = "Proxy-Connection"  # for us alone


class Doorman:
    """Reads and strips; see `identity.py` for who is believed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._private = (*desk.identifier.strip_headers, _HOP)

    async def who(self, flow: http.HTTPFlow) -> Who:
        """Who asks with this request. Waits only while a password is checked for the first time."""
        headers = flow.request.headers
        header = self._desk.forwarded_header
        credentials = headers.get("Proxy-Authorization")
        forwarded = headers.get(header) if header else None
        self.strip(flow)
        identifier = self._desk.identifier
        address = flow.client_conn.peername[0]
        who = identifier.identify_now(address, credentials, forwarded)
        return who if who is not None else await identifier.identify(address, credentials, forwarded)

    def strip(self, flow: http.HTTPFlow) -> None:
        """Take off what no site may see."""
        headers = flow.request.headers
        for name in self._private:
            if name in headers:
                del headers[name]

    def person(self, who: Who) -> Person:
        """Somebody with the roles in force."""
        return self._desk.enforcer.person(who.name, who.roles, self._desk.clock.now())

    def sign_in(self) -> answers.Answer:
        """407."""
        return answers.sign_in(REALM)
