"""A real Prometheus (Debian's package) that scrapes one target on loopback once a second."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.process import ROOT
from tests.e2e.waiting import free_port, until

PROGRAM = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
MISSING = "not here: apt-get install prometheus"
ALERTS = ROOT / "dashboards" / "prometheus" / "alerts.yml"
RATE, RANGE = "5s", "60s"  # what $__rate_interval and $__range become in a short run

type Series = list[dict[str, Any]]


class Prometheus:
    """Context manager. `target` is host:port of a proxy's web port."""

    def __init__(self, folder: Path, target: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ALERTS)],
            "scrape_configs": [
                {"job_name": "allowance", "static_configs": [{"targets": [target]}]}
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [
            PROGRAM or "prometheus",
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        try:
            until(self._answers, "Prometheus", 15.0)
        except AssertionError:
            self._process.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(15)

    def get(self, path: str, **query: str) -> Any:
        """The data of an answer of its API; its own words where it refuses."""
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{query}: {refused.read().decode()}") from None

    def now(self, expr: str) -> Series:
        """The series of an expression at this moment."""
        found: Series = self.get("query", query=short(expr))["result"]
        return found

    def value(self, expr: str) -> float:
        """One number; 0 where there is nothing."""
        return sum(float(each["value"][1]) for each in self.now(expr))

    def range(self, expr: str, seconds: float) -> Series:
        """The series of an expression in the last seconds, one point a second."""
        end = time.time()  # noqa: TID251 - Prometheus goes by the real clock
        answer = self.get(
            "query_range",
            query=short(expr),
            start=f"{end - seconds:.0f}",
            end=f"{end:.0f}",
            step="1",
        )
        found: Series = answer["result"]
        return found

    def _answers(self) -> bool:
        try:
            return bool(self.get("status/runtimeinfo"))
        except (OSError, AssertionError):  # or it is not ready yet
            return False


def short(expr: str) -> str:
    """A panel's query with the windows of a short run, for all proxies."""
    return (
        expr.replace("$__rate_interval", RATE).replace("$__range", RANGE).replace("$instance", ".*")
    )
