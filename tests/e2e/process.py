"""The processes under test: `allowance run` as a user starts it, and a plain `mitmdump`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.client import Client, clean_environment
from tests.e2e.origins import Origins
from tests.e2e.waiting import accepts, free_port, until

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 110.0  # seconds; a machine that does other work too needs most of them
# `make test-long` runs these tests once more without the light path.
LIGHT_PATH = os.environ.get("TEST_LIGHT_PATH") != "off"
running: list[ProxyProcess] = []  # for the failure report of conftest.py


def trust_bundle(folder: Path, *authorities: Path) -> Path:
    """One file with these certificates. Whoever reads it meanwhile finds it whole: clients of other
    threads may be starting."""
    bundle = folder / "trust.pem"
    wanted = b"".join(path.read_bytes() for path in authorities)
    if not bundle.exists() or bundle.read_bytes() != wanted:
        made = folder / f"trust.{threading.get_ident()}"
        made.write_bytes(wanted)
        made.replace(bundle)
    return bundle


class ProxyProcess(ABC):
    """A child process that is a proxy on `port`. A context manager that never leaves it behind."""

    def __init__(self, folder: Path, origins: Origins) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.origins = folder, origins
        self.port, self.web_port = free_port(), free_port()
        self.confdir = folder / "ca"
        self.log_file = folder / "log.txt"
        self.output: int | None = None  # a descriptor in place of the log file
        self.before: tuple[str, ...] = ()  # what stands before its command, and replaces itself
        self.process: subprocess.Popen[bytes] | None = None
        self.start_seconds = 0.0
        self.start_timeout = START_TIMEOUT

    @abstractmethod
    def command(self) -> list[str]:
        """What to start."""

    def environment(self) -> dict[str, str]:
        """The environment of the child and of its commands."""
        return clean_environment() | {"PYTHONUNBUFFERED": "1"}

    def ready(self) -> bool:
        """True once it serves."""
        return accepts(self.port)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop(timeout=15)

    def start(self) -> Self:
        """Start and wait until ready; the log is in the message when that fails."""
        began = time.monotonic()
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.before, *self.command()],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log if self.output is None else self.output,
                stderr=subprocess.STDOUT,
            )
        running.append(self)
        try:
            until(self._ready_or_dead, "the proxy to be ready", self.start_timeout, every=0.02)
        except AssertionError:
            self.kill()
            raise AssertionError(f"not ready after {self.start_timeout:g} s:\n{self.log}") from None
        if self.process.poll() is not None:
            running.remove(self)
            raise AssertionError(f"exited with {self.process.returncode} at start:\n{self.log}")
        self.start_seconds = time.monotonic() - began
        return self

    def stop(self, timeout: float = 20.0) -> tuple[int, float]:
        """SIGTERM: the exit code and how many seconds it took. Killed when `timeout` passes."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {timeout:g} s after SIGTERM:\n{self.log}") from None
        self._forget()
        return code, time.monotonic() - began

    def kill(self) -> None:
        """SIGKILL for all its processes: the crash that nobody can prepare for."""
        assert self.process is not None
        for pid in family(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._forget()

    def restart(self) -> Self:
        """Stop (where it runs) and start again on the same ports, database and folder."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        return self.start()

    @property
    def log(self) -> str:
        """Everything it has written to stdout and stderr so far."""
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event, as JSON."""
        lines = (line for line in self.log.splitlines() if line.startswith("{"))
        return [line for line in map(json.loads, lines) if line["event"] == name]

    @property
    def ca_file(self) -> Path:
        """The certificate of the proxy's own CA."""
        return next(self.confdir.glob("*-ca-cert.pem"))

    @property
    def client(self) -> Client:
        """Clients that trust both the proxy's CA and that of the origins."""
        return Client(self.port, trust_bundle(self.folder, self.ca_file, self.origins.ca_file))

    def memory(self) -> int:
        """Resident bytes of the process and its children."""
        assert self.process is not None
        return sum(_resident(pid) for pid in family(self.process.pid))

    def _ready_or_dead(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None or self.ready()

    def _forget(self) -> None:
        if self in running:
            running.remove(self)


class OfficeProxy(ProxyProcess):
    """`allowance run` on a rules folder made of the shipped catalogue and the policy given as text.

    Flags carry what the contract names, the environment carries the same to the other commands, and
    `settings` go to `allowance.toml`: all three sources are used as an administrator would.
    """

    def __init__(
        self,
        folder: Path,
        origins: Origins,
        policy: str,
        *,
        people: str = "",
        platforms: Mapping[str, str] | None = None,
        hosts: Sequence[str] = (),
        resolve: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(folder, origins)
        self.flags: dict[str, str] = {}  # win over what `command` would say
        self.database = f"sqlite:///{folder / 'var' / 'allowance.db'}"
        self.rules = folder / "rules"
        self.resolve = [*origins.resolve(*hosts), *resolve]
        self.settings = {"log-format": "json"} | dict(settings or {})
        shutil.copytree(ROOT / "rules" / "platforms", self.rules / "platforms", dirs_exist_ok=True)
        for name, text in (platforms or {}).items():
            (self.rules / "platforms" / f"{name}.yaml").write_text(text)
        (self.rules / "policy.yaml").write_text(policy)
        if people:
            (self.rules / "people.yaml").write_text(people)
        lines = [f"{key} = {_toml(value)}\n" for key, value in self.settings.items()]
        (folder / "allowance.toml").write_text("".join(lines))

    @property
    def shared(self) -> dict[str, str]:
        """What `run` and every other command have to agree on, by setting."""
        return {
            "rules": str(self.rules),
            "database": self.database,
            "confdir": str(self.confdir),
            "passwords": str(self.folder / "var" / "passwords"),
        }

    def command(self) -> list[str]:
        """The command line, flags only."""
        flags = {
            **self.shared,
            "listen": f"127.0.0.1:{self.port}",
            "web": f"127.0.0.1:{self.web_port}",
            "upstream-ca": str(self.origins.ca_file),
            **({} if LIGHT_PATH else {"light-path": "off"}),
            **self.flags,
        }
        pairs = [(f"--{name}", value) for name, value in flags.items()]
        pairs += [("--resolve", value) for value in self.resolve]
        return [*allowance("run"), *(part for pair in pairs for part in pair)]

    def environment(self) -> dict[str, str]:
        """The settings that all commands share, as variables."""
        shared = {f"ALLOWANCE_{name.upper()}": value for name, value in self.shared.items()}
        return super().environment() | shared

    def ready(self) -> bool:
        """True when /readyz answers 200."""
        return self.web("/readyz")[0] == 200

    def web(self, path: str) -> tuple[int, str]:
        """Status and text of a page of the web port; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.web_port}{path}", timeout=5
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def attempt(self, timeout: float = 30.0, **flags: str) -> subprocess.CompletedProcess[str]:
        """Start it with other flags (`upstream_ca=…`) where it must fail: exit code, stdout and
        stderr."""
        self.flags = {name.replace("_", "-"): value for name, value in flags.items()}
        try:
            return subprocess.run(
                self.command(),
                cwd=self.folder,
                env=self.environment(),
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        finally:
            self.flags = {}

    def usage(self, person: str) -> Any:
        """What `allowance usage PERSON --json` says, which others may parse too."""
        answer = self.cli("usage", person, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def spent(self, person: str, allowance: str) -> float:
        """Seconds spent of an allowance, by the command line."""
        return float(self.usage(person)["allowances"][allowance]["spent"])

    def cli(
        self, *args: str, stdin: str = "", timeout: float = 30.0
    ) -> subprocess.CompletedProcess[str]:
        """Run another `allowance` command against the same database, rules and password file."""
        return subprocess.run(
            allowance(*args),
            cwd=self.folder,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


class Mitmdump(ProxyProcess):
    """A plain `mitmdump` on the same origins, optionally with a script. No web port."""

    def __init__(
        self,
        folder: Path,
        origins: Origins,
        script: Path,
        *,
        options: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, origins)
        self.script, self.options, self.variables = (
            script,
            dict(options or {}),
            dict(variables or {}),
        )

    def ready(self) -> bool:
        """True when a request is answered: the port is open before the script has been loaded."""
        if not accepts(self.port):
            return False
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: mitm.it\r\nConnection: close\r\n\r\n")
            return bool(connection.recv(1))
        return False

    def command(self) -> list[str]:
        """The command line."""
        options = {
            "listen_host": "127.0.0.1",
            "listen_port": str(self.port),
            "confdir": str(self.confdir),
            "ssl_verify_upstream_trusted_ca": str(self.origins.ca_file),
            **self.options,
        }
        sets = [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
        return [str(Path(sys.executable).with_name("mitmdump")), "-s", str(self.script), *sets]

    def environment(self) -> dict[str, str]:
        """Ours plus `variables`."""
        return super().environment() | self.variables


def allowance(*args: str) -> list[str]:
    """The command line of the product with these arguments."""
    return [sys.executable, "-m", "proxy_addon", *args]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return str(value)


def family(pid: int) -> list[int]:
    """The process and everything below it."""
    family = [pid]
    for parent in family:
        try:
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            continue
        family += [int(child) for child in text.split()]
    return family


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
