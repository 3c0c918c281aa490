"""Identifies the sender of a request, and removes the headers that identify them."""

from __future__ import annotations

from mitmproxy import http

from proxy_addon.core.types import Person
from proxy_addon.identity.identification import Identity
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.services import Services

REALM = "Allowance"
HOP = "Proxy-Connection"  # meant for the proxy only


class Credentials:
    """Reads and strips; see `identity/identification.py` for what is trusted."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._private = (*services.identifier.strip_headers, HOP)

    async def who(self, flow: http.HTTPFlow) -> Identity:
        """Who sent this request. Waits only while a password is checked for the first time."""
        headers = flow.request.headers
        header = self._services.forwarded_header
        credentials = headers.get("Proxy-Authorization")
        # A field that comes twice names nobody: one of them may be the client's own.
        names = headers.get_all(header) if header else []
        forwarded = names[0] if len(names) == 1 else None
        self.strip(flow)
        identifier = self._services.identifier
        address = flow.client_conn.peername[0]
        who = identifier.identify_now(address, credentials, forwarded)
        return (
            who if who is not None else await identifier.identify(address, credentials, forwarded)
        )

    def strip(self, flow: http.HTTPFlow) -> None:
        """Remove the headers that no site may see."""
        headers = flow.request.headers
        for name in self._private:
            if name in headers:
                del headers[name]

    def person(self, who: Identity) -> Person:
        """The person with the roles in force."""
        return self._services.enforcer.person(who.name, who.roles, self._services.clock.now())

    def sign_in(self, flow: http.HTTPFlow) -> responses.Answer:
        """407, in the language of whoever sent this."""
        office = self._services.enforcer.rules.office
        return responses.sign_in(REALM, office, flow.request.headers.get("accept-language"))
