"""`proxy_addon/web/proxy_state.py`: pages show what the engine knows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.types import Grant, Visit
from proxy_addon.system.health import down
from proxy_addon.web.interface import Health, HealthPages
from proxy_addon.web.proxy_state import LiveProxyState
from tests.proxy.harness import NOON, ProxyHarness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ProxyHarness]:
    """An office at noon."""
    made = ProxyHarness(tmp_path)
    yield made
    made.close()


def live(harness: ProxyHarness, health: Health = Health(True, {})) -> LiveProxyState:  # noqa: B008 (frozen)
    """The office as its pages see it."""
    return LiveProxyState(
        harness.enforcer,
        harness.book,
        harness.clock,
        HealthPages(
            lambda: health, lambda: {"status": "ok"}, lambda accept: (b"m 1\n", "text/plain")
        ),
        harness.ca_file,
        8080,
    )


def test_person(harness: ProxyHarness) -> None:
    """Roles, balances and today's visits, at this instant."""
    office = live(harness)
    harness.spend("dora", 300.0)
    assert (office.now(), office.rules(), office.roles("dora")) == (NOON, harness.rules, ("staff",))
    (balance,) = office.balances("dora")
    assert (balance.allowance, balance.spent, balance.left) == ("short", 300.0, 600.0)
    assert [visit.end for visit in office.visits_today("dora")] == [NOON]


def test_roles_of_an_address(harness: ProxyHarness) -> None:
    """Roles that an address gave are remembered for the page."""
    harness.enforcer.person("ip:10.0.0.9", ("guest",), NOON)
    assert live(harness).roles("ip:10.0.0.9") == ("guest",)


def test_visits_of_today_only(harness: ProxyHarness) -> None:
    """Not yesterday's, not what was given back whole, not what lies ahead."""
    spans = {
        "yesterday": (NOON - 90_000, NOON - 80_000),
        "over midnight": (NOON - 50_000, NOON - 43_000),
        "given back": (NOON - 100, NOON - 100),
        "today": (NOON - 60, NOON),
        "ahead": (NOON + 10, NOON + 20),
    }
    visits = [
        Visit(name, "dora", "x", None, "short", None, *span, "n") for name, span in spans.items()
    ]
    harness.book.load(visits, [])
    assert {visit.id for visit in live(harness).visits_today("dora")} == {"over midnight", "today"}


def test_state(harness: ProxyHarness) -> None:
    """Health, status, certificate, port and metrics come through."""
    ill = Health(True, {"ledger": down("down: locked")})
    assert live(harness, ill).health() == ill
    office = live(harness)
    assert office.status() == {"status": "ok"}
    assert office.ca_pem().startswith(b"-----BEGIN CERTIFICATE-----")
    assert (office.proxy_port(), office.metrics("")) == (8080, (b"m 1\n", "text/plain"))
    harness.ca_file.unlink()
    assert office.ca_pem().startswith(b"-----BEGIN")  # no page waits for the disk
    assert live(harness).ca_pem() == b""
    assert office.next_ca_pem() == b""


def test_the_mark_of_usage(harness: ProxyHarness) -> None:
    """Equal while only time passes; another one after usage, a grant, or other rules."""
    office = live(harness)
    marks = [office.usage_mark("dora")]
    harness.clock.advance(60)
    assert office.usage_mark("dora") == marks[0]
    harness.spend("emil", 60.0)
    assert office.usage_mark("dora") == marks[0]
    harness.spend("dora", 60.0)
    marks.append(office.usage_mark("dora"))
    grant = Grant("g", "dora", "short", 60.0, NOON, NOON + 3600, "it", "")
    harness.book.load([], [grant])
    marks.append(office.usage_mark("dora"))
    harness.enforcer.swap(CompiledPolicy.of(harness.rules), NOON)
    marks.append(office.usage_mark("dora"))
    assert all(one != other for one, other in itertools.pairwise(marks))
