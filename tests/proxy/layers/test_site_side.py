"""`proxy_addon/proxy/layers/site_side.py`: mitmproxy opens connections with our layers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from mitmproxy.proxy.layers import http
from mitmproxy.proxy.layers.http import _http2

from proxy_addon.proxy.layers import site_side
from proxy_addon.proxy.layers.http1_site import Http1SiteSide
from proxy_addon.proxy.layers.http2_site import Http2SiteSide, PatientH2Connection
from proxy_addon.proxy.layers.repeated_handshake import HttpClient, SiteClient


@pytest.fixture
def as_before() -> Iterator[None]:
    """What is replaced comes back."""
    names = ("Http1Client", "Http2Client", "HttpClient")
    places = (*((http, name) for name in names), (_http2, "BufferedH2Connection"))
    kept = [getattr(module, name) for module, name in places]
    yield
    for (module, name), kind in zip(places, kept, strict=True):
        setattr(module, name, kind)


def test_its_names_are_the_ones_that_mitmproxy_uses(as_before: None) -> None:
    """Both places where it opens a connection to a site look the classes up in their module, and
    so does the place where an HTTP/2 connection begins."""
    for kind in (HttpClient, http.HttpLayer):
        source = inspect.getsource(kind)
        assert "= Http1Client(" in source and "= Http2Client(" in source
    assert "/= HttpClient(context)" in inspect.getsource(http.HttpLayer)
    assert "= BufferedH2Connection(" in inspect.getsource(_http2.Http2Connection)
    site_side.install()
    assert http.Http1Client is Http1SiteSide and http.Http2Client is Http2SiteSide  # type: ignore[comparison-overlap]
    assert http.HttpClient is SiteClient  # type: ignore[comparison-overlap]
    assert _http2.BufferedH2Connection is PatientH2Connection  # type: ignore[comparison-overlap]
