"""`proxy_addon/web/proxy_state.py`: pages show what the engine knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_addon.core.types import Visit
from proxy_addon.system.health import FINE, PartHealth, degraded, down
from proxy_addon.web.proxy_state import LiveProxyState
from tests.proxy.house import NOON, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An office at noon."""
    made = House(tmp_path)
    yield made
    made.close()


def live(house: House, **checks: PartHealth) -> LiveProxyState:
    """The office as its pages see it."""
    return LiveProxyState(
        house.enforcer, house.book, house.clock, lambda: checks, lambda accept: (b"m 1\n", "text/plain"),
        house.ca_file, 8080,
    )  # fmt: skip


def test_person(house: House) -> None:
    """Roles, balances and today's visits, at this instant."""
    office = live(house)
    house.spend("dora", 300.0)
    assert (office.now(), office.rules(), office.roles("dora")) == (NOON, house.rules, ("staff",))
    (balance,) = office.balances("dora")
    assert (balance.allowance, balance.spent, balance.left) == ("short", 300.0, 600.0)
    assert [visit.end for visit in office.visits_today("dora")] == [NOON]


def test_roles_of_an_address(house: House) -> None:
    """Roles that an address gave are remembered for the page."""
    house.enforcer.person("ip:10.0.0.9", ("guest",), NOON)
    assert live(house).roles("ip:10.0.0.9") == ("guest",)


def test_visits_of_today_only(house: House) -> None:
    """Not yesterday's, not what was given back whole, not what lies ahead."""
    spans = {
        "yesterday": (NOON - 90_000, NOON - 80_000), "over midnight": (NOON - 50_000, NOON - 43_000),
        "given back": (NOON - 100, NOON - 100), "today": (NOON - 60, NOON), "ahead": (NOON + 10, NOON + 20),
    }  # fmt: skip
    visits = [
        Visit(name, "dora", "x", None, "short", None, *span, "n") for name, span in spans.items()
    ]
    house.book.load(visits, [])
    assert {visit.id for visit in live(house).visits_today("dora")} == {"over midnight", "today"}


def test_state(house: House) -> None:
    """Ready when every part is; certificate, port and metrics come through."""
    assert live(house, ledger=FINE, rules=degraded("old")).health().ready
    assert not live(house, ledger=down("down: locked"), rules=FINE).health().ready
    office = live(house)
    assert office.ca_pem().startswith(b"-----BEGIN CERTIFICATE-----")
    assert (office.proxy_port(), office.metrics("")) == (8080, (b"m 1\n", "text/plain"))
    house.ca_file.unlink()
    assert office.ca_pem() == b""
