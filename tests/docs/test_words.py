"""The words of the documentation are those of the program, and the other way round."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from db.engine import HEAD
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.core.rules import models as rules_models
from proxy_addon.core.types import Activity, Reason
from proxy_addon.rule_tests import models as test_models
from proxy_addon.web.app import employee_app, web_app
from tests.docs.pages import READ, ROOT, SHELLS, Page, page
from tests.tools import cli_reference, metrics_reference
from tests.web.office import FixedProxyState

COMMANDS = {each.words: frozenset(each.options) for each in cli_reference.commands()}
NO_METRICS = {"allowance_restored", "allowance_names"}  # a database, a module
NO_SETTINGS = {"ALLOWANCE_CONFIG", "ALLOWANCE_CHROMIUM", "ALLOWANCE_NAME"}
NO_ALERTS: set[str] = set()
# Options of other programs that running text names alone.
FOREIGN = {"--name", "--pull", "--seed", "--user", "--require-hashes", "--ignore-hosts"}
HERE = re.compile(r"(?:tests|proxy_addon|db|dashboards|deploy)/[\w./-]*\w/?")


def all_text() -> str:
    """Everything that is written for readers."""
    return "\n".join(each.text for each in READ.values())


def test_every_metric_that_is_named_exists() -> None:
    """And each that exists is on the page of metrics."""
    known = set(metrics_reference.families())
    known |= {f"{name}_{part}" for name in known for part in ("bucket", "sum", "count")}
    named = set(re.findall(r"\b(?:allowance|process)_[a-z_]*[a-z]\b", all_text())) - NO_METRICS
    assert sorted(named - known) == []
    page_of_metrics = page("docs/metrics.md").text
    assert [
        name for name in metrics_reference.families() if f"`{name}`" not in page_of_metrics
    ] == []


def test_every_variable_that_is_named_is_a_setting() -> None:
    """And each setting has its row, with all its spellings."""
    named = set(re.findall(r"\bALLOWANCE_[A-Z_]*[A-Z]\b", all_text())) - NO_SETTINGS
    named -= set(
        re.findall(r"\$\{(ALLOWANCE_[A-Z_]+)", (ROOT / "docker-compose.yml").read_text("utf-8"))
    )
    assert sorted(named - {f"ALLOWANCE_{name.upper()}" for name in Settings.model_fields}) == []
    rows = page("docs/settings.md").text
    for name in Settings.model_fields:
        assert f"`ALLOWANCE_{name.upper()}` | `{name}`" in rows


@pytest.mark.parametrize(
    "block",
    [block for each in READ.values() for block in each.blocks if block.language == "toml"],
    ids=lambda block: block.place,
)
def test_settings_files_can_be_used(block: object, tmp_path: Path) -> None:
    """Each example of `allowance.toml` is read without a complaint."""
    file = tmp_path / "allowance.toml"
    file.write_text(block.text)  # type: ignore[attr-defined]
    assert load_settings({}, file)


def typed(each: Page) -> Iterator[str]:
    """Everything on a page that looks like a command line of `allowance`."""
    lines = [
        line for block in each.blocks if block.language in SHELLS for line in _lines(block.commands)
    ]
    for line in [*lines, *each.code]:
        for part in re.split(r"\s(?:\||&&|;|<+|>+|&|#)(?:\s|$)|;\s|\)", line):
            if re.match(r"(?:\.venv/bin/)?allowance [a-z]", part.strip()):
                yield part.strip()


def _lines(script: str) -> list[str]:
    return script.replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("each", READ.values(), ids=lambda each: each.path.name)
def test_every_command_that_is_named_exists(each: Page) -> None:
    """Commands, groups and options: in blocks and in running text."""
    groups = {words[:1] for words in COMMANDS if len(words) > 1}
    wrong = []
    for line in typed(each):
        words = [
            word
            for word in shlex.split(line.replace("…", "x"), comments=True)[1:]
            if word != "[OPTIONS]"
        ]
        command = tuple(words[:2]) if tuple(words[:2]) in COMMANDS else tuple(words[:1])
        if command not in COMMANDS and not (command in groups and len(words) == 1):
            wrong.append(line)
            continue
        options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        if options - COMMANDS.get(command, frozenset({"--help"})):
            wrong.append(line)
    assert wrong == []


def test_every_option_that_is_named_exists() -> None:
    """An option alone in running text is an option of some command of ours, or of a program that a
    block runs."""
    known = frozenset[str]().union(*COMMANDS.values()) | FOREIGN
    for block in (
        block for each in READ.values() for block in each.blocks if block.language in SHELLS
    ):
        lines = [line for line in _lines(block.commands) if "allowance " not in line]
        known |= set(re.findall(r"--[a-z-]+", "\n".join(lines)))
    named = {
        word.split()[0].partition("=")[0]
        for each in READ.values()
        for word in each.code
        if re.match("--[a-z]", word)
    }
    assert sorted(named - known) == []


def test_every_command_is_described() -> None:
    """The page of the command line has a section for each."""
    assert {each.name.replace(" ", "-") for each in cli_reference.commands()} <= page(
        "docs/cli.md"
    ).anchors


def table(each: Page, first: str) -> list[str]:
    """The code in the first cells of all tables whose first heading is `first`."""
    found: list[str] = []
    rows, inside = iter(each.text.splitlines()), False
    for row in rows:
        if row.startswith(f"| {first} |"):
            inside = True
        elif not row.startswith("|"):
            inside = False
        elif inside:
            found += re.findall(r"`([^`]+)`", row.split("|")[1])
    return found


def test_reasons_and_activities_are_those_of_the_program() -> None:
    """Each code has its row, and no row a code that nobody gives."""
    reasons = page("docs/reasons.md")
    assert table(reasons, "reason") == list(Reason)
    assert table(reasons, "activity") == list(Activity)


def test_headers_are_those_of_the_program() -> None:
    """What answers carry is described, and what is described is sent."""
    pattern = r"\bX-Allowance-[A-Z][A-Za-z-]*[a-z]\b"
    source = "".join(path.read_text("utf-8") for path in ROOT.joinpath("proxy_addon").rglob("*.py"))
    sent, named = set(re.findall(pattern, source)), set(re.findall(pattern, all_text()))
    assert sent == set(re.findall(pattern, page("docs/reasons.md").text))
    assert sorted(named - sent) == []


def keys(module: object) -> set[str]:
    """Every key that some model of a module takes."""
    models = [each for each in vars(module).values() if hasattr(each, "model_fields")]
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def test_every_rule_key_that_is_described_exists() -> None:
    """The other direction is held by tests/rules/test_docs.py."""
    assert sorted(set(table(page("docs/rules.md"), "key")) - keys(rules_models) - METERING) == []
    described = set(
        re.findall(r"^\w+", "\n".join(table(page("docs/rules-testing.md"), "key")), re.M)
    )
    assert sorted(described - keys(test_models) - {"true"}) == []


METERING = {"navigation_gap", "interaction_gap", "media_gap", "tail", "busy_rate"}


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    """Links of alerts lead into the runbook."""
    rules = yaml.safe_load((ROOT / "dashboards/prometheus/alerts.yml").read_text("utf-8"))
    found = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    alerts, runbook = {rule["alert"] for rule in found}, page("docs/runbook.md")
    assert [name for name in alerts if name not in runbook.text] == []
    targets = {rule["annotations"]["runbook_url"].partition("#")[2] for rule in found}
    assert sorted(targets - runbook.anchors) == []
    assert {
        name.lower() for name in re.findall(r"^## (Allowance\w+)", runbook.text, re.M)
    } == targets
    named = set(re.findall(r"\bAllowance[A-Z]\w+", all_text())) - NO_ALERTS
    assert sorted(named - alerts) == []


def test_every_target_of_make_exists() -> None:
    """`make docs` and the like."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    named = {word for each in READ.values() for word in re.findall(r"`make ([a-z]+)", each.text)}
    named |= {
        word
        for each in READ.values()
        for word in re.findall(r"^\s*\$ make ([a-z]+)", each.text, re.M)
    }
    assert sorted(named - targets) == []


@pytest.mark.parametrize("each", READ.values(), ids=lambda each: each.path.name)
def test_every_file_that_is_named_is_there(each: Page) -> None:
    """Whoever looks for the test or the module finds it."""
    missing = []
    for word in each.code:
        name = word.split("::")[0].rstrip(":")
        if HERE.fullmatch(name) and not (ROOT / name).exists():
            missing.append(name)
    assert missing == []


def test_every_address_that_answers_is_described() -> None:
    """Of the employee's side and of the web port; forms and actions behind a page go without."""
    routes = [*employee_app(FixedProxyState()).routes, *web_app(FixedProxyState()).routes]
    paths = {str(route.path) for route in routes if "{" not in route.path}  # type: ignore[attr-defined]
    code_text = "\n".join(each.code_text for each in READ.values())
    assert [
        path
        for path in sorted(paths - {"/"})
        if not re.search(rf"{re.escape(path)}(?![\w-])", code_text)
    ] == []


def test_the_changelog_names_the_schema() -> None:
    """The page on upgrades sends people there to learn whether it changed."""
    assert f"`{HEAD}`" in (ROOT / "CHANGELOG.md").read_text("utf-8")
