"""A small office for the tests of the test runner: three platforms, five rules, one allowance."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent, indent

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.rule_tests.loader import Tests, read_bytes
from proxy_addon.rule_tests.runner import Run, run_plans
from proxy_addon.rules import folder as rules_folder

POLICY = """\
version: 1
timezone: Europe/London
allowances:
  daily:
    limit: 15m per day
    warn_at: 2m
    overrides:
      - {roles: [care], limit: 45m per day}
  hourly: {limit: 5m per rolling 1h}
rules:
  - {name: Learning, platforms: [linkedin/learning], then: allow}
  - {name: Night, platforms: [x], when: {between: "22:00-06:00"}, then: block}
  - {name: Lunch, platforms: [x, linkedin], when: {days: mon-fri, between: "12:00-13:30"}, then: allow}
  - {name: Guests, roles: [guest], platforms: [x], then: {spend: hourly}}
  - {name: Fifteen, platforms: [x, linkedin], then: {spend: daily}}
"""
PEOPLE = """\
roles:
  staff: {}
  care: {members: [carl]}
  guest: {}
devices:
  10.0.0.7: reception
  10.0.0.8: {role: care}
"""
PLATFORMS = """\
x: {hosts: [x.example], embeds: ["/embed/*"], background: [pixel.x.example]}
linkedin:
  hosts: [linkedin.example]
  sections: {learning: {paths: ["/learning/*"]}, buttons: {hosts: [buttons.linkedin.example]}}
  embeds: [buttons.linkedin.example]
medium: {hosts: [medium.example]}
"""


def write(folder: Path, policy: str = POLICY, tests: str | None = None) -> Path:
    """The office as a rules folder."""
    (folder / "platforms").mkdir(parents=True)
    (folder / "policy.yaml").write_text(policy)
    (folder / "people.yaml").write_text(PEOPLE)
    (folder / "platforms" / "ours.yaml").write_text(PLATFORMS)
    if tests is not None:
        (folder / "tests").mkdir()
        (folder / "tests" / "a.yaml").write_text(tests)
    return folder


@cache
def machine(policy: str = POLICY) -> CompiledPolicy:
    """The office, compiled."""
    with TemporaryDirectory() as name:
        return CompiledPolicy.of(rules_folder.load(write(Path(name) / "rules", policy)))


def one_test(day: str, start: str = "2026-11-02 09:00", people: str = "{dora: [staff]}") -> str:
    """A test file with one test; 2 November 2026 is a Monday."""
    steps = indent(dedent(day).strip("\n"), "      ")
    return (
        f"tests:\n  - name: a test\n    people: {people}\n    start: {start}\n    day:\n{steps}\n"
    )


def read(text: str, policy: str = POLICY) -> Tests:
    """The tests of a file."""
    return read_bytes(text.encode(), "a.yaml", machine(policy))


def run(text: str, policy: str = POLICY) -> Run:
    """Run a file that has no mistakes."""
    tests = read(text, policy)
    assert not tests.problems, "\n".join(map(str, tests.problems))
    return run_plans(machine(policy), tests.plans)


def passes(
    day: str, start: str = "2026-11-02 09:00", people: str = "{dora: [staff]}", policy: str = POLICY
) -> None:
    """Run one test that is expected to pass."""
    found = run(one_test(day, start, people), policy)
    differences = [
        (str(d.place), d.field, d.expected, d.got) for o in found.outcomes for d in o.differences
    ]
    assert not differences
