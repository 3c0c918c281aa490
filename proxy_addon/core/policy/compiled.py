"""A rule set with everything that is built from it, made away from the event loop and swapped in whole."""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.catalogue import Catalogue
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet


class CompiledPolicy(NamedTuple):
    """What decides: which rule, and which platform."""

    engine: Engine
    catalogue: Catalogue

    @classmethod
    def of(cls, rules: RuleSet) -> CompiledPolicy:
        """Build it. Takes tens of milliseconds for a large office."""
        return cls(Engine(rules), Catalogue(rules.platforms))

    @property
    def rules(self) -> RuleSet:
        """The rule set that it was made of."""
        return self.engine.rule_set
