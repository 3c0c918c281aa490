"""What a rule covers, and which matches are decisions already."""

from __future__ import annotations

import pytest

from proxy_addon.core.policy.matching import Match, covers, decision_without_balance, not_limited
from proxy_addon.core.ruleset import Rule, Then
from proxy_addon.core.types import Reason, Target, Verdict
from tests.core.policies import targets


@pytest.mark.parametrize(
    ("names", "covered"),
    [
        (None, True),
        (("linkedin",), True),
        (("linkedin/learning",), True),
        (("linkedin/jobs",), False),
        (("x",), False),
    ],
)
def test_a_platform_covers_its_sections(names: tuple[str, ...] | None, covered: bool) -> None:
    """And a section only itself."""
    rule = Rule("r", Then.ALLOW, targets=None if names is None else targets(*names))
    assert covers(rule, Target("linkedin", "learning")) is covered


def test_a_section_does_not_cover_its_platform() -> None:
    """The rest of LinkedIn is not learning."""
    assert not covers(
        Rule("r", Then.ALLOW, targets=targets("linkedin/learning")), Target("linkedin")
    )


def test_what_is_settled() -> None:
    """Allow and block are answers; spend has to ask for the balance."""
    rule = Rule("r", Then.BLOCK, message="No.")
    blocked = decision_without_balance(Match(rule, Then.BLOCK, None, 5.0), Target("x"))
    assert blocked is not None
    assert (blocked.verdict, blocked.reason, blocked.message, blocked.until) == (
        Verdict.BLOCK,
        Reason.BLOCKED,
        "No.",
        5.0,
    )
    allowed = decision_without_balance(Match(None, Then.ALLOW, None, None), Target("x"))
    assert allowed is not None and allowed.reason is Reason.OTHERWISE
    assert (
        decision_without_balance(
            Match(Rule("r", Then.SPEND, "a"), Then.SPEND, "a", None), Target("x")
        )
        is None
    )


def test_nobody_is_asked_about_what_is_not_limited() -> None:
    """No platform, or one that no rule limits."""
    assert not_limited(None).reason is not_limited(Target("medium")).reason is Reason.NOT_LIMITED
