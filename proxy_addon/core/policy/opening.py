"""Which tunnels have to be opened: those in which something has to be decided for this person now.

It is decided for a platform as a whole, never for a host or a path, and for all platforms of one
operator together: a browser may send a request for one of them over a connection to another. A
tunnel is opened when, for any of these platforms or one of their sections, the rule that fits the
person at this time charges or blocks. A rule that is only observed counts as if it were enforced:
what it would charge or block is opened, so that it can be observed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from proxy_addon.core.audience import keep
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Decrypt, Then
from proxy_addon.core.types import Person, Target

_KEPT = 20_000  # answers cached; the cache is cleared when it is full


class Opening(NamedTuple):
    """Whether tunnels to a platform are opened, and the instant until which that holds for
    certain (infinite: as long as the rules do)."""

    needed: bool
    until: float


class _Known(NamedTuple):
    since: float
    opening: Opening


class Openings:
    """The answers for one set of rules. Its cache is bounded."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._targets: dict[str, tuple[Target, ...]] = {}
        self._known: dict[tuple[int, str], _Known] = {}

    def of(self, person: Person, platform: str, now: float) -> Opening:
        """Whether a tunnel to a platform has to be opened for a person at the instant `now`."""
        rules = self._engine.rule_set
        if platform not in rules.limited:
            return Opening(False, math.inf)
        if rules.decrypt is Decrypt.LIMITED:
            return Opening(True, math.inf)
        if person.duty:
            return self._find(person, platform, now)
        key = (self._engine.lists_of(person, now), platform)
        known = self._known.get(key)
        if known is None or not known.since <= now < known.opening.until:
            known = _Known(now, self._find(person, platform, now))
            keep(self._known, key, known, _KEPT)
        return known.opening

    def _find(self, person: Person, platform: str, now: float) -> Opening:
        needed, until = False, math.inf
        for target in self._targets_with(platform):
            match = self._engine.match(person, target, now)
            needed = needed or match.then is not Then.ALLOW
            until = min(until, math.inf if match.until is None else match.until)
        return Opening(needed, until)

    def _targets_with(self, platform: str) -> tuple[Target, ...]:
        """The limited platforms of the same operator with their sections."""
        targets = self._targets.get(platform)
        if targets is None:
            rules = self._engine.rule_set
            operator = rules.platforms[platform].operator
            together = [
                each
                for name, each in rules.platforms.items()
                if name in rules.limited
                and (name == platform or (operator and each.operator == operator))
            ]
            targets = tuple(
                Target(each.name, section)
                for each in together
                for section in (None, *(part.name for part in each.sections))
            )
            self._targets[platform] = targets
        return targets
