"""Requests for our own pages in the engine that need no name: those of newcomers, and those of
devices that do not use the proxy yet.

A device that is not set up can reach nothing of ours but the proxy's port. A request that it sends
there as to a web server, `GET /device` with this machine in Host, gets the open pages, and only
them.
"""

from __future__ import annotations

import re
import socket
from typing import Final

from mitmproxy import http

from proxy_addon.core.hosts import normalise
from proxy_addon.network.guards import plain_address
from proxy_addon.presentation.open_pages import DEVICE, WPAD, is_open
from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.responses.newcomers import Arrival, sign_in_first

_NAMED: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?")
_DISCOVERY: Final = "wpad"  # the label under which browsers look for a proxy by DNS
_HTTP: Final = 80


def is_allowed(request: http.Request) -> bool:
    """Whether a newcomer gets an answer to this request for our pages."""
    return is_open(request.method, request.data.path)


def leads_to_the_page(flow: http.HTTPFlow) -> bool:
    """Whether a direct request (see `is_direct`) is for the front page of this machine."""
    return flow.request.data.path == b"/"


def is_direct(flow: http.HTTPFlow) -> bool:
    """Whether this was sent to the proxy's port as to a web server, for a page that is open, and
    names this machine as the client reaches it: by the address of the connection, by the machine's
    own name, or, for `/wpad.dat`, as `wpad.…`. On a connection outside of tunnels.

    Who names a host in the address of a request uses the proxy, and means the site of that name: it
    is not ours to speak for it, unless it is the address of this machine."""
    request = flow.request
    if request.data.authority or not (is_allowed(request) or leads_to_the_page(flow)):
        return False
    named = request.headers.get_all("host")
    found = _NAMED.fullmatch(named[0]) if len(named) == 1 else None
    own = flow.client_conn.sockname
    if found is None or own is None:
        return False
    address, name = plain_address(found[1]), normalise(found[1])
    if address is None and writing.ADDRESSED in flow.metadata:
        return False
    if name.partition(".")[0] == _DISCOVERY and request.data.path == WPAD.encode():
        return True  # whatever the port: a firewall leads port 80 here
    if int(found[2] or _HTTP) != own[1]:
        return False
    if address is not None:
        return address == plain_address(str(own[0]))
    return name.partition(".")[0] == normalise(socket.gethostname()).partition(".")[0]


def to_the_page() -> responses.Answer:
    """From the front page of this machine to the page that sets a device up."""
    fields = {"Location": DEVICE, "Cache-Control": "no-store", "Content-Length": "0"}
    return responses.Answer(303, tuple(fields.items()), b"")


def refusal(request: http.Request, offered: tuple[str, ...]) -> responses.Answer:
    """The answer to a newcomer inside a tunnel, for a page that is not open."""
    fields = request.headers
    arrival = Arrival(
        request.method,
        request.data.path,
        fields.get("Sec-Fetch-Mode", ""),
        fields.get("Accept", ""),
        fields.get("Accept-Language", ""),
    )
    return sign_in_first(arrival, offered)
