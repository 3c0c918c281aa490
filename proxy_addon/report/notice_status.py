"""Who has confirmed the written policies in force, for administrators and HR.

People are those who have used limited platforms, or met or confirmed a policy, in the time for
which visits are kept, and those whom the people file names; not devices and not addresses, which
are only shown a policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from proxy_addon.core.audience import is_pattern
from proxy_addon.core.notices.gate import Confirmation, Meeting, in_force
from proxy_addon.core.notices.notice import AskWhen, Notice, notice_for
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Person
from proxy_addon.ledger.confirmations import confirmations_by_person, meetings_by_person
from proxy_addon.ledger.interface import Ledger


class Stage(StrEnum):
    """How far somebody is with a notice."""

    READ = "read"  # confirmed, or shown where nobody has to confirm
    NOT_MET = "not met"  # it has not been shown to them yet
    GRACE = "in grace"  # it has, and they can put it off
    OVERDUE = "overdue"  # the grace time is over: limited platforms are closed


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody whom a notice is for. `read`: their latest confirmation of any version; `met`: when
    they first met this version; `until`: when their grace time ends or ended."""

    name: str
    roles: tuple[str, ...]
    stage: Stage
    read: Confirmation | None = None
    met: Meeting | None = None
    until: float | None = None

    @property
    def has_read(self) -> bool:
        """Whether nothing has to be done about this version any more."""
        return self.stage is Stage.READ


@dataclass(frozen=True, slots=True)
class NoticeStatus:
    """A notice in force and its readers, by name."""

    notice: Notice
    readers: tuple[Reader, ...]

    @property
    def waiting(self) -> tuple[Reader, ...]:
        """Those who have not read it."""
        return tuple(reader for reader in self.readers if not reader.has_read)

    @property
    def acknowledged(self) -> int:
        """How many have."""
        return len(self.readers) - len(self.waiting)

    def at(self, stage: Stage) -> tuple[Reader, ...]:
        """Those who are just so far."""
        return tuple(reader for reader in self.readers if reader.stage is stage)

    @property
    def latest_end(self) -> float | None:
        """When the last grace time of those who have met it ends; None while nobody's runs."""
        return max((each.until or 0.0 for each in self.at(Stage.GRACE)), default=None)

    @property
    def by_role(self) -> dict[str, tuple[int, int]]:
        """How many of how many, by each person's first role, in order of the names."""
        found: dict[str, tuple[int, int]] = {}
        for reader in self.readers:
            have, all_ = found.get(reader.roles[0], (0, 0))
            found[reader.roles[0]] = (have + reader.has_read, all_ + 1)
        return dict(sorted(found.items()))


def read_status(
    ledger: Ledger,
    engine: Engine,
    now: float,
    *,
    mask: Callable[[str], str] = str,
    known: Iterable[str] = (),
) -> tuple[NoticeStatus, ...]:
    """The same from what the ledger has. `known`: other names of this host, by which people are
    found behind pseudonyms. Raises LedgerError."""
    if not engine.rule_set.notices:
        return ()
    since = now - engine.rule_set.retention
    done, met = ledger.acknowledgements(), ledger.meetings()
    used = {*ledger.people(since)}
    used |= {each.person for each in done if each.at >= since}
    used |= {each.person for each in met if each.first >= since}
    confirmations, meetings = confirmations_by_person(done), meetings_by_person(met)
    return notice_status(engine, used, confirmations, meetings, now, mask, known)


def notice_status(
    engine: Engine,
    used: Iterable[str],
    confirmations: Mapping[str, Iterable[Confirmation]],
    meetings: Mapping[str, Iterable[Meeting]],
    now: float,
    mask: Callable[[str], str] = str,
    known: Iterable[str] = (),
) -> tuple[NoticeStatus, ...]:
    """One for each notice in force, in their order. `used`: names of the ledger with visits;
    `confirmations` and `meetings` are by those names; `mask` turns a name into one of them, those
    of `known` as well."""
    rules = engine.rule_set
    people = _people(engine, used, now, mask, known)
    readers: dict[str, list[Reader]] = {notice.name: [] for notice in rules.notices}
    for name, person in people.items():
        notice = notice_for(rules.notices, person)
        if notice is not None:
            readers[notice.name].append(
                _reader(notice, person, confirmations.get(name, ()), meetings.get(name, ()), now)
            )
    return tuple(
        NoticeStatus(notice, tuple(sorted(readers[notice.name], key=lambda each: each.name)))
        for notice in rules.notices
    )


def _people(
    engine: Engine,
    used: Iterable[str],
    now: float,
    mask: Callable[[str], str],
    known: Iterable[str],
) -> dict[str, Person]:
    """Everybody who counts, by the name that the ledger knows."""
    rules = engine.rule_set
    named = {mask(name): name for name in _named(rules)}
    behind = {mask(name): name for name in known} | named
    devices = {mask(user.casefold()) for _, user, _ in rules.people.devices if user is not None}
    names = {*named, *used}
    return {
        name: engine.person(behind.get(name, name), now)
        for name in names
        if name not in devices and not name.startswith("ip:")
    }


def _named(rules: RuleSet) -> set[str]:
    """The names in the people file, folded as those of the ledger are."""
    people = rules.people
    members = {name for names in people.roles.values() for name in names}
    members |= {user for each in people.duties.values() for duty in each for user in duty.users}
    return {name.casefold() for name in members if not is_pattern(name)}


def _reader(
    notice: Notice,
    person: Person,
    confirmations: Iterable[Confirmation],
    meetings: Iterable[Meeting],
    now: float,
) -> Reader:
    own = sorted(
        (each for each in confirmations if each.notice == notice.name), key=lambda each: each.at
    )
    met = next(
        (
            each
            for each in meetings
            if (each.notice, each.major) == (notice.name, notice.version.major)
        ),
        None,
    )
    until = None if met is None else met.first + notice.grace
    stage = _stage(notice, own, until, now)
    return Reader(person.name, person.roles, stage, own[-1] if own else None, met, until)


def _stage(notice: Notice, own: Iterable[Confirmation], until: float | None, now: float) -> Stage:
    if in_force(notice, own, now) or (notice.ask is AskWhen.SHOWN and until is not None):
        return Stage.READ
    if until is None or notice.ask is not AskWhen.BEFORE_FIRST_USE:
        return Stage.NOT_MET
    return Stage.GRACE if now < until else Stage.OVERDUE
