"""`dashboards/prometheus`: promtool takes configuration and alerts, each alert is proved, each has
its runbook."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.dashboards.prometheus import ALERTS, MISSING, PROMTOOL
from tests.e2e.process import ROOT

FOLDER = ALERTS.parent
RULES: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"][0]["rules"]
NAMES = [rule["alert"] for rule in RULES]
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason=MISSING)


def promtool(*args: str) -> None:
    """Run it; its words where it is not content."""
    command = [PROMTOOL or "promtool", *args]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize(
    "what", [("config", "prometheus.yml"), ("rules", "alerts.yml")], ids=" ".join
)
def test_promtool_takes_the_files(what: tuple[str, str]) -> None:
    """`promtool check` is content."""
    promtool("check", *what)


@needs_promtool
def test_each_alert_fires_when_it_should() -> None:
    """`promtool test rules`: every alert is silent before its cause and fires after it, with these
    words."""
    promtool("test", "rules", "alerts.test.yml")


def test_each_alert_is_tested_both_ways() -> None:
    """alerts.test.yml has a quiet and a loud moment for every alert."""
    cases = yaml.safe_load((FOLDER / "alerts.test.yml").read_text("utf-8"))["tests"]
    seen = {name: set[bool]() for name in NAMES}
    for case in cases:
        for moment in case["alert_rule_test"]:
            seen[moment["alertname"]].add(bool(moment["exp_alerts"]))
    assert seen == {name: {False, True} for name in NAMES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_leads_to_its_page(rule: dict[str, Any]) -> None:
    """The runbook link leads to a section that says what it means, how to check and what to do."""
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    sections = re.split(r"^## ", (ROOT / page).read_text("utf-8"), flags=re.MULTILINE)
    (section,) = [each for each in sections if each.split("\n", 1)[0].lower() == anchor]
    assert all(f"**{word}.**" in section for word in ("Means", "Check", "Do"))
    assert rule["labels"]["severity"] in ("page", "ticket")
