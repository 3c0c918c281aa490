"""How long 10,000 people and 1,000 rules take to load, and how long a running proxy's clients wait
meanwhile.

Run: PYTHONPATH=. python tests/benchmarks/bench_rules_load.py Budget (docs): 1 s from saved files to
rules in force; no answer of the proxy comes more than 50 ms late. First the loader alone, beside a
thread that sleeps a millisecond at a time and notes how late it wakes; then `allowance run` with
clients that ask for a limited platform, one request every ten milliseconds each, while the rules
are edited and reloaded. The longest answer is told beside that of as long a time without a reload.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path
from time import perf_counter, sleep

from proxy_addon.core.policy.engine import Engine, StaticUsage
from proxy_addon.core.types import Target
from proxy_addon.rules import folder as rules_folder
from tests.benchmarks.bench_proxy import BODY, LIMITED, running_site
from tests.benchmarks.proxies import Proxy, allowance_proxy
from tests.e2e.authority import Authority
from tests.e2e.waiting import free_port

ROOT = Path(__file__).parents[2]
PEOPLE, RULES, TURNS, RELOADS = 10_000, 1_000, 5, 10
CLIENTS, PAUSE = 4, 0.01  # connections, seconds between the requests of each
AFTER = 0.2  # seconds: what the swap leaves behind belongs to a reload
NOW = 1_793_615_400.0


def write(folder: Path, rest: str = "5m") -> None:
    """The shipped platforms, a policy of 1,000 rules, and 10,000 members of 20 roles.

    `rest`: what everybody has a day where no rule but the last fits.
    """
    (folder / "platforms").mkdir(exist_ok=True)
    places = []
    for file in sorted((ROOT / "rules" / "platforms").glob("*.yaml")):
        (folder / "platforms" / file.name).write_bytes(file.read_bytes())
        places.append(file.stem)
    policy = ["version: 1", "timezone: Europe/London", "allowances:"]
    policy += [f"  a{n}: {{limit: [{n + 5}m per day, 2h per week]}}" for n in range(20)]
    policy.append(f"  rest: {{limit: {rest} per day}}")
    policy.append("rules:")
    for n in range(RULES - 1):
        start = n % 20
        policy += [
            f"  - name: Rule {n}",
            f"    roles: [role{n % 20}]",
            f"    platforms: [{places[n % len(places)]}, {places[(n * 7 + 1) % len(places)]}]",
            f'    when: {{days: mon-fri, between: "{start:02}:{n % 60:02}-{start + 2:02}:30"}}',
            f"    then: {{spend: a{n % 20}}}",
        ]
    policy += ["  - name: The rest", "    then: {spend: rest}"]
    people = ["roles:"]
    for role in range(20):
        people += [f"  role{role}:", "    members:"]
        people += [f"      - person{n}@office.example" for n in range(role, PEOPLE, 20)]
    (folder / "policy.yaml").write_text("\n".join(policy) + "\n")
    (folder / "people.yaml").write_text("\n".join(people) + "\n")


class Ticker(threading.Thread):
    """Wakes every millisecond and notes the longest wait."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.worst = 0.0
        self.done = False

    def run(self) -> None:
        """Until `done`."""
        last = perf_counter()
        while not self.done:
            sleep(0.001)
            now = perf_counter()
            self.worst = max(self.worst, now - last)
            last = now


def loaded(folder: Path) -> float:
    """Seconds from files to the first answer."""
    begun = perf_counter()
    engine = Engine(rules_folder.load(folder))
    engine.decide(engine.person("person77@office.example", NOW), Target("x"), StaticUsage(), NOW)
    return perf_counter() - begun


def ticked(folder: Path | None) -> tuple[float, float]:
    """Seconds it took, and the longest wait of the other thread; without a folder: of an idle
    second."""
    ticker = Ticker()
    ticker.start()
    if folder is None:
        sleep(1.0)
        took = 1.0
    else:
        took = loaded(folder)
    ticker.done = True
    ticker.join()
    return took, ticker.worst


