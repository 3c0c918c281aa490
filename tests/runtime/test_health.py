"""`proxy_addon/runtime/health.py`: each part in words, and the ledger in the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from proxy_addon.ledger.writer_state import WriterState
from proxy_addon.observability.exposition import Counted, Host
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.proxy.ca_change import NextCa
from proxy_addon.runtime.dependency_reports import ca_report
from proxy_addon.runtime.health import Readiness, failing_tests, ledger_health, show_ledger
from proxy_addon.runtime.worker_status import WorkerStatus
from proxy_addon.system.dependencies import Dependencies, DependencyReport
from proxy_addon.system.health import FINE, PartHealth
from tests.proxy.harness import ProxyHarness
from tests.virtual_clock import VirtualClock

PLACE = "postgresql://clerk@db1:5432/allowance"
UP = WriterState(True, 0, 0.02, {}, None, 0, 0)
DOWN = replace(UP, up=False, pending=3, message="locked", errors={"stopped": 2}, journal_visits=3)


SERVING_ONE = WorkerStatus(0, 1, "serving", 0.0, 0.1, None)
STUCK_ONE = WorkerStatus(1, 2, "stuck", 0.0, 9.0, None)


class Two:
    """Workers that have counted for themselves."""

    def __init__(self) -> None:
        self.metrics = PrometheusMetrics()
        self.metrics.ledger_pending.set(7)
        self.found = [STUCK_ONE, SERVING_ONE]

    def pids(self) -> list[int]:
        """None that lives."""
        return []

    def checks(self, own: dict[str, PartHealth]) -> dict[str, PartHealth]:
        """One part more."""
        return own | {"workers": FINE}

    def statuses(self) -> list[WorkerStatus]:
        """Those that a test wants."""
        return self.found

    def draining(self) -> bool:
        """Never."""
        return False

    def dependencies(self, own: Mapping[str, DependencyReport]) -> dict[str, DependencyReport]:
        """One more."""
        return dict(own) | {"mail": DependencyReport()}

    def counted(self) -> Counted:
        """Its own."""
        return self.metrics.registry


def readiness(
    clock: VirtualClock, state: WriterState = UP, worker_group: Two | None = None
) -> Readiness:
    """Of a proxy whose loop turned last at 100."""
    return Readiness(
        clock,
        silent=lambda: clock.now() - 100.0,
        loop_lag=lambda: 0.02,
        connections=lambda: 3,
        draining=lambda: clock.now() > 200.0,
        ledger=lambda: state,
        place=PLACE,
        rules=lambda: FINE,
        dependencies=Dependencies(),
        versions=lambda: {"schema": "ledger_0001"},
        metrics=PrometheusMetrics(),
        host=Host(Path(), 0.0),
        worker_group=worker_group,
    )


def test_each_part_says_what_is_wrong() -> None:
    """All is well at first; then the loop hangs, the ledger is away, and the end has been asked
    for."""
    clock = VirtualClock(101.0)
    assert set(readiness(clock).checks().values()) == {FINE}
    clock.move_to(260.0)
    found = readiness(clock, DOWN).checks()
    assert found["loop"].text == "the event loop has not turned for 160 s"
    assert found["proxy"].text == "draining: no new connections"
    assert found["ledger"].text.startswith("down: locked; 3 visits in memory, 3 in the journal")


def test_a_ca_that_ends_while_the_proxy_runs() -> None:
    """It is said as a detail: whoever sends people here goes on, because everything that is not
    opened works as before."""
    clock = VirtualClock(101.0)
    found = readiness(clock)
    ends = 103.0
    found._dependencies.add("ca", lambda: ca_report(ends, NextCa(), clock.now()))
    assert found.health().checks["ca"] == FINE
    clock.move_to(104.0)
    assert found.health().checks["ca"].text == "degraded: the CA certificate has expired"
    assert found.health().ready
    assert found.status()["status"] == "degraded"


def test_a_worker_group_reports_for_all() -> None:
    """Where a supervisor answers, its words and its numbers are shown in place of those of its own
    process."""
    alone, both = readiness(VirtualClock(101.0)), readiness(VirtualClock(101.0), UP, Two())
    assert set(both.checks()) - set(alone.checks()) == {"workers"}
    assert b"allowance_ledger_pending 7.0" in both.expose()[0]
    assert b"allowance_ledger_pending 7.0" not in alone.expose()[0]


def test_alone_a_process_is_alive_while_its_loop_turns() -> None:
    """A ledger that is away is a reason neither to restart a process nor to send people elsewhere;
    a stuck loop is one for both, draining for the second."""
    for now, state, expected in (
        (101.0, UP, (True, True)),
        (101.0, DOWN, (True, True)),
        (104.9, DOWN, (True, True)),
        (105.0, UP, (False, False)),
    ):
        found = readiness(VirtualClock(now), state).health()
        assert (found.alive, found.ready) == expected, (now, state)
    draining = readiness(VirtualClock(101.0))
    draining._draining = lambda: True
    assert (draining.health().alive, draining.health().ready) == (True, False)


def test_several_are_alive_and_ready_while_one_is() -> None:
    """One worker whose loop turns is enough, whatever this process's own loop does; with none
    there is neither."""
    two = Two()
    both = readiness(VirtualClock(160.0), UP, two)
    assert (both.health().alive, both.health().ready) == (True, True)
    two.found = [STUCK_ONE]
    assert (both.health().alive, both.health().ready) == (False, False)
    two.found = [STUCK_ONE, replace(SERVING_ONE, state="draining")]
    assert (both.health().alive, both.health().ready) == (True, False)


def test_the_status_page() -> None:
    """Alone this process is the only worker; several are those of the group, with their
    dependencies."""
    alone = readiness(VirtualClock(101.0)).status()
    assert alone["status"] == "ok"
    assert isinstance(alone["workers"], list)
    (worker,) = alone["workers"]
    assert isinstance(worker, dict)
    assert (worker["state"], worker["connections"], worker["loop_lag_seconds"]) == (
        "serving",
        3,
        0.02,
    )
    assert isinstance(alone["versions"], dict)
    assert alone["versions"]["schema"] == "ledger_0001"
    both = readiness(VirtualClock(101.0), UP, Two()).status()
    assert (both["status"], both["dependencies"]) == ("degraded", {"mail": {"ok": True}})


def test_when_the_ledger_went_away_is_reported() -> None:
    """With the instant, what the journal cannot take, and why."""
    words = ledger_health(
        replace(DOWN, away_since=0.0, journal_dropped=4, journal_message="full"), PLACE
    ).text
    assert words == (
        "down since 1970-01-01T00:00:00+00:00: locked; 3 visits in memory, full, 4 found no room there"
    )


def test_visits_that_the_ledger_refuses() -> None:
    """The proxy does its work, and somebody has to look at the database."""
    found = ledger_health(replace(UP, refused=1), PLACE)
    assert found.works
    assert found.text == (
        "degraded: the database refuses 1 visit, kept in the journal and tried again"
    )
    metrics = PrometheusMetrics()
    show_ledger(metrics, replace(UP, refused=1))
    assert metrics.registry.get_sample_value("allowance_visits_refused") == 1.0


def test_nobody_reads_the_user_of_the_database() -> None:
    """The page needs no password, so it has neither the address with its user nor the words of the
    driver, which name one as well."""
    said = f'{PLACE} refuses this user or password; check the URL (FATAL: no role "clerk")'
    words = ledger_health(replace(DOWN, message=said), PLACE).text
    assert words.startswith("down: the database refuses this user or password; check the URL; 3")
    assert "clerk" not in words and "db1" not in words


def test_the_state_of_the_ledger_is_in_the_metrics() -> None:
    """Up or down, what waits, and each kind of failure."""
    metrics = PrometheusMetrics()
    show_ledger(metrics, UP)
    assert metrics.registry.get_sample_value("allowance_ledger_up") == 1.0
    show_ledger(metrics, DOWN)
    assert metrics.registry.get_sample_value("allowance_ledger_up") == 0.0
    assert metrics.registry.get_sample_value("allowance_journal_visits") == 3.0


def test_a_policy_that_requires_tests_has_some(tmp_path: Path) -> None:
    """A folder without tests fails as a whole."""
    harness = ProxyHarness(tmp_path)
    harness.close()
    (said,) = failing_tests(tmp_path / "rules", harness.rules)
    assert said.endswith("the policy requires tests, and there are none")
