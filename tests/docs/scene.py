"""Where the commands of a page are executed: a scratch folder that looks like a checkout after
`make run`.

What a page says is typed as it stands, with three exceptions. Ports become free ones of this
machine. The name `USER:PASSWORD@HOST` in a database URL becomes the test's own Postgres. And sites
are the test's own: the proxy gets them by `ALLOWANCE_RESOLVE`, curl trusts them by
`CURL_CA_BUNDLE`. A block with the mark `server` is started in the background, lives until the next
one on the same port or the end of the page, and has to become ready; `server=PORT` names the port
by which that is seen. `needs=PROGRAM`: left out on machines without it. `exit=N`: the block ends
with N. `output`: what the page shows is really answered, in this order, `…` standing for anything.
`no-run: REASON`: cannot be executed here. `<!-- run: … -->` is a step that readers do not see.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.docs.command_server import client
from tests.docs.pages import ROOT, Block
from tests.e2e.client import clean_environment
from tests.e2e.origins import Origins
from tests.e2e.waiting import accepts, free_port, until

SITES = (
    "www.facebook.com",
    "x.com",
    "www.linkedin.com",
    "www.instagram.com",
    "www.youtube.com",
    "www.python.org",
    "example.com",
    "www.example.com",
)
PORT = re.compile(r"(?<![\d.\-])(8[01]\d\d|3128|9090)(?![\d.\-])")
OURS = {"rules", "var", "artifacts", ".git", ".venv"}  # made or copied; everything else is a link
LONGEST = 60.0  # seconds a block may take


class Scene:
    """A context manager: the folder, and the servers that run in it."""

    def __init__(
        self,
        folder: Path,
        origins: Origins,
        line: Path,
        database: str = "",
        tools: Path | None = None,
    ) -> None:
        """`line`: where the process of `command_server.py` listens.

        `database`: `USER:PASSWORD@HOST:PORT` of a Postgres; `tools`: where its programs are.
        """
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._origins = origins
        self._database = database
        self._ports: dict[str, int] = {}
        self._servers: dict[int, subprocess.Popen[bytes]] = {}
        self._log = folder / "servers.log"
        for path in ROOT.iterdir():
            if path.name not in OURS:
                (folder / path.name).symlink_to(path)
        subprocess.run(["cp", "-r", ROOT / "rules", folder / "rules"], check=True)
        (folder / ".venv").symlink_to(sys.prefix)
        self._environment = self._made(line, tools)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for port in list(self._servers):
            self._end(port)

    def port(self, written: str) -> int:
        """The port that stands for one of the documentation."""
        return self._ports.setdefault(written, free_port())

    def execute(self, block: Block) -> None:
        """Execute a block. AssertionError with its place and what was said when it is not as the
        page says."""
        if "needs" in block.marks and not shutil.which(
            block.marks["needs"], path=self._environment["PATH"]
        ):
            return
        script = self._script(block)
        if "server" in block.marks:
            self._serve(block, script)
            return
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        expected = int(block.marks.get("exit", "0"))
        assert ran.returncode == expected, (
            f"{block.place}: exit code {ran.returncode}\n{script}{ran.stdout}"
        )
        if "output" in block.marks:
            missing = first_missing(
                [self._here(line) for line in block.shown], ran.stdout.splitlines()
            )
            assert missing is None, f"{block.place}: nobody said: {missing}\n{script}{ran.stdout}"

    def _script(self, block: Block) -> str:
        return self._here(block.commands.replace("USER:PASSWORD@HOST", self._database))

    def _here(self, text: str) -> str:
        """With this machine's ports."""
        return PORT.sub(lambda found: str(self.port(found[1])), text)

    def _serve(self, block: Block, script: str) -> None:
        written = block.marks["server"] or "8081"
        port = self.port(written)
        self._end(port)
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._servers[port] = process

        def up() -> bool:
            assert process.poll() is None, f"{block.place}: ended\n{script}{self._log.read_text()}"
            return ready(port) if written == "8081" else accepts(port)

        try:
            until(up, "the server", LONGEST)
        except AssertionError as error:
            raise AssertionError(
                f"{block.place}: {error}\n{script}{self._log.read_text()}"
            ) from None

    def _end(self, port: int) -> None:
        process = self._servers.pop(port, None)
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _made(self, line: Path, tools: Path | None) -> dict[str, str]:
        shims = self.folder / ".shims"
        shims.mkdir()
        # Everything is installed in the environment of the tests already.
        make = (
            '#!/bin/sh\nPATH="${PATH#*/.shims:}" exec make -o .venv/.runs -o .venv/.develops "$@"\n'
        )
        for name, text in (("make", make), ("allowance", client(line))):
            (shims / name).write_text(text)
            (shims / name).chmod(0o755)
        places = [shims, Path(sys.prefix) / "bin", *([tools] if tools else [])]
        environment = clean_environment()
        database = dict(
            zip(("PGUSER", "PGPASSWORD", "PGHOST", "PGPORT"), _parts(self._database), strict=False)
        )
        return (
            environment
            | database
            | {
                "PATH": os.pathsep.join([*map(str, places), environment.get("PATH", os.defpath)]),
                "PYTHONPATH": str(ROOT),
                "PYTHONUNBUFFERED": "1",
                "HOME": str(self.folder),
                "COLUMNS": "120",
                "TERM": "dumb",
                "CURL_CA_BUNDLE": str(self._origins.ca_file),
                "ALLOWANCE_LISTEN": f"127.0.0.1:{self.port('8080')}",
                "ALLOWANCE_WEB": f"127.0.0.1:{self.port('8081')}",
                "ALLOWANCE_RESOLVE": ",".join(self._origins.resolve(*SITES)),
                "ALLOWANCE_UPSTREAM_CA": str(self._origins.ca_file),
                "ALLOWANCE_DRAIN": "200ms",
            }
        )


def ready(port: int) -> bool:
    """True when the web port there says that its proxy is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def first_missing(shown: list[str], output: list[str]) -> str | None:
    """The first line shown that does not come, after those before it, among the lines of the
    output; None: all do."""
    rest = iter(line.rstrip() for line in output)
    for line in filter(str.strip, shown):
        wanted = re.compile(".*".join(map(re.escape, line.rstrip().split("…"))))
        if not any(wanted.fullmatch(each) for each in rest):
            return line
    return None


def _parts(database: str) -> list[str]:
    """User, password, host and port of `USER:PASSWORD@HOST:PORT`."""
    return [each.replace("%20", " ") for each in re.split("[:@]", database)] if database else []
