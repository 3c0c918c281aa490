"""What keeps a clock running while a connection is in use: bodies, WebSocket messages, and bytes of
tunnels."""

from __future__ import annotations

from proxy_addon.core.metering import embeds, receipts
from proxy_addon.core.metering.activity import Evidence, Judgement, Kind, classify
from proxy_addon.core.metering.receipts import ClientMessage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Activity
from proxy_addon.metering.flight import Flight
from proxy_addon.metering.platform_state import Load
from proxy_addon.metering.visit_tracker import VisitTracker
from proxy_addon.observability.interface import Metrics

CHUNK_SECONDS = 1.0  # resolution at which a stream is charged
TUNNEL_SECONDS = 5.0  # the same for tunnels, whose bytes are weaker evidence
STREAM_AGE = 2.0  # a body that is over sooner is a load like others
UPLOAD_BYTES = 262_144  # bytes; a request with less is a form, a like or a report
STALLED = 15.0  # bytes after a longer silence do not fill it
SHORT_MESSAGE = 64  # bytes; heartbeats and receipts are as short, what people write seldom is

_STREAM = Judgement(Activity.MEDIA, Evidence.MEDIA_STREAM, Kind.MEDIA)
_TUNNEL = Judgement(Activity.MEDIA, Evidence.BUSY_TUNNEL, Kind.MEDIA)
_ESTIMATED = Judgement(Activity.MEDIA, Evidence.ESTIMATED, Kind.MEDIA)
_MESSAGE = Judgement(Activity.VISIT, Evidence.MESSAGE_SENT, Kind.INTERACTION)


