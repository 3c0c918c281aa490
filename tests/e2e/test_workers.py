"""`allowance run --workers N`: several processes, one port, one balance, one metrics page."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Client, Reply
from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

WORKERS = 3
LIMIT = 8.0
SEATS = "devices: {127.0.4.1: pat, 127.0.4.2: pat, 127.0.4.3: pat}\ndefault_role: staff\nroles: {staff: {}}\n"
PAGE = "https://www.facebook.com/"


@pytest.fixture(scope="module")
def several(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProxy]:
    """Three workers; pat sits at three addresses, each of which another worker serves."""
    folder = tmp_path_factory.mktemp("workers")
    settings = {"workers": WORKERS, "front-proxies": [], "drain": "10s"}
    with office(folder, origins, policy(short=f"{LIMIT:g}s"), SEATS, settings) as proxy:
        until(lambda: len(alive(proxy)) == WORKERS, "all workers")
        until(lambda: "Allowance is running" in proxy.log, "the start notice")
        yield proxy


def alive(proxy: OfficeProxy) -> dict[int, int]:
    """Worker number -> process id, of those that were started last."""
    found = re.findall(r'"worker": (\d+), "process": (\d+), "event": "worker started"', proxy.log)
    return {int(number): int(pid) for number, pid in found}


def metric(proxy: OfficeProxy, start: str) -> float:
    """The sum of all samples whose line begins with `start`."""
    _, text = proxy.web("/metrics")
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(start)
    )


def test_one_balance(several: OfficeProxy) -> None:
    """One person at three devices and three workers has one allowance, overspent by no more than
    the bound."""
    client = Client(several.port, several.ca_file)
    deadline = time.monotonic() + 40
    over = set[str]()
    seats = ("127.0.4.1", "127.0.4.2", "127.0.4.3")
    while len(over) < len(seats) and time.monotonic() < deadline:
        over |= {seat for seat in seats if client.open(PAGE, source=seat).status == 403}
        time.sleep(0.2)
    assert over == set(seats)
    flush = 0.25
    spent = until(lambda: several.spent("pat", "short"), "usage in the ledger")
    print(f"spent {spent:.2f} s of {LIMIT:g} s at {WORKERS} workers")
    assert spent <= LIMIT + WORKERS * (flush + 0.75)


def test_a_form_of_one_worker_is_taken_by_another(several: OfficeProxy) -> None:
    """What one worker's page asked, another takes, and a third shows; a yes counts at all of them
    within seconds."""
    client = Client(several.port, several.ca_file)
    page = client.open("http://allowance.internal/ask?allowance=long", source="127.0.4.1")
    found = re.search(r'name="token" value="(\w+)"', page.text)
    assert found is not None, page.text
    fields = {"token": found[1], "allowance": "short", "minutes": "10", "reason": "a launch"}
    form = [
        word for name, value in fields.items() for word in ("--data-urlencode", f"{name}={value}")
    ]
    ours = {"Origin": "http://allowance.internal"}
    sent = client.get("http://allowance.internal/ask", *form, source="127.0.4.2", headers=ours)
    assert sent.status == 303, sent.text
    assert (
        "waits for an answer" in client.open("http://allowance.internal/", source="127.0.4.3").text
    )
    (asked,) = json.loads(several.cli("requests", "list", "--json").stdout)["requests"]
    assert (asked["user"], asked["reason"]) == ("pat", "a launch")
    answer = several.cli("requests", "approve", asked["id"])
    assert answer.returncode == 0, answer.stderr
    for seat in ("127.0.4.1", "127.0.4.2", "127.0.4.3"):
        until(lambda seat=seat: client.open(PAGE, source=seat).status == 200, "the grant", 10.0)
    assert "granted until" in client.open("http://allowance.internal/", source="127.0.4.1").text


def test_metrics_are_summed(several: OfficeProxy) -> None:
    """The web port of the supervisor shows what all workers counted, and each part's state."""
    client = Client(several.port, several.ca_file)
    before = metric(several, "allowance_requests_total")
    for last in range(1, 7):
        assert client.open("https://x.com/", source=f"127.0.5.{last}").status == 200
    until(
        lambda: metric(several, "allowance_requests_total") >= before + 6, "the sum of all workers"
    )
    assert metric(several, "allowance_ledger_up") == 1
    assert metric(several, "allowance_processes") == WORKERS + 1
    assert metric(several, "process_resident_memory_bytes") > WORKERS * 30e6
    assert metric(several, "allowance_loop_lag_seconds_count") > WORKERS
    assert '"workers":"ok"' in several.web("/readyz")[1]


def test_a_dead_worker_is_replaced(several: OfficeProxy) -> None:
    """kill -9 of one worker: the others answer all the while, and a new one is there within two
    seconds."""
    client = Client(several.port, several.ca_file)
    before = alive(several)
    time.sleep(2.5)  # who dies within two seconds of its birth is made again after a pause only
    os.kill(before[1], signal.SIGKILL)
    died = time.monotonic()
    until(lambda: alive(several)[1] != before[1], "a new worker", 3.0)
    took = time.monotonic() - died
    print(f"replaced after {took:.2f} s")
    assert took < 2.0
    trust = several.origins.ca_file
    replies = [
        client.get("https://work.example/", trust=trust, source=f"127.0.6.{n}") for n in range(1, 5)
    ]
    statuses = [reply.status for reply in replies]
    assert statuses == [200] * 4


