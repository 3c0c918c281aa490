"""Test files to plans: validated one test at a time, so that a mistake in one does not hide the
others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path as File
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.rules.documents import Document, Path
from proxy_addon.core.rules.parsers import kind, quote
from proxy_addon.core.rules.problems import Code
from proxy_addon.rule_tests.models import (
    ExpectModel,
    GrantModel,
    StepModel,
    TestModel,
    VisitsModel,
    WallTime,
)
from proxy_addon.rule_tests.plan import (
    DayStep,
    Given,
    Opens,
    Plan,
    Restart,
    Visits,
    address_in,
    instant,
    place_to_visit,
)
from proxy_addon.rule_tests.problems import BadTestError, Problem, TestCode, did_you_mean, nearest
from proxy_addon.rules import folder as rules_file
from proxy_addon.rules.yaml_reader import parse

FOLDER = "tests"  # below the rules folder
_BLOCKS: dict[str, tuple[type[BaseModel], str]] = {
    "visits": (VisitsModel, "`visits`"),
    "grant": (GrantModel, "`grant`"),
    "expect": (ExpectModel, "`expect`"),
}
_WANTED = {"list_type": "a list", "dict_type": "a block of keys", "model_type": "a block of keys"}


@dataclass(frozen=True, slots=True)
class Tests:
    """All tests of a folder that can run, by file and place, and what is wrong with the others."""

    plans: tuple[Plan, ...]
    problems: tuple[Problem, ...]


def read_tests(rules_folder: File, machine: CompiledPolicy) -> Tests:
    """The tests below a rules folder. A folder without any is not a mistake."""
    reading = rules_file.read(rules_folder / FOLDER)
    problems = [
        Problem.of(problem) for problem in reading.problems if problem.code is not Code.MISSING_FILE
    ]
    plans: list[Plan] = []
    for file, content in reading.top:
        document, wrong = parse(content, file)
        problems += map(Problem.of, wrong)
        if document is not None:
            plans += _plans(document, machine, problems)
    problems += _same_names(plans)
    return Tests(tuple(plans), tuple(sorted(problems)))


def read_bytes(content: bytes, file: str, machine: CompiledPolicy) -> Tests:
    """The tests of one file's bytes."""
    document, wrong = parse(content, file)
    problems = [Problem.of(problem) for problem in wrong]
    plans = list(_plans(document, machine, problems)) if document is not None else []
    problems += _same_names(plans)
    return Tests(tuple(plans), tuple(sorted(problems)))


def _plans(document: Document, machine: CompiledPolicy, problems: list[Problem]) -> Iterator[Plan]:
    for key in document.data:
        if key != "tests":
            place = document.place((key,), key=True)
            message = f"{quote(key)} is not a key of a test file"
            problems.append(Problem.at(place, TestCode.UNKNOWN_KEY, message, "it has tests"))
    tests = document.data.get("tests", [])
    if not isinstance(tests, list):
        message = f"a list of tests is expected here, not {kind(tests)}"
        problems.append(Problem.at(document.place(("tests",)), TestCode.WRONG_TYPE, message))
        return
    for number, raw in enumerate(tests):
        plan = _plan(_Reader(document, ("tests", number), machine, problems), raw)
        if plan is not None:
            yield plan


def _same_names(plans: list[Plan]) -> Iterator[Problem]:
    seen: dict[str, Plan] = {}
    for plan in plans:
        first = seen.setdefault(plan.name, plan)
        if first is not plan:
            message = f"{first.place.file}:{first.place.line} is called {quote(plan.name)} as well"
            yield Problem.at(
                plan.place, TestCode.DUPLICATE_NAME, message, "give each test a name of its own"
            )


@dataclass(slots=True)
class _Reader:
    """One test while it is read: where it stands, and where its problems go."""

    document: Document
    at: Path
    machine: CompiledPolicy
    problems: list[Problem]

    def refuse(self, path: Path, error: BadTestError, *, key: bool = False) -> None:
        place = self.document.place((*self.at, *path), key=key)
        self.problems.append(Problem.at(place, error.code, error.message, error.hint))


def _plan(reader: _Reader, raw: object) -> Plan | None:
    try:
        model = TestModel.model_validate(raw, context=reader.machine.rules)
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
        misspelt = {_meant(error) for error in errors}
        for error in errors:
            if error["type"] != "missing" or error["loc"] not in misspelt:
                _translate(error, reader)
        return None
    before = len(reader.problems)
    today = model.start.day or date.min
    start = _instant(reader, ("start",), model.start, today)
    now = start
    steps: list[DayStep] = []
    for number, step in enumerate(model.day):
        path: Path = ("day", number)
        today = step.at.day or today
        at = _instant(reader, (*path, "at"), step.at, today)
        if at < now:
            hint = "steps stand in the order of time; on a later day write the date as well"
            earlier = BadTestError(TestCode.WRONG_ORDER, "this is before the step above it", hint)
            reader.refuse((*path, "at"), earlier)
        now = max(now, at)
        does = _does(reader, path, step, at, today)
        if does is not None:
            place = reader.document.place((*reader.at, *path))
            steps.append(DayStep(at, place, step.user or "", does))
    if len(reader.problems) > before:
        return None
    place = reader.document.place((*reader.at, "name"))
    return Plan(model.name, place, start, model.people, tuple(steps))


