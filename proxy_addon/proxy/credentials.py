"""Who asks, read from a request; the headers that say so go no further."""

from __future__ import annotations

from mitmproxy import http

from proxy_addon.core.types import Person
from proxy_addon.identity.identification import Identity
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.services import Services

REALM = "Allowance"
_HOP = "Proxy-Connection"  # for us alone


class Credentials:
    """Reads and strips; see `identity.py` for who is believed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._private = (*services.identifier.strip_headers, _HOP)

    async def who(self, flow: http.HTTPFlow) -> Identity:
        """Who asks with this request. Waits only while a password is checked for the first time."""
        headers = flow.request.headers
        header = self._services.forwarded_header
        credentials = headers.get("Proxy-Authorization")
        forwarded = headers.get(header) if header else None
        self.strip(flow)
        identifier = self._services.identifier
        address = flow.client_conn.peername[0]
        who = identifier.identify_now(address, credentials, forwarded)
        return (
            who if who is not None else await identifier.identify(address, credentials, forwarded)
        )

    def strip(self, flow: http.HTTPFlow) -> None:
        """Take off what no site may see."""
        headers = flow.request.headers
        for name in self._private:
            if name in headers:
                del headers[name]

    def person(self, who: Identity) -> Person:
        """Somebody with the roles in force."""
        return self._services.enforcer.person(who.name, who.roles, self._services.clock.now())

    def sign_in(self) -> responses.Answer:
        """407."""
        return responses.sign_in(REALM)
