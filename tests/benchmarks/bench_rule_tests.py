"""How long the tests of rules take: the documented sample, many times over. Prints figures, judges
nothing.

Run: python tests/benchmarks/bench_rule_tests.py [TESTS]
Budget (docs): 1,000 tests in 2 s, files read and all.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.rule_tests.loader import read_tests
from proxy_addon.rule_tests.runner import run_plans
from proxy_addon.rules import folder as rules_folder

RULES = Path(__file__).resolve().parents[2] / "rules"
A_FILE = 250  # tests
SAMPLE = """
  - name: test {number}, fifteen minutes, then a block, then midnight
    people: {{dora: [staff]}}
    start: 2026-11-02 09:00
    day:
      - at: 09:00
        user: dora
        visits: {{platform: facebook, for: 10m}}
      - {{at: 10:00, user: dora, opens: "https://www.linkedin.com/feed/", expect: {{verdict: spend, left: 5m}}}}
      - {{at: 10:00, user: dora, visits: {{platform: x, for: 5m}}}}
      - at: 10:30
        user: dora
        opens: https://www.instagram.com/
        expect: {{verdict: block, until: 2026-11-03 00:00}}
      - {{at: "12:10", user: dora, opens: "https://x.com/", expect: {{verdict: allow, rule: Lunch is yours}}}}
"""


def write(folder: Path, count: int) -> None:
    """So many tests, in files of a few hundred."""
    folder.mkdir(parents=True)
    for first in range(0, count, A_FILE):
        numbers = range(first, min(first + A_FILE, count))
        text = "tests:" + "".join(SAMPLE.format(number=number) for number in numbers)
        (folder / f"sample{first}.yaml").write_text(text)


def main(count: int) -> None:
    """Write the files, then time each part."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "rules"
        shutil.copytree(RULES, folder, ignore=shutil.ignore_patterns("tests"))
        write(folder / "tests", count)
        begin, busy = perf_counter(), process_time()
        machine = CompiledPolicy.of(rules_folder.load(folder))
        compiled = perf_counter()
        tests = read_tests(folder, machine)
        read = perf_counter()
        run = run_plans(machine, tests.plans, tests.problems)
        done, busy = perf_counter(), process_time() - busy
    if not run.ok or len(run.outcomes) != count:
        raise SystemExit("these tests pass; something is broken")
    print(f"rules read and compiled     {compiled - begin:6.2f} s")
    print(f"{count:,} tests read          {read - compiled:6.2f} s")
    print(f"{count:,} tests run           {done - read:6.2f} s")
    print(
        f"together                    {done - begin:6.2f} s, of which this process worked {busy:.2f} s"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
