"""`proxy_addon/observability/exposition.py`: formats, the host's part, and the sum of several
workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from proxy_addon.observability.exposition import Host, exposed
from proxy_addon.observability.metrics import PrometheusMetrics
from tests.web.office import rule_set

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
WORKER = """
import sys
from proxy_addon.core.types import Decision, Person, Reason, Verdict
from proxy_addon.observability.metrics import PrometheusMetrics
from tests.web.office import rule_set
metrics = PrometheusMetrics()
metrics.rules(rule_set(), 100.0 + int(sys.argv[1]))
metrics.tunnel("passed")
metrics.connections(3)
metrics.ledger_up.set(int(sys.argv[1]))
metrics.lag(0.002, 0.0)
would = Decision(Verdict.BLOCK, Reason.BLOCKED, "facebook").tried_out(Verdict.ALLOW)
metrics.decided(Person("bob", ("staff",)), would, 0.0)
metrics.log_dropped(3)
print("ready", flush=True)
sys.stdin.read()
"""
SUM = """
import json, os, sys
from pathlib import Path
from prometheus_client.parser import text_string_to_metric_families
from proxy_addon.observability.exposition import Host, counted, exposed, workers, would_have_stopped
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
own = {"allowance_log_dropped_total": lambda: 4}
text, _ = exposed(workers(sys.argv[1], own), Host(Path(), 5.0))
families = text_string_to_metric_families(text.decode())
samples = [[s.name, s.labels, s.value] for f in families for s in f.samples]
print(json.dumps([samples, would_have_stopped(counted(None))]))
"""


def host(tmp_path: Path) -> Host:
    """A host whose CA ends at 5."""
    return Host(tmp_path / "not" / "made yet", 5.0)


def values(text: bytes) -> dict[str, float]:
    """Sample name -> value, for samples without labels."""
    families = text_string_to_metric_families(text.decode())
    return {s.name: s.value for family in families for s in family.samples if not s.labels}


def test_both_formats(tmp_path: Path) -> None:
    """Prometheus text by default; OpenMetrics, valid and with its end mark, when asked for; no
    `_created`."""
    metrics = PrometheusMetrics()
    metrics.rules(rule_set(), 1.0)
    plain, plain_type = exposed(metrics.registry, host(tmp_path))
    modern, modern_type = exposed(metrics.registry, host(tmp_path), OPEN)
    assert plain_type.startswith("text/plain; version=0.0.4")
    assert modern_type.startswith("application/openmetrics-text")
    assert modern.endswith(b"# EOF\n")
    names = {family.name for family in open_metrics(modern.decode())}
    assert {
        "allowance_tunnels",
        "allowance_ca_expiry_timestamp_seconds",
        "process_cpu_seconds",
    } <= names
    assert b"_created" not in plain + modern


def test_the_host(tmp_path: Path) -> None:
    """Processes, disk, CA and what is running are in every scrape, also before the data folder is
    made."""
    metrics = PrometheusMetrics()
    text, _ = exposed(metrics.registry, host(tmp_path))
    found = values(text)
    assert found["allowance_ca_expiry_timestamp_seconds"] == 5.0
    assert 0 < found["allowance_data_disk_free_bytes"] <= found["allowance_data_disk_size_bytes"]
    assert found["process_resident_memory_bytes"] > 1e6
    assert found["allowance_processes"] == 1
    assert b"allowance_build_info{" in text


def test_processes_are_summed_and_never_fall(tmp_path: Path) -> None:
    """Two processes count together; when one has ended its processor time stays, so that a rate
    sees no reset."""
    other = subprocess.Popen(
        [sys.executable, "-c", "sum(range(10**7)); print(1, flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    other.stdout.readline()
    pids = [os.getpid(), other.pid]
    both = Host(tmp_path, 5.0, lambda: pids)
    metrics = PrometheusMetrics()
    before = values(exposed(metrics.registry, both)[0])
    one = values(exposed(metrics.registry, Host(tmp_path, 5.0))[0])
    other.communicate(b"\n")
    pids.remove(other.pid)
    after = values(exposed(metrics.registry, both)[0])
    assert before["process_resident_memory_bytes"] > one["process_resident_memory_bytes"]
    assert after["process_cpu_seconds_total"] >= before["process_cpu_seconds_total"]
    assert (before["allowance_processes"], after["allowance_processes"]) == (2, 1)


def test_old_rules_are_left_out(tmp_path: Path) -> None:
    """After ten reloads one digest is shown."""
    metrics = PrometheusMetrics()
    for number in range(10):
        metrics.rules(replace(rule_set(), digest=f"{number:064x}"[::-1]), float(number))
    text, _ = exposed(metrics.registry, host(tmp_path))
    assert text.count(b"\nallowance_rules_info{") == 1


def test_workers_are_summed(tmp_path: Path) -> None:
    """Of two real worker processes counters and open connections add up, and lines of the log that
    their supervisor has dropped; the ledger is up when it is for both."""
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(number)],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in (0, 1)
    ]
    try:
        assert [w.stdout.readline() for w in started if w.stdout] == ["ready\n"] * 2
        done = subprocess.run(
            [sys.executable, "-c", SUM, str(tmp_path)], capture_output=True, text=True, check=True
        )
    finally:
        for worker in started:
            worker.communicate()
    found, would = json.loads(done.stdout)
    assert would == [[{"rule": "otherwise", "platform": "facebook", "role": "staff"}, 2]]
    samples = {(name, *labels.values()): value for name, labels, value in found}
    assert samples["allowance_tunnels_total", "passed"] == 2
    assert samples["allowance_connections_open",] == 6
    assert samples["allowance_log_dropped_total",] == 3 + 3 + 4
    assert samples["allowance_ledger_up",] == 0
    assert samples["allowance_rules_loaded_timestamp_seconds",] == 100
    assert samples["allowance_loop_lag_seconds_count",] == 2
    assert samples["allowance_ca_expiry_timestamp_seconds",] == 5
