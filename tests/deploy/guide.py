"""Carries out the install guide for Debian, as root of an overlay over this machine: python -m
tests.deploy.guide FILE

Every block of the guide is executed in order, in one root. systemd does not run in there: it only
links units (it calls that offline), and what it would start and stop is started and stopped here,
from the unit that the guide installed, with the unit's user and variables, and with a socket that
hears what the service tells. FILE gets what was found.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from deploy.roots import (
    PATH,
    NotPermitted,
    Root,
    StepFailed,
    own_mounts,
    own_network,
    passed_on,
    workplace,
)
from tests.docs.pages import ROOT, Page
from tests.e2e.waiting import until

GUIDE = "docs/install.md"
SKIPPED = 77
CHECKOUT = "/usr/local/src/allowance"
# Offline it links units, and fails at `--now` only: that part is ours.
SYSTEMCTL = """#!/bin/sh
for word; do shift; [ "$word" = --now ] || set -- "$@" "$word"; done
exec /usr/bin/systemctl "$@"
"""


class Service:
    """The service of the unit that was installed."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self.process: subprocess.Popen[bytes] | None = None
        self.told: list[str] = []
        self._name = f"allowance-{secrets.token_hex(6)}"

    def start(self) -> None:
        """As systemd would: its folder, its user, its variables, no capability; returns when it
        says READY."""
        unit = self._root.at("/etc/systemd/system/allowance.service").read_text()
        settings = dict(re.findall(r"^(\w+)=(.*)$", unit, re.M))
        variables = dict(re.findall(r"^Environment=(\w+)=(.*)$", unit, re.M))
        owner = self._user(settings["User"])
        state = self._root.at(f"/var/lib/{settings['StateDirectory']}")
        state.mkdir(mode=int(settings["StateDirectoryMode"], 8), exist_ok=True)
        os.chown(state, *map(int, owner.split(":")))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"\0{self._name}")
            manager.settimeout(0.2)
            words = self._root.command(
                settings["ExecStart"].split(),
                folder=settings["WorkingDirectory"],
                user=owner,
                guarded=True,
            )
            environment = passed_on() | variables | {"NOTIFY_SOCKET": f"@{self._name}"}
            self.process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL)
            until(lambda: self._hears(manager), "READY=1", 90, every=0)

    def _hears(self, manager: socket.socket) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the service ended with {self.process.returncode}"
        with suppress(TimeoutError):
            self.told += manager.recv(4096).decode().splitlines()
        return "READY=1" in self.told

    def stop(self) -> int:
        """The exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process = None
        return code

    def _user(self, name: str) -> str:
        lines = self._root.at("/etc/passwd").read_text().splitlines()
        [fields] = [line.split(":") for line in lines if line.startswith(f"{name}:")]
        return f"{fields[2]}:{fields[3]}"


def carry_out(root: Root) -> dict[str, Any]:
    """Execute the guide; what was found on the way. Raises StepFailed or AssertionError."""
    root.mount_folder(ROOT, CHECKOUT, read_only=True)
    # A machine before the installation: what this one has of ours is not part of it.
    environment = passed_on() | {
        "SYSTEMD_OFFLINE": "1",
        "HOME": "/tmp",
        "PATH": f"/tmp/ours:{PATH}",
    }
    root.at("/usr/local/share/ca-certificates").mkdir(parents=True, exist_ok=True)  # Debian's
    systemctl = root.at("/tmp/ours/systemctl")
    systemctl.parent.mkdir()
    systemctl.write_text(SYSTEMCTL)
    systemctl.chmod(0o755)
    cache = Path(os.environ.get("PIP_CACHE_DIR", Path.home() / ".cache" / "pip"))
    cache.mkdir(parents=True, exist_ok=True)
    root.mount_folder(cache, "/var/cache/pip")
    environment["PIP_CACHE_DIR"] = "/var/cache/pip"
    service, found = Service(root), dict[str, Any](said=[])
    blocks = [
        b for b in Page(ROOT / GUIDE).blocks if b.elsewhere and b.language == "sh" and not b.no_run
    ]
    try:
        for block in blocks:
            began = time.monotonic()
            if "systemctl disable --now" in block.text:
                found["exit_code"] = service.stop()
            said = root.run(["/bin/sh", "-euc", block.text], environment)
            print(f"{time.monotonic() - began:6.1f} s  {block.place}\n{said}", flush=True)
            found["said"].append((block.text, said))
            if "systemctl enable --now" in block.text:
                found["modes"] = modes(root)
                own_network()
                service.start()
    finally:
        if service.process is not None:
            service.process.kill()
            service.process.wait()
    found |= {"blocks": len(blocks), "told": service.told, "left": left(root)}
    return found


def modes(root: Root) -> dict[str, str]:
    """Owner and mode of what was installed."""
    names = (
        "/etc/allowance/allowance.toml",
        "/etc/allowance/rules/policy.yaml",
        "/opt/allowance/bin/allowance",
    )
    every = {
        name: root.at(name).resolve() if "opt" not in name else _in(root, name) for name in names
    }
    return {
        name: f"{path.stat().st_uid} {path.stat().st_mode & 0o777:o}"
        for name, path in every.items()
    }


def _in(root: Root, name: str) -> Path:
    """A file behind the link from /opt/allowance, which means a path inside the root."""
    return root.at(
        str(root.at("/opt/allowance").readlink() / Path(name).relative_to("/opt/allowance"))
    )


def left(root: Root) -> list[str]:
    """What the guide has brought and not taken away."""
    places = (
        "/opt/allowance",
        "/etc/allowance",
        "/var/lib/allowance",
        "/usr/local/sbin/allowance",
        "/etc/systemd/system/allowance.service",
        "/etc/sysusers.d/allowance.conf",
    )
    found = [place for place in places if root.at(place).exists()]
    found += [str(path) for path in root.at("/opt").glob("allowance*")]
    return found + [
        line for line in root.at("/etc/passwd").read_text().splitlines() if "allowance" in line
    ]


def main() -> int:
    """The exit code: 0, 1, or 77 where this machine does not permit mounts."""
    try:
        own_mounts()
        with workplace() as folder:
            Path(sys.argv[1]).write_text(json.dumps(carry_out(Root(folder / "debian")), indent=1))
    except NotPermitted as problem:
        print(f"not permitted here: {problem}", file=sys.stderr)
        return SKIPPED
    except (StepFailed, AssertionError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
