"""The office that most tests use: its hosts and policy, who sits where, and how time runs out."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.client import Client, Reply
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until
from tests.e2e.websocket import WebSocket

SHORT = 3.0  # seconds a day of the allowance `short`
CUT_WITHIN = 5.0  # the promise: what runs ends so many seconds after zero
SLACK = 2.0  # for a busy machine

HOSTS = (
    "facebook.com",
    "www.facebook.com",
    "x.com",
    "www.linkedin.com",
    "platform.linkedin.com",
    "www.tiktok.com",
    "www.youtube.com",
    "chatter.example",
    "news.example",
    "work.example",
    "innocent.example",
    "notfacebook.com",
)
SEATS = {"127.0.2.1": "reception", **{f"127.0.3.{n}": f"desk{n}" for n in range(1, 10)}}
FRONT_PROXY = "127.0.9.1"

# A platform that cannot be opened, as pinned apps cannot: metered by its bytes.
CHATTER = "chatter:\n  title: Chatter\n  hosts: [chatter.example]\n  inspect: false\n"

POLICY = """
version: 1
timezone: {zone}
allowances:
  short: {{limit: {short} per day, warn_at: {warn}}}
  long: {{limit: 30m per day}}
rules:
  - {{name: Learning is work, platforms: [linkedin/learning], then: allow}}
  - name: Not on our network
    platforms: [tiktok]
    then: block
    message: TikTok is not available on office devices.
  - {{name: A little every day, platforms: [facebook, x, linkedin, chatter], then: {{spend: short}}}}
  - {{name: Half an hour a day, platforms: [youtube], then: {{spend: long}}}}
otherwise: allow
unidentified: {{role: guest}}
metering: {{tail: 1s}}
"""


def noon_zone() -> str:
    """A zone in which it is about noon now, so that no test crosses the end of a day."""
    offset = 12 - datetime.now(UTC).hour  # noqa: TID251 - chosen once, from the real date
    return "UTC" if offset == 0 else f"Etc/GMT{-offset:+d}"


def policy(short: str = f"{SHORT:g}s", warn: str = "0s") -> str:
    """The policy text with another limit for `short`."""
    return POLICY.format(zone=noon_zone(), short=short, warn=warn)


def people(roles: str = "") -> str:
    """The people file: the seats, and roles given as YAML lines below `roles:`."""
    seats = "".join(f"  {address}: {user}\n" for address, user in SEATS.items())
    return f"default_role: staff\nroles:\n  staff: {{}}\n{roles}devices:\n{seats}"


def office(
    folder: Path,
    origins: Origins,
    policy_text: str | None = None,
    people_text: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> OfficeProxy:
    """A proxy with the office's rules; not started yet."""
    raw = [
        origins.resolve_raw("echo.example", "echo"),
        origins.resolve_raw("banner.example", "banner"),
    ]
    return OfficeProxy(
        folder,
        origins,
        policy_text or policy(),
        people=people_text or people(),
        platforms={"chatter": CHATTER},
        hosts=HOSTS,
        resolve=raw,
        settings={"front-proxies": [f"{FRONT_PROXY}/32"], "drain": "2s", "flush": "250ms"}
        | dict(settings or {}),
    )


def spend_all(
    client: Client, url: str = "https://www.facebook.com/", timeout: float = 15.0, **who: str
) -> Reply:
    """Open pages until the answer is no; that answer."""

    def refused() -> Reply | None:
        reply = client.open(url, **who)
        assert reply.status in (200, 403), reply
        return reply if reply.status == 403 else None

    found = until(refused, "the allowance to run out", timeout, every=0.25)
    assert found is not None
    return found


def websocket(client: Client, host: str, source: str) -> WebSocket:
    """A WebSocket to `wss://HOST/ws` through the proxy."""
    status, tunnel = client.tunnel(host, source=source)
    assert status == 200
    context = ssl.create_default_context(cafile=client.trust)
    return WebSocket(f"wss://{host}/ws", tunnel, context)


def request(connection: socket.socket, host: str, path: str = "/", headers: str = "") -> None:
    """Send a GET by hand."""
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n".encode()
    )
