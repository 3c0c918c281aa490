"""`docker-compose.yml` as the tests read it: merge keys resolved, short forms taken apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"


class Mount(NamedTuple):
    """A line of `volumes:`."""

    source: str
    target: str
    read_only: bool

    @property
    def named(self) -> bool:
        """A volume of the engine, not a path of the host."""
        return not self.source.startswith((".", "/"))


def composed() -> dict[str, Any]:
    """The whole file."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


def services(profile: str = "") -> dict[str, dict[str, Any]]:
    """The services by name: all of them, or those of one profile."""
    every: dict[str, dict[str, Any]] = composed()["services"]
    return {
        name: each for name, each in every.items() if not profile or profile in each["profiles"]
    }


def mounts(service: dict[str, Any]) -> list[Mount]:
    """What is mounted into a service."""
    found = []
    for line in service.get("volumes", ()):
        source, target, *mode = line.split(":")
        found.append(Mount(source, target, mode == ["ro"]))
    return found
