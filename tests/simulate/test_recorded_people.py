"""Twin of proxy_addon/simulate/recorded_people.py: the proxy's own answer to who is asking."""

from __future__ import annotations

import pytest

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.rules.lookup import person_of
from proxy_addon.simulate.recorded_people import RecordedPeople
from tests.rule_tests.office import POLICY, machine

NOW = 1_793_610_000.0


def rules(extra: str = "") -> RuleSet:
    """An office with two devices."""
    return machine(POLICY + extra).engine.rule_set


@pytest.mark.parametrize(
    ("user", "client", "name"),
    [
        ("Dora", "10.0.0.7", "dora"),
        (" DORA ", "", "dora"),
        ("OFFICE\\Dora", "10.0.0.9", "office\\dora"),
        ("dora@OFFICE.EXAMPLE", "10.0.0.9", "dora@office.example"),
        ("ip:10.0.0.7", "10.0.0.7", "reception"),
        ("ip:::ffff:10.0.0.7", "", "reception"),
        ("ip:::FFFF:10.0.0.9", "", "ip:10.0.0.9"),
        ("ip:2001:DB8:0:0::1", "", "ip:2001:db8::1"),
        ("ip:fe80::1%eth0", "", "ip:fe80::1"),
        ("ip:PC7.office.example", "", "ip:pc7.office.example"),
        ("a:b", "10.0.0.7", "reception"),
        ("a:b", "phone", "ip:a:b"),
    ],
)
def test_names_are_the_proxys(user: str, client: str, name: str) -> None:
    """In one spelling; addresses as the proxy writes them; a name that nobody can have is none."""
    assert RecordedPeople(rules()).of(user, client).name == name


@pytest.mark.parametrize("address", ["10.0.0.7", "10.0.0.8", "10.0.0.9", "::ffff:10.0.0.8", "::1"])
def test_explain_says_the_same(address: str) -> None:
    """Name and roles of whoever is known by an address."""
    engine = machine().engine
    person = person_of(engine, f"ip:{address}", NOW)
    who = RecordedPeople(engine.rule_set).of(f"ip:{address}", address)
    assert person is not None
    assert (who.name, who.roles or engine.person(who.name, NOW).roles) == (
        person.name,
        person.roles,
    )


def test_who_is_refused() -> None:
    """Where the policy lets nobody unidentified in, devices are still known."""
    people = RecordedPeople(rules("unidentified: refuse\n"))
    assert people.of("ip:10.0.0.9", "10.0.0.9").refused
    assert not people.of("ip:10.0.0.7", "10.0.0.7").refused
    assert not people.of("dora", "10.0.0.9").refused
