"""The proxies that benchmarks compare, as processes; each sends every host to one local site."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.waiting import accepts, free_port

ROOT = Path(__file__).parents[2]
POLICY = """
version: 1
timezone: Europe/London
allowances: {all: {limit: 24h per day}}
rules: [{name: All of it, platforms: [facebook, x, youtube], then: {spend: all}}]
otherwise: allow
unidentified: {role: guest}
"""
TO_THE_SITE = """
import asyncio, socket
class Site:
    def running(self):
        loop = asyncio.get_running_loop()
        async def getaddrinfo(host, port, **kw):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", PORT))]
        loop.getaddrinfo = getaddrinfo
addons = [Site()]
"""


class Proxy:
    """One proxy process."""

    def __init__(
        self, folder: Path, port: int, command: list[str], ca_file: Path, *, web_port: int = 0
    ) -> None:
        """`ca_file`: a file that is there once it has started."""
        self.folder, self.port, self.command, self.ca_file = folder, port, command, ca_file
        self.web_port = web_port
        self.environment = {"PYTHONPATH": str(ROOT)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it."""
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env=os.environ | self.environment,
            )

    def wait(self) -> None:
        """Wait until it accepts connections. Raises RuntimeError with its log when it does not."""
        assert self.process is not None
        for _ in range(6000):
            if self.process.poll() is not None:
                break
            if accepts(self.port) and self.ca_file.exists():
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text())

    @property
    def pid(self) -> int:
        """The process id, while it runs."""
        assert self.process is not None
        return self.process.pid

    def stop(self) -> None:
        """End it by its process id."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def allowance_proxy(folder: Path, site: int, trust: Path, hosts: tuple[str, ...]) -> Proxy:
    """`allowance run` with the shipped catalogue and three limited platforms."""
    (folder / "rules").mkdir(parents=True)
    shutil.copytree(ROOT / "rules" / "platforms", folder / "rules" / "platforms")
    (folder / "rules" / "policy.yaml").write_text(POLICY)
    port, web = free_port(), free_port()
    command = [
        sys.executable,
        "-m",
        "proxy_addon",
        "run",
        "--listen",
        f"127.0.0.1:{port}",
        "--web",
        f"127.0.0.1:{web}",
        "--confdir",
        str(folder / "ca"),
        "--upstream-ca",
        str(trust),
        "--drain",
        "1s",
        *(part for host in hosts for part in ("--resolve", f"{host}:443=127.0.0.1:{site}")),
    ]
    return Proxy(folder, port, command, folder / "ca" / "mitmproxy-ca-cert.pem")


def mitmdump(folder: Path, site: int, trust: Path, ignore: str = "") -> Proxy:
    """A bare mitmdump; `ignore` is its `--ignore-hosts`."""
    folder.mkdir(parents=True)
    (folder / "site.py").write_text(TO_THE_SITE.replace("PORT", str(site)))
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("mitmdump")),
        "-q",
        "-s",
        "site.py",
        "--listen-host",
        "127.0.0.1",
        "--listen-port",
        str(port),
        "--set",
        f"confdir={folder / 'ca'}",
        "--set",
        f"ssl_verify_upstream_trusted_ca={trust}",
        *(["--ignore-hosts", ignore] if ignore else []),
    ]
    return Proxy(folder, port, command, folder / "ca" / "mitmproxy-ca-cert.pem")
