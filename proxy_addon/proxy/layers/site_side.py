"""Has mitmproxy talk to sites with our layers.

Its HTTP layer names its own classes where it opens a connection; no method of it could be replaced
for less. `tests/proxy/layers/test_site_side.py` pins it.
"""

from __future__ import annotations

from mitmproxy.proxy.layers import http
from mitmproxy.proxy.layers.http import _http2

from proxy_addon.proxy.layers.http1_site import Http1SiteSide
from proxy_addon.proxy.layers.http2_site import Http2SiteSide, PatientH2Connection
from proxy_addon.proxy.layers.repeated_handshake import SiteClient


def install() -> None:
    """From now on connections to sites get these layers, and HTTP/2 connections ours of h2."""
    for module, name, kind in (
        (http, "Http1Client", Http1SiteSide),
        (http, "Http2Client", Http2SiteSide),
        (http, "HttpClient", SiteClient),
        (_http2, "BufferedH2Connection", PatientH2Connection),
    ):
        setattr(module, name, kind)
