"""From a mitmproxy flow to the values that the engine and the answers read."""

from __future__ import annotations

from typing import NamedTuple

from mitmproxy import http

from proxy_addon.core.hosts import normalise
from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.metering.referer import page_of
from proxy_addon.proxy.layers.connections import ClientState
from proxy_addon.proxy.layers.flow_output import request_id
from proxy_addon.proxy.responses.responses import RequestInfo

_READ = frozenset(
    {
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"sec-fetch-user",
        b"sec-purpose",
        b"purpose",
        b"x-purpose",
        b"x-moz",
        b"referer",
        b"origin",
        b"accept",
        b"accept-language",
        b"x-fb-friendly-name",
        b"x-apollo-operation-name",
        b"upgrade",
        b"x-requested-with",
        b"access-control-request-method",
        b"access-control-request-headers",
        b"content-length",
    }
)
_DIGITS = 15  # of a length; none has more


class RequestHosts(NamedTuple):
    """The hosts that a request names: in its address, in Host, and around it (CONNECT, TLS)."""

    hosts: tuple[str, ...]
    tunnelled: bool

    @classmethod
    def of(cls, request: http.Request, conn: ClientState) -> RequestHosts:
        """All of them, Host first, each once. Which of several Host fields, or of Host and an
        address in absolute form, a site goes by is for the site to say: all count."""
        names = [normalise(request.pretty_host), normalise(request.host)]
        named = request.headers.get_all("host")
        if len(named) > 1:
            names += map(normalise, named)
        if request.authority:
            names.append(normalise(request.authority))
            names += map(normalise, named)
        return cls(tuple(dict.fromkeys((*names, *conn.hosts))), bool(conn.hosts))


class Fields(NamedTuple):
    """The header fields that matter, read once."""

    values: dict[bytes, str]

    def get(self, name: bytes) -> str | None:
        """The value in the case it came in, None when the field is missing."""
        return self.values.get(name)

    def lower(self, name: bytes) -> str | None:
        """The value in lower case."""
        value = self.values.get(name)
        return value.lower() if value is not None else None


def fields(request: http.Request) -> Fields:
    """The fields of a request; of repeated ones the first counts."""
    found: dict[bytes, str] = {}
    for name, value in request.headers.fields:
        key = name.lower()
        if key in _READ and key not in found:
            found[key] = value.decode("latin-1").strip()
    return Fields(found)


def exchange(request: http.Request, host: str, read: Fields) -> Exchange:
    """What is known of a request before its answer."""
    page_host, page_path = page_of(read.get(b"referer"))
    origin_host, _ = page_of(read.get(b"origin"))
    purpose = read.lower(b"sec-purpose") or read.lower(b"purpose") or read.lower(b"x-purpose")
    return Exchange(
        request.method,
        host,
        request.path,
        read.lower(b"sec-fetch-dest"),
        read.lower(b"sec-fetch-mode"),
        read.lower(b"sec-fetch-site"),
        purpose or read.lower(b"x-moz"),
        read.get(b"sec-fetch-user") == "?1",
        page_host,
        page_path,
        origin_host,
        read.lower(b"accept"),
        read.get(b"x-fb-friendly-name") or read.get(b"x-apollo-operation-name"),
    )


def request_info(flow: http.HTTPFlow, host: str, read: Fields) -> RequestInfo:
    """What an answer of ours has to know of a request."""
    request = flow.request
    return RequestInfo(
        request.method,
        request.pretty_url,
        host,
        read.lower(b"sec-fetch-dest"),
        read.lower(b"sec-fetch-mode"),
        read.lower(b"accept"),
        read.get(b"origin"),
        read.get(b"x-requested-with"),
        (read.lower(b"upgrade") or "") == "websocket",
        read.get(b"access-control-request-method"),
        read.get(b"access-control-request-headers"),
        request_id(flow),
        read.get(b"accept-language"),
    )


def told_length(response: http.Response) -> int | None:
    """Bytes of the body according to the head of an answer, None where it does not tell."""
    told = response.headers.get("content-length", "")
    is_number = told.isascii() and told.isdigit() and len(told) <= _DIGITS
    return int(told) if is_number else None
