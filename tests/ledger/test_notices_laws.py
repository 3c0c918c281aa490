"""Confirmations and meetings in any order, beside a plain model: every ledger ends in its state."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy_addon.core.notices.gate import ConfirmationInForce
from proxy_addon.ledger.interface import Acknowledgement, Ledger, NoticeMeeting
from tests.ledger import test_ledger_contract as contract
from tests.ledger.test_ledger_contract import START

open_ledger, ledger = contract.open_ledger, contract.ledger

PEOPLE = st.sampled_from(["ana", "bo"])
NOTICES = st.sampled_from(["social-media", "guests"])
TIMES = st.integers(0, 20).map(lambda seconds: START + seconds)
VERSIONS = st.sampled_from(["2", "3", "3.1", "10"])


def _confirmation(person: str, notice: str, version: str, at: float) -> Acknowledgement:
    return Acknowledgement(person, notice, version, f"{notice} {version}", at, "gate")


confirmations = st.builds(_confirmation, PEOPLE, NOTICES, VERSIONS, TIMES)
meetings = st.builds(NoticeMeeting, PEOPLE, NOTICES, st.integers(2, 4), TIMES, TIMES)
in_force = st.lists(st.builds(ConfirmationInForce, NOTICES, st.integers(2, 10), TIMES), max_size=2)
prunings = st.tuples(TIMES, in_force)
steps = st.lists(st.one_of(confirmations, meetings, prunings), max_size=14)
any_order = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Model:
    """What should be there: one instant for each confirmation, two for each meeting."""

    def __init__(self) -> None:
        self.done: dict[tuple[str, str, str], float] = {}
        self.met: dict[tuple[str, str, int], tuple[float, float]] = {}

    def step(self, step: object) -> bool | None:
        """One step; of a confirmation whether it is stored."""
        match step:
            case Acknowledgement(person, notice, version, _, at):
                known = self.done.get((person, notice, version))
                self.done[person, notice, version] = at if known is None else max(known, at)
                return known is None or at > known
            case NoticeMeeting(person, notice, major, first, later):
                was = self.met.get((person, notice, major), (first, later))
                self.met[person, notice, major] = (min(was[0], first), max(was[1], later))
            case (before, kept):
                self.prune(before, kept)
        return None

    def prune(self, before: float, kept: Sequence[ConfirmationInForce]) -> None:
        """What is old goes, but what is in force."""
        for (person, notice, version), at in list(self.done.items()):
            major = int(version.split(".")[0])
            needed = [
                n for n, least, since in kept if n == notice and major >= least and at >= since
            ]
            if at < before and not needed:
                del self.done[person, notice, version]
        for key, (first, _) in list(self.met.items()):
            if first < before and key[1:] not in [(n, major) for n, major, _ in kept]:
                del self.met[key]


def run(ledger: Ledger, model: Model, step: object) -> None:
    """The same step in both, and the same answer."""
    expected = model.step(step)
    match step:
        case Acknowledgement():
            assert ledger.acknowledge(step) == expected
        case NoticeMeeting():
            ledger.meet(step)
        case (before, kept):
            ledger.prune(before, batch=2, kept=kept)


def state(ledger: Ledger) -> tuple[object, object]:
    """Everything that is stored, as the model has it."""
    return (
        {(each.person, each.notice, each.version): each.at for each in ledger.acknowledgements()},
        {
            (each.person, each.notice, each.major): (each.first, each.later)
            for each in ledger.meetings()
        },
    )


@any_order
@given(steps=steps)
def test_any_steps(ledger: Ledger, steps: list[object]) -> None:
    """Whatever is confirmed, met and deleted, in whatever order: ledger and model agree after it,
    and on what each confirmation was told."""
    ledger.prune(START + 1e6)
    model = Model()
    for step in steps:
        run(ledger, model, step)
    assert state(ledger) == (model.done, model.met)


@any_order
@given(rows=st.lists(st.one_of(confirmations, meetings), max_size=10), chance=st.randoms())
def test_order_does_not_matter(ledger: Ledger, rows: list[object], chance: object) -> None:
    """The same confirmations and meetings in another order, some of them twice, give the same
    state: proxies write when they can."""
    shuffled = [*rows, *rows[::2]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    model = Model()
    for row in rows:
        model.step(row)
    ledger.prune(START + 1e6)
    for row in shuffled:
        if isinstance(row, Acknowledgement):
            ledger.acknowledge(row)
        elif isinstance(row, NoticeMeeting):
            ledger.meet(row)
    assert state(ledger) == (model.done, model.met)
