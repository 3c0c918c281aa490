"""A rule set, validated and compiled: made from the files by `core/rules/compiler.py`, evaluated by
`core/policy/`.

Read-only. The compiler guarantees: every name that is referred to exists,
platform groups are expanded, rule names are unique, every person has at least one role.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from zoneinfo import ZoneInfo

from proxy_addon.core.notices.notice import Notice, Office
from proxy_addon.core.types import Interval, Target


class Period(StrEnum):
    """The window a limit is counted in."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    ROLLING = "rolling"


@dataclass(frozen=True, slots=True)
class Limit:
    """`seconds` of use per window; `rolling` is the window's length in seconds for
    `Period.ROLLING`."""

    seconds: float
    period: Period
    rolling: float = 0.0


@dataclass(frozen=True, slots=True)
class Override:
    """Other limits for some people; applies when the name is in `users` or one role is in
    `roles`."""

    users: tuple[
        str, ...
    ]  # exact names or shell patterns ("*@brand.example"); compared case-insensitively
    roles: tuple[str, ...]
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Allowance:
    """A named budget. All of `limits` must have time left. Seconds. `title` is what pages call it;
    "" where the rules do not say."""

    name: str
    limits: tuple[Limit, ...]
    warn_at: float = 0.0
    carry_over: float = 0.0
    overrides: tuple[Override, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Named days and hours: the union of what its `names` hold. `days`: inclusive ranges of whole
    days on the clock of the policy; `hours`: instants. Both sorted and disjoint. Never holds where
    both are empty.
    """

    names: tuple[str, ...]
    days: tuple[tuple[date, date], ...] = ()
    hours: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class When:
    """A condition on wall-clock time in the policy's zone; every part that is given must hold.

    `days`: 0 = Monday … 6 = Sunday, by the calendar day of the instant (a `between` that crosses
    midnight belongs to the day it began on). `between`: pairs of seconds since midnight, end
    exclusive, `start > end` crosses midnight. `dates`: inclusive ranges. `negated` is the `not:`
    part and must *not* hold. `calendar`: its days are meant as `dates` are, its hours to the
    second.
    """

    days: frozenset[int] | None = None
    between: tuple[tuple[int, int], ...] = ()
    dates: tuple[tuple[date, date], ...] = ()
    negated: When | None = None
    calendar: Calendar | None = None


class Then(StrEnum):
    """What a rule does."""

    ALLOW = "allow"
    BLOCK = "block"
    SPEND = "spend"


class Mode(StrEnum):
    """Whether a rule is enforced or only observed."""

    ENFORCE = "enforce"
    OBSERVE = "observe"  # decides, meters and counts, but lets through


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the ordered list. A part that is None (or empty) fits everything.

    `targets`: platforms (`section is None` = the whole platform) and sections, groups expanded.
    `users` and `roles`: the person fits when one of the users *or* one of the roles fits.
    """

    name: str
    then: Then
    allowance: str | None = None
    users: tuple[str, ...] = ()  # exact names or shell patterns
    roles: frozenset[str] = frozenset()
    targets: frozenset[Target] | None = None
    when: When | None = None
    message: str | None = None
    mode: Mode = Mode.ENFORCE  # its own, or where it has none that of the policy

    @property
    def observes(self) -> bool:
        """True when the rule is only observed: it blocks nobody and ends nothing."""
        return self.mode is Mode.OBSERVE


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a platform, recognised by `hosts` and/or path patterns."""

    name: str
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Platform:
    """A catalogue entry as written. Host patterns: "x.com" = the name and all below it, "=x.com" =
    it alone.

    `embeds`, `players` and `background` take host patterns, path patterns ("/embed/*") and both
    ("=t.co/i/adsct*"). `players` are the embeds that play films.
    `excludes` are hosts below `hosts` that are *not* this platform (sign-in, documentation, shared
    CDNs). `operator` names who runs it: a connection to one platform of an
    operator can carry requests for the others. "" = nobody else.
    """

    name: str
    title: str
    hosts: tuple[str, ...]
    sections: tuple[Section, ...] = ()
    embeds: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    inspect: bool = True
    operator: str = ""
    players: tuple[str, ...] = ()


class Embeds(StrEnum):
    """What films in embeds cost: those that play on other sites' pages."""

    MEDIA = "media"  # as much as on the platform itself
    FREE = "free"  # nothing


class Decrypt(StrEnum):
    """Which tunnels to limited platforms are opened."""

    NEEDED = "needed"  # those in which something has to be decided for this person now
    LIMITED = "limited"  # all


@dataclass(frozen=True, slots=True)
class Urgent:
    """Time that people may take at once when an allowance is used up: `seconds` each time, at most
    `times` in a `period` of the calendar, whichever allowance it goes to. No `roles`: for
    everybody."""

    seconds: float
    times: int
    period: Period
    roles: frozenset[str] = frozenset()

    def is_for(self, roles: Iterable[str]) -> bool:
        """Whether somebody with these roles may take it."""
        return not self.roles or not self.roles.isdisjoint(roles)


class OnFailure(StrEnum):
    """The verdict when balances cannot be read, or our own code failed."""

    LAST_KNOWN = "last-known"
    ALLOW = "allow"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Metering:
    """The constants of docs/metering.md; seconds and bytes. Overridable under `metering:` in the
    policy."""

    navigation_gap: float = 180.0
    interaction_gap: float = 90.0
    media_gap: float = 45.0
    tail: float = 10.0
    busy_rate: float = (
        4_000.0  # bytes/s over a few seconds above which a body or tunnel is being watched
    )


@dataclass(frozen=True, slots=True)
class Duty:
    """Some people who have a role at some times."""

    users: tuple[str, ...]  # names or shell patterns
    when: When


@dataclass(frozen=True, slots=True)
class People:
    """Who has which role, and who uses which device."""

    default_role: str
    roles: Mapping[str, tuple[str, ...]]  # role -> members: names or shell patterns, in file order
    devices: tuple[tuple[IPv4Network | IPv6Network, str | None, str | None], ...] = ()
    # (network, user or None, role or None); most specific network first
    duties: Mapping[str, tuple[Duty, ...]] = field(default_factory=dict)  # role -> who has it when


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Everything the engine needs to decide, from one reading of the rules folder."""

    zone: ZoneInfo
    day_starts: int  # seconds after midnight, 0 … 86,399
    week_starts: int  # 0 = Monday
    platforms: Mapping[str, Platform]
    groups: Mapping[str, tuple[str, ...]]
    allowances: Mapping[str, Allowance]
    rules: tuple[Rule, ...]
    people: People
    otherwise: Then = Then.ALLOW  # ALLOW or BLOCK
    unidentified_role: str | None = "guest"  # None: refuse
    on_failure: OnFailure = OnFailure.LAST_KNOWN
    metering: Metering = field(default_factory=Metering)
    retention: float = 90 * 86_400.0
    pseudonyms: bool = False  # names are kept as keyed hashes
    limited: frozenset[str] = (
        frozenset()
    )  # platforms that some rule (or `otherwise`) blocks or makes spend
    digest: str = ""  # SHA-256 of all files read, hex
    mode: Mode = (
        Mode.ENFORCE
    )  # of `otherwise`, `unidentified` and `on_failure`; rules carry their own
    decrypt: Decrypt = Decrypt.NEEDED
    embeds: Embeds = Embeds.MEDIA
    notices: tuple[Notice, ...] = ()  # written policies, in the order in which they are tried
    office: Office = field(default_factory=Office)
    urgent: Urgent | None = None  # None: nobody takes time without asking
    require_tests: bool = False  # rules come into force only when their tests pass

    @property
    def roles(self) -> frozenset[str]:
        """Every role that a person may have."""
        people = self.people
        given = (role for _, _, role in people.devices)
        known = (people.default_role, self.unidentified_role, *people.roles, *people.duties, *given)
        return frozenset(filter(None, known))

    @property
    def observes(self) -> bool:
        """True when the policy as a whole is only observed."""
        return self.mode is Mode.OBSERVE
