"""How long pages of somebody take while a crowd loads limited platforms without a pause.

A hundred people keep eight requests over HTTP/2 going each, as fast as one process serves them; a
hundred more open pages over HTTP/1.1. Meanwhile somebody opens an ordinary site and a limited one,
each time on a new connection. Prints how long each step took, with the crowd and without it.

Run: PYTHONPATH=. python tests/benchmarks/bench_crowd.py [--people 100] [--seconds 30]
Budget: half of the ordinary pages within 0.5 s.
"""

from __future__ import annotations

import argparse
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks.load import contestants
from tests.benchmarks.load.client import LoadClient, finished
from tests.benchmarks.load.site import FREE, LIMITED, PAGE, SMALL, Site, running_site

SOURCES = {FREE: "127.64.39.1", LIMITED: "127.64.39.2"}  # nobody of the crowd
SETTLES = 10.0  # seconds until the crowd has connected
PATIENCE = 60.0  # seconds for a page


class Steps(NamedTuple):
    """Seconds that the steps of one page took."""

    tunnel: float
    greeting: float
    answer: float


class Pages(NamedTuple):
    """What somebody saw at one site."""

    steps: list[Steps]
    failed: list[str]

    def line(self, name: str) -> str:
        """A row of the table."""
        took = [sum(each) for each in self.steps]
        if not took:
            return f"{name:24} no page came; {self.failed[:1]}"
        steps = "  ".join(f"{median(each):5.3f}" for each in zip(*self.steps, strict=True))
        return f"{name:24} {steps}  {median(took):5.3f} / {max(took):5.3f}  {len(self.failed)}"


def page(port: int, site: Site, host: str) -> Steps:
    """Open a page on a new connection. Raises OSError."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    began = time.monotonic()
    address = f"{host}:{site.port}"
    wire = socket.create_connection(("127.0.0.1", port), PATIENCE, (SOURCES[host], 0))
    with wire:
        wire.sendall(f"CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
        if b" 200 " not in wire.recv(65_536):
            raise OSError("no tunnel")
        opened = time.monotonic()
        with context.wrap_socket(wire, server_hostname=host) as secure:
            greeted = time.monotonic()
            fields = f"Host: {address}\r\nConnection: close\r\nSec-Fetch-Dest: empty\r\n"
            secure.sendall(f"GET {SMALL} HTTP/1.1\r\n{fields}\r\n".encode())
            if b" 200 " not in secure.recv(65_536):
                raise OSError("no page")
            return Steps(opened - began, greeted - opened, time.monotonic() - greeted)


def visit(port: int, site: Site, seconds: float) -> dict[str, Pages]:
    """Pages of both sites, some each second."""
    found = {host: Pages([], []) for host in SOURCES}
    end = time.monotonic() + seconds

    def use(host: str) -> None:
        while time.monotonic() < end:
            try:
                found[host].steps.append(page(port, site, host))
            except OSError as error:
                found[host].failed.append(str(error))
            time.sleep(0.2)

    threads = [threading.Thread(target=use, args=(host,)) for host in SOURCES]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found


def measured(people: int, seconds: float) -> tuple[dict[str, Pages], dict[str, Pages], list[str]]:
    """Pages without a crowd, pages with it, and what the crowd says about itself."""
    with tempfile.TemporaryDirectory(prefix="allowance-crowd-") as name:
        folder = Path(name)
        (folder / "site").mkdir()
        with running_site(folder / "site", 12 * people + 500) as site:
            client = LoadClient(folder, site.port)
            proxy = contestants.ours(folder / "proxy", site, people=2 * people)
            with contestants.started(proxy):
                quiet = visit(proxy.port, site, 5.0)
                common = {"host": LIMITED, "seconds": SETTLES + seconds, "people": 2 * people}
                running = [
                    client.start(proxy.port, **common, connections=people, **more)
                    for more in (
                        {"mode": "h2", "path": SMALL},
                        {"mode": "keep", "path": PAGE, "pages": 1, "pause": 3000},
                    )
                ]
                time.sleep(SETTLES)
                crowded = visit(proxy.port, site, seconds)
                loads = [finished(each) for each in running]
    return quiet, crowded, [f"{each.requests} requests, {each.errors} errors" for each in loads]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args(arguments)
    quiet, crowded, loads = measured(given.people, given.seconds)
    print("the crowd:", "; ".join(loads))
    print(f"{'seconds (median)':24} tunnel  TLS  answer  page / slowest  failed")
    for title, pages in (("alone", quiet), ("with the crowd", crowded)):
        for host, name in ((FREE, "ordinary"), (LIMITED, "limited")):
            print(pages[host].line(f"{name}, {title}"))


if __name__ == "__main__":
    main()
