"""The sites of the attack harness in a process of their own: what an attack costs them is not what
it costs the proxy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.origins import Origins
from tests.e2e.process import ROOT

SERVERS = ("tls", "plain", "echo", "tls_echo", "banner")


class SitesElsewhere(Origins):
    """Context manager: the same servers, in another process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._ports: dict[str, int] = {}

    @property
    def ca_file(self) -> Path:
        """The trust anchor of every TLS origin."""
        return self._folder / "origin-ca.pem"

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.faults.attack_sites", str(self._folder)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdout is not None
        self._ports = json.loads(self._process.stdout.readline())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        try:
            self._process.communicate(timeout=15)  # the end of its input is its end
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def main() -> None:
    """Serve until the input ends."""
    with Origins(Path(sys.argv[1])) as origins:
        print(json.dumps({name: origins.port(name) for name in SERVERS}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
