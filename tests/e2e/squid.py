"""Debian's Squid with the configuration that the documentation shows, in front of nodes of a
test."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.nodes import Nodes
from tests.e2e.process import ROOT
from tests.e2e.waiting import accepts, free_port, until

CONFIG = ROOT / "deploy" / "squid" / "squid.conf"
FROM = "127.0.0.1/32"  # where it connects from
MISSING = "no squid here: apt-get install squid-openssl"
USER = "proxy"  # as whom Debian's runs when root starts it


def executable() -> str | None:
    """The program, which is often found only by the administrator."""
    return shutil.which("squid", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Squid:
    """Context manager: it runs inside. `port` is the one that clients use.

    `passwords` are those of people; `hosts` are sites on loopback, whose port of TLS is `tls_port`;
    `domains` is the list of what is limited.
    """

    def __init__(
        self,
        nodes: Nodes,
        passwords: Mapping[str, str],
        domains: str,
        hosts: tuple[str, ...],
        tls_port: int,
    ) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="allowance-squid-"))
        hashes = (f"{n}:{hashlib.md5(p.encode()).hexdigest()}\n" for n, p in passwords.items())
        (self.folder / "passwords").write_text("".join(hashes))
        (self.folder / "domains").write_text(domains)
        (self.folder / "hosts").write_text("".join(f"127.0.0.1 {host}\n" for host in hosts))
        first, second = nodes.all
        text = CONFIG.read_text()
        for shown, real in {
            "10.0.0.9:3128": f"127.0.0.1:{self.port}",
            "10.0.0.0/16": "127.0.0.0/8",
            "10.0.0.11 parent 8080": f"127.0.0.1 parent {first.port}",
            "10.0.0.12 parent 8080": f"127.0.0.1 parent {second.port}",
            "/etc/squid/passwords": f"{self.folder}/passwords",
            "/etc/squid/allowance-domains": f"{self.folder}/domains",
            "acl https_ports port 443": f"acl https_ports port 443 {tls_port}",
        }.items():
            assert shown in text, shown
            text = text.replace(shown, real)
        text += (
            f"pid_filename {self.folder}/pid\ncache_log {self.folder}/cache.log\n"
            f"access_log stdio:{self.folder}/access.log\nhosts_file {self.folder}/hosts\n"
            f"coredump_dir {self.folder}\nvisible_hostname squid.office.example\npinger_enable off\n"
        )
        (self.folder / "squid.conf").write_text(text)
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = executable()
        assert program is not None
        with (self.folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                [program, "-N", "-f", str(self.folder / "squid.conf")],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
            )
        until(lambda: self._ended() or accepts(self.port), "Squid to listen", 20.0)
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
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        """What it has said."""
        files = [self.folder / name for name in ("out", "cache.log", "access.log")]
        return "\n".join(f.read_text("utf-8", "replace") for f in files if f.exists())

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None
