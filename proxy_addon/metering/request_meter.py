"""What a request was, judged with its answer: at the head of the answer where the head says enough,
else when its body has ended.

More than half of all answers tell no length (HTTP/2, chunks). Without it a chime is as good as a
film, a pixel as good as a picture, and a request that waited for news as good as one that was
answered at once. Therefore such an answer is *open* until its size is known. These are judged at
their heads, because no size changes what they are: pages and frames (a page is charged from the
second at which it is opened), errors, redirects, event streams, what a browser does by itself, and
what passes as a part of another site's page.

The rest is judged at the first of these: its body has ended, or was broken off; more has passed
than any limit is about; it is two seconds old and is sound or film by its type, or can no longer be
a request that was held. Whatever is judged later is entered at the instant of its request, as
always. Nothing goes on without a decision meanwhile: what is open has been decided about when it
was asked for, and is checked and ended like everything in flight.
"""

from __future__ import annotations

from proxy_addon.core.metering import activity, long_polling, pieces, polling
from proxy_addon.core.metering.activity import Evidence, Exchange, Judgement
from proxy_addon.core.metering.endpoints import series_name
from proxy_addon.core.types import Activity
from proxy_addon.metering.embedded_parts import EmbeddedParts
from proxy_addon.metering.flight import Flight, OpenAnswer
from proxy_addon.metering.platform_state import Load
from proxy_addon.metering.traffic_meter import STREAM_AGE
from proxy_addon.metering.visit_tracker import CLIP_BYTES

POLL_BYTES = 1_500  # a known poll that is answered with more may bring pictures

UNKNOWN = 0  # bytes
EMPTY = 1  # bytes that stand for a body without any, whose size is known

_WITHOUT_BODY = frozenset({204, 205})
_FRAMES = frozenset({"document", "iframe", "frame", "embed", "object", "fencedframe"})
_OF_ANY_SIZE = frozenset(
    {
        Evidence.PAGE_OPENED,
        Evidence.PREFETCH,
        Evidence.PREFLIGHT,
        Evidence.WORKER,
        Evidence.BEACON,
        Evidence.PUSHED,
        Evidence.FAILED,
        Evidence.EMPTY,
    }
)


class RequestMeter(EmbeddedParts):
    """Judges requests, and feeds the clock with them."""

    def answered(
        self, flight: Flight, status: int, content_type: str, length: int | None, now: float
    ) -> None:
        """The head of the answer is here. `length` in bytes, None = not told; `now` may be after
        `flight.at`."""
        assert flight.x is not None
        if flight.x.method == "HEAD" or status == 304:
            length = UNKNOWN  # what it is told of does not come now
        elif length == 0:
            length = EMPTY
        elif length is None and self._opens(flight, status, content_type, now):
            return
        self.finished(flight, status, content_type, length or UNKNOWN, now - flight.at)

    def _opens(self, flight: Flight, status: int, content_type: str, now: float) -> bool:
        """Leave an answer of unknown size open, unless its head says enough; what it is so far is
        kept."""
        assert flight.x is not None and flight.hit is not None
        if flight.as_embed or 300 <= status < 400 or status in _WITHOUT_BODY:
            return False
        x = activity.with_answer(flight.x, status, content_type, 0, 0.0)
        if x.dest in _FRAMES or (x.dest is None and content_type.startswith("text/html")):
            return False
        pages = self._tracker.state_of(flight.person.name, flight.target.platform).pages
        judgement = self._judge(flight, x, pages)
        if judgement.evidence in _OF_ANY_SIZE:
            return False
        flight.judgement, flight.key = judgement, _key(x)
        flight.answer = OpenAnswer(status, content_type, now)
        return True

    def body(self, flight: Flight, size: int, now: float) -> None:
        """`size` bytes of an answer passed."""
        answer = flight.answer
        if answer is not None:
            answer.size += size
            if answer.size > CLIP_BYTES:
                self._close(flight, answer, answer.size, now)
            elif now - answer.at >= STREAM_AGE:
                self._streams(flight, answer, now)
        super().body(flight, size, now)

    def _streams(self, flight: Flight, answer: OpenAnswer, now: float) -> None:
        """Judge a body that goes on for some time: how long it will be is not known."""
        assert flight.judgement is not None
        if flight.judgement.activity is Activity.MEDIA:
            self._close(flight, answer, UNKNOWN, now)
        elif answer.size >= activity.HELD_BYTES:
            self._close(flight, answer, answer.size, now)

    def _judge_open(self, flight: Flight, now: float) -> None:
        """It is over, or was broken off: judge what is open with what came."""
        if flight.answer is not None:
            self._close(flight, flight.answer, max(EMPTY, flight.answer.size), now)

    def _close(self, flight: Flight, answer: OpenAnswer, size: int, now: float) -> None:
        self.finished(flight, answer.status, answer.content_type, size, now - flight.at)

    def finished(
        self, flight: Flight, status: int, content_type: str, length: int, duration: float
    ) -> Judgement:
        """Judge a request with what is known of its answer (`length` in bytes, 0 = unknown), and
        feed the clock with it."""
        assert flight.x is not None and flight.hit is not None
        flight.answer = None
        if length == UNKNOWN and status in _WITHOUT_BODY:
            length = EMPTY
        x = activity.with_answer(flight.x, status, content_type, length, duration)
        state = self._tracker.state_of(flight.person.name, flight.target.platform)
        flight.judgement = judgement = self._judge(flight, x, state.pages)
        if not self._is_refused(flight, x, judgement):
            flight.judgement = self._enter(flight, x, judgement)
            # Only now: a page that is only polled is not in use.
            state.pages = activity.remember(state.pages, x, flight.judgement, flight.at)
        if flight.when_judged is not None:
            flight.when_judged(flight)
        return flight.judgement

    def _enter(self, flight: Flight, x: Exchange, judgement: Judgement) -> Judgement:
        """Feed the clock. Returns what the request turned out to be."""
        person, target = flight.person, flight.target
        flight.key = _key(x)
        judgement = self._beside_others(flight, x, judgement)
        became = judgement.activity
        leads, opened = activity.leads(x), judgement.evidence is Evidence.PAGE_OPENED
        load = Load(
            target,
            flight.at,
            flight.at,
            judgement,
            flight.key,
            leads,
            opened and x.gesture,
            leads and not opened,
            x.bytes,
        )
        if became.counts and target.platform in self.rules.limited:
            became = self._tracker.enter(self.engine, person, load)
        elif judgement.evidence is Evidence.TELEMETRY and x.bytes >= POLL_BYTES:
            self._tracker.observe_poll(self.engine, person, load)
        if became.counts:
            return judgement
        self._metrics.ignored(person, target.platform, became)
        return Judgement(became, judgement.evidence)

    def _beside_others(self, flight: Flight, x: Exchange, judgement: Judgement) -> Judgement:
        """The judgement with what is remembered of others like this one: sound that was loaded
        before, and endpoints that hold their answers back."""
        state = self._tracker.state_of(flight.person.name, flight.target.platform)
        if activity.is_short_sound(x):
            state.pieces, judgement = pieces.judged(state.pieces, x, judgement)
        if activity.leads(x):
            state.long_polling, judgement = long_polling.judged(
                state.long_polling, flight.key, x, judgement, flight.at
            )
        return judgement


def _key(x: Exchange) -> str:
    return series_name(x) if activity.leads(x) else polling.CONTENT
