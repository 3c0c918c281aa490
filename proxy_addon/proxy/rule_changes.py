"""After a change of rules: connections that are open follow it, each as far as it must."""

from __future__ import annotations

from mitmproxy import connection, http

from proxy_addon.core.types import Person
from proxy_addon.metering.enforcer import Ticket
from proxy_addon.proxy.addon import Gate
from proxy_addon.proxy.layers.connections import Conn


def follow(gate: Gate) -> None:
    """Bring what is open up to date with the rules that the enforcer has now.

    * Who sits at an address is asked again, so that devices and roles follow at once.
    * A tunnel that is relayed as bytes, and that would now be opened or refused, is closed: its client connects
      again and is decided about. Other relayed tunnels are left alone.
    * What runs and is no longer allowed is found by the next look at what is running; a platform that is no longer
      limited goes on undecided, and its next connection is relayed.
    """
    desk, now = gate.desk, gate.desk.clock.now()
    for client, conn in gate.connections.all():
        if conn.who is not None:
            conn.who = desk.identifier.again(conn.who, client.peername[0])
        if conn.passed and any(desk.enforcer.limited(host) for host in conn.hosts):
            gate.under_way.close(client)

    def payer(ticket: Ticket) -> Person | None:
        conn = _conn(gate, ticket)
        if conn is None or conn.who is None or conn.who.refused:
            return None
        return desk.enforcer.person(conn.who.name, conn.who.roles, now)

    desk.enforcer.reseat(payer, now)


def _conn(gate: Gate, ticket: Ticket) -> Conn | None:
    handle = ticket.handle
    if isinstance(handle, http.HTTPFlow):
        return gate.connections.known(handle.client_conn)
    return gate.connections.known(handle) if isinstance(handle, connection.Client) else None
