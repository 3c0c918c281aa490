"""`proxy_addon/network/distrust.py`: devices that do not accept our certificate."""

from __future__ import annotations

import pytest

from proxy_addon.network import distrust
from proxy_addon.network.distrust import KEPT_SECONDS, TRUSTED_SECONDS, Distrust
from proxy_addon.network.distrust import DistrustingDevices as Devices

HERE = ("10.0.7.33", "dora")


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_device_is_an_address_and_a_person() -> None:
    """What one of them does says nothing of another one."""
    devices = Devices(Clock())
    devices.failed(*HERE, "facebook")
    assert devices.of(*HERE) == Distrust("facebook", 1000.0)
    assert devices.of("10.0.7.34", "dora") is None
    assert devices.of("10.0.7.33", "emil") is None


def test_success_wipes_it() -> None:
    """One handshake that succeeds is enough; for a while after it a failure is that of an app."""
    clock = Clock()
    devices = Devices(clock)
    devices.failed(*HERE)
    devices.succeeded(*HERE)
    assert devices.of(*HERE) is None
    clock.at += TRUSTED_SECONDS - 1
    devices.failed(*HERE)
    assert devices.of(*HERE) is None
    clock.at += 2
    devices.failed(*HERE)
    assert devices.of(*HERE) == Distrust("", clock.at)


def test_a_newcomer_may_be_anybody_there() -> None:
    """What succeeds before somebody has signed in wipes what is known of their address, and of no
    other."""
    devices = Devices(Clock())
    for address, name in (HERE, ("10.0.7.33", "emil"), ("10.0.7.34", "dora")):
        devices.failed(address, name)
    devices.succeeded("10.0.7.33", "ip:10.0.7.33", is_newcomer=True)
    assert devices.of(*HERE) is None
    assert devices.of("10.0.7.33", "emil") is None
    assert devices.of("10.0.7.34", "dora") is not None


def test_it_is_forgotten() -> None:
    """After a while without a failure nothing is known any more; the last failure counts."""
    clock = Clock()
    devices = Devices(clock)
    devices.failed(*HERE, "x")
    clock.at += 60
    devices.failed(*HERE, "facebook")
    clock.at += KEPT_SECONDS - 1
    assert devices.of(*HERE) == Distrust("facebook", 1060.0)
    clock.at += 1
    assert devices.of(*HERE) is None


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many devices the latest are remembered."""
    monkeypatch.setattr(distrust, "_MOST", 3)
    devices = Devices(Clock())
    for number in range(10):
        devices.failed(f"10.0.0.{number}", "dora")
        devices.succeeded(f"10.1.0.{number}", "dora")
    known = [number for number in range(10) if devices.of(f"10.0.0.{number}", "dora")]
    assert known == [7, 8, 9]
    devices.failed("10.1.0.0", "dora")
    devices.failed("10.1.0.9", "dora")
    assert devices.of("10.1.0.0", "dora") is not None
    assert devices.of("10.1.0.9", "dora") is None
