"""What proxy processes say about themselves, and `/statusz` made of it."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import NamedTuple

from proxy_addon.system.dependencies import DependencyReport, Json, iso
from proxy_addon.system.health import PartHealth

STARTING, SERVING, DRAINING, STUCK = "starting", "serving", "draining", "stuck"


class ProcessReport(NamedTuple):
    """One process, by itself. Workers send it to their supervisor, so all of it can be pickled.

    `connections`: open connections of clients. `loop_lag`: seconds by which the event loop's timer
    was late when it ran last.
    """

    checks: Mapping[str, PartHealth]
    dependencies: Mapping[str, DependencyReport]
    connections: int
    loop_lag: float


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One process that serves, as others see it.

    `since`: the instant at which the process was started. `silent`: seconds since its event loop
    gave a sign of life. `report`: the last one that came.
    """

    index: int
    pid: int | None
    state: str
    since: float
    silent: float
    report: ProcessReport | None

    @property
    def turns(self) -> bool:
        """Whether its event loop turns."""
        return self.state in (SERVING, DRAINING)

    @property
    def accepts(self) -> bool:
        """Whether it accepts new connections, and has rules for them."""
        rules = None if self.report is None else self.report.checks.get("rules")
        return self.state == SERVING and (rules is None or rules.works)

    def document(self) -> dict[str, Json]:
        """As JSON. `wrong`: the names of its checks that are not well; the words are in `/readyz`,
        because they may name the user of a database."""
        found: dict[str, Json] = {
            "index": self.index,
            "pid": self.pid,
            "state": self.state,
            "since": iso(self.since),
            "last_message_seconds": round(self.silent, 1),
        }
        if self.report is not None:
            found["loop_lag_seconds"] = round(self.report.loop_lag, 3)
            found["connections"] = self.report.connections
            found["wrong"] = [name for name, part in self.report.checks.items() if not part.ok]
        return found


def status_document(
    ready: bool,
    workers: Iterable[WorkerStatus],
    dependencies: Mapping[str, DependencyReport],
    versions: Mapping[str, str],
) -> dict[str, Json]:
    """`/statusz`. `status` is "ok", "degraded" (people are served, and something is wrong) or
    "down" (no new connection is accepted)."""
    every = list(workers)
    well = all(report.ok for report in dependencies.values()) and all(w.accepts for w in every)
    return {
        "status": ("ok" if well else "degraded") if ready else "down",
        "versions": dict(versions),
        "workers": [worker.document() for worker in every],
        "dependencies": {name: each.document() for name, each in dependencies.items()},
    }


def program_versions() -> dict[str, str]:
    """The version of this program, of Python and of mitmproxy."""
    return {
        "allowance": version("social-allowance"),
        "python": platform.python_version(),
        "mitmproxy": version("mitmproxy"),
    }
