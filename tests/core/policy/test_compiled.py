"""What is swapped in."""

from __future__ import annotations

from proxy_addon.core.policy.compiled import CompiledPolicy
from tests.core.policies import SAMPLE


def test_it_decides_by_its_rules() -> None:
    """Engine and catalogue are those of the rule set that it was made of."""
    prepared = CompiledPolicy.of(SAMPLE)
    assert prepared.rules is SAMPLE
    assert prepared.engine.rule_set is SAMPLE
    assert prepared.catalogue.platform_of("www.facebook.com") == "facebook"
