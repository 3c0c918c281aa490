"""A reload while the proxy runs."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from pathlib import Path

import pytest

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import Then
from proxy_addon.rules.active import LiveRules, Outcome
from proxy_addon.rules.last_good import LastGood
from proxy_addon.rules.reloader import Reloading
from proxy_addon.system.health import FINE

POLICY = "version: 1\ntimezone: Europe/London\n"
PATIENCE = 10.0


class Proxy:
    """What a reload does to a proxy, written down with the thread in which it was done."""

    def __init__(self, folder: Path) -> None:
        self.live = LiveRules(folder, last_good=LastGood(folder / ".var", folder))
        self.live.load(strict=False)
        self.swaps: list[tuple[Then, int]] = []
        self.told: list[Outcome] = []
        self.came = asyncio.Event()
        self.reloading = Reloading(self.live, self.swap, self.told.append)

    def swap(self, prepared: CompiledPolicy) -> None:
        """Takes rules up."""
        self.swaps.append((prepared.rules.otherwise, threading.get_ident()))
        self.came.set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the least policy."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


async def test_the_folder_is_followed(folder: Path) -> None:
    """A saved file is in force a moment later; only the swap happens on the event loop."""
    proxy = Proxy(folder)
    proxy.reloading.start(asyncio.get_running_loop())
    try:
        (folder / "policy.yaml").write_text(POLICY + "otherwise: block\n")
        await asyncio.wait_for(proxy.came.wait(), PATIENCE)
    finally:
        await asyncio.to_thread(proxy.reloading.stop)
    assert proxy.swaps == [(Then.BLOCK, threading.get_ident())]
    assert proxy.live.current.otherwise is Then.BLOCK


async def test_a_hangup_is_a_reload(folder: Path) -> None:
    """It returns at once, the reload follows, and who wants to know is told when it is done."""
    proxy = Proxy(folder)
    proxy.reloading._loop = asyncio.get_running_loop()  # no watcher: the signal alone must do
    (folder / "policy.yaml").write_text(POLICY + "otherwise: block\n")
    done = threading.Event()
    proxy.reloading.hangup(then=done.set)
    await asyncio.wait_for(proxy.came.wait(), PATIENCE)
    assert await asyncio.to_thread(done.wait, PATIENCE)
    assert proxy.live.current.otherwise is Then.BLOCK


async def test_a_reload_has_been_taken_up_when_it_returns(folder: Path) -> None:
    """Whoever asked for it may rely on the new rules then."""
    proxy = Proxy(folder)
    proxy.reloading._loop = asyncio.get_running_loop()
    (folder / "policy.yaml").write_text(POLICY + "otherwise: block\n")
    outcome = await asyncio.to_thread(proxy.reloading.reload)
    assert outcome.changed
    assert len(proxy.swaps) == 1
    assert proxy.told == [outcome]
    assert (await asyncio.to_thread(proxy.reloading.reload)).changed is False


def test_the_check_names_the_first_place(folder: Path) -> None:
    """Operators see what is wrong without words from the files, until it is put right."""
    proxy = Proxy(folder)
    assert proxy.reloading.check() == FINE
    (folder / "policy.yaml").write_text("version: 2\ntimezone: Europe/Atlantis\n")
    proxy.reloading.reload()
    check = proxy.reloading.check()
    assert (check.ok, check.works) == (False, True)
    assert "policy.yaml:1:10: bad-version and 1 more" in check.detail
    assert "the old ones are in force" in check.detail
    assert len(proxy.reloading.places()) == 2
    (folder / "policy.yaml").write_text(POLICY)
    proxy.reloading.reload()
    assert proxy.reloading.check() == FINE


def test_the_check_says_that_kept_rules_are_in_force(folder: Path) -> None:
    """After a start with a broken folder."""
    proxy = Proxy(folder)
    proxy.live.keep()
    (folder / "policy.yaml").write_text("version: 2\n")
    assert "kept from before the start" in Proxy(folder).reloading.check().detail


def test_the_interpreter_is_shared_fairly_only_meanwhile(folder: Path) -> None:
    """The switch interval is as before when a reload is over."""
    usual = sys.getswitchinterval()
    Proxy(folder).reloading.reload()
    assert sys.getswitchinterval() == usual


def test_garbage_is_collected_except_meanwhile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While rules are read nothing is searched for garbage; afterwards it is as before, also when
    they are wrong."""
    proxy, seen = Proxy(folder), list[bool]()
    attempt = proxy.live.attempt

    def watched() -> Outcome:
        seen.append(gc.isenabled())
        return attempt()

    monkeypatch.setattr(proxy.live, "attempt", watched)
    for text in ("version: 1\n", "version: ["):
        (folder / "policy.yaml").write_text(text)
        proxy.reloading.reload()
        assert gc.isenabled()
    assert seen == [False, False]
