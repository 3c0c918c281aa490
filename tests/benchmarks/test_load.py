"""The harness of `bench_load.py`: what it counts, how it judges, and that a short run of all of it
works."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.benchmarks import bench_load
from tests.benchmarks.load import contestants, rows
from tests.benchmarks.load.client import Load
from tests.benchmarks.load.processes import cpu_seconds, memory
from tests.benchmarks.load.report import Result, missed, table
from tests.benchmarks.load.site import FREE, LIMITED, TITLE
from tests.benchmarks.proxies import ROOT

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@cache
def unavailable() -> str:
    """Why the harness cannot run here."""
    with tempfile.TemporaryDirectory() as folder:
        return bench_load.unavailable(Path(folder))


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (Result("a", (1.0, 5.0, 4.5), must=4, aim=6), "met"),
        (Result("a", (6.0, 6.5, 4.0), must=4, aim=6), "aim met"),
        (Result("a", (3.9, 3.9, 9.0), must=4, aim=6), "MISSED"),
        (Result("a", (7.5,), must=8, aim=5, at_most=True), "met"),
        (Result("a", (4.5,), must=8, aim=5, at_most=True), "aim met"),
        (Result("a", (8.1,), must=8, aim=5, at_most=True), "MISSED"),
        (Result("a", (1.0,)), "no budget"),
        (Result("a", (), must=8), "not measured"),
    ],
)
def test_verdicts(result: Result, verdict: str) -> None:
    """A budget is compared with the middle of the rounds, whichever way is better."""
    assert result.verdict == verdict
    assert missed([result]) == (verdict == "MISSED")
    assert verdict in table([result])


@on_linux
def test_cpu_time_of_a_family() -> None:
    """What a process below the one asked for has spent is counted, in a thread that ended too."""
    spend = (
        "import threading, time\n"
        "def spend():\n    while time.process_time() < 0.3: pass\n"
        "thread = threading.Thread(target=spend); thread.start(); thread.join()\n"
        "print('spent', flush=True); input()"
    )
    shell = f'"{sys.executable}" -c "{spend}"; true'
    process = subprocess.Popen(
        ["sh", "-c", shell], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "spent\n"
        assert 0.3 <= cpu_seconds(process.pid) < 3
    finally:
        process.communicate("\n", timeout=10)


@on_linux
def test_memory_of_a_process() -> None:
    """Memory that a process takes is seen, to a tenth."""
    before = memory(os.getpid())
    taken = bytearray(b"x") * 50_000_000
    assert memory(os.getpid()) - before == pytest.approx(len(taken), rel=0.1)


@pytest.mark.parametrize(
    ("host", "issuer", "errors", "problem"),
    [
        (FREE, "mitmproxy", 0, "opened the tunnels"),
        (LIMITED, TITLE, 0, "relayed the tunnels"),
        (FREE, TITLE, 2, "2 errors"),
    ],
)
def test_what_a_row_is_about(host: str, issuer: str, errors: int, problem: str) -> None:
    """A proxy that opened what it should relay, or the other way round, or failed, gives no
    figure."""
    row = rows.Row("a row", "keep", host, rows.RELAYED)
    load = Load(100, 4, errors, 1e5, 1.0, issuer, 1.0, 2.0, 3.0)
    with pytest.raises(AssertionError, match=problem):
        rows.check("a proxy", row, load)


def test_devices_are_the_client_s_addresses() -> None:
    """Each person of the office day has the address from which the client connects as them."""
    lines = contestants.devices(300).splitlines()[3:]
    assert lines[0] == "  127.64.0.1: p0"
    assert lines[255] == "  127.64.1.0: p255"
    assert len(lines) == 300


@pytest.mark.timeout(300)
@pytest.mark.skipif(bool(unavailable()), reason=unavailable())
@pytest.mark.long
def test_short_run() -> None:
    """It runs against real programs, and each row of the table has a figure: those of relayed
    traffic and idle tunnels; all of them with `BENCHMARK=whole`, as in `make test-long`."""
    whole = os.environ.get("BENCHMARK") == "whole"
    parts = [] if whole else ["--parts", "rows", "tunnels", "--rows", "relayed"]
    command = [sys.executable, "tests/benchmarks/bench_load.py", "--short", *parts]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = run.stdout.partition("verdict\n")[2].splitlines()
    wanted = len(rows.ROWS) + 7 if whole else 3
    assert len(found) == wanted, run.stdout
    assert not [line for line in found if "not measured" in line]
