"""The shipped JSON Schemas: those of the models, agreed to by a validator that is not ours."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from proxy_addon.cli.rules.schema import KINDS, schema_of, text_of
from proxy_addon.rules.yaml_reader import parse
from tests.rule_tests.office import one_test, read
from tests.rule_tests.test_loader import MISTAKES

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SHIPPED = ROOT / "rules" / "schema"
# Mistakes that a schema must see: keys that are not there, and values that have the wrong shape.
STRUCTURAL = (
    "unknown-key",
    "missing-key",
    "wrong-type",
    "empty-list",
    "bad-version",
    "bad-duration",
    "bad-limit",
    "bad-time",
    "bad-days",
    "bad-choice",
    "bad-then",
)
# Mistakes that a schema cannot see: they turn on another value, or on what a number is for.
MEANING = {
    "between-empty": "a stretch that ends where it begins",
    "limit-rolling-zero": "zero, as a length",
    "retention-zero": "zero, as a length",
    "platform-no-hosts": "another file may bring the hosts",
}


@cache
def validator(kind: str) -> Draft202012Validator:
    """The shipped schema of a kind, checked against the schema of schemas."""
    schema = json.loads((SHIPPED / f"{kind}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def errors(file: Path, kind: str | None = None) -> list[str]:
    """What the validator says about a file."""
    document, problems = parse(file.read_bytes(), file.name)
    assert document is not None, problems
    return [
        error.message for error in validator(kind or kind_of(file)).iter_errors(dict(document.data))
    ]


def kind_of(file: Path) -> str:
    """Which schema a file names in its folder."""
    if file.parent.name in ("platforms", "tests"):
        return {"platforms": "platform", "tests": "tests"}[file.parent.name]
    return "people" if file.stem == "people" else "policy"


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_schema_is_that_of_the_models(kind: str) -> None:
    """Whoever changes a model ships the schema with it: `allowance rules schema KIND >
    rules/schema/KIND.json`."""
    assert (SHIPPED / f"{kind}.json").read_text("utf-8") == text_of(kind)
    assert schema_of(kind)["$schema"].endswith("/draft/2020-12/schema")


FILES = [
    file
    for pattern in ("*.yaml", "platforms/*.yaml", "tests/*.yaml")
    for file in (ROOT / "rules").glob(pattern)
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_shipped_files_fit_their_schema_and_name_it(file: Path) -> None:
    """Editors find the schema by the first line."""
    assert errors(file) == []
    first, _, _ = file.read_text("utf-8").partition("\n")
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (file.parent / named).resolve() == SHIPPED / f"{kind_of(file)}.json"


@pytest.mark.parametrize(
    "file", sorted((HERE / "good").rglob("*.yaml")), ids=lambda file: file.stem
)
def test_good_files_fit(file: Path) -> None:
    """What loads is not underlined."""
    assert errors(file) == []


def rows() -> list[tuple[Path, list[str]]]:
    """Each wrong file that can be read, with the codes of its own problems."""
    found: list[tuple[Path, list[str]]] = []
    case = ""
    for line in (HERE / "expected.txt").read_text("utf-8").splitlines():
        if line.startswith("  "):
            place, code = line.strip().split(": ")[:2]
            file = place.split(":")[0].removeprefix("rules/")
            path = HERE / "bad" / f"{case}.yaml"
            path = path if path.exists() else HERE / "bad" / case / file
            if found and found[-1][0] == path:
                found[-1][1].append(code)
            elif path.is_file():
                found.append((path, [code]))
        elif line and not line.startswith("#"):
            case = line
    return [(path, codes) for path, codes in found if parse(path.read_bytes(), "")[0] is not None]


CASES = rows()


def name(path: Path) -> str:
    """The case that a wrong file belongs to."""
    return path.relative_to(HERE / "bad").parts[0].removesuffix(".yaml")


@pytest.mark.parametrize(("path", "codes"), CASES, ids=[name(path) for path, _ in CASES])
def test_wrong_files_are_rejected_by_the_schema_or_not_at_all(path: Path, codes: list[str]) -> None:
    """What has a wrong shape is refused; what is only wrong in its meaning, or merely strange, is
    accepted."""
    refused = bool(errors(path))
    if name(path) in MEANING:
        assert not refused, "the schema sees this by now: take it off the list"
    elif any(code in STRUCTURAL for code in codes):
        assert refused
    elif all(code in MEANT for code in codes):
        assert not refused


# Mistakes in a step of a test file that turn on the rules, on the clock, or on what a name may
# hold.
UNSEEN = (
    "test-unknown-platform",
    "test-unknown-section",
    "test-unknown-allowance",
    "test-unknown-rule",
    "test-wrong-order",
    "test-bad-name",
    "this is over",
    "does not exist",
    "cannot be how long",
)


def errors_in_test_file(text: str) -> list[str]:
    """What the validator says about the text of a test file."""
    document, problems = parse(text.encode(), "a.yaml")
    assert document is not None, problems
    return [error.message for error in validator("tests").iter_errors(dict(document.data))]


@pytest.mark.parametrize(("step", "told"), MISTAKES, ids=[step for step, _ in MISTAKES])
def test_wrong_steps_of_tests_are_rejected_by_the_schema_or_not_at_all(
    step: str, told: str
) -> None:
    """An editor underlines every step that could not run anywhere, and none that is wrong for these
    rules only."""
    assert bool(errors_in_test_file(one_test(step))) != any(part in told for part in UNSEEN)


@pytest.mark.parametrize(
    "text",
    [
        "test: []",
        "tests: {}",
        "tests: [a]",
        "tests: [{name: a, day: []}]",
        one_test("- {at: 09:00, restart: true}", start="09:00"),
        one_test("- {at: 09:00, restart: true}", people="{dora: []}"),
        one_test("- {at: 09:00, restart: true}").replace("start", "begin"),
    ],
)
def test_wrong_test_files_are_rejected(text: str) -> None:
    """Around the steps as well."""
    assert read(text).problems
    assert errors_in_test_file(text)


@pytest.mark.parametrize(
    "step",
    [
        '{at: "9:05", user: 4711, opens: "HTTPS://x.example/", expect: {left: 0}}',
        "{at: 2026-11-03T09:00:30, user: dora, opens: https://x.example/, expect: {until: never, rule: none}}",
        "{at: 2026-11-03 09:00+00:00, user: ip:10.0.7.33, visits: {platform: x, for: 1h30m}}",
        "{at: 10:00, user: dora, grant: {allowance: daily, for: 90s, until: 2026-11-04 00:00Z, reason: 12}}",
    ],
)
def test_right_steps_are_accepted(step: str) -> None:
    """Every spelling that the reader takes, the schema takes."""
    look = (
        '\n- {at: 2026-11-04 12:00, user: dora, opens: "https://x.example/", expect: {would: none}}'
    )
    text = one_test(f"- {step}{look}", people="{dora: staff}")
    assert not read(text).problems
    assert errors_in_test_file(text) == []


# Wrong or strange only because of what stands elsewhere.
MEANT = {
    "unknown-role",
    "unknown-platform",
    "unknown-section",
    "unknown-allowance",
    "unknown-calendar",
    "unknown-holidays",
    "duplicate-name",
    "duplicate-key",
    "duplicate-host",
    "group-cycle",
    "unreachable-rule",
    "never-true",
    "unused-role",
    "unused-allowance",
    "unused-platform",
    "two-overrides",
    "limit-too-large",
    "overlapping-devices",
}
