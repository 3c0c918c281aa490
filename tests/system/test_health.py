"""Twin of proxy_addon/system/health.py: how a part is, and the words for it."""

from __future__ import annotations

import pickle

import pytest

from proxy_addon.system.health import FINE, PartHealth, degraded, down


@pytest.mark.parametrize(
    ("part", "ok", "works", "text"),
    [
        (FINE, True, True, "ok"),
        (degraded("old rules"), False, True, "degraded: old rules"),
        (down("down: locked"), False, False, "down: locked"),
        (degraded("old rules")._replace(worker=1), False, True, "worker 1: degraded: old rules"),
        (down("degraded: not really"), False, False, "degraded: not really"),
    ],
)
def test_levels(part: PartHealth, ok: bool, works: bool, text: str) -> None:
    """The level decides and not the words; workers tell it through a pipe."""
    assert (part.ok, part.works, part.text) == (ok, works, text)
    assert pickle.loads(pickle.dumps(part)) == part
