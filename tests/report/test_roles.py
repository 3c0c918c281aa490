"""`proxy_addon/report/roles.py`: under which role somebody is counted."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Duty
from proxy_addon.report.roles import NOT_KNOWN, Roles
from tests.core.policies import LUNCH, SAMPLE, at


def test_names() -> None:
    """The first role of the people file; the default role for everybody else."""
    roles = Roles(Engine(SAMPLE))
    assert [roles.role(name, at("09:00")) for name in ("maria", "carl", "dora")] == [
        "marketing",
        "care",
        "staff",
    ]


def test_a_rota_is_asked_for_the_instant() -> None:
    """On duty at lunch, so what was used at lunch counts there."""
    people = replace(SAMPLE.people, duties={"care": (Duty(("dora",), LUNCH),)})
    roles = Roles(Engine(replace(SAMPLE, people=people)))
    assert [roles.role("dora", at(time)) for time in ("11:59", "12:00", "13:30")] == [
        "staff",
        "care",
        "staff",
    ]


def test_addresses() -> None:
    """The role of the device, else that of people whom nobody could identify."""
    devices = (
        (ip_network("10.0.8.7/32"), None, "care"),
        (ip_network("10.0.8.0/24"), None, "marketing"),
    )
    roles = Roles(Engine(replace(SAMPLE, people=replace(SAMPLE.people, devices=devices))))
    found = [
        roles.role(name, 0.0)
        for name in ("ip:10.0.8.7", "ip:10.0.8.9", "ip:10.0.9.9", "ip:unknown")
    ]
    assert found == ["care", "marketing", "guest", "guest"]
    nobody = Roles(Engine(replace(SAMPLE, unidentified_role=None)))
    assert nobody.role("ip:10.0.9.9", 0.0) == NOT_KNOWN


def test_pseudonyms() -> None:
    """A role only where the name is known here; the limits of everybody else are those of the
    default role."""
    roles = Roles(Engine(SAMPLE), {"p:abc": "carl"})
    assert [roles.role(name, 0.0) for name in ("p:abc", "p:def")] == ["care", NOT_KNOWN]
    assert [roles.person(name, 0.0).roles for name in ("p:abc", "p:def")] == [("care",), ("staff",)]