@pytest.mark.long
def test_rolling_restart(several: OfficeProxy) -> None:
    """SIGHUP replaces every worker by a new one, and no request of several devices at once fails
    while that goes on."""
    client, trust = Client(several.port, several.ca_file), several.origins.ca_file
    supervisor = several.process.pid if several.process else 0
    replies: list[Reply] = []
    done = threading.Event()

    def browse(source: str) -> None:
        while not done.is_set():
            replies.append(client.get("https://work.example/", trust=trust, source=source))

    with ThreadPoolExecutor(6) as devices:
        for number in range(1, 7):
            devices.submit(browse, f"127.0.6.{number}")
        for _ in range(3):
            before = alive(several)
            os.kill(supervisor, signal.SIGHUP)
            until(lambda old=before: replaced(several, old), "three new workers", 40.0)
        done.set()
    assert len(replies) > 20
    assert [reply for reply in replies if reply.status != 200] == []


def status(proxy: OfficeProxy) -> dict[str, Any]:
    """What /statusz says."""
    found: dict[str, Any] = json.loads(proxy.web("/statusz")[1])
    return found


def test_one_that_is_stuck(origins: Origins, tmp_path: Path) -> None:
    """A worker that hangs is named, while the other keeps the proxy alive and ready; when both hang
    it is neither, until they are replaced."""
    settings = {"workers": 2, "front-proxies": []}
    with office(tmp_path, origins, policy(), SEATS, settings) as proxy:
        until(lambda: status(proxy)["status"] == "ok", "both workers", 30)
        assert [each["state"] for each in status(proxy)["workers"]] == ["serving"] * 2
        first, second = (each["pid"] for each in status(proxy)["workers"])
        os.kill(first, signal.SIGSTOP)
        until(lambda: status(proxy)["workers"][0]["state"] == "stuck", "it to be noticed", 15)
        assert status(proxy)["status"] == "degraded"
        assert [proxy.web(page)[0] for page in ("/livez", "/readyz")] == [200, 200]
        until(lambda: status(proxy)["status"] == "ok", "a new worker", 60)
        both = [each["pid"] for each in status(proxy)["workers"]]
        assert (first not in both, second in both) == (True, True)
        for pid in both:
            os.kill(pid, signal.SIGSTOP)
        until(lambda: proxy.web("/livez")[0] == 503, "nobody to be alive", 15)
        assert proxy.web("/readyz")[0] == 503
        until(lambda: proxy.web("/readyz")[0] == 200, "new workers", 60)
        assert proxy.web("/healthz") == (200, "ok")


def replaced(proxy: OfficeProxy, before: dict[int, int]) -> bool:
    """Whether every worker is another process than before."""
    now = alive(proxy)
    return all(now[name] != pid for name, pid in before.items())


def test_rules_reload_in_every_worker(several: OfficeProxy) -> None:
    """A saved file is in force at each device soon, whichever worker serves it."""
    blocked = "  - {name: Closed, platforms: [x], then: block}\n"
    text = policy(short=f"{LIMIT:g}s").replace("rules:\n", f"rules:\n{blocked}")
    file = several.rules / "policy.yaml"
    file.write_text(text)
    client = Client(several.port, several.ca_file)
    for seat in ("127.0.4.1", "127.0.4.2", "127.0.4.3"):
        until(
            lambda seat=seat: client.open("https://x.com/", source=seat).reason == "blocked",
            "the rule",
            15,
        )
    file.write_text("version: 9\n")
    until(lambda: "degraded" in several.web("/readyz")[1], "the refusal", 15)
    assert several.web("/readyz")[0] == 200
    file.write_text(policy(short=f"{LIMIT:g}s"))
    until(lambda: "degraded" not in several.web("/readyz")[1], "the mending", 15)


def test_no_worker_is_left_alone(origins: Origins, tmp_path: Path) -> None:
    """kill -9 of the process that makes the workers: they go on, and one that dies has a successor.
    kill -9 of the supervisor: all end, those too that the killed process had made."""
    settings = {"workers": 2, "front-proxies": [], "drain": "1s"}
    with office(tmp_path, origins, policy(), SEATS, settings) as proxy:
        until(lambda: "Allowance is running" in proxy.log, "the start notice")
        time.sleep(2.5)  # who dies within two seconds of its birth is made again after a pause only
        before = alive(proxy)
        assert proxy.process is not None
        maker = int(Path(f"/proc/{before[0]}/stat").read_text().rpartition(")")[2].split()[1])
        assert maker not in (os.getpid(), proxy.process.pid)
        os.kill(maker, signal.SIGKILL)
        os.kill(before[0], signal.SIGKILL)
        until(lambda: alive(proxy)[0] != before[0], "a successor", 60)
        until(lambda: '"workers":"ok"' in proxy.web("/readyz")[1], "readiness", 30)
        now = alive(proxy)
        assert now[1] == before[1] and exists(now[1])
        proxy.process.kill()
        proxy.process.wait(5)
        until(lambda: not any(map(exists, now.values())), "the end of all", 20)


def exists(pid: int) -> bool:
    """Whether a process still runs."""
    return Path(f"/proc/{pid}").exists()


def test_all_end_together(several: OfficeProxy) -> None:
    """SIGTERM ends supervisor and workers with exit code 0, and nothing of them is left."""
    pids = [*alive(several).values()]
    code, seconds = several.stop()
    assert code == 0
    assert seconds < 12
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
