"""The terms of the product as frozen values.

Units, everywhere in this project:

* an *instant* is a `float`, seconds since the Unix epoch, UTC;
* a *duration* is a `float`, seconds;
* people, platforms, sections, rules and allowances are named by `str`, as the rule files name them.

Nothing here reads a clock, and nothing here can be changed once it has been made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto
from typing import NamedTuple


class Activity(StrEnum):
    """What a request is evidence of (docs/metering.md)."""

    VISIT = "visit"
    MEDIA = "media"
    BACKGROUND = "background"
    EMBED = "embed"
    PREFETCH = "prefetch"

    @property
    def counts(self) -> bool:
        """True when this activity runs the clock."""
        return self in (Activity.VISIT, Activity.MEDIA)


class Verdict(StrEnum):
    """What happens to a request."""

    ALLOW = "allow"
    SPEND = "spend"
    BLOCK = "block"


class Reason(StrEnum):
    """Why: stable codes, used in headers, metrics, logs, pages and the explanation."""

    NOT_LIMITED = "not-limited"  # allow: no platform we know, or one that no rule limits
    ALLOWED = "allowed"  # allow: a rule says so
    OTHERWISE = "otherwise"  # allow or block: no rule fitted, `otherwise` decided
    WITHIN = "within"  # spend: the allowance has time left
    EXHAUSTED = "exhausted"  # block: the allowance has none
    EMBED = "embed"  # allow: the allowance has none, but this is a free part of another site's page
    BLOCKED = "blocked"  # block: a rule says so
    UNIDENTIFIED = "unidentified"  # block: the person is unknown, and the policy refuses that
    ACKNOWLEDGE = "acknowledge"  # block: the written policy has to be read first
    UNAVAILABLE = "unavailable"  # any: the ledger could not be read, `on_failure` decided


class Interval(NamedTuple):
    """A half-open stretch of time `[start, end)`; instants."""

    start: float
    end: float


class Target(NamedTuple):
    """What is being used: a platform and, where host or path name it, its section."""

    platform: str
    section: str | None = None


class Person(NamedTuple):
    """Somebody with the roles in force now, in the order of the people file. Never empty.

    `duty`: a rota names this person, so the roles come and go; the engine looks them up for each
    instant that it is asked about. False for roles that do not depend on the time, such as those of
    a device.
    """

    name: str
    roles: tuple[str, ...]
    duty: bool = False


class Extension(NamedTuple):
    """Evidence of one kind that extended a visit: from when to when (instants), and how many times.

    `by` is a stable code (`core/metering/evidence.py`). `times` 0: only what opened the visit,
    continued.
    """

    by: str
    first: float
    last: float
    times: int


class EvidenceSummary(NamedTuple):
    """What opened, extended and closed a visit: codes and instants. One `extended` for each kind of
    evidence.

    `closed` is None where silence ended it or it goes on; `given_back`: seconds by which periodic
    requests had extended it.
    """

    opened: tuple[str, float]
    extended: tuple[Extension, ...] = ()
    closed: tuple[str, float] | None = None
    given_back: float = 0.0


@dataclass(frozen=True, slots=True)
class Visit:
    """A ledger row: one interval of use, of one person on one platform.

    `allowance` is None for free time. One node owns an id and raises `rev` when it writes the row
    again; `end == start` marks a visit that was given back entirely. `evidence` is None where it
    was not recorded.
    """

    id: str
    person: str
    platform: str
    section: str | None
    allowance: str | None
    rule: str | None
    start: float
    end: float
    node: str
    rev: int = 1
    evidence: EvidenceSummary | None = None


URGENT = "urgent-"  # ids of grants that people took themselves; a name may be masked, an id is not


@dataclass(frozen=True, slots=True)
class Grant:
    """Extra seconds for one person and one allowance, valid in `[created, expires)`.

    With `resets` it adds nothing, but what was used of the allowance before `created` no longer
    counts in any window that contains that instant; it expires when no such window can be open any
    more. One whose id begins with `URGENT` the person took without asking.
    """

    id: str
    person: str
    allowance: str
    seconds: float
    reason: str
    granted_by: str
    created: float
    expires: float
    resets: bool = False

    @property
    def is_urgent(self) -> bool:
        """Whether the person took it at once, without asking anybody."""
        return self.id.startswith(URGENT)


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left of an allowance for one person at one instant; all in seconds, none negative.

    Of several limits the one with the least left is shown; `resets_at` is when *that* limit's
    window ends (for a rolling one: when the oldest use leaves it), None when nothing was used of a
    rolling limit. `period` is that of the limit as rules write it ("day"), None where it is not
    known; `rolling` the length of a rolling window.
    """

    allowance: str
    limit: float
    spent: float
    granted: float
    carried: float
    left: float
    resets_at: float | None
    period: str | None = None
    rolling: float = 0.0


class Fit(Enum):
    """Whether a rule matched in the evaluation, and what decided that. `core/policy/wording.py`
    puts it into words."""

    FITS = auto()
    OBSERVED = auto()  # fits, and is only tried out
    TOO_LATE = auto()  # an earlier rule decided
    NOT_YOU = auto()
    NOT_THERE = auto()
    NOT_NOW = auto()
    EXCEPTED = auto()  # not now, because its `not` part holds


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the evaluation: a rule, and the first condition that decided whether it
    matched."""

    rule: str
    fit: Fit

    @property
    def fits(self) -> bool:
        """Whether this rule decides."""
        return self.fit in (Fit.FITS, Fit.OBSERVED)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one request, with its reason and its next change.

    `left` is seconds left of `allowance` (spend and exhausted; else None). `until` is the instant
    at which this answer may change: for `exhausted` when the allowance has time again, otherwise
    when the rule's `when` opens or closes; None when nothing is known to change it. `walk` is
    filled by `explain` only. `would`: the rule is only observed (`mode: observe`), and this is the
    verdict if it were enforced; the verdict itself then never blocks, and `reason`, `left` and
    `until` are those of the enforced rule. None for a rule that is enforced.
    """

    verdict: Verdict
    reason: Reason
    platform: str | None = None
    section: str | None = None
    rule: str | None = None
    allowance: str | None = None
    left: float | None = None
    until: float | None = None
    message: str | None = None
    walk: tuple[Step, ...] = ()
    would: Verdict | None = None

    @property
    def blocks(self) -> bool:
        """True when the request must not reach the site."""
        return self.verdict is Verdict.BLOCK

    def tried_out(self, instead: Verdict) -> Decision:
        """The same decision where the rule is only observed: `instead` is what happens."""
        return replace(self, verdict=instead, would=self.verdict)

    @property
    def would_block(self) -> bool:
        """True when the request passes only because the rule is observed and not enforced."""
        return self.would is Verdict.BLOCK
