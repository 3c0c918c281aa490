"""Somebody who uses the proxy while another one attacks it, as a process of its own: `python -m
tests.faults.visitor PORT TRUST SECONDS` prints how long each page took, as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from tests.e2e.client import Client, read_until
from tests.e2e.process import ROOT

SITES = {"ordinary": "news.example", "limited": "www.youtube.com", "ours": "allowance.internal"}
SOMEBODY = "127.0.3.2"
EVERY = 0.1  # seconds from one page to the next
PATIENCE = 10.0  # seconds for a page


class Visit(NamedTuple):
    """Seconds that pages took, and what went wrong, by site."""

    took: dict[str, list[float]]
    failed: dict[str, list[str]]


def load(client: Client, host: str) -> float:
    """Seconds that a page takes, on a new connection; it has to come."""
    began = time.monotonic()
    path = "/me.json" if host == "allowance.internal" else "/"
    status, tunnel = client.tunnel(host, source=SOMEBODY)
    assert status == 200, f"{host}: {status}"
    with client.tls(tunnel, host) as connection:
        connection.settimeout(PATIENCE)
        fields = f"Host: {host}\r\nConnection: close\r\nAccept: text/html\r\n"
        connection.sendall(f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
        answer = read_until(connection, b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200"), answer[:100]
    return time.monotonic() - began


def visit(client: Client, seconds: float) -> Visit:
    """Pages of all sites, each ten times a second."""
    found = Visit({name: [] for name in SITES}, {name: [] for name in SITES})
    end = time.monotonic() + seconds

    def use(name: str) -> None:
        while time.monotonic() < end:
            began = time.monotonic()
            try:
                found.took[name].append(load(client, SITES[name]))
            except (OSError, AssertionError) as error:
                found.failed[name].append(str(error))
            time.sleep(max(0.0, began + EVERY - time.monotonic()))

    threads = [threading.Thread(target=use, args=(name,)) for name in SITES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


class Visitor:
    """The process; it begins at once."""

    def __init__(self, port: int, trust: Path, seconds: float) -> None:
        arguments = [str(port), str(trust), str(seconds)]
        command = [sys.executable, "-m", "tests.faults.visitor", *arguments]
        self._limit = seconds + 6 * PATIENCE
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None and self._process.stdout.readline() == "begins\n"

    def finish(self) -> dict[str, list[float]]:
        """How long pages took, by site, when all have come."""
        try:
            output, _ = self._process.communicate(timeout=self._limit)
        finally:
            self._process.kill()
        found = Visit(*json.loads(output))
        for site, failed in found.failed.items():
            assert not failed, f"{site}: {len(failed)} pages failed: {failed[0]}"
        return found.took


def main() -> None:
    """Load pages, and say how long they took."""
    port, trust, seconds = sys.argv[1:]
    print("begins", flush=True)
    print(json.dumps(visit(Client(int(port), Path(trust)), float(seconds))), flush=True)


if __name__ == "__main__":
    main()
