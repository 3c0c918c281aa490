"""Who has confirmed the written policies in force, for administrators and HR.

People are those who have used the proxy in the time for which visits are kept, and those whom the
people file names; not devices and not addresses, which are only shown a policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from proxy_addon.core.audience import is_pattern
from proxy_addon.core.notices.gate import Confirmation, Meeting, in_force
from proxy_addon.core.notices.notice import Notice, notice_for
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Person


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody whom a notice is for. `read`: their latest confirmation of any version; `met`: when
    they first met this version."""

    name: str
    roles: tuple[str, ...]
    has_read: bool
    read: Confirmation | None = None
    met: Meeting | None = None


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

    @property
    def by_role(self) -> dict[str, tuple[int, int]]:
        """How many of how many, by each person's first role, in order of the names."""
        found: dict[str, tuple[int, int]] = {}
        for reader in self.readers:
            have, all_ = found.get(reader.roles[0], (0, 0))
            found[reader.roles[0]] = (have + reader.has_read, all_ + 1)
        return dict(sorted(found.items()))


def notice_status(
    engine: Engine,
    used: Iterable[str],
    confirmations: Mapping[str, Iterable[Confirmation]],
    meetings: Mapping[str, Iterable[Meeting]],
    now: float,
    mask: Callable[[str], str] = str,
) -> tuple[NoticeStatus, ...]:
    """One for each notice in force, in their order. `used`: names of the ledger with visits;
    `confirmations` and `meetings` are by those names; `mask` turns a name into one of them."""
    rules = engine.rule_set
    people = _people(engine, used, now, mask)
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
    engine: Engine, used: Iterable[str], now: float, mask: Callable[[str], str]
) -> dict[str, Person]:
    """Everybody who counts, by the name that the ledger knows."""
    rules = engine.rule_set
    known = {mask(name): name for name in _named(rules)}
    devices = {mask(user) for _, user, _ in rules.people.devices if user is not None}
    names = {*known, *used}
    return {
        name: engine.person(known.get(name, name), now)
        for name in names
        if name not in devices and not name.startswith("ip:")
    }


def _named(rules: RuleSet) -> set[str]:
    """The names in the people file."""
    people = rules.people
    members = {name for names in people.roles.values() for name in names}
    members |= {user for each in people.duties.values() for duty in each for user in duty.users}
    return {name for name in members if not is_pattern(name)}


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
    return Reader(
        person.name, person.roles, in_force(notice, own, now), own[-1] if own else None, met
    )
