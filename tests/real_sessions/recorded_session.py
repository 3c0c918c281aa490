"""A session as it is kept: what the proxy saw, who was there when, and what was charged then.

A session is two files: `NAME.jsonl.gz` (small form, or a flow dump `NAME.flows`) and `NAME.json`:
`recorded` (day), `seed`, `load` (the highest load of the machine meanwhile, null = unknown), and
`people`: for each name `software`, `family`, `live` (seconds charged by the proxy itself, null =
not kept) and `attention` (start and end of each stretch, instants).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.rules import folder as rules_folder
from proxy_addon.simulate import simulate_events
from proxy_addon.trace.reader import open_traces
from proxy_addon.trace.report import ReadReport
from tests.traces.day import Spans

FOLDER = Path(__file__).parent
RECORDED = FOLDER / "recorded"
RULES = FOLDER / "rules"
ALLOWANCE = "daily"
ENDINGS = (".jsonl.gz", ".flows", ".flows.gz")


@dataclass(frozen=True, slots=True)
class Participant:
    """One person of a session. `live`: seconds, None = not kept."""

    software: str
    family: str
    live: float | None
    attention: Spans


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """`trace` is what the proxy saw; `load` the highest load of the machine, None = unknown."""

    name: str
    trace: Path
    seed: int | None
    load: float | None
    people: dict[str, Participant]


def load(notes: Path) -> RecordedSession:
    """Read `NAME.json`, with the trace that lies beside it."""
    found: dict[str, Any] = json.loads(notes.read_text("utf-8"))
    people = {
        name: Participant(
            each["software"],
            each["family"],
            each["live"],
            [(start, end) for start, end in each["attention"]],
        )
        for name, each in found["people"].items()
    }
    name = notes.name.removesuffix(".json")
    traces = [notes.with_name(name + ending) for ending in ENDINGS]
    trace = next((path for path in traces if path.is_file()), None)
    if trace is None:
        raise FileNotFoundError(f"no trace lies beside {notes}")
    return RecordedSession(name, trace, found["seed"], found["load"], people)


def recorded() -> list[Path]:
    """The sessions that the repository keeps, by name."""
    return sorted(RECORDED.glob("*.json"))


@cache
def rules() -> RuleSet:
    """The rules of the sessions: one allowance for everything, nothing known but the hosts."""
    return rules_folder.load(RULES)


def charge(traces: Iterable[Path]) -> dict[str, Spans]:
    """What today's meter charges each person, on any platform; strict about the traces."""
    events = open_traces(traces, report=ReadReport(strict=True))
    result = simulate_events(rules(), events)
    return {
        name: [(span.start, span.end) for span in person.by_allowance().get(ALLOWANCE, ())]
        for name, person in result.users.items()
    }