class Clients:
    """Connections through the proxy to a limited platform, at work until `done`; the waits of all
    of them."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.waits: list[float] = []
        self.done = False

    async def one(self, trust: ssl.SSLContext) -> None:
        """One connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        writer.write(f"CONNECT {LIMITED}:443 HTTP/1.1\r\nHost: {LIMITED}:443\r\n\r\n".encode())
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(trust, server_hostname=LIMITED)
        request = (
            f"GET /api/feed HTTP/1.1\r\nHost: {LIMITED}\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\n"
            f"Sec-Fetch-Site: same-origin\r\nReferer: https://{LIMITED}/\r\nAccept: */*\r\n\r\n"
        ).encode()
        while not self.done:
            begun = perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head, head
            await reader.readexactly(len(BODY))
            self.waits.append(perf_counter() - begun)
            await asyncio.sleep(PAUSE)
        writer.close()

    async def worst(self, seconds: float) -> float:
        """The longest wait for an answer that begins in the next so many seconds."""
        self.waits.clear()
        await asyncio.sleep(seconds)
        return max(self.waits)


def reload(web: str) -> float:
    """Seconds until the running proxy says that the new rules are in force."""
    begun = perf_counter()
    request = urllib.request.Request(f"http://{web}/api/reload", method="POST", data=b"")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
        answer = json.load(response)
    assert answer["ok"], answer
    return perf_counter() - begun


async def reloads(proxy: Proxy, rules: Path) -> None:
    """Save and reload a few times under the load, and tell the longest waits."""
    web = proxy.command[proxy.command.index("--web") + 1]
    clients = Clients(proxy)
    trust = ssl.create_default_context(cafile=proxy.ca_file)
    calm, busy, took = [], [], []
    async with asyncio.TaskGroup() as at_work:
        for _ in range(CLIENTS):
            at_work.create_task(clients.one(trust))
        await clients.worst(1.0)  # connections are made, code is warm
        for turn in range(RELOADS):
            await asyncio.to_thread(write, rules, f"{turn + 10}h")
            clients.waits.clear()
            took.append(await asyncio.to_thread(reload, web))
            await asyncio.sleep(AFTER)
            busy.append(max(clients.waits))
            calm.append(await clients.worst(took[-1] + AFTER))  # as long, in the same minutes
        clients.done = True
    tell(calm, busy, took)


def tell(calm: list[float], busy: list[float], took: list[float]) -> None:
    """Print what was measured, ratios first: seconds depend on what else the machine does."""
    for values in (calm, busy, took):
        values.sort()
    middle = RELOADS // 2
    print(f"a running proxy, {CLIENTS} clients, {RELOADS} reloads")
    print(
        f"  slowest answer with a reload to without, medians: {busy[middle] / calm[middle]:.2f} times, "
        f"{(busy[middle] - calm[middle]) * 1000:+.0f} ms; slowest of all: "
        f"{busy[-1] / calm[-1]:.2f} times, {(busy[-1] - calm[-1]) * 1000:+.0f} ms (budget +50 ms)"
    )
    print(f"  reload, asked for: best {took[0]:.2f} s, median {took[middle]:.2f} s (budget 1 s)")
    for title, values in (("during a reload", busy), ("in as long without", calm)):
        print(
            f"  longest answer {title}: best {values[0] * 1000:.0f} ms, "
            f"median {values[middle] * 1000:.0f} ms, worst {values[-1] * 1000:.0f} ms"
        )


def running() -> None:
    """The part with a real proxy."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority(folder / "origin-ca")
        port = free_port()
        with running_site(port, authority.leaf_file(LIMITED)):
            proxy = allowance_proxy(folder / "proxy", port, authority.ca_file, (LIMITED,))
            rules = folder / "proxy" / "rules"
            write(rules, "9h")
            try:
                proxy.start()
                asyncio.run(reloads(proxy, rules))
            finally:
                proxy.stop()


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        idle = min(ticked(None)[1] for _ in range(3))
        runs = [ticked(folder) for _ in range(TURNS)]
        times, waits = sorted(took for took, _ in runs), sorted(wait for _, wait in runs)
        size = sum(file.stat().st_size for file in folder.rglob("*.yaml"))
        print(f"{PEOPLE:,} people, {RULES:,} rules, {size / 1024:,.0f} KiB; {TURNS} loads")
        print(f"  load: best {times[0]:.2f} s, median {times[TURNS // 2]:.2f} s")
        print(
            f"  longest wait of another thread: best {waits[0] * 1000:.0f} ms, median {waits[TURNS // 2] * 1000:.0f} ms"
            f" (nothing loading: {idle * 1000:.0f} ms)"
        )
        begun = perf_counter()
        problems = rules_folder.check(folder)
        print(
            f"  check with all warnings: {perf_counter() - begun:.2f} s, {len(problems)} problems"
        )
    running()


if __name__ == "__main__":
    sys.exit(main())
