"""The sockets at which workers take connections from each other; the supervisor keeps them."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from proxy_addon.config.settings import Settings
from proxy_addon.relay.handoff import supported
from proxy_addon.relay.workers import listeners_of


def is_behind_others(settings: Settings) -> bool:
    """Whether connections come from a balancer or a front proxy: their addresses are not those of
    devices."""
    return bool(settings.front_proxies or settings.proxy_protocol)


def handoff_sockets(settings: Settings, folder: Path) -> Sequence[socket.socket]:
    """One for each worker, in a folder that nobody else may enter. None where each device has its
    worker, or where the system cannot pass connections on. Raises OSError."""
    if not is_behind_others(settings) or not supported():
        return ()
    return listeners_of(folder, settings.workers)
