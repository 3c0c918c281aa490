"""Boards as values, and their form as Grafana reads it (dashboard JSON, schema 41, Grafana 11 and
later)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

SCHEMA = 41
COLUMNS = 24
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECTOR = 'job="allowance", instance=~"$instance"'  # what `$own` stands for in a query

type Kind = Literal["timeseries", "stat", "bargauge"]


@dataclass(frozen=True)
class Panel:
    """One question. `queries`: legend -> PromQL, with `$own` for the proxies that are looked at.

    `text` says what is shown, `todo` what to do about it. `most`: the end of the scale, where there
    is one. `states`: value -> (word, colour), for what is either so or not.
    """

    title: str
    unit: str
    text: str
    todo: str
    queries: dict[str, str]
    kind: Kind = "timeseries"
    width: int = 8
    stacked: bool = False
    most: float | None = None
    states: tuple[tuple[float, str, str], ...] = ()
    warn: float | None = None  # from here on it is not good
    whole: bool = False  # things that are counted: `increase` reckons with parts of them

    @property
    def exprs(self) -> dict[str, str]:
        """The queries as Grafana sends them, `$own` filled in."""
        return {legend: expr.replace("$own", SELECTOR) for legend, expr in self.queries.items()}


@dataclass(frozen=True)
class Board:
    """Rows of panels under a heading each."""

    uid: str
    title: str
    text: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]

    @property
    def panels(self) -> list[Panel]:
        """All panels, in order."""
        return [panel for _, panels in self.rows for panel in panels]


def dashboard(board: Board) -> dict[str, Any]:
    """The board as Grafana's JSON."""
    placed: list[dict[str, Any]] = []
    y = 0
    for heading, panels in board.rows:
        placed.append(_row(len(placed) + 1, heading, y))
        y += 1
        x = height = 0
        for panel in panels:
            if x + panel.width > COLUMNS:
                x, y, height = 0, y + height, 0
            tall = 4 if panel.kind == "stat" else 8
            placed.append(
                _panel(panel, len(placed) + 1, {"x": x, "y": y, "w": panel.width, "h": tall})
            )
            x, height = x + panel.width, max(height, tall)
        y += height
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.text,
        "tags": ["allowance"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": [_reloads()]},
        "templating": {"list": [_data_source(), _instance()]},
        "links": [_link()],
        "panels": placed,
    }


def _row(number: int, title: str, y: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "panels": [],
        "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
    }


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": f"{panel.text}\n\n**What to do:** {panel.todo}",
        "datasource": DATA_SOURCE,
        "gridPos": place,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATA_SOURCE,
                "editorMode": "code",
                "expr": expr,
                "legendFormat": legend,
                "range": panel.kind == "timeseries",
                "instant": panel.kind != "timeseries",
            }
            for index, (legend, expr) in enumerate(panel.exprs.items())
        ],
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel),
    }


def _field(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.warn is not None:
        steps.append({"color": "orange", "value": panel.warn})
    field: dict[str, Any] = {
        "unit": panel.unit,
        "min": 0,
        "color": {"mode": "palette-classic" if panel.kind != "stat" else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if panel.whole:
        field["decimals"] = 0
    if panel.most is not None:
        field["max"] = panel.most
    if panel.states:
        field["mappings"] = [
            {
                "type": "value",
                "options": {f"{value:g}": {"text": word, "color": colour, "index": index}},
            }
            for index, (value, word, colour) in enumerate(panel.states)
        ]
    if panel.kind == "timeseries":
        field["custom"] = {
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "showPoints": "never",
            "fillOpacity": 60 if panel.stacked else 10,
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if panel.warn is not None else "off"},
        }
    return field


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "timeseries":
        return {
            "legend": {
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": True,
                "calcs": [],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.kind == "stat":
        return {
            "reduceOptions": reduce,
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "textMode": "auto",
            "orientation": "auto",
            "wideLayout": True,
        }
    return {
        "reduceOptions": reduce,
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
        "valueMode": "color",
        "namePlacement": "auto",
        "sizing": "auto",
        "minVizHeight": 16,
        "minVizWidth": 8,
    }


def _data_source() -> dict[str, Any]:
    return {
        "name": "datasource",
        "type": "datasource",
        "query": "prometheus",
        "label": "Prometheus",
        "hide": 0,
        "current": {},
        "refresh": 1,
        "regex": "",
        "multi": False,
        "includeAll": False,
    }


def _instance() -> dict[str, Any]:
    query = 'label_values(up{job="allowance"}, instance)'
    return {
        "name": "instance",
        "type": "query",
        "label": "Proxy",
        "hide": 0,
        "datasource": DATA_SOURCE,
        "query": {"query": query, "refId": "instances"},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "regex": "",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _reloads() -> dict[str, Any]:
    return {
        "name": "Rules changed",
        "enable": True,
        "hide": False,
        "iconColor": "blue",
        "datasource": DATA_SOURCE,
        "expr": "changes(allowance_rules_loaded_timestamp_seconds[$__rate_interval]) > 0",
        "step": "60s",
        "titleFormat": "Other rules are in force",
        "textFormat": "{{instance}}",
    }


def _link() -> dict[str, Any]:
    return {
        "type": "dashboards",
        "title": "Allowance",
        "tags": ["allowance"],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "url": "",
        "tooltip": "",
    }
