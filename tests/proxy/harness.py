"""A whole office on a clock that tests move: real rules, engine, balances, guards and hooks.

`ProxyHarness` is for hooks called by hand; `Serving` runs the same add-on in a real proxy, on a
loop of its own thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mitmproxy import http
from mitmproxy.test import tflow, tutils

from proxy_addon.config.parsers import HostPort
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.core.types import Visit
from proxy_addon.identity.identification import Identifier
from proxy_addon.identity.passwords import PasswordFile
from proxy_addon.metering.assembly import assemble, numbered
from proxy_addon.network.distrust import DistrustingDevices
from proxy_addon.network.guards import ClientGuard, TargetGuard
from proxy_addon.network.resolver import Resolver
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.proxy import ca, ca_change
from proxy_addon.proxy.addon import AllowanceAddon
from proxy_addon.proxy.master import Runner, RunnerOptions
from proxy_addon.proxy.services import Services
from proxy_addon.rules import folder as rules_folder
from proxy_addon.system.clock import timer
from proxy_addon.web.app import employee_app
from proxy_addon.web.interface import Health, HealthPages
from proxy_addon.web.proxy_state import LiveProxyState
from tests import certificate_authority
from tests.e2e.client import Client
from tests.e2e.origins import Origins
from tests.e2e.process import trust_bundle
from tests.e2e.waiting import free_port, until
from tests.loops import LOOP, LOOPS
from tests.virtual_clock import VirtualClock

NOON = 1793620800.0  # Monday 2 November 2026, 12:00 UTC
PLATFORMS = """
facebook: {title: Facebook, hosts: [facebook.com]}
x: {title: X, hosts: [x.com]}
linkedin: {title: LinkedIn, hosts: [linkedin.com], sections: {learning: {paths: ["/learning/*"]}}}
tiktok: {title: TikTok, hosts: [tiktok.com]}
chatter: {title: Chatter, hosts: [chatter.example], inspect: false}
"""
POLICY = """
version: 1
timezone: UTC
allowances:
  short: {{limit: 15m per day, warn_at: {warn}}}
rules:
  - {{name: Learning is work, platforms: [linkedin/learning], then: allow}}
  - {{name: Not here, platforms: [tiktok], then: block}}
  - {{name: A little every day, platforms: [facebook, x, linkedin, chatter], then: {{spend: short}}}}
unidentified: {unidentified}
on_failure: {on_failure}
"""
PEOPLE = """
default_role: staff
roles:
  staff: {}
devices:
  127.0.3.1: dora
"""
PAGE = {
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
    "Accept": "text/html",
}


class Broken(Exception):
    """Our own code failed."""


def breaks(*_: Any, **__: Any) -> Any:
    """A method that fails whenever it is called."""
    raise Broken("this part is broken")


class ProxyHarness:
    """Everything but mitmproxy itself. Settings by field name, as on the command line."""

    def __init__(
        self,
        folder: Path,
        *,
        on_failure: str = "last-known",
        unidentified: str = "{role: guest}",
        warn: str = "0s",
        passwords: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.rules = rules_folder.load(_rules(folder / "rules", warn, unidentified, on_failure))
        file = PasswordFile(folder / "passwords")
        for user, password in (passwords or {}).items():
            file.add(user, password)
        places = {name: folder / name for name in ("ca", "passwords", "journal")}
        places["confdir"] = places.pop("ca")
        self.settings: Settings = load_settings({**places, **settings})
        certificate_authority.copy_to(self.settings.confdir)
        self.clock = VirtualClock(NOON)
        self.metrics = PrometheusMetrics()
        self.metrics.rules(self.rules, NOON)
        self.visits: list[Visit] = []
        self.book, _, self.enforcer = assemble(
            self.rules,
            self.visits.append,
            numbered("v"),
            "house",
            metrics=self.metrics,
            timer=timer,
        )
        targets = TargetGuard(self.settings, (self.settings.listen.port, self.settings.web.port))
        self.identifier = Identifier(lambda: self.enforcer.rules, file, self.settings, self.clock)
        self.devices = DistrustingDevices(self.clock.now)
        office = LiveProxyState(
            self.enforcer,
            self.book,
            self.clock,
            HealthPages(lambda: Health(True, {}), dict, self.metrics_text),
            self.ca_file,
            8080,
            devices=self.devices,
            next_ca=ca_change.find(self.settings.confdir).pem,
        )
        self.resolver = Resolver(self.settings, targets)
        self.services = Services(
            self.enforcer,
            self.identifier,
            ClientGuard(self.settings.client_networks),
            targets,
            self.resolver,
            self.clock,
            self.metrics,
            self.metrics,
            employee_app(office),
            self.settings.front_proxy_header,
            devices=self.devices,
            most_connections=self.settings.client_connections,
        )
        self.addon = AllowanceAddon(self.services)

    @property
    def ca_file(self) -> Path:
        """The certificate of the proxy's CA."""
        return ca.certificate(self.settings.confdir)

    def metrics_text(self) -> tuple[bytes, str]:
        """For `LiveProxyState`."""
        return b"", "text/plain"

    def counted(self, name: str, **labels: str) -> float:
        """A sample of the metrics; 0 when there is none."""
        return self.metrics.registry.get_sample_value(f"allowance_{name}", labels) or 0.0

    def spend(self, person: str, seconds: float = 900.0, platform: str = "facebook") -> None:
        """Somebody has used so much of `short` this morning."""
        number = f"spent-{person}-{seconds}-{platform}"
        visit = Visit(
            number,
            person,
            platform,
            None,
            "short",
            "A little every day",
            NOON - seconds,
            NOON,
            "elsewhere",
        )
        self.book.load([visit], [])

    def break_engine(self, *methods: str) -> None:
        """From now on these methods of the enforcer raise."""
        for name in methods or ("ask", "tunnel"):
            setattr(self.enforcer, name, breaks)

    def close(self) -> None:
        """Give threads back."""
        self.identifier.close()
        self.resolver.close()


