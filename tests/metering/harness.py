"""A visit tracker for one person on a virtual clock, with everything that was written."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st

from proxy_addon.core.metering.activity import Evidence, Judgement, Kind
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Allowance, Limit, Metering, Period, Rule, RuleSet, Then
from proxy_addon.core.types import Activity, Person, Target, Visit
from proxy_addon.metering.platform_state import Load
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.metering.visit_tracker import VisitTracker
from proxy_addon.observability.metrics import NoMetrics
from tests.core.policies import SAMPLE, H, at, targets

START = at("09:00")
TAIL = 10.0
DORA = Person("dora", ("staff",))
OPENED = Judgement(Activity.VISIT, Evidence.PAGE_OPENED, Kind.NAVIGATION)
SCROLLED = Judgement(Activity.VISIT, Evidence.PAGE_ACTION, Kind.INTERACTION)
PLAYED = Judgement(Activity.MEDIA, Evidence.MEDIA_PLAYED, Kind.MEDIA)
STREAM = Judgement(Activity.MEDIA, Evidence.MEDIA_STREAM, Kind.MEDIA)
LITTLE = Rule("Little", Then.SPEND, "a", targets=targets("x", "facebook"))

quick = settings(max_examples=60, deadline=None)
moves = st.tuples(
    st.sampled_from([0.5, 10.0, 30.0, 30.0, 30.0, 61.0, 190.0]),
    st.sampled_from(["page", "scroll", "scroll", "weak", "stream", "facebook", "stop"]),
)


def policy(*rules: Rule, limit: float = H) -> RuleSet:
    """Rules over the allowance `a`."""
    return replace(
        SAMPLE,
        rules=rules or (LITTLE,),
        allowances={"a": Allowance("a", (Limit(limit, Period.DAY),))},
        limited=frozenset({"x", "facebook"}),
        metering=Metering(interaction_gap=60.0),
    )


class Counted(NoMetrics):
    """Adds up what is charged and given back, and keeps when allowances ran out."""

    def __init__(self) -> None:
        self.charged = 0.0
        self.returned = 0.0
        self.ended: list[float] = []

    def attention(
        self, person: Person, platform: str, allowance: str | None, seconds: float
    ) -> None:
        """See `observability.interface.Metrics`."""
        self.charged += seconds

    def given_back(self, person: Person, platform: str, seconds: float) -> None:
        """See `observability.interface.Metrics`."""
        self.returned += seconds

    def exhausted(self, person: Person, allowance: str, at: float) -> None:
        """See `observability.interface.Metrics`."""
        self.ended.append(at)


class Harness:
    """All clocks, with everything that was ever written."""

    def __init__(self, rules: RuleSet | None = None) -> None:
        self.written: list[Visit] = []
        self.metrics = Counted()
        self.book = UsageBook()
        self.engine = Engine(rules or policy())
        numbers = itertools.count(1)
        self.attention = VisitTracker(
            self.book, self.metrics, self.written.append, lambda: f"v{next(numbers)}", "node"
        )

    def page(self, after: float, platform: str = "x", section: str | None = None) -> Activity:
        """Dora opens a page."""
        now = START + after
        load = Load(Target(platform, section), now, now, OPENED, "page", certain=True)
        return self.attention.enter(self.engine, DORA, load)

    def scroll(self, after: float, key: str = "x.com/api", weak: bool = False) -> Activity:
        """A script asks for something."""
        now = START + after
        return self.attention.enter(
            self.engine, DORA, Load(Target("x"), now, now, SCROLLED, key, weak=weak)
        )

    def stream(self, since: float, until: float, platform: str = "x") -> None:
        """Bytes flow."""
        load = Load(Target(platform), START + since, START + until, STREAM, "film", certain=True)
        self.attention.stream(self.engine, DORA, load)

    def rows(self) -> list[tuple[float, float, str | None, str | None]]:
        """Start and end (seconds after the start), allowance and rule of the last revisions that
        are not empty."""
        last = {v.id: v for v in self.written}
        found = [
            (v.start - START, v.end - START, v.allowance, v.rule)
            for v in last.values()
            if v.end > v.start
        ]
        return sorted(found, key=lambda row: row[:2])

    def spent(self) -> float:
        """Seconds of the allowance, whenever."""
        return self.book.of("dora").spent("a", 0.0, float("inf"))
