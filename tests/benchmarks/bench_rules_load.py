"""How long loading takes: 10,000 people and 1,000 rules; and whether other threads get their turns meanwhile.

Run: python tests/benchmarks/bench_rules_load.py
Budget (docs): 1 s from files to an engine that has answered; no other thread waits longer than 50 ms.
The ticking thread stands for the proxy's event loop: it sleeps a millisecond at a time and notes how late it wakes.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter, sleep

from proxy_addon import rules_file
from proxy_addon.core.policy import Engine, StaticUsage
from proxy_addon.core.types import Target

ROOT = Path(__file__).parents[2]
PEOPLE, RULES, TURNS = 10_000, 1_000, 5
NOW = 1_793_615_400.0


def write(folder: Path) -> None:
    """The shipped platforms, a policy of 1,000 rules, and 10,000 members of 20 roles."""
    (folder / "platforms").mkdir()
    places = []
    for file in sorted((ROOT / "rules" / "platforms").glob("*.yaml")):
        (folder / "platforms" / file.name).write_bytes(file.read_bytes())
        places.append(file.stem)
    policy = ["version: 1", "timezone: Europe/London", "allowances:"]
    policy += [f"  a{n}: {{limit: [{n + 5}m per day, 2h per week]}}" for n in range(20)]
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
    policy += ["  - name: The rest", "    then: {spend: a0}"]
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
    engine = Engine(rules_file.load(folder))
    engine.decide(engine.person("person77@office.example", NOW), Target("x"), StaticUsage(), NOW)
    return perf_counter() - begun


def ticked(folder: Path | None) -> tuple[float, float]:
    """Seconds it took, and the longest wait of the other thread; without a folder: of an idle second."""
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
        problems = rules_file.check(folder)
        print(f"  check with all warnings: {perf_counter() - begun:.2f} s, {len(problems)} problems")


if __name__ == "__main__":
    sys.exit(main())
