"""Access to the sites: name resolution, a connection, TLS, and the clock of a site.

One host is asked in the way the proxy would reach it: through the `--resolve` table and the guard
against local targets, or through `--upstream-proxy`. Every step takes at most `TIMEOUT`; being
offline is a warning.
"""

from __future__ import annotations

import base64
import queue
import socket
import ssl
import threading
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

import certifi

from proxy_addon.config.parsers import HostPort, UpstreamProxy
from proxy_addon.config.settings import Settings
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.doctor.check import Check, error, not_checked, ok, warning
from proxy_addon.doctor.host import skew
from proxy_addon.network.guards import TargetGuard
from proxy_addon.network.resolver import Resolver

TIMEOUT: Final = 3.0  # seconds to resolve a name, and again for the whole connection
_MAX_BYTES: Final = 16_384  # bytes of an answer that are read
_OFFLINE: Final = (
    "offline? check the cable, the firewall and /etc/resolv.conf; where the office has a proxy of its own, "
    "name it with --upstream-proxy"
)


class Refused(Exception):
    """The upstream proxy refuses the connection; its answer and the remedy."""

    def __init__(self, fact: str, remedy: str) -> None:
        super().__init__(fact)
        self.remedy = remedy


class Site(NamedTuple):
    """What was found out about a site. `ahead`: seconds that its clock is ahead of ours, None if
    not known."""

    protocol: str
    ahead: float | None


def host_of(rules: RuleSet) -> HostPort | None:
    """The host to check: one of a limited platform, since those are what the proxy connects to.

    Platforms that the policy names come first.
    """
    named = [name for group in rules.groups.values() for name in group if name in rules.limited]
    for name in (*named, *sorted(rules.limited)):
        for host in rules.platforms[name].hosts:
            plain = host.removeprefix("=")
            if "*" not in plain:
                return HostPort(plain, 443)
    return None


def sites(
    settings: Settings, probe: HostPort | None, now: float, readable: bool = True
) -> Iterator[Check]:
    """DNS, the connection and the clock of one site. `now` is our own clock; `readable`: the rules
    are."""
    if probe is None:
        why = (
            "no platform is limited"
            if readable
            else "the rules, which name the sites, cannot be read"
        )
        yield not_checked("upstream", why, "name a site with --probe HOST:PORT")
        return
    first = probe
    if settings.upstream_proxy is not None:
        first = HostPort(settings.upstream_proxy.host, settings.upstream_proxy.port)
    found = look_up(settings, first)
    yield found.check
    if found.address is None:
        yield not_checked("upstream", f"{probe}: there is no address to connect to")
        return
    way = f" through {settings.upstream_proxy.url}" if settings.upstream_proxy else ""
    try:
        site = reach(found.address, probe, settings, now)
    except Refused as problem:
        yield error("upstream", f"{probe}{way}: {problem}", problem.remedy)
    except ssl.SSLCertVerificationError as problem:
        yield warning(
            "upstream",
            f"{probe}{way}: its certificate is not trusted: {problem.verify_message}",
            "if the network opens TLS itself, name its CA with --upstream-ca FILE",
        )
    except OSError as problem:
        words = problem.strerror or str(problem) or type(problem).__name__
        yield warning("upstream", f"{probe}{way}: {words}", _OFFLINE)
    else:
        yield ok("upstream", f"{probe}{way} answers with {site.protocol}")
        yield from skew(site.ahead, probe.host)


class Lookup(NamedTuple):
    """What a name resolved to; no address where there is none, or none that may be reached."""

    check: Check
    address: tuple[str, int] | None


