"""Runs recorded traffic through the same engine, on a virtual clock."""

from proxy_addon.simulate.replay import Replay, simulate_events
from proxy_addon.simulate.result import PersonResult, Result

__all__ = ["PersonResult", "Replay", "Result", "simulate_events"]
