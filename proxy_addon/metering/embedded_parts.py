"""What goes on with parts of a platform on other sites' pages while the time is up: films are
refused, buttons and posts pass.

A part that passes is not watched: nothing of it would be charged. As soon as its answer shows that
it is something else (a film, a page, data for a program), it is refused: its bytes are dropped, and
`due` ends it. `core/metering/embeds.py` says which is which.
"""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.catalogue import Hit
from proxy_addon.core.metering import activity, embeds
from proxy_addon.core.metering.activity import Exchange, Judgement, PageMemory
from proxy_addon.core.ruleset import Embeds
from proxy_addon.core.types import Activity, Decision, Person, Reason, Verdict
from proxy_addon.metering.flight import Flight
from proxy_addon.metering.running_flights import RunningFlights
from proxy_addon.metering.traffic_meter import TrafficMeter
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.metering.visit_tracker import VisitTracker
from proxy_addon.observability.interface import Metrics


class EmbeddedParts(TrafficMeter):
    """A traffic meter that knows what runs, and which of it is a part of another site's page."""

    def __init__(self, tracker: VisitTracker, metrics: Metrics, book: UsageBook) -> None:
        super().__init__(tracker, metrics)
        self._running = RunningFlights(book)

    @property
    def _charges_films(self) -> bool:
        return self.rules.embeds is Embeds.MEDIA

    def _as_part(
        self,
        person: Person,
        decision: Decision,
        x: Exchange,
        hit: Hit,
        page: Hit | None,
        now: float,
    ) -> Decision:
        """The decision, or in place of "the time is up" that a part of another site's page
        passes."""
        if decision.reason is not Reason.EXHAUSTED or not self._charges_films:
            return decision
        pages = self._tracker.state_of(person.name, hit.platform).pages
        asked = activity.with_answer(x, 0, "", 0, 0.0)
        judgement = activity.classify(asked, hit, page, pages, now)
        if not embeds.passes(asked, hit, page, pages, judgement):
            return decision
        would = None if decision.would is None else Verdict.ALLOW
        return replace(
            decision, verdict=Verdict.ALLOW, reason=Reason.EMBED, message=None, would=would
        )

    def _judge(self, flight: Flight, x: Exchange, pages: PageMemory) -> Judgement:
        """What a request was, now that its answer is known."""
        assert flight.hit is not None
        judgement = activity.classify(x, flight.hit, flight.page, pages, flight.at)
        if self._charges_films:
            judgement = embeds.charged(judgement, x, flight.hit)
        return judgement

    def _is_refused(self, flight: Flight, x: Exchange, judgement: Judgement) -> bool:
        """Whether something that passed as a part of another page is none; then it ends with the
        next look."""
        assert flight.hit is not None
        if not flight.as_embed or embeds.still_passes(x, flight.hit, judgement):
            return False
        self._refuse(flight)
        return True

    def upgraded(self, flight: Flight) -> None:
        """The request became a WebSocket, which is no part of a page."""
        super().upgraded(flight)
        if flight.as_embed:
            self._refuse(flight)

    def _refuse(self, flight: Flight) -> None:
        flight.as_embed, flight.refused = False, True
        self._running.check(flight, flight.at)

    def _goes_on(self, flight: Flight, decision: Decision, now: float) -> bool:
        """Whether something that runs when the time is up goes on, as a part of another page."""
        if flight.refused or flight.kind != "http" or flight.x is None or flight.hit is None:
            return False
        if flight.judgement is not None and flight.judgement.activity is not Activity.EMBED:
            return False
        asked = (flight.person, decision, flight.x, flight.hit, flight.page, now)
        if self._as_part(*asked).blocks:
            return False
        flight.as_embed = True
        self._running.remove(flight)
        return True
