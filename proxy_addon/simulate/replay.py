"""Feeds recorded events to the enforcer as the proxy would have, and keeps the results.

Bodies and tunnels flow as the file says, else evenly over their duration: their bytes are handed
over second by second, in the right order between the other events, so that a stream is charged and
cut off in the middle as it would have been.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator

from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.metering.referer import page_of
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Activity, Person, Visit
from proxy_addon.metering.assembly import assemble, numbered
from proxy_addon.metering.flight import Flight
from proxy_addon.metering.traffic_meter import CHUNK_SECONDS, STREAM_AGE, TUNNEL_SECONDS
from proxy_addon.observability.metrics import NoMetrics
from proxy_addon.simulate.recorded_people import RecordedPeople
from proxy_addon.simulate.result import Result
from proxy_addon.trace.event import ResponseTiming, TraceEvent
from proxy_addon.trace.tunnels import LONG, use_of

HOUSEKEEPING = 3600.0  # virtual seconds between two clean-ups
CONNECTIONS_KEPT = 4096
SWITCHED = 101  # a WebSocket's answer: what counts are its messages

type Steps = Iterator[tuple[float, int]]
"""The instants at which bytes are handed over, and how many."""


class _Recorder(NoMetrics):
    """Counts for each person what the proxy counts for each role."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def ignored(self, person: Person, platform: str, activity: Activity) -> None:
        """A request cost nothing."""
        counts = self._result.of(person.name).ignored
        counts[activity] = counts.get(activity, 0) + 1

    def exhausted(self, person: Person, allowance: str, at: float) -> None:
        """An allowance ran out; the first time is kept."""
        self._result.of(person.name).exhausted.setdefault(allowance, at)


