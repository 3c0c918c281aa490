"""What a scrape answers: the metrics of one process or the sum of several workers, and what belongs
to the host.

The host's part is read when somebody asks, by the process that serves the web port: processor time
and memory of all proxy processes together, room on the disk of the data, how long the CA is valid,
and what is running.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from proxy_addon.observability.metric_families import WOULD_BLOCK

CPU = "process_cpu_seconds"


type Counted = Collector
"""What was counted, by one process or by several: what `exposed` turns into text."""


class Host:
    """A collector of values that are measured when asked for. Any thread.

    `pids`: the processes whose use is summed up. `data`: a path on the disk that needs free space.
    `ca_expires`: the instant at which the CA certificate ends.
    """

    def __init__(
        self, data: Path, ca_expires: float, pids: Callable[[], Iterable[int]] | None = None
    ) -> None:
        self._data = data
        self._ca_expires = ca_expires
        self.pids = pids or (lambda: (os.getpid(),))
        self._used: dict[
            int, float
        ] = {}  # processor seconds of each process, also of those that have ended

    def collect(self) -> Iterator[Metric]:
        """The metrics, read now."""
        yield from self._processes()
        yield self._build()
        yield GaugeMetricFamily(
            "allowance_ca_expiry_timestamp_seconds",
            "When the CA certificate ends.",
            value=self._ca_expires,
        )
        yield from self._disk()

    def _build(self) -> Metric:
        labels = ("version", "python", "mitmproxy")
        family = GaugeMetricFamily(
            "allowance_build_info", "What is running: always 1.", labels=labels
        )
        family.add_metric(
            (version("social-allowance"), platform.python_version(), version("mitmproxy")), 1.0
        )
        return family

    def _disk(self) -> Iterator[Metric]:
        try:
            usage = shutil.disk_usage(_existing(self._data))
        except OSError:
            return  # no folder, no value: there is an alert for its absence
        yield GaugeMetricFamily(
            "allowance_data_disk_free_bytes",
            "Room left where the proxy keeps its data.",
            value=usage.free,
        )
        yield GaugeMetricFamily(
            "allowance_data_disk_size_bytes",
            "Size of the disk on which the proxy keeps its data.",
            value=usage.total,
        )

    def _processes(self) -> Iterator[Metric]:
        """The usual process metrics, summed; the start is the earliest, the limit the lowest."""
        found: dict[str, list[float]] = {}
        pids = list(self.pids())
        for pid in pids:
            for family in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                for sample in family.samples:
                    found.setdefault(family.name, []).append(sample.value)
                    if family.name == CPU:
                        self._used[pid] = sample.value
        yield GaugeMetricFamily(
            "allowance_processes",
            "Proxy processes that run: the supervisor and its workers.",
            value=len(pids),
        )
        yield CounterMetricFamily(
            CPU, "Processor time of all proxy processes, seconds.", value=sum(self._used.values())
        )
        for name, text, together in (
            ("process_resident_memory_bytes", "Resident memory of all proxy processes.", sum),
            ("process_virtual_memory_bytes", "Virtual memory of all proxy processes.", sum),
            ("process_open_fds", "Open file descriptors of all proxy processes.", sum),
            ("process_max_fds", "File descriptors that one process may have.", min),
            ("process_start_time_seconds", "When the first proxy process started.", min),
        ):
            if found.get(name):
                yield GaugeMetricFamily(name, text, value=together(found[name]))


def _existing(path: Path) -> Path:
    """The folder, or the nearest existing one above it."""
    return next((each for each in (path, *path.absolute().parents) if each.exists()), path)


class _CurrentRulesOnly(Collector):
    """Leaves out rules that are no longer in force: series cannot be taken out of files that
    workers share."""

    def __init__(self, inner: Collector) -> None:
        self._inner = inner

    def collect(self) -> Iterator[Metric]:
        for family in self._inner.collect():
            if family.name == "allowance_rules_info":
                family.samples = [sample for sample in family.samples if sample.value]
            yield family


def exposed(own: Collector, host: Host, accept: str = "", *others: Collector) -> tuple[bytes, str]:
    """The metrics of one process, of the host and of others, in the format that `accept` prefers,
    and its content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_CurrentRulesOnly(own))
    for each in (host, *others):
        registry.register(each)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def would_have_stopped(counted: Collector) -> list[tuple[Mapping[str, str], int]]:
    """What rules that are only observed would have stopped since the start: labels, and how often;
    most first."""
    samples = [
        sample
        for family in counted.collect()
        if family.name == WOULD_BLOCK
        for sample in family.samples
        if sample.name.endswith("_total") and sample.value
    ]
    samples.sort(key=lambda sample: (-sample.value, *sample.labels.values()))
    return [(sample.labels, int(sample.value)) for sample in samples]


class _WithSupervisor(Collector):
    """Adds what a supervisor counts itself, which is not in the files of its workers."""

    def __init__(self, inner: Collector, own: Mapping[str, Callable[[], int]]) -> None:
        self._inner, self._own = inner, own

    def collect(self) -> Iterator[Metric]:
        for family in self._inner.collect():
            family.samples = [
                sample._replace(value=sample.value + self._own[sample.name]())
                if sample.name in self._own
                else sample
                for sample in family.samples
            ]
            yield family


def workers(folder: str, own: Mapping[str, Callable[[], int]] | None = None) -> Collector:
    """What all workers that write into `folder` have counted together. `own`: what their supervisor
    adds to counters without labels, by the name of the sample."""
    together = MultiProcessCollector(None, path=folder)
    return _WithSupervisor(together, own) if own else together


def counted(own: Collector) -> Collector:
    """What this process has counted; in a worker of a supervisor, what all of them have counted
    together."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return workers(folder) if folder else own


def forget_worker(pid: int, folder: str) -> None:
    """A worker has ended: its gauges are gone, what it counted stays."""
    mark_process_dead(pid, folder)
