"""A rule set with everything that is built from it: built outside the event loop and swapped as
one."""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.catalogue import Catalogue
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet


class CompiledPolicy(NamedTuple):
    """The engine, which finds the rule, and the catalogue, which finds the platform."""

    engine: Engine
    catalogue: Catalogue

    @classmethod
    def of(cls, rules: RuleSet) -> CompiledPolicy:
        """Build both. Takes tens of milliseconds for a large office."""
        return cls(Engine(rules), Catalogue(rules.platforms))

    @property
    def rules(self) -> RuleSet:
        """The rule set that it was built from."""
        return self.engine.rule_set
