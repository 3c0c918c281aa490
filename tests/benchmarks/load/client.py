"""Compiles the client in C and runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SOURCES = ("client.c", "tunnel.c", "http2.c")
LIBRARIES = ("-lssl", "-lcrypto", "-lpthread")


class ClientError(Exception):
    """The client could not be compiled, or did not end as it should; one line or the compiler's
    words."""


class Load(NamedTuple):
    """What a client has done. Times in milliseconds, but for `seconds`."""

    requests: int
    opened: int
    errors: int
    bytes: float
    seconds: float
    issuer: str  # of the certificate that it was shown: who has opened the tunnel
    median: float
    p99: float
    slowest: float
    problem: str = ""  # what went wrong last


def can_compile(folder: Path) -> bool:
    """Whether there is a compiler, and OpenSSL's headers."""
    compiler = shutil.which("cc")
    if compiler is None:
        return False
    trial = folder / "trial.c"
    trial.write_text("#include <openssl/ssl.h>\nint main(void) { return 0; }\n")
    command = [compiler, "-o", str(folder / "trial"), str(trial), *LIBRARIES]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class LoadClient:
    """The compiled client. `site_port` is what every CONNECT names."""

    def __init__(self, folder: Path, site_port: int) -> None:
        """Compile it into a folder. Raises ClientError."""
        self._program, self._site_port = folder / "client", site_port
        sources = [str(HERE / name) for name in SOURCES]
        command = ["cc", "-O2", "-o", str(self._program), *sources, *LIBRARIES]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise ClientError(made.stderr)

    def start(self, port: int, **options: object) -> subprocess.Popen[str]:
        """Begin to load the proxy at a port; the options are described in client.c."""
        options |= {"port": port, "site": self._site_port}
        return subprocess.Popen(
            [str(self._program), *(f"{name}={value}" for name, value in options.items())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, port: int, **options: object) -> Load:
        """Load a proxy until the client ends. Raises ClientError."""
        return finished(self.start(port, **options))


def finished(process: subprocess.Popen[str], timeout: float = 300.0) -> Load:
    """What a client has done, once it has ended. Raises ClientError."""
    try:
        text, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise ClientError(f"the client was not done after {timeout:g} s") from None
    if process.returncode or not text:
        raise ClientError(f"the client ended with {process.returncode}")
    return Load(**json.loads(text.splitlines()[-1]))
