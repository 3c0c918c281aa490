"""Writes boards/*.json from content.py: python -m dashboards.grafana.make"""

from __future__ import annotations

import json
from pathlib import Path

from dashboards.grafana.content import BOARDS
from dashboards.grafana.panels import Board, dashboard

FOLDER = Path(__file__).with_name("boards")


def file_of(board: Board) -> Path:
    """Where a board is kept."""
    return FOLDER / f"{board.uid.removeprefix('allowance-')}.json"


def text_of(board: Board) -> str:
    """The content of its file."""
    return json.dumps(dashboard(board), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in BOARDS:
        file_of(each).write_text(text_of(each), "utf-8")
