"""docs/rules.md says everything there is to say, and its examples are right."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from proxy_addon.core.rules import models
from proxy_addon.core.rules.problems import Code, Severity
from proxy_addon.core.ruleset import Metering
from proxy_addon.rules import folder as rules_folder

ROOT = Path(__file__).parents[2]
TEXT = ROOT.joinpath("docs/rules.md").read_text("utf-8")


def test_every_code_has_its_row_and_every_row_its_code() -> None:
    """Nobody meets a message that is not explained."""
    table = TEXT.partition("### Every message by its code")[2]
    assert re.findall(r"^\| `([a-z0-9-]+)` \|", table, re.M) == list(Code)


def test_every_code_has_an_example_and_a_way_out() -> None:
    """Three things are said of each: what is wrong, how it looks, what to do."""
    table = TEXT.partition("### Every message by its code")[2]
    rows = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    assert [row for row in rows if len(row) != 4 or not all(cell.strip() for cell in row)] == []


def test_every_code_is_given_by_some_code() -> None:
    """The list holds nothing that can no longer happen."""
    source = "".join(path.read_text("utf-8") for path in ROOT.joinpath("proxy_addon").rglob("*.py"))
    assert [code for code in Code if f"Code.{code.name}" not in source] == []


@pytest.mark.parametrize(
    "model",
    [
        models.PolicyModel,
        models.AllowanceModel,
        models.OverrideModel,
        models.RuleModel,
        models.WhenModel,
        models.PeopleModel,
        models.RoleModel,
        models.DutyModel,
        models.PlatformModel,
        models.SectionModel,
        models.NoticeModel,
        models.OfficeModel,
        models.FrontMatterModel,
        models.TranslationModel,
    ],
)
def test_every_key_is_described(model: type[models.Strict]) -> None:
    """A key that the page does not name is a key that nobody uses."""
    keys = [field.alias or name for name, field in model.model_fields.items()]
    assert [key for key in keys if f"`{key}`" not in TEXT] == []


def test_every_constant_of_the_meter_is_described() -> None:
    """`metering:` may change each of them."""
    assert [field.name for field in fields(Metering) if f"`{field.name}`" not in TEXT] == []


def errors(folder: Path) -> list[str]:
    """What keeps the rules from going into force; examples may name a platform for nothing."""
    return [str(p) for p in rules_folder.check(folder) if p.severity is Severity.ERROR]


def test_the_examples_are_right(tmp_path: Path) -> None:
    """The whole files shown on the page load together; the parts load inside them."""
    before, _, story = TEXT.partition(
        "## A change, from wish to live"
    )  # tests/e2e/test_wish.py tells that one
    blocks = re.findall(r"```yaml\n(.*?)```", before + story.partition("\n## ")[2], re.S)
    policy, allowances, urgent, trial, when, calendars, dated, notice, people, roster, forum = (
        blocks
    )
    (tmp_path / "platforms").mkdir()
    names = ("facebook", "x", "linkedin")
    shipped = "".join(f"{name}: {{hosts: [{name}.com]}}\n" for name in names)
    (tmp_path / "platforms" / "shipped.yaml").write_text(shipped)
    (tmp_path / "platforms" / "ours.yaml").write_text(forum)
    rule = "    " + when.replace("\n", "\n    ")
    (tmp_path / "policy.yaml").write_text(policy + rule)
    (tmp_path / "people.yaml").write_text(people)
    assert errors(tmp_path) == []
    care = people.replace("  admin:", "  care: {}\n  admin:")
    (tmp_path / "people.yaml").write_text(care)
    (tmp_path / "policy.yaml").write_text(trial.replace("[tiktok]", "[linkedin]"))
    assert errors(tmp_path) == []
    (tmp_path / "policy.yaml").write_text(
        "version: 1\ntimezone: Europe/London\n" + allowances + urgent
    )
    assert errors(tmp_path) == []
    (tmp_path / "fair.ics").write_text(SHIFTS)
    (tmp_path / "shifts.ics").write_text(SHIFTS)
    head = (
        "version: 1\ntimezone: Europe/London\nplatform_groups: {social: [facebook, x, linkedin]}\n"
    )
    (tmp_path / "policy.yaml").write_text(head + calendars + dated)
    (tmp_path / "people.yaml").write_text(roster)
    assert errors(tmp_path) == []
    (tmp_path / "notices").mkdir()
    for language in ("", ".de"):
        shipped_text = ROOT.joinpath("rules", "notices", f"social-media{language}.md").read_text()
        only = re.sub(r"(?m)^languages: .*$", "languages: [en, de]", shipped_text)
        (tmp_path / "notices" / f"social-media{language}.md").write_text(only)
    (tmp_path / "policy.yaml").write_text(head + notice)
    (tmp_path / "people.yaml").unlink()
    assert errors(tmp_path) == []


SHIFTS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//office
BEGIN:VEVENT
UID:1
DTSTART:20261102T090000
DTEND:20261102T170000
ATTENDEE:mailto:carl@office.example
SUMMARY:Early
END:VEVENT
END:VCALENDAR
"""