def _rules(folder: Path, warn: str, unidentified: str, on_failure: str) -> Path:
    (folder / "platforms").mkdir(parents=True, exist_ok=True)
    for line in PLATFORMS.strip().splitlines():
        (folder / "platforms" / f"{line.partition(':')[0]}.yaml").write_text(line + "\n")
    policy = POLICY.format(warn=warn, unidentified=unidentified, on_failure=on_failure)
    (folder / "policy.yaml").write_text(policy)
    (folder / "people.yaml").write_text(PEOPLE)
    return folder


def request(
    url: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    address: str = "127.0.0.1",
) -> http.HTTPFlow:
    """A flow as it is when the head of its request has been read, outside of any tunnel."""
    made = http.Request.make(method, url)
    for name, value in {"Host": made.host, **(headers or {})}.items():
        made.headers[name] = value
    flow = tflow.tflow(req=made)
    flow.live = True
    flow.client_conn.peername = (address, 50000)
    flow.client_conn.sockname = ("127.0.0.1", 8080)
    return flow


def connect(
    authority: str, headers: Mapping[str, str] | None = None, address: str = "127.0.0.1"
) -> http.HTTPFlow:
    """A flow of a CONNECT."""
    host, _, port = authority.rpartition(":")
    made = tutils.treq(
        host=host.strip("[]"),
        port=int(port),
        method=b"CONNECT",
        scheme=b"",
        authority=authority.encode(),
        path=b"",
        headers=http.Headers([(k.encode(), v.encode()) for k, v in (headers or {}).items()]),
    )
    flow = tflow.tflow(req=made)
    flow.live = True
    flow.client_conn.peername = (address, 50000)
    return flow


def inside(
    outer: http.HTTPFlow, url: str, headers: Mapping[str, str] | None = None
) -> http.HTTPFlow:
    """A request inside the tunnel that `outer` asked for."""
    flow = request(url, headers=headers)
    flow.client_conn = outer.client_conn
    return flow


class _Unsignalled(Runner):
    """Signals belong to the main thread, which is pytest's."""

    def install_signal_handlers(self, loop: asyncio.AbstractEventLoop) -> None:
        """Leave them alone."""


class Serving:
    """Context manager: a real proxy with the add-on, on a thread of its own."""

    def __init__(
        self,
        harness: ProxyHarness,
        origins: Origins,
        drain: float = 0.0,
        *,
        light_path: bool = True,
    ) -> None:
        self.harness, self.origins = harness, origins
        self.port = free_port()
        options = RunnerOptions(
            HostPort("127.0.0.1", self.port),
            harness.settings.confdir,
            origins.ca_file,
            None,
            drain,
            light_path,
        )
        self._options = options
        self._runner: Runner | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(), loop_factory=LOOPS[LOOP]),
            name="proxy",
            daemon=True,
        )

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._runner = _Unsignalled(self._options, self.harness.addon, self._ready.set)
        await self._runner.run()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "the proxy did not start"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.stop()
        self._thread.join(10)
        self.harness.close()
        assert not self._thread.is_alive(), "the proxy did not end"

    def stop(self) -> None:
        """As a signal does."""
        assert self._loop is not None and self._runner is not None
        with suppress(RuntimeError):  # its loop may have ended already
            self._loop.call_soon_threadsafe(self._runner.stop)

    @property
    def running(self) -> bool:
        """True until the drain is over."""
        return self._thread.is_alive()

    def on_loop[T](self, call: Callable[[], T]) -> T:
        """Do something on the proxy's loop, and wait for it."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(call())
            except BaseException as error:
                done.set_exception(error)

        assert self._loop is not None
        self._loop.call_soon_threadsafe(run)
        return done.result(10)

    def spend(self, person: str, seconds: float = 900.0, platform: str = "facebook") -> None:
        """See `ProxyHarness.spend`."""
        self.on_loop(lambda: self.harness.spend(person, seconds, platform))

    def connections(self) -> int:
        """How many clients are connected."""
        addon = self.harness.addon
        return self.on_loop(lambda: len(addon.connections) + len(addon.acceptor or ()))

    def empty(self) -> None:
        """Wait until nobody is connected any more."""
        until(lambda: self.connections() == 0, "all connections to be gone")

    @property
    def client(self) -> Client:
        """Clients that trust the proxy's CA and that of the origins."""
        own, sites = self.harness.ca_file, self.origins.ca_file
        return Client(self.port, trust_bundle(self.harness.folder, own, sites))


def serving(
    folder: Path,
    origins: Origins,
    drain: float = 0.0,
    *,
    light_path: bool = True,
    **harness: Any,
) -> Serving:
    """A proxy whose limited and unlimited hosts are the test origins."""
    hosts = (
        "www.facebook.com",
        "x.com",
        "www.linkedin.com",
        "www.tiktok.com",
        "news.example",
        "chatter.example",
    )
    raw = [
        origins.resolve_raw("banner.example", "banner"),
        origins.resolve_raw("echo.example", "echo"),
    ]
    resolve = [*origins.resolve(*hosts), *raw, *harness.pop("resolve", ())]
    made = ProxyHarness(folder, resolve=resolve, **harness)
    return Serving(made, origins, drain, light_path=light_path)
