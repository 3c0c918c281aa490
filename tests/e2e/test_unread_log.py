"""Whoever reads the log of a proxy, or does not: real processes, whose output goes nowhere."""

from __future__ import annotations

import fcntl
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

FREE = "https://work.example/"
PAGE = "https://www.facebook.com/"
SEATS = "devices: {127.0.3.1: pat}\ndefault_role: staff\nroles: {staff: {}}\n"
MINUTES = "8h"  # a day: whether there are lines to read has nothing to do with the time left
F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", 1031)
SMALLEST_PIPE = 4_096  # bytes; the notice at the start and the first lines fill it
PROBLEMS = "".join(f"wrong-key-number-{number}: {{}}\n" for number in range(150))
MOST_RELOADS = 600


def serves(proxy: OfficeProxy) -> None:
    """Ordinary and limited sites, and the pages of the web port."""
    client, trust = proxy.client, proxy.origins.ca_file
    assert client.get(FREE, source="127.0.3.1", trust=trust).status == 200
    assert client.get(PAGE, source="127.0.3.1").status == 200
    assert [proxy.web(page)[0] for page in ("/livez", "/readyz")] == [200, 200]


def dropped(proxy: OfficeProxy) -> float:
    """Lines that were dropped, by the metric."""
    _, text = proxy.web("/metrics")
    lines = (line for line in text.splitlines() if line.startswith("allowance_log_dropped_total "))
    return float(next(lines).split()[1])


def log_of(proxy: OfficeProxy) -> dict[str, Any]:
    """What the status page says of the log."""
    found: dict[str, Any] = json.loads(proxy.web("/statusz")[1])["dependencies"]["log"]
    return found


def reload(proxy: OfficeProxy) -> None:
    """Have the rules read again, which fails."""
    url = f"http://127.0.0.1:{proxy.web_port}/api/reload"
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30).close()


def break_rules(proxy: OfficeProxy) -> None:
    """A bad edit: each reload logs a hundred lines about it from now on."""
    (proxy.rules / "policy.yaml").write_text(PROBLEMS)
    until(lambda: "degraded" in proxy.web("/readyz")[1], "the bad edit to be noticed", 30)


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def proxy(
    request: pytest.FixtureRequest, origins: Origins, tmp_path: Path
) -> Iterator[OfficeProxy]:
    """A proxy that is not started yet, and tells as much as it can."""
    settings = {"workers": request.param, "front-proxies": [], "log-level": "debug"}
    made = office(tmp_path, origins, policy(MINUTES), SEATS, settings)
    try:
        yield made
    finally:
        if made.process is not None and made.process.poll() is None:
            made.kill()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("proxy", [1, pytest.param(2, marks=pytest.mark.long)], indirect=True)
def test_a_pipe_that_nobody_reads(proxy: OfficeProxy) -> None:
    """The pipe is full before the start is complete, and then the queue: people are served, lines
    are counted, and the proxy drains on SIGTERM as ever. What was taken is written in order once
    somebody reads, and one line says how many are missing."""
    reader, proxy.output = os.pipe()
    fcntl.fcntl(proxy.output, F_SETPIPE_SZ, SMALLEST_PIPE)
    proxy.start()
    os.close(proxy.output)
    serves(proxy)
    break_rules(proxy)
    for _ in range(MOST_RELOADS):
        reload(proxy)
        if log_of(proxy)["dropped"]:
            break
    assert not log_of(proxy)["ok"]
    until(lambda: dropped(proxy) > 0, "the metric")  # that of the supervisor as well
    serves(proxy)
    events: list[dict[str, object]] = []
    with os.fdopen(reader, "rb") as lines:
        while not events or events[-1]["event"] != "log lines were dropped":
            text = lines.readline()
            if text.startswith(b"{"):
                events.append(json.loads(text))
        assert int(str(events[-1]["lines"])) > 0
        until(lambda: log_of(proxy)["ok"], "room")
        assert "rules problem" in {each["event"] for each in events}
        serves(proxy)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("proxy", [pytest.param(1, marks=pytest.mark.long), 2], indirect=True)
def test_the_end_waits_for_nobody(proxy: OfficeProxy) -> None:
    """With a pipe that stays full SIGTERM ends the proxy with exit code 0, a second later than
    otherwise at most, for each of its processes."""
    reader, proxy.output = os.pipe()
    fcntl.fcntl(proxy.output, F_SETPIPE_SZ, SMALLEST_PIPE)
    proxy.start()
    os.close(proxy.output)
    break_rules(proxy)
    serves(proxy)
    code, seconds = proxy.stop(timeout=60)
    print(f"ended after {seconds:.1f} s")
    assert code == 0
    os.close(reader)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("proxy", [1, pytest.param(2, marks=pytest.mark.long)], indirect=True)
@pytest.mark.parametrize("kind", ["full disk", "closed pipe", "no output"])
def test_output_that_fails(proxy: OfficeProxy, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start notice that cannot be written does not end the start, and lines that cannot be
    written end nothing later."""
    if kind == "full disk":
        proxy.output = os.open("/dev/full", os.O_WRONLY)
    elif kind == "closed pipe":
        reader, proxy.output = os.pipe()
        os.close(reader)
    else:
        given = proxy.command()
        closed = ["/bin/sh", "-c", 'exec "$@" >&- 2>&-', "sh", *given]
        monkeypatch.setattr(proxy, "command", lambda: closed)
    proxy.start()
    if proxy.output is not None:
        os.close(proxy.output)
    serves(proxy)
    break_rules(proxy)
    serves(proxy)
    assert proxy.stop(timeout=60)[0] == 0
    assert proxy.log == ""
