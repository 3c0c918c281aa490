"""People of a busy office as asyncio tasks: each at an address of its own, in browsers that keep
connections open.

What they saw is written down, to be compared with what Prometheus says.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from tests.e2e.client import IMAGE, NAVIGATE

FRAME = {
    "Sec-Fetch-Dest": "iframe",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "cross-site",
    "Referer": "https://news.example/",
    "Accept": "text/html",
}
TOKEN, REQUEST = r'name="token" value="(\w+)"', r'name="request" value="(\w+)"'
DIGEST = r'name="digest" value="(\w+)"'
PREFETCH = NAVIGATE | {"Sec-Purpose": "prefetch"}


@dataclass
class Truth:
    """What the clients saw."""

    connections: int = 0
    blocked: dict[str, str] = field(default_factory=dict)  # id of a request -> reason
    answered: int = 0  # requests that a site answered
    out: set[str] = field(default_factory=set)  # addresses whose allowance ran out
    seen: set[str] = field(default_factory=set)  # addresses that a limited site answered
    received: int = 0  # bytes of bodies from sites
    tunnels: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)  # for more time, by what became of them


class Browser:
    """One address. `get` keeps one connection for each host."""

    def __init__(self, truth: Truth, port: int, trust: Sequence[Path], address: str) -> None:
        self.truth, self.port, self.address = truth, port, address
        self.context = ssl.create_default_context(cafile=trust[0])
        for other in trust[1:]:
            self.context.load_verify_locations(other)
        self.context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self._open: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def connect(
        self, host: str, headers: str = ""
    ) -> tuple[int, asyncio.StreamReader, asyncio.StreamWriter]:
        """CONNECT: the proxy's status, and the two ends."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(self.address, 0)
        )
        self.truth.connections += 1
        writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n{headers}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1]), reader, writer

    async def get(self, host: str, path: str = "/", kind: dict[str, str] = NAVIGATE) -> str:
        """One request: "200", or the reason of a refusal."""
        if host not in self._open:
            status, reader, writer = await self.connect(host)
            assert status == 200, (host, status)
            await writer.start_tls(self.context, server_hostname=host)
            self._open[host] = reader, writer
            self.truth.tunnels["decrypted" if _is_read(writer) else "passed"] += 1
        reader, writer = self._open[host]
        fields = "".join(f"{name}: {value}\r\n" for name, value in kind.items())
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        except (
            asyncio.IncompleteReadError,
            ConnectionError,
        ):  # closed while it was idle: as a browser does
            writer.close()
            del self._open[host]
            return await self.get(host, path, kind)
        values = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        try:
            size = await _body(reader, values)
            # A refusal is a page of the proxy, not of a site.
            self.truth.received += 0 if "x-allowance-reason" in values else size
        except (asyncio.IncompleteReadError, ConnectionError):
            values["connection"] = "close"  # it was cut
            self.truth.out.add(self.address)
        if values.get("connection") == "close":
            writer.close()
            del self._open[host]
        reason = values.get("x-allowance-reason")
        if reason is not None:
            self.truth.blocked[values["x-allowance-request"]] = reason
            if reason == "exhausted":
                self.truth.out.add(self.address)
            return reason
        self.truth.answered += 1
        self.truth.seen.add(self.address)
        return head.split()[1]

    def close(self) -> None:
        """Close the window."""
        for _, writer in self._open.values():
            writer.close()


def _is_read(writer: asyncio.StreamWriter) -> bool:
    """Whether the certificate is the proxy's. Whoever is free is not read."""
    certificate = writer.get_extra_info("ssl_object").getpeercert()
    return "Allowance" in str(certificate["issuer"])


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> int:
    if headers.get("transfer-encoding") != "chunked":
        return len(await reader.readexactly(int(headers.get("content-length", "0"))))
    total = 0
    while size := int(await reader.readuntil(b"\r\n"), 16):
        total += len(await reader.readexactly(size + 2)) - 2
    await reader.readexactly(2)
    return total


def _found(pattern: str, page: str) -> str:
    """The value of a hidden field."""
    match = re.search(pattern, page)
    assert match is not None, page
    return match[1]


