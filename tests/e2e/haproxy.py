"""Debian's HAProxy with the configuration that the documentation shows, in front of nodes of a
test."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.process import ROOT, OfficeProxy
from tests.e2e.waiting import accepts, free_port, until

CONFIG = ROOT / "deploy" / "haproxy" / "haproxy.cfg"
FROM = "127.0.0.1/32"  # where it connects from


def executable() -> str | None:
    """The program, which is often found only by the administrator."""
    return shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


MISSING = "no haproxy here: apt-get install haproxy"


class HAProxy:
    """Context manager: it runs inside. `port` is the one that clients use."""

    def __init__(self, folder: Path, first: OfficeProxy, second: OfficeProxy) -> None:
        self.port = free_port()
        self.log_file = folder / "haproxy.log"
        self._nodes = {"1": first, "2": second}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = executable()
        assert program is not None
        given = {"PROXY_PORT": f"127.0.0.1:{self.port}"}
        for number, node in self._nodes.items():
            given[f"NODE{number}"] = f"127.0.0.1:{node.port}"
            given[f"NODE{number}_WEB"] = str(node.web_port)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-db", "-f", str(CONFIG)],
                env=os.environ | given,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(lambda: self._ended() or accepts(self.port), "HAProxy to listen")
        assert not self._ended(), self.log
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    @property
    def log(self) -> str:
        """What it has said."""
        return self.log_file.read_text("utf-8", "replace")

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None


def connections(pid: int, port: int) -> int:
    """How many connections to a port a process holds that others have opened."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(str(link.readlink()))
        except OSError:  # closed meanwhile
            continue
    count = 0
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if int(words[1].partition(":")[2], 16) == port and words[3] == "01":
            count += f"socket:[{words[9]}]" in inodes
    return count