class Replay:
    """A simulation under way. Feed events in the order of their time, then `finish`."""

    def __init__(self, rules: RuleSet) -> None:
        self.result = Result()
        metrics = _Recorder(self.result)
        metering = assemble(rules, self._keep, numbered(""), "simulation", metrics=metrics)
        self.book, self.enforcer = metering.book, metering.enforcer
        self._later: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._sockets: dict[tuple[str, str], Flight] = {}
        self._closed: set[Flight] = set()
        self._people = RecordedPeople(rules)
        self._cleaned = 0.0
        self.now = float("-inf")

    def _keep(self, visit: Visit) -> None:
        self.result.of(visit.person).visits[visit.id] = visit

    def feed(self, event: TraceEvent) -> None:
        """One event. Time does not run backwards: an event from the past counts as now."""
        now = max(event.at, self.now)
        if self._later:
            self._run_until(now)
        self.now = now
        if now - self._cleaned > HOUSEKEEPING:
            self._clean(now)
        if event.kind == "request":
            self._request(event, now)
        elif event.kind == "websocket":
            self._message(event, now)
        else:
            self._tunnel(event, now)

    def finish(self) -> Result:
        """Let what still flows flow to its end."""
        self._run_until(float("inf"))
        return self.result

    def _clean(self, now: float) -> None:
        self._cleaned = now
        self.enforcer.settle(now)
        self._closed.clear()

    def _person(self, event: TraceEvent, now: float) -> Person | None:
        """Whose event it is, as the proxy would say; None: the policy refuses who is not
        identified."""
        who = self._people.of(event.user, event.client)
        if who.refused:
            if not self.enforcer.rules.observes:
                self.result.of(who.name).blocked += 1
            return None
        return self.enforcer.person(who.name, who.roles, now)

    def _request(self, event: TraceEvent, now: float) -> None:
        enforcer = self.enforcer
        path = f"{event.path}?{event.query}" if event.query else event.path
        hit = enforcer.catalogue.lookup(event.host, path)
        if hit is None or hit.platform not in enforcer.rules.limited:
            return
        person = self._person(event, now)
        if person is None:
            return
        x = _exchange(event, path)
        asked = enforcer.ask(person, x, hit, now)
        if asked.notice is not None:  # the person reads the heads-up and goes on
            asked = enforcer.ask(person, x, hit, now)
        flight = asked.flight
        if flight is None:
            self.result.of(person.name).blocked += 1
            return
        unanswered = not event.status and not event.bytes
        if unanswered or event.status == SWITCHED:
            enforcer.closed(flight)
        elif event.course is None:
            self._answered(flight, event, event.duration, event.bytes)
        else:
            course = event.course
            self._at(now + course.head, lambda at: self._head(flight, event, course, at))

    def _head(self, flight: Flight, event: TraceEvent, course: ResponseTiming, now: float) -> None:
        """The head of an answer; one that tells no size is judged when that is known."""
        if course.told or not event.bytes:
            self._answered(flight, event, course.head, course.told)
            return
        if flight in self._closed:
            return
        self.enforcer.answered(flight, event.status, event.content_type, None, now)
        if flight.answer is None:
            self._go_on(flight, event)
            return
        end = max(now, flight.at + event.duration)
        passed = (
            _as_noted(flight.at, course.passed) if course.passed else iter(((end, event.bytes),))
        )
        self._push(flight, itertools.chain(passed, ((end, 0),)))

    def _answered(self, flight: Flight, event: TraceEvent, duration: float, size: int) -> None:
        """The answer, or its head after `duration` seconds with its declared `size` in bytes; the
        rest may follow."""
        if flight in self._closed:
            return
        self.enforcer.finished(flight, event.status, event.content_type, size, duration)
        self._go_on(flight, event)

    def _go_on(self, flight: Flight, event: TraceEvent) -> None:
        """The body of an answer that has been judged."""
        judged = flight.judgement
        if flight.refused:
            self._cut_off(flight, self.now)
        elif judged is None or not judged.activity.counts:
            self.enforcer.closed(flight)
        elif event.duration >= STREAM_AGE and event.status < 400:
            self._flow(flight, flight.at, event, event.bytes, CHUNK_SECONDS)
        else:
            self.enforcer.closed(flight)

    def _message(self, event: TraceEvent, now: float) -> None:
        enforcer = self.enforcer
        hit = enforcer.catalogue.lookup(event.host, event.path)
        if hit is None or hit.platform not in enforcer.rules.limited:
            return
        person = self._person(event, now)
        if person is None:
            return
        key = (person.name, event.host)
        flight = self._sockets.get(key)
        if flight is None or enforcer.blocked_now(flight, now):
            asked = enforcer.tunnel(person, hit.platform, now, hit.section)
            if asked.flight is None:
                self.result.of(person.name).blocked += 1
                self._sockets.pop(key, None)
                return
            flight = asked.flight
            enforcer.closed(flight)
            flight.x = Exchange("GET", event.host, event.path)
            if len(self._sockets) > CONNECTIONS_KEPT:
                self._sockets.clear()
            self._sockets[key] = flight
        size = event.bytes_up or event.bytes
        enforcer.message(flight, size, now, from_client=event.direction == "client")

    def _tunnel(self, event: TraceEvent, now: float) -> None:
        enforcer = self.enforcer
        platform = enforcer.limited(event.host)
        if platform is None:
            return
        person = self._person(event, now)
        if person is None:
            return
        asked = enforcer.tunnel(person, platform, now)
        if asked.flight is None:
            self.result.of(person.name).blocked += 1
            return
        event = self._estimated(person, event)
        self._flow(asked.flight, now, event, event.bytes + event.bytes_up, TUNNEL_SECONDS)

    def _estimated(self, person: Person, event: TraceEvent) -> TraceEvent:
        """The tunnel as long as its bytes say, where one total is all that is known of hours."""
        if event.estimated:
            self.result.of(person.name).estimated.add(event.duration, 0.0)
        elif event.duration > LONG and event.course is None:
            least = self.enforcer.rules.metering.busy_rate
            use = use_of(event.bytes + event.bytes_up, event.duration, least)
            self.result.of(person.name).estimated.add(use.seconds, event.duration)
            return event._replace(duration=use.seconds, bytes=use.size, bytes_up=0)
        return event

    def _flow(self, flight: Flight, now: float, event: TraceEvent, size: int, step: float) -> None:
        """Hand the bytes over in steps. What trickles all the time is judged once."""
        if event.course is not None and event.course.passed:
            self._push(flight, _as_noted(now, event.course.passed))
            return
        duration = event.duration
        busy = size >= self.enforcer.rules.metering.busy_rate * max(duration, step)
        if busy:
            self._push(flight, _evenly(now, max(duration, step), size / max(duration, 1e-9), step))
            return
        if flight.kind == "tunnel":
            self.enforcer.tunnel_quiet(flight)
        self.enforcer.closed(flight)

    def _push(self, flight: Flight, steps: Steps) -> None:
        """Put down the next step; after the last one it is over."""
        following = next(steps, None)
        if following is None:
            self.enforcer.ended(flight, self.now)
            return
        at, size = following
        self._at(at, lambda now: self._step(flight, now, size, steps))

    def _at(self, at: float, call: Callable[[float], None]) -> None:
        heapq.heappush(self._later, (at, next(self._order), call))

    def _run_until(self, until: float) -> None:
        while self._later and self._later[0][0] <= until:
            at, _, call = heapq.heappop(self._later)
            self.now = max(self.now, at)
            call(self.now)

    def _step(self, flight: Flight, now: float, size: int, steps: Steps) -> None:
        """Hand bytes over, and go on unless that has to end."""
        enforcer = self.enforcer
        if flight in self._closed:
            return
        if size:
            (enforcer.tunnel_bytes if flight.kind == "tunnel" else enforcer.body)(flight, size, now)
        if not enforcer.blocked_now(flight, now):
            self._push(flight, steps)
            return
        self._cut_off(flight, now)

    def _cut_off(self, flight: Flight, now: float) -> None:
        """End what has to end now, this flight among it."""
        for due in self.enforcer.due(now):
            self.enforcer.closed(due.flight)
            self._closed.add(due.flight)
        self.result.of(flight.person.name).blocked += 1


def _evenly(start: float, duration: float, rate: float, step: float) -> Steps:
    """Bytes at `rate` a second for `duration` seconds."""
    at, end = start, start + duration
    while at < end:
        following = min(at + step, end)
        yield following, int(rate * (following - at)) + 1
        at = following


def _as_noted(start: float, passed: tuple[tuple[float, int], ...]) -> Steps:
    for after, size in passed:
        yield start + after, size


def _exchange(event: TraceEvent, path: str) -> Exchange:
    """As the proxy sees it: the path with its query."""
    headers = event.headers
    if not headers:
        return Exchange(event.method, event.host, path)
    get = headers.get
    page_host, page_path = page_of(get("referer"))
    origin_host, _ = page_of(get("origin"))
    return Exchange(
        event.method,
        event.host,
        path,
        get("sec-fetch-dest"),
        get("sec-fetch-mode"),
        get("sec-fetch-site"),
        get("sec-purpose") or get("purpose") or get("x-moz"),
        get("sec-fetch-user") == "?1",
        page_host,
        page_path,
        origin_host,
        get("accept"),
        get("x-fb-friendly-name") or get("x-apollo-operation-name"),
        event.status,
        event.content_type,
        event.bytes,
        event.duration,
    )


def simulate_events(rules: RuleSet, events: Iterable[TraceEvent]) -> Result:
    """Run events, sorted by time, through the engine with `rules`."""
    replay = Replay(rules)
    for event in events:
        replay.feed(event)
    return replay.finish()
