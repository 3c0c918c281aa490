"""The two ports: free, taken, or held by a running proxy of ours."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import NamedTuple

from proxy_addon.config.parsers import HostPort
from proxy_addon.doctor.check import Check, error, ok, warning
from proxy_addon.system.health import OK
from proxy_addon.web.server import PortTaken, available_port

TIMEOUT = 3.0  # seconds
_MAX_BYTES = 65_536  # bytes of an answer that are read


class RunningProxy(NamedTuple):
    """A proxy of ours that answers on the web port. `wrong`: what it reports as wrong, by part;
    `ready`: whether it accepts new connections all the same."""

    port: int | None  # its proxy port, if known
    wrong: dict[str, str]
    ready: bool = True


def ports(listen: HostPort, web: HostPort) -> Iterator[Check]:
    """Whether both ports can be listened on, or are ours already."""
    found = running(web)
    if found is None:
        yield _free("web port", web, "--web")
        yield _free("proxy port", listen, "--listen")
        return
    if found.wrong:
        what = "; ".join(f"{part}: {words}" for part, words in sorted(found.wrong.items()))
        # /readyz: only it has each part in words, and says whether a balancer would send people.
        state = "is ready, but not all is well" if found.ready else "is not ready"
        yield warning("web port", f"{web}: our proxy {state}: {what}", "see docs/runbook.md")
    else:
        yield ok("web port", f"{web}: our proxy runs and is ready")
    if found.port == listen.port:
        yield ok("proxy port", f"{listen}: held by the running proxy")
    else:
        yield _free("proxy port", listen, "--listen")


def running(web: HostPort) -> RunningProxy | None:
    """Our proxy behind the web port; None when nothing, or another program, answers there."""
    if not web.port:
        return None
    try:
        status, body = _get(web, "/readyz")
        answer = json.loads(body)
        checks = answer["checks"]
        wrong = {str(part): str(words) for part, words in checks.items() if words != OK}
        if not isinstance(answer["ready"], bool) or status not in (200, 503):
            return None
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError):
        return None
    return RunningProxy(_proxy_port(web), wrong, answer["ready"])


def _proxy_port(web: HostPort) -> int | None:
    """The proxy port that /proxy.pac names."""
    try:
        _, body = _get(web, "/proxy.pac")
        return int(
            body.partition(b"PROXY ")[2].partition(b'"')[0].partition(b";")[0].rpartition(b":")[2]
        )
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _get(web: HostPort, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*web.from_here, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(_MAX_BYTES)
    finally:
        connection.close()


def _free(name: str, wanted: HostPort, flag: str) -> Check:
    if not wanted.port:
        return ok(name, "any free port is chosen at the start")
    try:
        available_port(wanted, flag)
    except PortTaken as problem:
        return error(
            name,
            f"{wanted}: {problem.because}",
            f"choose another with {flag} HOST:PORT, or see which process has it: ss -ltnp 'sport = :{wanted.port}'",
        )
    return ok(name, f"{wanted} is free")