class Hour:
    """An office hour in `SECONDS`."""

    SECONDS = 16.0
    DESKS = 60  # for each role
    ROLES = ("sales", "care", "engineering", "visitors")  # their networks: 127.0.32.0/24 and up

    def __init__(self, port: int, trust: Path, sites_ca: Path) -> None:
        self.port, self.trust, self.sites_ca, self.truth = port, trust, sites_ca, Truth()

    def browser(self, address: str, trust: Path | None = None) -> Browser:
        """One at an address. It trusts the proxy and the sites, or only `trust`."""
        both = (self.trust, self.sites_ca)
        return Browser(self.truth, self.port, (trust,) if trust else both, address)

    async def run(self) -> Truth:
        """All of it."""
        async with asyncio.TaskGroup() as everybody:
            for number, role in enumerate(self.ROLES):
                for services in range(1, self.DESKS + 1):
                    start = self.SECONDS * 0.5 * (services / self.DESKS) + number * 0.01
                    everybody.create_task(
                        self.person(f"127.0.{32 + number}.{services}", role, services, start)
                    )
            everybody.create_task(self.trouble())
            everybody.create_task(self.chatter())
        await self.confirm()
        await self.requests()
        return self.truth

    async def confirm(self) -> None:
        """The administrator reads the written policy that is for administrators, and confirms
        it."""
        sign_in = f"Proxy-Authorization: Basic {base64.b64encode(b'dora:open sesame').decode()}\r\n"
        shown = await self.page("127.0.41.9", "/policy", head=sign_in)
        answer = {"token": _found(TOKEN, shown), "digest": _found(DIGEST, shown)}
        answer |= {"notice": "administrators", "read": "yes", "action": "confirm"}
        assert " 303 " in await self.page("127.0.41.9", "/policy", answer, sign_in)

    async def requests(self) -> None:
        """Three who ran out ask for more on their own pages; an administrator says yes to one and
        no to one."""
        for services in (3, 6, 9):
            address = f"127.0.34.{services}"
            token = _found(TOKEN, await self.page(address, "/ask"))
            asked = {"token": token, "allowance": "short", "minutes": "5", "reason": "a launch"}
            assert " 303 " in await self.page(address, "/ask", asked)
            self.truth.requests["asked"] += 1
        sign_in = f"Proxy-Authorization: Basic {base64.b64encode(b'dora:open sesame').decode()}\r\n"
        for verb in ("granted", "refused"):
            shown = await self.page("127.0.41.9", "/admin", head=sign_in)
            answer = {
                "token": _found(TOKEN, shown),
                "request": _found(REQUEST, shown),
                "note": "after lunch",
            }
            answer["verb"] = {"granted": "approve", "refused": "refuse"}[verb]
            assert f"done={verb}" in await self.page(
                "127.0.41.9", "/admin/requests", answer, sign_in
            )
            self.truth.requests[verb] += 1

    async def page(
        self, address: str, path: str, form: dict[str, str] | None = None, head: str = ""
    ) -> str:
        """One of the proxy's own pages, with its head; with a form it is sent."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(address, 0)
        )
        self.truth.connections += 1
        body = urlencode(form or {})
        if form is not None:
            head += "Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://allowance.internal\r\n"
        verb = "GET" if form is None else "POST"
        head += f"Host: allowance.internal\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        writer.write(
            f"{verb} http://allowance.internal{path} HTTP/1.1\r\n{head}\r\n{body}".encode()
        )
        answer = (await reader.read()).decode()
        writer.close()
        return answer

    async def person(self, address: str, role: str, services: int, start: float) -> None:
        """Somebody of a role; what they open follows from the number of their desk."""
        await asyncio.sleep(start)
        browser = self.browser(address)
        visits: list[tuple[str, str, dict[str, str]]] = {
            "sales": [
                ("www.linkedin.com", "/learning/", NAVIGATE),
                ("www.linkedin.com", "/feed/", NAVIGATE),
            ],
            "care": [("www.facebook.com", "/", NAVIGATE), ("x.com", "/", NAVIGATE)],
            "engineering": [("x.com", "/", NAVIGATE), ("www.tiktok.com", "/", NAVIGATE)],
            "visitors": [("www.youtube.com", "/", NAVIGATE), ("www.tiktok.com", "/", NAVIGATE)],
        }[role]
        visits.append(("www.facebook.com", "/plugins/like.php", FRAME))
        if services % 4 == 0:
            visits.append(("www.youtube.com", "/", PREFETCH))
        if role == "engineering" and services % 3 == 0:
            await self.until_out(browser)
        if role == "sales" and services % 12 == 0:  # a stream that has to be cut
            await browser.get(
                "www.facebook.com",
                "/stream?seconds=40&rate=20000&type=video/mp4",
                {"Accept": "*/*"},
            )
        for host, path, kind in visits:
            await browser.get(host, path, kind)
            await browser.get(host, "/image/1.png", IMAGE)
            await asyncio.sleep(0.5)
        browser.close()

    async def until_out(self, browser: Browser) -> None:
        """Somebody who goes on until there is nothing left."""
        while await browser.get("x.com") != "exhausted":
            await asyncio.sleep(0.4)

    async def trouble(self) -> None:
        """Devices without our CA, a site that is down, passwords right and wrong."""
        for number in range(1, 31):
            await asyncio.sleep(0.2)
            _, _, writer = await self.browser(f"127.0.40.{number}").connect("www.facebook.com")
            strict = ssl.create_default_context(cafile=self.sites_ca)
            try:
                await writer.start_tls(strict, server_hostname="www.facebook.com")
            except ssl.SSLError:
                self.truth.tunnels["untrusted"] += 1
            writer.close()
        for number in range(5):
            status, _, writer = await self.browser(f"127.0.41.{number + 1}").connect("dead.example")
            self.truth.tunnels["dead"] += status == 502
            writer.close()
            right = base64.b64encode(b"dora:open sesame").decode()
            wrong = base64.b64encode(f"dora:{number}".encode()).decode()
            for credentials in (right, wrong):
                sign_in = f"Proxy-Authorization: Basic {credentials}\r\n"
                _, _, writer = await self.browser("127.0.41.9").connect("www.facebook.com", sign_in)
                writer.close()

    async def chatter(self) -> None:
        """An app that cannot be opened, and traffic that is nobody's business."""
        async with asyncio.TaskGroup() as apps:
            for number in range(1, 9):
                apps.create_task(self.relayed("chatter.example", f"127.0.42.{number}", "metered"))
                apps.create_task(self.relayed("work.example", f"127.0.43.{number}", "passed"))

    async def relayed(self, host: str, address: str, how: str) -> None:
        """Pages of a site that the proxy does not open."""
        browser = self.browser(address, self.sites_ca)
        status, reader, writer = await browser.connect(host)
        assert status == 200
        await writer.start_tls(browser.context, server_hostname=host)
        self.truth.tunnels[how] += 1
        for _ in range(5):
            writer.write(f"GET /big?bytes=20000 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                values = dict(
                    line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line
                )
                self.truth.received += await _body(reader, values)
            except (asyncio.IncompleteReadError, ConnectionError):
                self.truth.out.add(address)  # a slow machine: time was up before
                break
            await asyncio.sleep(0.3)
        self.truth.seen |= {address} if how == "metered" else set()
        writer.close()