def look_up(settings: Settings, target: HostPort) -> Lookup:
    """The address of a host as the proxy finds it."""
    guard = TargetGuard(settings, (settings.listen.port, settings.web.port))
    resolver = Resolver(settings, guard)
    try:
        if (mapped := resolver.mapped(target.host, target.port)) is not None:
            return Lookup(
                ok("DNS", f"{target} is {HostPort(*mapped)} by the --resolve table"), mapped
            )
        try:
            addresses = _addresses(target)
        except (OSError, UnicodeError) as problem:
            words = getattr(problem, "strerror", None) or str(problem)
            return Lookup(warning("DNS", f"{target.host}: {words}", _OFFLINE), None)
        refusal: str | None = None
        for address in addresses:
            upstream = resolver.is_upstream_proxy(target.host, target.port)
            refusal = None if upstream else guard.check_address(target.host, address, target.port)
            if refusal is None:
                return Lookup(ok("DNS", f"{target.host} is {address}"), (address, target.port))
        remedy = f"--allow-targets {target.host}, if the proxy is meant to reach it"
        return Lookup(warning("DNS", f"{target.host}: {refusal or 'has no address'}", remedy), None)
    finally:
        resolver.close()


def _addresses(target: HostPort) -> list[str]:
    """By the system's resolver, on a daemon thread: a name server that does not answer takes
    long."""
    answers: queue.Queue[list[str] | OSError | UnicodeError] = queue.Queue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answers.put([str(each[4][0]) for each in found])
        except (OSError, UnicodeError) as problem:
            answers.put(problem)

    threading.Thread(target=ask, name="doctor-dns", daemon=True).start()
    try:
        answer = answers.get(timeout=TIMEOUT)
    except queue.Empty:
        raise TimeoutError(f"no answer within {TIMEOUT:g} s") from None
    if isinstance(answer, list):
        return answer
    raise answer


def reach(address: tuple[str, int], probe: HostPort, settings: Settings, now: float) -> Site:
    """Connect, shake hands and send `HEAD /`. Raises OSError, Refused."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.verify_flags &= (
        ~ssl.VERIFY_X509_STRICT
    )  # the proxy accepts an office's old CA without a key usage
    if settings.upstream_ca is not None:
        context.load_verify_locations(settings.upstream_ca)
    upstream = settings.upstream_proxy
    with socket.create_connection(address, timeout=TIMEOUT) as plain:
        if upstream is None:
            return _request_over_tls(context, plain, probe, now)
        if upstream.scheme == "http":
            _open_tunnel(plain, upstream, probe)
            return _request_over_tls(context, plain, probe, now)
        with context.wrap_socket(plain, server_hostname=upstream.host) as outer:
            _open_tunnel(outer, upstream, probe)
            return Site("a tunnel", None)  # TLS inside TLS is not checked here


def _open_tunnel(stream: socket.socket, upstream: UpstreamProxy, probe: HostPort) -> None:
    lines = [f"CONNECT {probe} HTTP/1.1", f"Host: {probe}"]
    if upstream.credentials is not None:
        lines.append(
            f"Proxy-Authorization: Basic {base64.b64encode(upstream.credentials.encode()).decode()}"
        )
    stream.sendall("\r\n".join([*lines, "", ""]).encode())
    first = _head(stream)[:1] or ["nothing"]
    status = first[0].split(" ")[1:2]
    if status == ["407"]:
        raise Refused(
            "it asks for a user and a password, or does not accept ours",
            "write them into the URL: --upstream-proxy http://USER:PASSWORD@HOST:PORT",
        )
    if status != ["200"]:
        raise Refused(
            f"it answers {first[0]!r}", "ask whoever runs that proxy to let this host through"
        )


def _request_over_tls(
    context: ssl.SSLContext, plain: socket.socket, probe: HostPort, now: float
) -> Site:
    with context.wrap_socket(plain, server_hostname=probe.host) as stream:
        protocol = stream.version() or "TLS"
        try:
            stream.sendall(
                f"HEAD / HTTP/1.1\r\nHost: {probe.host}\r\nUser-Agent: allowance-doctor\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            return Site(protocol, _ahead(_head(stream), now))
        except OSError:
            return Site(protocol, None)  # the handshake is all that is needed


def _head(stream: socket.socket) -> list[str]:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _MAX_BYTES:
        piece = stream.recv(4096)
        if not piece:
            break
        data += piece
    return data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")


def _ahead(head: list[str], now: float) -> float | None:
    for line in head[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "date":
            try:
                return parsedate_to_datetime(value.strip()).timestamp() - now
            except ValueError:
                return None
    return None
