"""The proxy's port at the start: free, or still held by workers whose supervisor was killed."""

from __future__ import annotations

import time

import structlog

from proxy_addon.config.parsers import HostPort
from proxy_addon.config.settings import Settings
from proxy_addon.system.port_claims import SUPERVISOR, claimed
from proxy_addon.web.server import PortTaken, available_port, bind

log = structlog.get_logger("allowance.run")

FLAG = "--listen"
END_SECONDS = 5.0  # what writing may take once all connections are closed
_POLL_SECONDS = 0.1


def proxy_port(settings: Settings) -> HostPort:
    """The address to listen on; port 0 becomes a free port. Raises PortTaken.

    Workers whose supervisor was killed drain, and hold the port meanwhile. Other workers share it
    with them; one process cannot, and waits for their end.
    """
    wanted = settings.listen
    try:
        return available_port(wanted, FLAG)
    except PortTaken:
        if not _is_held_by_orphans(wanted):
            raise
    allowed = settings.drain_notice + settings.drain + END_SECONDS
    shares = settings.workers > 1
    log.warning(
        "workers of a supervisor that was killed still hold the port; they are draining",
        listen=str(wanted),
        shared=shares,
        seconds=allowed,
    )
    if shares:
        bind(wanted, FLAG, shared=True).close()
        return wanted
    return _wait(wanted, allowed)


def _is_held_by_orphans(wanted: HostPort) -> bool:
    roles = claimed(wanted.host, wanted.port)
    return bool(roles) and SUPERVISOR not in roles


def _wait(wanted: HostPort, seconds: float) -> HostPort:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return available_port(wanted, FLAG)
        except PortTaken:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)
