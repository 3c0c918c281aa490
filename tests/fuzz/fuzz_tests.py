"""Throw bytes at the reader of rule tests, and run what it takes: whatever they are, problems have
a place.

    PYTHONPATH=. python tests/fuzz/fuzz_tests.py --inputs 200000 --seed 1

Inputs are the shipped tests, one by one, with cuts, swaps and strange bytes. Exits 1 at the first
crash and leaves the input in `var/fuzz/`.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.rule_tests.loader import read_bytes
from proxy_addon.rule_tests.runner import run_plans
from proxy_addon.rules import folder as rules_folder
from tests.fuzz.fuzz_rules import SLOW, WORDS, mutated

ROOT = Path(__file__).parents[2]
HEAD = b"tests:\n"
MORE = [
    b"00:00",
    b"24:00",
    b"9999-12-31",
    b"0001-01-01",
    b"+14:00",
    b"-23:59",
    b"999999d",
    b"31d",
    b"0s",
    b"restart: true",
    b"until: never",
    b"https://[::1",
    b"http://x.com:99999/",
    b"2026-03-29 01:30",
    b"ip:",
]


def seeds() -> list[bytes]:
    """A file for each of the shipped tests."""
    found = []
    for file in sorted((ROOT / "rules" / "tests").glob("*.yaml")):
        _, *tests = file.read_bytes().split(b"\n  - name:")
        found += [HEAD + b"  - name:" + test for test in tests]
    return found


def one(data: bytes, machine: CompiledPolicy) -> int:
    """Read and run one file; how many tests ran. Anything but an answer is an exception."""
    begun = time.process_time()
    found = read_bytes(data, "a.yaml", machine)
    for problem in found.problems:
        assert str(problem).isprintable(), problem
        assert problem.line >= 1 and problem.column >= 1, problem
    run = run_plans(machine, found.plans, found.problems)
    took = time.process_time() - begun
    assert took < SLOW, f"{took:.1f} s"
    return len(run.outcomes)


def main() -> None:
    """Try so many, and say what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    machine = CompiledPolicy.of(rules_folder.load(ROOT / "rules"))
    WORDS.extend(MORE)
    pool, chance = seeds(), random.Random(options.seed)
    begun, ran = time.perf_counter(), 0
    for _ in range(options.inputs):
        data = mutated(chance, pool)
        try:
            ran += one(data, machine)
        except BaseException:
            folder = ROOT / "var" / "fuzz"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "crash").write_bytes(data)
            raise
    print(f"{options.inputs:,} inputs in {time.perf_counter() - begun:,.0f} s, {ran:,} tests ran")


if __name__ == "__main__":
    main()
