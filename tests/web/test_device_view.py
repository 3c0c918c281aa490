"""`proxy_addon/web/device_view.py`: the four things that a device needs, and how far each is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.web.device_systems import System
from proxy_addon.web.device_view import (
    DevicePage,
    DistrustNote,
    PolicyTick,
    SeenDevice,
    TickState,
    device_page,
    reachable_page,
)
from proxy_addon.web.downloads import fingerprint
from proxy_addon.web.employee_view import Visitor
from tests.web.notice_setup import SOCIAL
from tests.web.office import CA_PEM, rule_set

DORA = Visitor("dora", identified=True, address="10.0.7.33", signed_in=True)
NEWCOMER = Visitor("ip:10.0.7.33", identified=False, address="10.0.7.33", newcomer=True)
NOBODY = Visitor("ip:10.0.7.33", identified=False, address="10.0.7.33")
RECEPTION = Visitor("reception", identified=True, address="10.0.7.33")
DIRECT = NEWCOMER._replace(direct=True)
PLAIN = SeenDevice(
    System.WINDOWS,
    "Edge",
    "10.0.0.5",
    "http://10.0.0.5:8080/proxy.pac",
    "http://10.0.0.5:8080/device",
    secure=False,
)
WITH_POLICY = replace(rule_set(), notices=(SOCIAL,))
READ, UNREAD = PolicyTick(is_done=True, minutes=4), PolicyTick(is_done=False, minutes=4)


def page(
    who: Visitor | None,
    *,
    secure: bool = False,
    policy: PolicyTick | None = None,
    rules: RuleSet = WITH_POLICY,
    distrust: DistrustNote | None = None,
    device: SeenDevice = PLAIN,
) -> DevicePage:
    """The page for somebody."""
    seen = device._replace(secure=secure)
    return device_page(seen, who, rules, policy, fingerprint(CA_PEM), distrust)


def states(made: DevicePage) -> str:
    """How far each thing is, in order, by first letters: proxy, name, certificate, policy."""
    return "".join(tick.state.value[0] for tick in made.ticks)


@pytest.mark.parametrize(
    ("made", "expected", "heading"),
    [
        (page(DORA, secure=True, policy=READ), "dddd", "This device is ready"),
        (page(DORA, policy=READ), "ddud", "Set up this device"),
        (page(DORA, policy=UNREAD), "ddum", "One thing is missing on this device"),
        (page(NEWCOMER), "dmuu", "One thing is missing on this device"),
        (page(NEWCOMER, secure=True), "dmdu", "One thing is missing on this device"),
        (page(NOBODY, secure=True, policy=UNREAD), "dddm", "One thing is missing on this device"),
        (page(RECEPTION, secure=True), "dddd", "This device is ready"),
        (page(DIRECT), "muuu", "One thing is missing on this device"),
        (page(DIRECT, secure=True), "muuu", "One thing is missing on this device"),
        (page(None), "muuu", "One thing is missing on this device"),
        (
            page(DORA, policy=UNREAD, distrust=DistrustNote("Facebook", "14:49")),
            "ddmm",
            "Two things are missing on this device",
        ),
    ],
)
def test_ticks(made: DevicePage, expected: str, heading: str) -> None:
    """Each reader has the four of them, and a heading that says how many are missing."""
    assert (states(made), made.heading) == (expected, heading)
    assert len(made.headings.by_number) == 5
    assert len(set(made.headings.by_number)) == 5


def test_without_a_policy() -> None:
    """Where there is no written policy nobody has to read one."""
    made = page(DORA, secure=True, rules=rule_set())
    assert (states(made), made.heading) == ("ddd", "This device is ready")


@pytest.mark.parametrize("who", [NEWCOMER, DIRECT, None])
def test_a_newcomer_has_no_name(who: Visitor | None) -> None:
    """Not even that of an address stands on the page."""
    assert "10.0.7.33" not in str(page(who))


@pytest.mark.parametrize("who", [DORA, NEWCOMER, NOBODY, RECEPTION, DIRECT, None])
def test_every_tick_says_what_it_is(who: Visitor | None) -> None:
    """In the state that it has, and in those that a check can bring."""
    for tick in page(who, policy=UNREAD).ticks:
        assert tick.texts[tick.state]
        if tick.check:
            assert {TickState.DONE, TickState.MISSING} <= set(tick.texts)
        assert bool(tick.href) == bool(tick.action)


def test_what_is_checked() -> None:
    """Through the proxy the certificate, over TLS; before that whether the proxy is used."""
    checks = {tick.key: tick.check for tick in page(DORA).ticks if tick.check}
    assert checks == {"certificate": "https://allowance.internal/device/check"}
    checks = {tick.key: tick.check for tick in page(DIRECT).ticks if tick.check}
    assert checks == {"proxy": "http://allowance.internal/device/check"}


def test_what_could_not_be_opened() -> None:
    """What the device's own connections have shown is said where it matters."""
    text = page(DORA, distrust=DistrustNote("Facebook", "14:49")).ticks[2].texts[TickState.MISSING]
    assert "Facebook could not be opened at 14:49" in text
    text = page(DORA, distrust=DistrustNote("", "14:49")).ticks[2].texts[TickState.MISSING]
    assert "Facebook and whatever else is limited" in text
    text = (
        page(DORA, rules=replace(rule_set(), limited=frozenset())).ticks[2].texts[TickState.MISSING]
    )
    assert "limited platforms show a warning" in text


def test_a_system_that_nobody_knows() -> None:
    """The steps of the most frequent one, and the list of the others open."""
    made = page(DORA, device=PLAIN._replace(system=None, browser=""))
    assert (made.system, made.is_guess, made.lead) == (System.WINDOWS, True, "")
    assert [each.title for each in made.systems if each.is_shown] == ["Windows"]
    assert page(DORA).lead == "Windows, Edge"


def test_code() -> None:
    """A drawing of the address, without anything that a page's policy would stop."""
    code = page(DORA).code
    assert code is not None
    assert code.startswith("<svg")
    assert "style" not in code
    assert "script" not in code
    assert page(DORA, device=PLAIN._replace(page=None)).code is None


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("10.0.0.5", "http://10.0.0.5:8080/device"),
        ("[2001:db8::5]", "http://[2001:db8::5]:8080/device"),
        ("proxy.example", "http://proxy.example:8080/device"),
        ("127.0.0.1", None),
        ("[::1]", None),
        ("localhost", None),
        (None, None),
    ],
)
def test_what_other_devices_can_open(host: str | None, address: str | None) -> None:
    """Nothing that is this machine's own."""
    authority = None if host is None else f"{host}:8080"
    assert reachable_page(host, authority) == address
