"""Twin of proxy_addon/network/connect_errors.py: a few words for all that goes wrong."""

from __future__ import annotations

import pytest

from proxy_addon.network.connect_errors import _KINDS, kind_of
from proxy_addon.observability.metric_families import UPSTREAM_ERRORS


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("[Errno -2] Name or service not known", "dns"),
        ("[Errno -3] Temporary failure in name resolution", "dns"),
        ("[Errno 111] Connect call failed ('127.0.0.1', 1)", "refused"),
        ("Multiple exceptions: [Errno 111] Connect call failed", "refused"),
        ("[Errno 110] Connection timed out", "timeout"),
        ("[Errno 113] No route to host", "unreachable"),
        ("[Errno 101] Network is unreachable", "unreachable"),
        ("connection cancelled", "cancelled"),
        ("name resolution of x.example timed out", "dns"),
        ("connecting to x.example timed out", "timeout"),
        ("something new", "other"),
        ("", "other"),
    ],
)
def test_kinds(message: str, kind: str) -> None:
    """What the system says becomes one of a few words."""
    assert kind_of(message) == kind
    assert {name for name, _ in _KINDS} <= set(UPSTREAM_ERRORS)
