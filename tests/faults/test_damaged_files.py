"""Workers are killed after files that they need have been damaged: the new ones serve all the
same, and say what is wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy_addon.identity.pseudonyms import Pseudonyms, read_key
from proxy_addon.proxy import ca
from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until
from tests.faults.test_starts import people_in

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(400)]

PAGE, OTHER = "https://www.facebook.com/", "https://news.example/"
DESK, NEIGHBOUR = "127.0.3.1", "127.0.3.2"
SLOW = 60.0  # seconds for two starts on a machine that has other work


@pytest.fixture(scope="module")
def origins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    """The sites."""
    with Origins(tmp_path_factory.mktemp("origins")) as sites:
        yield sites


@pytest.fixture
def proxy(origins: Origins, tmp_path: Path) -> Iterator[OfficeProxy]:
    """Two workers with pseudonyms."""
    wanted = {"flush": "1s", "front-proxies": [], "workers": 2}
    made = office(tmp_path, origins, policy("8h"), settings=wanted)
    rules = made.rules / "policy.yaml"
    rules.write_text(rules.read_text() + "privacy: {pseudonyms: true}\n")
    with made:
        until(lambda: "Allowance is running" in made.log, "both workers", SLOW)
        yield made


def status(proxy: OfficeProxy) -> dict[str, Any]:
    """What `/statusz` says; a machine that is busy may need more than one try."""
    page = until(lambda: proxy.web("/statusz")[1], "the status", SLOW)
    found: dict[str, Any] = json.loads(page or "")
    return found


def dependency(proxy: OfficeProxy, name: str) -> dict[str, Any]:
    """What `/statusz` says of one."""
    found: dict[str, Any] = status(proxy)["dependencies"][name]
    return found


def kill_workers(proxy: OfficeProxy) -> None:
    """kill -9 for both; returns when two new ones serve."""
    for each in proxy.events("worker started")[-2:]:
        os.kill(each["process"], signal.SIGKILL)

    def serve() -> bool:
        workers = status(proxy)["workers"]
        pids = {each["process"] for each in proxy.events("worker started")[-2:]}
        return {each["pid"] for each in workers if each["state"] == "serving"} == pids

    until(lambda: len(proxy.events("worker started")) == 4 and serve(), "new workers", SLOW)


def removed(file: Path) -> None:
    """Gone."""
    file.unlink()


def rubbish(file: Path) -> None:
    """Something else is in it."""
    file.write_text("rubbish")


def open_to_all(file: Path) -> None:
    """Everybody can read it, which is refused."""
    file.chmod(0o644)


@pytest.mark.parametrize("damage", [removed, rubbish, open_to_all])
def test_the_pseudonym_key(proxy: OfficeProxy, damage: Callable[[Path], None]) -> None:
    """Ordinary sites work, limited ones by `on_failure`, no name or other pseudonym is written;
    when the key is back, what was used is in the ledger under the right one."""
    key = proxy.folder / "var" / "pseudonym.key"
    names = Pseudonyms(read_key(key, make=False))
    assert proxy.client.open(PAGE, source=DESK).status == 200
    until(lambda: people_in(proxy.database) == {names.of("desk1")}, "the first visit", SLOW)
    kept = key.read_bytes()
    damage(key)
    kill_workers(proxy)
    for source in (DESK, NEIGHBOUR):
        assert proxy.client.open(OTHER, source=source).status == 200
        assert proxy.client.open(PAGE, source=source).status == 200
    said = dependency(proxy, "ledger")
    assert not said["ok"] and key.name in said["message"]
    assert proxy.web("/readyz")[0] == 200
    assert people_in(proxy.database) == {names.of("desk1")}
    shutil.rmtree(key, ignore_errors=True)
    key.write_bytes(kept)
    key.chmod(0o600)
    until(lambda: dependency(proxy, "ledger")["ok"], "the ledger to be joined", SLOW)
    both = {names.of("desk1"), names.of("desk2")}
    until(lambda: people_in(proxy.database) == both, "what was used meanwhile", SLOW)
    assert len(proxy.events("worker started")) == 4
    assert "Traceback" not in proxy.log
    assert proxy.stop()[0] == 0


@pytest.mark.parametrize("damage", [removed, rubbish])
def test_the_ca(proxy: OfficeProxy, damage: Callable[[Path], None]) -> None:
    """Devices go on trusting what is signed, and no other CA is made."""
    client = proxy.client
    for file in ca.found(proxy.confdir):
        damage(file)
    (proxy.rules / "policy.yaml").write_text("rubbish")  # the rules of before are in force
    (proxy.folder / "var" / "passwords").write_text("rubbish")  # and the passwords
    kill_workers(proxy)
    assert client.open(OTHER, source=DESK).status == 200
    assert client.open(PAGE, source=DESK).status == 200
    assert "a copy of the CA is used" in dependency(proxy, "ca")["message"]
    assert not dependency(proxy, "rules")["ok"]
    assert bool(ca.found(proxy.confdir)) == (damage is rubbish)
    assert "Traceback" not in proxy.log
    assert proxy.stop()[0] == 0
