"""A reload of a large office while the event loop works: how long, and the longest pause. Judges
nothing.

Run: python tests/benchmarks/bench_reload.py [PEOPLE] [RULES]
Budget (docs): 1 s for 10,000 people and 1,000 rules, and no pause over 50 ms.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.metering.assembly import assemble
from proxy_addon.rules.active import LiveRules, Outcome
from proxy_addon.rules.reloader import Reloading

PLATFORMS = Path(__file__).resolve().parents[2] / "rules" / "platforms"
ROLES = 20


def write(folder: Path, people: int, rules: int, more: str = "") -> None:
    """The whole office."""
    names = sorted(path.stem for path in (folder / "platforms").glob("*.yaml"))
    listed = [", ".join(f"person{n}" for n in range(role, people, ROLES)) for role in range(ROLES)]
    roles = "".join(f"  role{i}: {{members: [{members}]}}\n" for i, members in enumerate(listed))
    (folder / "people.yaml").write_text(f"default_role: staff\nroles:\n  staff: {{}}\n{roles}")
    ordered = "".join(
        f"  - {{name: rule {i}, roles: [role{i % ROLES}], platforms: [{names[i % 40]}, {names[(i + 7) % 40]}],"
        f' when: {{days: mon-fri, between: "{i % 20:02}:00-{i % 20 + 1:02}:30"}}, then: {{spend: a{i % 10}}}}}\n'
        for i in range(rules)
    )
    budgets = "".join(f"  a{i}: {{limit: 15m per day}}\n" for i in range(10))
    head = f"version: 1\ntimezone: Europe/London\n{more}"
    (folder / "policy.yaml").write_text(f"{head}allowances:\n{budgets}rules:\n{ordered}")


async def measure(folder: Path, people: int, rules: int) -> None:
    """Reload once while a task wakes up each millisecond."""
    live = LiveRules(folder)
    enforcer = assemble(live.load(), lambda visit: None, str, "bench", timer=perf_counter).enforcer
    swaps: list[float] = []

    def swap(prepared: CompiledPolicy) -> None:
        begun = perf_counter()
        enforcer.swap(prepared, 0.0)
        swaps.append(perf_counter() - begun)

    def assert_loaded(outcome: Outcome) -> None:
        assert outcome.ok, outcome

    reloading = Reloading(live, swap, assert_loaded)
    reloading._loop = asyncio.get_running_loop()  # no watcher: the reload is asked for
    pauses: list[float] = []

    async def work() -> None:
        last = perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = perf_counter()
            pauses.append(now - last)
            last = now

    worker = asyncio.ensure_future(work())
    await asyncio.sleep(0.5)
    print(f"pause without a reload   {1000 * max(pauses):7.1f} ms at most")
    write(folder, people, rules, "otherwise: block\n")
    await asyncio.sleep(0.05)
    pauses.clear()
    begun = perf_counter()
    outcome = await asyncio.to_thread(reloading.reload)
    taken = perf_counter() - begun
    worker.cancel()
    assert outcome.changed
    pauses.sort()
    print(f"reload                   {1000 * taken:7.1f} ms (budget 1,000)")
    print(f"the swap on the loop     {1000 * swaps[0]:7.1f} ms")
    print(f"pause during the reload  {1000 * pauses[-1]:7.1f} ms at most (budget 50)")
    print(f"                         {1000 * pauses[len(pauses) // 2]:7.1f} ms median")


def main() -> None:
    """Measure and print."""
    people, rules = (int(text) for text in (sys.argv[1:] + ["10000", "1000"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(PLATFORMS, folder / "platforms")
        write(folder, people, rules)
        print(f"{people:,} people, {rules:,} rules")
        asyncio.run(measure(folder, people, rules))


if __name__ == "__main__":
    main()
