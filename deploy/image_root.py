#!/usr/bin/env python3
"""Builds the image without an engine, step by step as the Dockerfile says, and starts it as compose
does.

    sudo python3 deploy/image_root.py [FILE] what was found, as JSON, goes to FILE, else to standard
    output

Then: a root nobody can write to, no capabilities, the image's user, only loopback. The health check
has to become healthy, the employee's page has to come, SIGTERM has to end it with 0, and all that
was written has to lie in the volume. Exit code 77 where this machine does not permit mounts. What
the base image has is not tried: this machine's files stand in for it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from deploy.dockerfile import Context, Instruction, Stage, parse
from deploy.roots import (
    NotPermitted,
    Root,
    StepFailed,
    merge,
    own_mounts,
    own_network,
    passed_on,
    workplace,
)

UNTIL_HEALTHY = 90.0  # seconds; a busy machine takes its time
UNTIL_ENDED = 30.0
SKIPPED = 77


class Image:
    """One stage: its root, and what the instructions say of how it is started."""

    def __init__(
        self, folder: Path, stage: Stage, context: Context, earlier: dict[str, Image]
    ) -> None:
        self.root = Root(folder)
        self.environment: dict[str, str] = passed_on()
        self.folder, self.user, self.volumes = "/", "0:0", list[str]()
        self.health: list[str] = []
        self.start: list[str] = []
        self._context, self._earlier = context, earlier
        for each in stage.instructions:
            began = time.monotonic()
            getattr(self, f"_{each.word.lower()}")(each)
            print(f"{time.monotonic() - began:6.1f} s  {each.word} {each.rest[:90]}", flush=True)

    def _env(self, said: Instruction) -> None:
        self.environment |= said.pairs

    def _workdir(self, said: Instruction) -> None:
        self.folder = said.rest
        self.root.at(said.rest).mkdir(parents=True, exist_ok=True)

    def _user(self, said: Instruction) -> None:
        self.user = said.rest

    def _volume(self, said: Instruction) -> None:
        self.volumes.append(said.rest)

    def _expose(self, said: Instruction) -> None:
        """Says something to people only."""

    def _healthcheck(self, said: Instruction) -> None:
        self.health = said.command

    def _cmd(self, said: Instruction) -> None:
        self.start = said.command

    def _run(self, said: Instruction) -> None:
        cache = dict(
            pair.split("=", 1) for pair in said.options.get("mount", "").split(",") if pair
        )
        if cache:
            assert cache["type"] == "cache", cache
            kept = Path(os.environ.get("PIP_CACHE_DIR", Path.home() / ".cache" / "pip"))
            kept.mkdir(parents=True, exist_ok=True)
            self.root.mount_folder(kept, cache["target"])
        self.root.run(
            ["/bin/sh", "-c", said.rest], self.environment, folder=self.folder, user=self.user
        )
        if cache:
            self.root.unmount(cache["target"])

    def _copy(self, said: Instruction) -> None:
        *sources, target = said.rest.split()
        place = self.root.at(str(Path(self.folder, target)))
        for name in sources:
            if "from" in said.options:
                merge(self._earlier[said.options["from"]].root.at(name), place)
                continue
            source = self._context.path(name)
            if source.is_dir():
                shutil.copytree(source, place, dirs_exist_ok=True, ignore=self._context.left_out)
            else:
                into = target.endswith("/") or len(sources) > 1
                file = place / source.name if into else place
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, file)

    def run(self, *words: str) -> str:
        """Execute words as the image would execute its command. Raises StepFailed."""
        return self.root.run(
            words, self.environment, folder=self.folder, user=self.user, guarded=True
        )


def build(folder: Path) -> Image:
    """All stages; the last one is the image."""
    made: dict[str, Image] = {}
    context = Context(ROOT)
    for stage in parse((ROOT / "Dockerfile").read_text("utf-8")):
        print(f"FROM {stage.base} {stage.name}", flush=True)
        image = Image(folder / (stage.name or "image"), stage, context, made)
        made[stage.name] = image
    return image


def check(image: Image, data: Path) -> dict[str, Any]:
    """Start it sealed, ask it, end it; what was found. Raises StepFailed or AssertionError."""
    for number, volume in enumerate(image.volumes):
        kept = data / str(number)
        merge(image.root.at(volume), kept)
        image.root.mount_folder(kept, volume)
    found: dict[str, Any] = {"bytes": image.root.size(), "added": _added(image)}
    image.root.seal()
    own_network()
    found["version"] = image.run("allowance", "--version").strip()
    found["rules"] = image.run("allowance", "rules", "check").strip()
    for place in ("/opt/allowance/lib/x", "/etc/allowance/rules/x", "/usr/x"):
        assert not _writes(image, place), f"{place} can be written"
    found["alone"] = _serve(image, {})
    found["with_workers"] = _serve(
        image, {"ALLOWANCE_WORKERS": "2", "ALLOWANCE_WEB": "0.0.0.0:8081"}
    )
    found["written"] = sorted(str(file.relative_to(data)) for file in data.glob("*/*"))
    return found


def _serve(image: Image, variables: dict[str, str]) -> dict[str, Any]:
    """Start it with variables on top, as compose does, until it is healthy; what it answers, and
    its end."""
    command = image.root.command(image.start, folder=image.folder, user=image.user, guarded=True)
    found: dict[str, Any] = {}
    environment = image.environment | variables
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as proxy:
        try:
            found["healthy_after"] = _until_healthy(image, proxy)
            found["status"] = _status(proxy.pid)
            found["page"] = "Allowance" in _get(
                "http://allowance.internal/", proxy="http://127.0.0.1:8080"
            )
            found["metrics"] = "allowance_ledger_up 1.0" in _get("http://127.0.0.1:8081/metrics")
        finally:
            proxy.send_signal(signal.SIGTERM)
            found["exit_code"] = proxy.wait(UNTIL_ENDED)
    return found


def _added(image: Image) -> list[str]:
    """The folders and files that the steps have added, two levels deep."""
    added = image.root.added
    return sorted(str(file.relative_to(added)) for file in added.glob("*/*"))


def _writes(image: Image, place: str) -> bool:
    try:
        image.run("touch", place)
    except StepFailed:
        return False
    return True


def _until_healthy(image: Image, proxy: subprocess.Popen[bytes]) -> float:
    began = time.monotonic()
    while True:
        assert proxy.poll() is None, f"ended with {proxy.returncode}"
        try:
            image.run(*image.health)
            return round(time.monotonic() - began, 1)
        except StepFailed:
            if time.monotonic() - began > UNTIL_HEALTHY:
                raise
            time.sleep(0.2)


def _status(pid: int) -> dict[str, str]:
    """Who the process is and what it may do, by the kernel."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = dict(line.split(":", 1) for line in lines)
    return {
        name: pairs[name].split()[0] for name in ("Uid", "Gid", "CapEff", "CapBnd", "NoNewPrivs")
    }


def _get(url: str, proxy: str = "") -> str:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": proxy} if proxy else {})
    )
    with opener.open(url, timeout=20) as answer:
        return str(answer.read().decode())


def main() -> int:
    """The exit code."""
    try:
        own_mounts()
        with workplace() as folder:
            found = json.dumps(check(build(folder), folder / "data"), indent=1)
        if sys.argv[1:]:
            Path(sys.argv[1]).write_text(found)
        else:
            print(found)
    except NotPermitted as problem:
        print(f"not permitted here: {problem}", file=sys.stderr)
        return SKIPPED
    except (StepFailed, AssertionError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
