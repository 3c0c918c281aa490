"""What tests of the policy share: the documented sample policy, and short ways to write times and
visits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from proxy_addon.core.intervals import Intervals, normalise
from proxy_addon.core.ruleset import (
    Allowance,
    Limit,
    Override,
    People,
    Period,
    Platform,
    Rule,
    RuleSet,
    Then,
    When,
)
from proxy_addon.core.types import Grant, Interval, Target

LONDON = ZoneInfo("Europe/London")
DAY = "2026-11-02"  # a Monday
M, H = 60.0, 3600.0

SOCIAL = (
    "facebook",
    "instagram",
    "threads",
    "x",
    "linkedin",
    "tiktok",
    "reddit",
    "pinterest",
    "snapchat",
)
VIDEO = ("youtube", "twitch")
LUNCH = When(days=frozenset(range(5)), between=((12 * 3600, 13 * 3600 + 1800),))


def at(text: str) -> float:
    """The instant that London's clock shows: "2026-11-02 10:30", or "10:30" for that Monday."""
    whole = text if "-" in text else f"{DAY} {text}"
    return datetime.fromisoformat(whole).replace(tzinfo=LONDON).timestamp()


def visits(*spans: str) -> Intervals:
    """`visits("09:00-09:10", …)` on the Monday."""
    return normalise(Interval(*map(at, span.split("-"))) for span in spans)


def targets(*names: str) -> frozenset[Target]:
    """`targets("x", "linkedin/learning")`."""
    return frozenset(Target(*name.split("/")) for name in names)


def grant(
    seconds: float, created: str, expires: str, allowance: str = "daily-social", name: str = "g"
) -> Grant:
    """A grant by a team lead."""
    return Grant(name, "dora", allowance, seconds, "a reason", "ada", at(created), at(expires))


def per(period: Period, seconds: float) -> Limit:
    """`per(Period.DAY, 900)`."""
    return Limit(seconds, period)


def rolling(hours: float, seconds: float) -> Limit:
    """`15m per rolling 4h` is `rolling(4, 900)`."""
    return Limit(seconds, Period.ROLLING, hours * H)


def one_allowance(*limits: Limit, carry_over: float = 0.0, **more: object) -> RuleSet:
    """Everybody spends `daily-social`, which has these limits, on everything."""
    allowance = Allowance("daily-social", limits, carry_over=carry_over)
    rule = Rule("Fifteen minutes a day", Then.SPEND, allowance.name)
    return replace(SAMPLE, allowances={allowance.name: allowance}, rules=(rule,), **more)  # type: ignore[arg-type]


SAMPLE = RuleSet(
    zone=LONDON,
    day_starts=0,
    week_starts=0,
    platforms={
        name: Platform(name, name.title(), (f"{name}.com",)) for name in (*SOCIAL, *VIDEO, "medium")
    },
    groups={"social": SOCIAL, "video": VIDEO},
    allowances={
        "daily-social": Allowance(
            "daily-social",
            (per(Period.DAY, 15 * M),),
            warn_at=2 * M,
            overrides=(
                Override(("bob",), (), (per(Period.DAY, 30 * M),)),
                Override((), ("care",), (per(Period.DAY, 45 * M),)),
            ),
        )
    },
    rules=(
        Rule(
            "Marketing runs our channels",
            Then.ALLOW,
            roles=frozenset({"marketing"}),
            targets=targets("facebook", "instagram", "x", "linkedin", "youtube"),
        ),
        Rule(
            "Learning is work", Then.ALLOW, targets=targets("linkedin/learning", "youtube/studio")
        ),
        Rule("Lunch is yours", Then.ALLOW, targets=targets(*SOCIAL, *VIDEO), when=LUNCH),
        Rule(
            "Not on our network",
            Then.BLOCK,
            roles=frozenset({"staff"}),
            targets=targets("tiktok"),
            message="TikTok is not available on office devices.",
        ),
        Rule("Fifteen minutes a day", Then.SPEND, "daily-social", targets=targets(*SOCIAL, *VIDEO)),
    ),
    people=People(
        "staff",
        {
            "staff": (),
            "marketing": ("maria", "*@brand.example"),
            "care": ("carl", "cora"),
            "admin": ("ada",),
        },
    ),
    limited=frozenset((*SOCIAL, *VIDEO)),
)
