"""The real proxy of a recording: mitmdump with our add-on, which writes down what it sees."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Self

from tests.e2e.authority import spki_hash
from tests.e2e.process import ROOT, allowance
from tests.e2e.waiting import free_port
from tests.real_sessions.recorded_session import ALLOWANCE, RULES
from tests.real_sessions.recording.processes import ServerProcess, run
from tests.real_sessions.recording.servers import Servers

SCRIPT = ROOT / "proxy_addon" / "proxy" / "script.py"
THEN = "read proxy.log in the folder of this recording"


class RecordingProxy:
    """An async context manager. Sockets are written into `dump` when they close: at the end."""

    def __init__(self, work: Path, servers: Servers) -> None:
        self.port = free_port()
        self.dump = work / "session.flows"
        self._work, self._confdir = work, work / "ca"
        self._shared = {
            "ALLOWANCE_RULES": str(RULES),
            "ALLOWANCE_STATE": str(work / "state"),
            "ALLOWANCE_DATABASE": f"sqlite:///{work / 'allowance.db'}",
        }
        options = {
            "listen_host": "127.0.0.1",
            "listen_port": str(self.port),
            "confdir": str(self._confdir),
            "ssl_verify_upstream_trusted_ca": str(servers.ca_file),
            "save_stream_file": str(self.dump),
        }
        sets = [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
        program = Path(sys.executable).with_name("mitmdump")
        self._process = ServerProcess(
            "proxy",
            [program, "-q", "-s", SCRIPT, *sets],
            work,
            self.port,
            environment=self._shared
            | {
                "ALLOWANCE_UPSTREAM_CA": str(servers.ca_file),
                "ALLOWANCE_RESOLVE": servers.resolve,
                "ALLOWANCE_SIGN_IN": "off",
            },
        )

    async def __aenter__(self) -> Self:
        await self._process.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._process.__aexit__()

    @property
    def trust(self) -> str:
        """The hash of the key that browsers have to trust."""
        return spki_hash(next(self._confdir.glob("*-ca-cert.pem")))

    def check(self) -> None:
        """Raises PartFailed where it has ended by itself."""
        self._process.check()

    def charged(self, person: str) -> float:
        """Seconds that it charged somebody; to be asked once it has ended."""
        command = allowance("usage", person, "--json")
        said = json.loads(run("allowance usage", command, self._work, THEN, **self._shared))
        return float(said["allowances"][ALLOWANCE]["spent"])
