"""How many people have read the written policies, as metrics.

The numbers come from the ledger, which all proxies share: each process that answers a scrape has
them for the whole office, whatever the number of its workers, and they are not to be added up over
proxies. They are counted now and then by somebody else, not when a scrape asks. While the ledger is
away the last ones stay; before they have been counted once there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_LABELS = ("notice", "version")


class ReaderCount(NamedTuple):
    """Of how many people how many have read a version of a notice."""

    notice: str
    version: str
    people: int
    acknowledged: int


class PolicyReaders(Collector):
    """A collector of the numbers that it was last shown. Any thread."""

    def __init__(self) -> None:
        self._counts: tuple[ReaderCount, ...] = ()

    def show(self, counts: Iterable[ReaderCount]) -> None:
        """From now on these; versions that are not among them are gone."""
        self._counts = tuple(counts)

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        have = GaugeMetricFamily(
            "allowance_policy_acknowledged_people",
            "People who have read the written policy in force, by the whole office's ledger: the same on "
            "every proxy, so take the maximum.",
            labels=_LABELS,
        )
        all_ = GaugeMetricFamily(
            "allowance_policy_people",
            "People for whom the written policy in force is; the same on every proxy.",
            labels=_LABELS,
        )
        for each in self._counts:
            have.add_metric((each.notice, each.version), each.acknowledged)
            all_.add_metric((each.notice, each.version), each.people)
        yield have
        yield all_
