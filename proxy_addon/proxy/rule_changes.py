"""After a change of rules: applies them to the connections that are open."""

from __future__ import annotations

from mitmproxy import connection, http

from proxy_addon.core.types import Person
from proxy_addon.metering.flight import Flight
from proxy_addon.proxy.addon import AllowanceAddon
from proxy_addon.proxy.free_tunnel import FreeTunnel
from proxy_addon.proxy.layers.connections import ClientState


def follow(addon: AllowanceAddon) -> None:
    """Bring what is open up to date with the rules that the enforcer has now.

    * The person at an address is identified again, so that devices and roles change at once.
    * A tunnel that is relayed as bytes, and that would now be opened or refused, is closed: its
      client connects again, and a new decision is made. Other relayed tunnels are left alone.
    * What runs and is no longer allowed is ended by the next check of what is running; a platform
      that is no longer limited goes on undecided, and its next connection is relayed.
    """
    services, now = addon.services, addon.services.clock.now()
    for client, conn in addon.connections.all():
        if conn.who is not None:
            conn.who = services.identifier.again(conn.who, client.peername[0])
        if conn.passed and any(services.enforcer.limited(host) for host in conn.hosts):
            addon.in_flight.close(client)
    if addon.acceptor is not None:
        addon.acceptor.follow_rules()

    def current_person(flight: Flight) -> Person | None:
        if isinstance(flight.handle, FreeTunnel):
            return _person_of(addon, flight.handle, now)
        conn = _conn(addon, flight)
        if conn is None or conn.who is None or conn.who.refused:
            return None
        return services.enforcer.person(conn.who.name, conn.who.roles, now)

    services.enforcer.reassign(current_person, now)


def _person_of(addon: AllowanceAddon, tunnel: FreeTunnel, now: float) -> Person:
    """Whose free tunnel it is, identified again."""
    services = addon.services
    tunnel.who = services.identifier.again(tunnel.who, tunnel.address)
    return services.enforcer.person(tunnel.who.name, tunnel.who.roles, now)


def _conn(addon: AllowanceAddon, flight: Flight) -> ClientState | None:
    handle = flight.handle
    if isinstance(handle, http.HTTPFlow):
        return addon.connections.known(handle.client_conn)
    return addon.connections.known(handle) if isinstance(handle, connection.Client) else None
