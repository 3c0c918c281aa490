"""What an allowance is called on a page."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from proxy_addon.core.ruleset import Allowance, Limit, Period, Platform, Rule, RuleSet, Then
from proxy_addon.core.types import Target
from proxy_addon.presentation import allowance_names
from tests.web.office import rule_set

TITLES = {
    "facebook": "Facebook",
    "x": "X",
    "reddit": "Reddit",
    "tiktok": "TikTok",
    "youtube": "YouTube",
    "vimeo": "Vimeo",
    "wire": "Wire",
}
GROUPS = {
    "social": ("facebook", "x", "reddit", "tiktok"),
    "video": ("youtube", "vimeo"),
    "limited": ("facebook", "x", "reddit", "tiktok", "youtube", "vimeo"),
    "team-news": ("wire",),
}


def rules(*platforms: str, title: str = "", everything: bool = False) -> RuleSet:
    """Rules that charge some platforms to one allowance."""
    limits = (Limit(900.0, Period.DAY),)
    targets = None if everything else frozenset(Target(name) for name in platforms)
    return replace(
        rule_set(),
        platforms=MappingProxyType(
            {name: Platform(name, text, (f"{name}.com",)) for name, text in TITLES.items()}
        ),
        groups=GROUPS,
        allowances={"daily-social": Allowance("daily-social", limits, title=title)},
        rules=(Rule("Fifteen", Then.SPEND, "daily-social", targets=targets),),
    )


@pytest.mark.parametrize(
    ("platforms", "title", "yours"),
    [
        (GROUPS["social"], "Social time", "your social time"),
        (GROUPS["limited"], "Social and video time", "your social and video time"),
        (
            (*GROUPS["social"], "wire"),
            "Social and team news time",
            "your social and team news time",
        ),
        (("tiktok",), "TikTok time", "your TikTok time"),
        (("x", "youtube"), "X and YouTube time", "your X and YouTube time"),
        (
            ("facebook", "x", "reddit", "youtube", "vimeo"),
            "Video time",
            "your video time",
        ),
        (
            ("facebook", "x", "reddit", "youtube"),
            "Social, video and limited time",
            "your social, video and limited time",
        ),
    ],
)
def test_by_what_it_counts_for(platforms: tuple[str, ...], title: str, yours: str) -> None:
    """Without a title the groups of its platforms name it, or the platforms where they are few."""
    made = rules(*platforms)
    assert allowance_names.title(made, "daily-social") == title
    assert allowance_names.yours(made, "daily-social") == yours


def test_the_title_of_the_rules() -> None:
    """A title that the rules give is used as it is."""
    made = rules("x", title="Scrolling")
    assert allowance_names.title(made, "daily-social") == "Scrolling"
    assert allowance_names.yours(made, "daily-social") == "your allowance “Scrolling”"


def test_everything() -> None:
    """A rule about all platforms."""
    made = rules(everything=True)
    assert allowance_names.title(made, "daily-social") == "Time on limited platforms"
    assert allowance_names.yours(made, "daily-social") == "your time on limited platforms"
    assert len(allowance_names.counts_for(made, "daily-social")) == len(TITLES)


def test_what_the_rules_do_not_know() -> None:
    """An old visit may be charged to what is gone, and an allowance may be charged by nobody."""
    assert allowance_names.title(rules("x"), "old-one") == "Old one"
    assert allowance_names.yours(rules("x"), "old-one") == "your allowance “Old one”"
    assert allowance_names.title(rule_set(), "daily-social") == "Daily social"


def test_alike() -> None:
    """Two allowances that would be called the same are told apart by their limits."""
    one = rules(*GROUPS["social"])
    weekly = Allowance("weekly", (Limit(3_600.0, Period.WEEK),))
    both = replace(
        one,
        allowances={**one.allowances, "weekly": weekly},
        rules=(*one.rules, replace(one.rules[0], name="Week", allowance="weekly")),
    )
    assert allowance_names.title(both, "daily-social") == "Social time, 15 minutes a day"
    assert allowance_names.title(both, "weekly") == "Social time, 1 hour a week"


def test_counts_for() -> None:
    """Platforms by their titles, in the order in which the policy groups them."""
    found = allowance_names.counts_for(rules("vimeo", "tiktok", "facebook"), "daily-social")
    assert found == ("Facebook", "TikTok", "Vimeo")


def test_sentence() -> None:
    """A name can begin a sentence."""
    assert allowance_names.sentence("your TikTok time") == "Your TikTok time"
