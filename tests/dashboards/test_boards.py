"""`dashboards/grafana`: the boards are what the code makes, whole, and can be provisioned."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.content import BOARDS
from dashboards.grafana.make import FOLDER, file_of, text_of
from dashboards.grafana.panels import Board, Panel, dashboard
from tests.e2e.process import ROOT

PANELS = [pytest.param(panel, id=panel.title) for board in BOARDS for panel in board.panels]
UNITS = {"short", "none", "s", "percentunit", "reqps", "ops", "cps", "Bps", "bytes"}  # of Grafana
GRAFANA = ROOT / "dashboards" / "grafana"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_the_files_are_fresh(board: Board) -> None:
    """Each file is what the code makes; else run python -m dashboards.grafana.make."""
    assert file_of(board).read_text("utf-8") == text_of(board)
    assert {path.name for path in FOLDER.glob("*.json")} == {file_of(each).name for each in BOARDS}


@pytest.mark.parametrize("panel", PANELS)
def test_panels_explain_themselves(panel: Panel) -> None:
    """Each panel has a title, a unit that Grafana knows, a description, and a sentence on what to
    do."""
    assert panel.title and panel.unit in UNITS
    assert panel.text.endswith(".") and len(panel.text) > 20
    assert panel.todo.endswith(".") and panel.queries


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    """True when two places share a field of the grid."""
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in ("xw", "yh")
    )


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_the_grid_is_sound(board: Board) -> None:
    """Numbers are unique, and no panel leaves the grid or covers another."""
    panels: list[dict[str, Any]] = dashboard(board)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_query_can_be_narrowed(board: Board) -> None:
    """Each query goes to the chosen data source and can be narrowed to chosen proxies."""
    for panel in dashboard(board)["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${datasource}"
            assert 'instance=~"$instance"' in target["expr"]
            assert "$own" not in target["expr"]


def provisioned(name: str) -> Any:
    """A provisioning file."""
    return yaml.safe_load((GRAFANA / "provisioning" / name).read_text("utf-8"))


def test_provisioning() -> None:
    """Grafana is told of one Prometheus and of one folder with the boards."""
    (source,) = provisioned("datasources/prometheus.yaml")["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    (provider,) = provisioned("dashboards/allowance.yaml")["providers"]
    assert provider["type"] == "file"
    assert Path(provider["options"]["path"]).name == FOLDER.name


def test_no_board_shows_a_person() -> None:
    """No query sorts by anything that could tell somebody."""
    text = json.dumps([dashboard(board) for board in BOARDS])
    assert not [
        word
        for word in ("{{person", "{{user", "{{address", "by (person", "by (user")
        if word in text
    ]
