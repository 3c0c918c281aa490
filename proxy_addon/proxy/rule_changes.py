"""After a change of rules: connections that are open follow it, each as far as it must."""

from __future__ import annotations

from mitmproxy import connection, http

from proxy_addon.core.types import Person
from proxy_addon.metering.flight import Flight
from proxy_addon.proxy.addon import AllowanceAddon
from proxy_addon.proxy.layers.connections import ClientState


def follow(addon: AllowanceAddon) -> None:
    """Bring what is open up to date with the rules that the enforcer has now.

    * Who sits at an address is asked again, so that devices and roles follow at once.
    * A tunnel that is relayed as bytes, and that would now be opened or refused, is closed: its client connects
      again and is decided about. Other relayed tunnels are left alone.
    * What runs and is no longer allowed is found by the next look at what is running; a platform that is no longer
      limited goes on undecided, and its next connection is relayed.
    """
    services, now = addon.services, addon.services.clock.now()
    for client, conn in addon.connections.all():
        if conn.who is not None:
            conn.who = services.identifier.again(conn.who, client.peername[0])
        if conn.passed and any(services.enforcer.limited(host) for host in conn.hosts):
            addon.under_way.close(client)

    def payer(flight: Flight) -> Person | None:
        conn = _conn(addon, flight)
        if conn is None or conn.who is None or conn.who.refused:
            return None
        return services.enforcer.person(conn.who.name, conn.who.roles, now)

    services.enforcer.reassign(payer, now)


def _conn(addon: AllowanceAddon, flight: Flight) -> ClientState | None:
    handle = flight.handle
    if isinstance(handle, http.HTTPFlow):
        return addon.connections.known(handle.client_conn)
    return addon.connections.known(handle) if isinstance(handle, connection.Client) else None