class TrafficMeter:
    """Meters by one engine at a time; `Enforcer` decides. Event loop only."""

    engine: Engine

    def __init__(self, tracker: VisitTracker, metrics: Metrics) -> None:
        self._tracker = tracker
        self.provisional = tracker.provisional
        self._metrics = metrics

    @property
    def rules(self) -> RuleSet:
        """The rule set in force."""
        return self.engine.rule_set

    def look(self, now: float) -> None:
        """Keep in the ledger what would be lost if this process died now; a few times a second."""
        self.provisional.look(self.engine, now)

    def body(self, flight: Flight, size: int, now: float) -> None:
        """`size` bytes of an answer passed. Charges a body that goes on, second by second."""
        flight.bytes += size
        flight.total += size
        elapsed = now - flight.since
        if elapsed < CHUNK_SECONDS:
            return
        judged = flight.judgement if flight.answer is None else None
        if judged is not None and judged.activity.counts and now - flight.at >= STREAM_AGE:
            stream = judged if embeds.is_charged(judged) else _STREAM
            self._flow(flight, elapsed, now, stream)
        flight.since, flight.bytes = now, 0

    def upload(self, flight: Flight, size: int, now: float) -> None:
        """`size` bytes of a request passed. Charges an upload that goes on, second by second, from
        its beginning: its answer, which may be short, comes when all is over."""
        flight.bytes += size
        flight.total += size
        flight.uploaded += size
        elapsed = now - flight.since
        if elapsed < CHUNK_SECONDS or flight.uploaded < UPLOAD_BYTES:
            return
        if now - flight.at < STREAM_AGE:
            return
        if self._is_upload(flight):
            self._flow(flight, elapsed, now, _STREAM)
        flight.since, flight.bytes = now, 0

    def _is_upload(self, flight: Flight) -> bool:
        """Whether a person sends this, as far as the request alone tells."""
        if flight.uploads is None:
            known = flight.x is not None and flight.hit is not None
            flight.uploads = known and self._judged(flight).activity.counts
        return flight.uploads

    def _judged(self, flight: Flight) -> Judgement:
        assert flight.x is not None and flight.hit is not None
        pages = self._tracker.state_of(flight.person.name, flight.target.platform).pages
        return classify(flight.x, flight.hit, flight.page, pages, flight.at)

    def _flow(self, flight: Flight, elapsed: float, now: float, judgement: Judgement) -> bool:
        if flight.bytes < self.rules.metering.busy_rate * elapsed:
            return False
        if flight.target.platform not in self.rules.limited:  # it was, when this began
            return True
        start = flight.since if elapsed <= STALLED else now
        ahead = embeds.is_charged(judgement) and now - flight.at < embeds.PLAYED_SECONDS
        load = Load(flight.target, start, now, judgement, flight.key, certain=True, weak=ahead)
        self._tracker.stream(self.engine, flight.person, load)
        return True

    def upgraded(self, flight: Flight) -> None:
        """The request became a WebSocket."""
        flight.kind = "websocket"

    def message(self, flight: Flight, size: int, now: float, *, from_client: bool) -> Activity:
        """One WebSocket message of `size` bytes; a server's push is never a person's doing."""
        became = Activity.BACKGROUND
        if from_client and self._is_uploaded(flight, size, now):
            return Activity.MEDIA
        if not from_client:
            flight.socket = receipts.pushed(flight.socket, now)
        elif flight.x is not None:
            flight.socket, message = receipts.sent(flight.socket, size, now)
            if message is not ClientMessage.RECEIPT:
                became = self._sent(flight, size, now, message)
        if not became.counts:
            self._metrics.ignored(flight.person, flight.target.platform, became)
        return became

    def _sent(self, flight: Flight, size: int, now: float, message: ClientMessage) -> Activity:
        """A message that answers no push."""
        if flight.x is None or flight.target.platform not in self.rules.limited:
            return Activity.BACKGROUND
        width = size if size <= SHORT_MESSAGE else SHORT_MESSAGE * (size // SHORT_MESSAGE)
        weak = size <= SHORT_MESSAGE
        key = f"ws:{flight.x.host}:{width}"
        load = Load(flight.target, now, now, _MESSAGE, key, weak=weak, may_be_novel=False)
        if message is ClientMessage.OWN:
            return self._tracker.enter(self.engine, flight.person, load)
        self._tracker.observe_poll(self.engine, flight.person, load)
        return Activity.BACKGROUND

    def _is_uploaded(self, flight: Flight, size: int, now: float) -> bool:
        """Whether a message is a piece of an upload, which is charged from its beginning: its
        pieces are alike and come in time with each other, so as messages they look like a
        heartbeat."""
        elapsed = now - flight.since
        if elapsed > STALLED:
            flight.since, flight.bytes, flight.uploaded, elapsed = now, 0, 0, 0.0
        flight.bytes += size
        flight.uploaded += size
        if flight.uploaded < UPLOAD_BYTES:
            return False
        if elapsed < TUNNEL_SECONDS:
            return True
        busy = self._flow(flight, elapsed, now, _STREAM)
        flight.since, flight.bytes = now, 0
        flight.uploaded *= busy
        return busy

    def tunnel_bytes(self, flight: Flight, size: int, now: float) -> None:
        """Bytes passed either way: busy is media, a trickle is background."""
        flight.active = now
        if flight.ending is not None and not flight.ending.charged:
            return
        flight.bytes += size
        flight.total += size
        elapsed = now - flight.since
        if elapsed < TUNNEL_SECONDS:
            return
        if not self._flow(flight, elapsed, now, _ESTIMATED if flight.estimated else _TUNNEL):
            self._metrics.ignored(flight.person, flight.target.platform, Activity.BACKGROUND)
        flight.since, flight.bytes = now, 0

    def tunnel_quiet(self, flight: Flight) -> None:
        """All of a tunnel was a trickle."""
        self._metrics.ignored(flight.person, flight.target.platform, Activity.BACKGROUND)

    def charged_from(self, flight: Flight, now: float) -> None:
        """A free tunnel is charged from the instant `now` on: what passed before was free."""
        elapsed = now - flight.since
        if elapsed > 0.0:
            self._flow(flight, elapsed, now, _ESTIMATED)
        flight.estimated, flight.since, flight.bytes = False, now, 0
