"""The three boards, in the order in which they are listed."""

from __future__ import annotations

from dashboards.grafana.fairness_board import FAIRNESS
from dashboards.grafana.health_board import HEALTH
from dashboards.grafana.office_board import OFFICE

BOARDS = (OFFICE, FAIRNESS, HEALTH)