def _does(
    reader: _Reader, path: Path, step: StepModel, at: float, today: date
) -> Visits | Opens | Given | Restart | None:
    try:
        if step.visits is not None:
            return _visits(reader.machine, step.visits)
        if step.opens is not None and step.expect is not None:
            address = address_in(reader.machine.catalogue, step.opens)
            return Opens(step.opens, address, _expected(reader, path, step.expect, at, today))
        if step.grant is not None:
            given = step.grant
            until = None
            if given.until is not None:
                until = _later(reader, (*path, "grant", "until"), given.until, at, today)
            return Given(given.allowance, given.for_, given.reason, until)
    except BadTestError as error:
        what = "opens" if step.opens is not None else "visits"
        reader.refuse((*path, what), error)
        return None
    return Restart()


def _visits(machine: CompiledPolicy, wanted: VisitsModel) -> Visits:
    sections = [section.name for section in machine.rules.platforms[wanted.platform].sections]
    if wanted.section is not None and wanted.section not in sections:
        message = f"{wanted.platform} has no section {quote(wanted.section)}"
        hint = f"it has {', '.join(sections)}" if sections else "it has none"
        raise BadTestError(TestCode.UNKNOWN_SECTION, message, hint, near=(wanted.section, sections))
    return Visits(place_to_visit(machine, wanted.platform, wanted.section, wanted.url), wanted.for_)


def _expected(
    reader: _Reader, path: Path, expect: ExpectModel, at: float, today: date
) -> tuple[tuple[str, object], ...]:
    """The fields that are written, in the order of the file format."""
    found: list[tuple[str, object]] = []
    for field in ExpectModel.model_fields:
        if field not in expect.model_fields_set:
            continue
        value: object = getattr(expect, field)
        if isinstance(value, WallTime):
            value = _later(reader, (*path, "expect", field), value, at, today)
        found.append((field, value))
    return tuple(found)


def _later(reader: _Reader, path: Path, wall: WallTime, at: float, today: date) -> float:
    """An instant that has to lie after the step."""
    found = _instant(reader, path, wall, today)
    if found <= at:
        hint = "for another day write the date as well, such as 2026-11-03 00:00"
        reader.refuse(
            path, BadTestError(TestCode.BAD_TIME, "this is over when the step happens", hint)
        )
    return found


def _instant(reader: _Reader, path: Path, wall: WallTime, today: date) -> float:
    try:
        return instant(wall, today, reader.machine.rules.zone)
    except BadTestError as error:
        reader.refuse(path, error)
    except (ValueError, OverflowError):
        reader.refuse(path, BadTestError(TestCode.BAD_TIME, "this time is out of reach"))
    return math.nan  # neither before nor after anything: one mistake, one message


def _translate(error: ErrorDetails, reader: _Reader) -> None:
    """What the model refuses, as a problem with a place and a remedy."""
    path: Path = tuple(error["loc"])
    bad = error.get("ctx", {}).get("error")
    if error["type"] == "extra_forbidden":
        what, keys = _shape(path[:-1])
        hint = did_you_mean(str(path[-1]), keys) or f"it has {', '.join(keys)}"
        message = f"{quote(path[-1])} is not a key of {what}"
        reader.refuse(path, BadTestError(TestCode.UNKNOWN_KEY, message, hint), key=True)
    elif error["type"] == "missing":
        what, _ = _shape(path[:-1])
        message = f"`{path[-1]}` is missing from {what}"
        reader.refuse(path[:-1], BadTestError(TestCode.MISSING_KEY, message))
    elif isinstance(bad, BadTestError):
        is_key = path[-1:] == ("[key]",)
        reader.refuse(path[:-1] if is_key else path, bad, key=is_key)
    else:
        wanted = _WANTED.get(error["type"], "another kind of value")
        message = f"{wanted} is expected here, not {kind(error['input'])}"
        reader.refuse(path, BadTestError(TestCode.WRONG_TYPE, message))


def _meant(error: ErrorDetails) -> Path | None:
    """Where the key that an unknown one comes near should stand: it is not missing as well."""
    if error["type"] != "extra_forbidden":
        return None
    *above, word = error["loc"]
    _, keys = _shape(tuple(above))
    close = nearest(str(word), keys)
    return (*above, close) if close else None


def _shape(path: Path) -> tuple[str, tuple[str, ...]]:
    """What stands at a path of a test, in words, and the keys it has."""
    model: type[BaseModel] = TestModel
    what = "a test"
    if len(path) == 2:
        model, what = StepModel, "a step"
    elif len(path) == 3:
        model, what = _BLOCKS[str(path[-1])]
    return what, tuple(field.alias or key for key, field in _fields(model).items())


def _fields(model: type[BaseModel]) -> Mapping[str, Any]:
    return model.model_fields
