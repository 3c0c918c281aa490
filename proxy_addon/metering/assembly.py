"""The one way to put an enforcer together with what it needs: usage book, visit tracker, decision
cache."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Visit
from proxy_addon.metering.enforcer import Enforcer
from proxy_addon.metering.notice_book import NoticeBook
from proxy_addon.metering.notice_gate import NoticeGate
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.metering.visit_tracker import VisitTracker
from proxy_addon.observability.interface import Metrics
from proxy_addon.observability.metrics import NoMetrics


class MeteringComponents(NamedTuple):
    """What decides and meters. The parts share one book."""

    book: UsageBook
    tracker: VisitTracker
    enforcer: Enforcer


def assemble(
    policy: RuleSet | CompiledPolicy,
    sink: Callable[[Visit], None],
    new_id: Callable[[], str],
    node: str,
    *,
    metrics: Metrics | None = None,
    timer: Callable[[], float] = lambda: 0.0,
    mask: Callable[[str], str] = str,
) -> MeteringComponents:
    """Decide by `policy`; `sink` takes each new revision of a visit of this `node`.

    `new_id` makes ledger ids, `metrics` counts (None: nothing does), `timer` says how long a
    decision takes, and `mask` turns a name into the one that the ledger knows.
    """
    counted = NoMetrics() if metrics is None else metrics
    compiled = CompiledPolicy.of(policy) if isinstance(policy, RuleSet) else policy
    book = UsageBook(mask)
    tracker = VisitTracker(book, counted, sink, new_id, node)
    gate = NoticeGate(NoticeBook(mask))
    enforcer = Enforcer(compiled, book, tracker, counted, timer, gate)
    return MeteringComponents(book, tracker, enforcer)


def numbered(prefix: str) -> Callable[[], str]:
    """Ids: the prefix and a number, from 1 on."""
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers)}"
