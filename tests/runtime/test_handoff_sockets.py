"""Twin of proxy_addon/runtime/handoff_sockets.py: when workers pass connections on, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.runtime.handoff_sockets import handoff_sockets, is_behind_others


def settings(**given: object) -> Settings:
    """Settings with three workers."""
    return load_settings({"workers": 3, **given})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, False),
        ({"front_proxies": ["10.0.0.9"]}, True),
        ({"proxy_protocol": ["10.0.0.8/31"]}, True),
    ],
)
def test_only_behind_others(tmp_path: Path, given: dict[str, object], expected: bool) -> None:
    """Where clients connect themselves each device has its worker, and nothing is passed on."""
    made = settings(**given)
    sockets = handoff_sockets(made, tmp_path)
    assert is_behind_others(made) is expected
    assert len(sockets) == (3 if expected else 0)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_socket()) == (
        ["worker-0", "worker-1", "worker-2"] if expected else []
    )
    for sock in sockets:
        sock.close()
