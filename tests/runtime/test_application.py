"""`proxy_addon/runtime/application.py`: an office wired from settings, with a real ledger."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db.address import parse
from db.ledger import SqlLedger
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.observability.decision_log import about
from proxy_addon.proxy.ca import CaError
from proxy_addon.runtime import health, housekeeping
from proxy_addon.runtime.application import Application
from proxy_addon.system.clock import SLEW, OnStep, SystemClock, timer
from proxy_addon.system.dependencies import DependencyReport
from tests.e2e.waiting import free_port
from tests.proxy.harness import PAGE, ProxyHarness, breaks, request
from tests.system.test_clock import Machine


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An office in a folder of its own."""
    ProxyHarness(tmp_path).close()  # writes the rules
    monkeypatch.chdir(tmp_path)
    return load_settings(
        {
            "rules": "rules",
            "database": "sqlite:///allowance.db",
            "confdir": "own-ca",
            "passwords": "passwords",
            "listen": f"127.0.0.1:{free_port()}",
            "web": f"127.0.0.1:{free_port()}",
            "flush": "50ms",
        }
    )


@pytest.fixture
def office(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """Built, loaded, not started. A loop that does not run yet is no sign of a slow machine."""
    monkeypatch.setattr(health, "LOOP_STALE", 50.0)
    made = Application(settings)
    made.load()
    yield made
    made.stop()


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


def visit(name: str, at: float, person: str = "dora", node: str = "elsewhere") -> Visit:
    """A minute of somebody."""
    return Visit(name, person, "x", None, "short", "A little every day", at - 60.0, at, node)


def test_all_parts_are_there(office: Application) -> None:
    """CA made, tables made, rules read; the state is told part by part, the metrics say what is in
    force."""
    assert office.new_ca
    assert (office.settings.confdir / "mitmproxy-ca.pem").exists()
    office.ledger.check()
    assert office.live.current.limited == {"facebook", "x", "linkedin", "tiktok", "chatter"}
    assert set(office.readiness.checks()) == {"proxy", "loop", "ledger", "rules", "ca"}
    assert office.readiness.checks()["proxy"].ok
    text = office.readiness.expose()[0].decode()
    assert "allowance_rules_last_reload_ok 1.0" in text
    assert office.live.current.digest[:12] in text


def test_garbage_is_looked_for_only_in_what_is_new(office: Application) -> None:
    """What exists at the start, some hundred thousand objects, is not looked at again: a collection
    stops everybody."""
    office.load()
    assert gc.get_freeze_count() > 50_000
    gc.unfreeze()


async def test_what_was_spent_before_a_start_counts(settings: Settings) -> None:
    """A start reads what the ledger holds, and writes what is used from then on."""
    first = Application(settings)
    first.load()
    now = first.clock.now()
    first.start(asyncio.get_running_loop())
    first.writer.put(visit("mine", now, node="here"))
    assert first.stop() == 0
    second = Application(settings)
    second.load()
    assert not second.new_ca
    person = second.enforcer.person("dora", None, now)
    assert second.enforcer.balance(person, "short", now).spent == pytest.approx(60.0, abs=0.01)
    second.stop()


async def test_decisions_are_written_down_where_that_is_wanted(
    settings: Settings, tmp_path: Path
) -> None:
    """The folder, the part and the days of the settings reach the log; what waits is written at the
    end."""
    wanted = {"decision_log": tmp_path / "decisions", "decision_log_days": 7}
    for sample, lines in ((1.0, 1), (0.0, 1)):
        office = Application(settings.model_copy(update=wanted | {"decision_log_sample": sample}))
        office.load()
        office.start(asyncio.get_running_loop())
        await office.addon.requestheaders(request("http://www.tiktok.com/", headers=PAGE))
        assert office.stop() == 0
        found = list(about(tmp_path / "decisions", lambda name: True))
        assert [(each["person"], each["reason"]) for each in found] == [
            ("ip:127.0.0.1", "blocked")
        ] * lines


async def test_news_of_others_arrives(office: Application) -> None:
    """Visits and grants that others write change the balance of a running office within moments."""
    office.start(asyncio.get_running_loop())
    other, now = SqlLedger(office.settings.database, "other"), office.clock.now()
    other.write_visits([visit("theirs", now, node="other")])
    other.add_grant(Grant("g", "dora", "short", 600.0, "x", "ada", now, now + 3600), actor="ada")
    other.close()
    await eventually(
        lambda: bool(office.book.of("dora").visits) and bool(office.book.of("dora").grants("short"))
    )
    person = office.enforcer.person("dora", None, now)
    balance = office.enforcer.balance(person, "short", office.clock.now())
    assert (round(balance.spent), balance.granted) == (60, 600.0)


async def test_a_journal_left_by_another_is_taken_over_while_running(office: Application) -> None:
    """What a process of this host had in its journal when it died is in the ledger and in memory
    soon, once."""
    now = office.clock.now()
    identity = parse(office.settings.database).identity
    left = Journal(Path("journal"), "dead", JournalOwner(identity))
    left.add([visit("left", now, node="dead")])
    office.start(asyncio.get_running_loop())
    await eventually(lambda: office.writer.state().flush_seconds is not None)
    assert left.path.exists()  # its process lives
    left.close()
    await eventually(lambda: not left.path.exists())
    await eventually(lambda: "left" in office.book.of("dora").visits)
    assert [row.id for row in office.ledger.visits(0.0)] == ["left"]


async def test_a_clock_set_back_an_hour_while_running(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wall clock that is set back by an hour under somebody's page gives no negative time and
    none twice."""
    machine = Machine()

    def same_machine(on_step: OnStep) -> SystemClock:
        return SystemClock(
            on_step=on_step, wall=lambda: machine.wall, monotonic=lambda: machine.mono
        )

    monkeypatch.setattr("proxy_addon.runtime.application.SystemClock", same_machine)
    office = Application(settings)
    office.load()
    office.start(asyncio.get_running_loop())
    began = office.clock.now()
    for seconds in (30.0, 30.0, 30.0):
        open_page(office)
        machine.sleep(seconds)
    machine.set_wall(-3600.0)
    for seconds in (20.0, 20.0):
        await eventually(lambda: office.clock.steps == 1)
        open_page(office)
        machine.sleep(seconds)
        office.clock.now()
    ended = office.clock.now()
    assert office.stop() == 0
    ledger = SqlLedger(settings.database, "test")
    rows = list(ledger.visits(0.0))
    spent = sum(total.seconds for total in ledger.totals(0.0, ended))
    ledger.close()
    assert rows and all(began <= row.start <= row.end <= ended for row in rows)
    assert 90.0 < spent <= 130.0 + 40.0 * SLEW
    assert spent == pytest.approx(sum(row.end - row.start for row in rows))


def open_page(office: Application) -> None:
    """dora opens a page of an allowance that is large, and it is answered at once."""
    now = office.clock.now()
    hit = office.enforcer.catalogue.lookup("www.facebook.com", "/")
    assert hit is not None
    x = Exchange("GET", "www.facebook.com", "/", "document", "navigate", "none", gesture=True)
    asked = office.enforcer.ask(office.enforcer.person("dora", None, now), x, hit, now)
    assert asked.flight is not None, asked
    office.enforcer.answered(asked.flight, 200, "text/html", 50_000, now)
    office.enforcer.closed(asked.flight)


async def test_people_are_counted_on_the_loop(office: Application) -> None:
    """The gauge of active people is set by the loop, so that a scrape never walks through what
    changes."""
    office.start(asyncio.get_running_loop())
    office.tracker.active = breaks  # type: ignore[method-assign]
    assert b"allowance_active_people 0.0" in office.readiness.expose()[0]


async def test_a_loop_that_hangs_is_seen(
    office: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that has not turned for a while is neither alive nor ready; a wall clock that was set
    says nothing about it."""
    office.start(asyncio.get_running_loop())
    then = office.clock.now() + 3600.0
    monkeypatch.setattr(office.clock, "now", lambda: then)
    assert office.readiness.checks()["loop"].ok
    assert office.proxy_state.health().alive
    later = timer() + 60.0
    monkeypatch.setattr(housekeeping, "timer", lambda: later)
    assert "has not turned for" in office.readiness.checks()["loop"].text
    found = office.proxy_state.health()
    assert (found.alive, found.ready) == (False, False)


def test_what_the_proxy_depends_on(office: Application) -> None:
    """The status page has each dependency and version, and names no user of a database."""
    found = json.loads(json.dumps(office.proxy_state.status()))
    assert found["status"] == "ok"
    assert list(found["dependencies"]) == ["ledger", "rules", "ca", "clock", "log"]
    assert all(each["ok"] for each in found["dependencies"].values())
    assert found["dependencies"]["rules"]["digest"] == office.live.current.digest[:12]
    assert set(found["versions"]) == {"allowance", "python", "mitmproxy", "schema", "database"}
    (worker,) = found["workers"]
    assert (worker["pid"], worker["state"], worker["wrong"]) == (os.getpid(), "serving", [])
    office.dependencies.add("mail", lambda: DependencyReport(False, "away"))
    assert office.proxy_state.status()["status"] == "degraded"
    assert office.proxy_state.health().ready


async def test_draining_is_not_ready(office: Application) -> None:
    """Once the end has been asked for, a balancer is told to send nobody any more."""
    runner = office.runner(lambda: None)
    assert office.proxy_state.health().ready
    runner.stop()
    assert office.readiness.checks()["proxy"].text == "draining: no new connections"
    assert not office.proxy_state.health().ready


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"rules": Path("nowhere")}, RuleErrors),
        ({"confdir": Path("file/ca")}, CaError),
        ({"database": "sqlite:///file/a.db"}, LedgerError),
        ({"upstream_ca": Path("rules/policy.yaml/ca.pem")}, CaError),
    ],
)
def test_what_cannot_work(
    settings: Settings, change: dict[str, object], error: type[Exception]
) -> None:
    """Each part that cannot be made has its own typed error, before anything runs."""
    Path("file").write_text("")
    with pytest.raises(error):
        Application(settings.model_copy(update=change))
