"""Decides and meters without mitmproxy: one method for each event of a connection.

Runs on the event loop only and never blocks: rules, balances and clocks are in memory. The steps of
a request:

1. `ask` decides before the site is contacted. A page that is opened after a silent gap is decided
   as if the gap had been charged already, because it will be: so the last second is found before
   the page is loaded, not after half of it.
2. `answered` judges the request with the type and size of the answer, and adds it to the clock.
3. `body`, `message` and `tunnel_bytes` add to the clock while a connection is in use.
4. `due`, a few times a second, decides again about what may have run out by now
   (`check_schedule.py`) and returns what has to be cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from proxy_addon.core.catalogue import Catalogue, Hit
from proxy_addon.core.metering import activity, evidence, polling
from proxy_addon.core.metering.activity import Evidence, Exchange, Judgement, Kind
from proxy_addon.core.metering.endpoints import endpoint
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import OnFailure, RuleSet
from proxy_addon.core.types import Activity, Balance, Decision, Person, Reason, Target, Verdict
from proxy_addon.metering.decision_cache import SECONDS as FRESH
from proxy_addon.metering.decision_cache import DecisionCache
from proxy_addon.metering.flight import Asked, Due, Flight
from proxy_addon.metering.platform_state import Load, RulesPeriod
from proxy_addon.metering.running_flights import RunningFlights
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.metering.visit_tracker import VisitTracker
from proxy_addon.observability.interface import Metrics

CHUNK_SECONDS = 1.0  # resolution at which a stream is charged
TUNNEL_SECONDS = 5.0  # the same for tunnels, whose bytes are weaker evidence
STREAM_AGE = 2.0  # a body that is over sooner is a load like others
STALLED = 15.0  # bytes after a longer silence do not fill it
POLL_BYTES = 1_500  # a known poll that is answered with more may bring pictures
RECEIPT_SECONDS = 0.8  # a message this soon after a push was written by no person
SHORT_MESSAGE = 64  # bytes; heartbeats and receipts are as short, what people write seldom is
FOLLOWED_AT_ONCE = 200  # clocks that are rewritten in one turn after a change of rules

_STREAM = Judgement(Activity.MEDIA, Evidence.MEDIA_STREAM, Kind.MEDIA)
_TUNNEL = Judgement(Activity.MEDIA, Evidence.BUSY_TUNNEL, Kind.MEDIA)
_MESSAGE = Judgement(Activity.VISIT, Evidence.MESSAGE_SENT, Kind.INTERACTION)
NOT_LIMITED = Decision(Verdict.ALLOW, Reason.NOT_LIMITED)


class Enforcer:
    """Decides and meters by one rule set at a time; `swap` changes it."""

    def __init__(
        self,
        policy: CompiledPolicy,
        book: UsageBook,
        tracker: VisitTracker,
        decision_cache: DecisionCache,
        metrics: Metrics,
        timer: Callable[[], float],
    ) -> None:
        self._book = book
        self._tracker = tracker
        self._metrics = metrics
        self._timer = timer
        self._running = RunningFlights(book)
        self._last: dict[tuple[str, Target], Decision] = {}
        self._decision_cache = decision_cache
        self._forced: dict[str, tuple[str, ...]] = {}
        self._warned: dict[tuple[str, str], float | None] = {}
        self.use(policy)

    def use(self, policy: CompiledPolicy) -> None:
        """Decide by `policy` from now on."""
        self.engine: Engine = policy.engine
        self.catalogue: Catalogue = policy.catalogue
        self._running.check_all()

    def swap(self, prepared: CompiledPolicy, now: float) -> None:
        """Decide by other rules from the instant `now` on. What was charged before stays as it is.

        Roles are looked up again; those that an address gives come with the next `person` of that
        name.
        """
        self._tracker.swapped(RulesPeriod(now, self.engine, self._forced))
        self.engine, self.catalogue = prepared
        self._forced, self._last = {}, {}
        self.reassign(lambda flight: None, now)

    def reassign(self, who: Callable[[Flight], Person | None], now: float) -> None:
        """Assign everything in flight to the person that `who` returns; None: the same name with
        its current roles."""
        self._running.reassign(lambda flight: who(flight) or self.known(flight.person.name, now))

    @property
    def rules(self) -> RuleSet:
        """The rule set in force."""
        return self.engine.rule_set

    def limited(self, host: str) -> str | None:
        """The platform of a host when some rule limits it; else None: such traffic is not
        metered."""
        platform = self.catalogue.platform_of(host)
        return platform if platform in self.rules.limited else None

    def person(self, name: str, roles: tuple[str, ...] | None, now: float) -> Person:
        """Somebody with forced roles, or with those that the rules give."""
        if roles is None:
            return self.engine.person(name, now)
        self._forced[name] = roles
        return Person(name, roles)

    def known(self, name: str, now: float) -> Person:
        """Somebody seen before, with the roles that their address gave them then."""
        return self.person(name, self._forced.get(name), now)

    def drop(self, name: str) -> None:
        """Forget one person; what runs goes on and is counted again."""
        self._forced.pop(name, None)
        self._last = {key: decision for key, decision in self._last.items() if key[0] != name}
        self._warned = {key: until for key, until in self._warned.items() if key[0] != name}

    # -- requests

    def ask(self, person: Person, x: Exchange, hit: Hit, now: float) -> Asked:
        """Decide about one request of a limited platform."""
        started = self._timer()
        target = Target(hit.platform, hit.section)
        loads = not activity.is_navigation(x)  # a page is decided to the second
        known = (
            self._decision_cache.recall(self.rules, person, target, self._book, now)
            if loads
            else None
        )
        decision = known or self._decide(person, target, now)
        page = self._page(x)
        state = self._tracker.state_of(person.name, hit.platform)
        judgement, opens = None, False
        if not loads:
            judgement = activity.classify(x, hit, page, state.pages, now)
            opens = judgement.evidence is Evidence.PAGE_OPENED
        if (
            judgement is not None
            and opens
            and decision.verdict is Verdict.SPEND
            and decision.would is None
        ):
            decision = self._with_gap(person, target, decision, judgement, now)
        self._metrics.decided(person, decision, self._timer() - started)
        if decision.blocks:
            self._tracker.refused(person, target.platform, decision, now)
            return Asked(decision)
        notice = self._notice(person, decision, now) if opens else None
        if notice is not None:
            return Asked(decision, None, notice)
        flight = Flight("http", person, target, now)
        flight.x, flight.hit, flight.page, flight.judgement = x, hit, page, judgement
        self._running.add(flight, self.engine, decision, now if known is None else now - FRESH)
        return Asked(decision, flight)

    def _decide(self, person: Person, target: Target, now: float) -> Decision:
        decision = self.engine.decide(person, target, self._book.of(person.name), now)
        if decision.allowance is not None and self._book.is_unknown(person.name):
            decision = self.failure(person, target)
        self._last[(person.name, target)] = decision
        self._decision_cache.keep(decision, self.rules, person, target, self._book, now)
        return decision

    def _with_gap(
        self, person: Person, target: Target, decision: Decision, judgement: Judgement, now: float
    ) -> Decision:
        """Charge the silent gap before a page that is opened when it would use up what is left."""
        gap = self._tracker.pending(person.name, target.platform, now)
        if decision.left is None or gap < decision.left:
            return decision
        self._tracker.enter(
            self.engine, person, Load(target, now, now, judgement, "", certain=True)
        )
        again = self._decide(person, target, now)
        if again.blocks:
            self._tracker.stop(self.engine, person, target.platform, now)
        return again

    def _page(self, x: Exchange) -> Hit | None:
        if x.page_host:
            return self.catalogue.lookup(x.page_host, x.page_path or "/")
        if x.origin_host:
            return self.catalogue.lookup(x.origin_host, "/")
        return None

    def _notice(self, person: Person, decision: Decision, now: float) -> Balance | None:
        """The balance for a heads-up, once in each window, on a page load when little is left."""
        if (
            decision.verdict is not Verdict.SPEND
            or decision.allowance is None
            or decision.left is None
        ):
            return None
        if decision.would is not None:
            return None
        key = (person.name, decision.allowance)
        warn_at = self.rules.allowances[decision.allowance].warn_at
        if decision.left > warn_at:
            self._warned.pop(key, None)
            return None
        if warn_at <= 0:
            return None
        balance = self.balance(person, decision.allowance, now)
        if key in self._warned and self._warned[key] == balance.resets_at:
            return None
        self._warned[key] = balance.resets_at
        return balance

    def answered(
        self, flight: Flight, status: int, content_type: str, length: int, now: float
    ) -> None:
        """The head of the answer is here. `length` in bytes, 0 = unknown; `now` may be after
        `flight.at`."""
        self.finished(flight, status, content_type, length, now - flight.at)

    def finished(
        self, flight: Flight, status: int, content_type: str, length: int, duration: float
    ) -> Judgement:
        """Judge a request with what is known of its answer, and feed the clock with it."""
        assert flight.x is not None and flight.hit is not None
        x = activity.with_answer(flight.x, status, content_type, length, duration)
        person, target = flight.person, flight.target
        state = self._tracker.state_of(person.name, target.platform)
        judgement = activity.classify(x, flight.hit, flight.page, state.pages, flight.at)
        flight.judgement = judgement
        leads = activity.leads(x)
        flight.key = endpoint(x.host, x.path) if leads else polling.CONTENT
        became = judgement.activity
        opened = judgement.evidence is Evidence.PAGE_OPENED
        load = Load(
            target,
            flight.at,
            flight.at,
            judgement,
            flight.key,
            leads,
            certain=opened and x.gesture,
            weak=leads and not opened,
            size=length,
        )
        if became.counts and target.platform in self.rules.limited:
            became = self._tracker.enter(self.engine, person, load)
        elif judgement.evidence is Evidence.TELEMETRY and length >= POLL_BYTES:
            self._tracker.observe_poll(self.engine, person, load)
        if not became.counts:
            flight.judgement = Judgement(became, judgement.evidence)
            self._metrics.ignored(person, target.platform, became)
        # Only now: a page that is only polled is not in use.
        state.pages = activity.remember(state.pages, x, flight.judgement, flight.at)
        return flight.judgement

    def body(self, flight: Flight, size: int, now: float) -> None:
        """`size` bytes of an answer passed. Charges a body that goes on, second by second."""
        flight.bytes += size
        elapsed = now - flight.since
        if elapsed < CHUNK_SECONDS:
            return
        judged = flight.judgement
        if judged is not None and judged.activity.counts and now - flight.at >= STREAM_AGE:
            self._flow(flight, elapsed, now, _STREAM)
        flight.since, flight.bytes = now, 0

    def _flow(self, flight: Flight, elapsed: float, now: float, judgement: Judgement) -> bool:
        if flight.bytes < self.rules.metering.busy_rate * elapsed:
            return False
        if flight.target.platform not in self.rules.limited:  # it was, when this began
            return True
        start = flight.since if elapsed <= STALLED else now
        load = Load(flight.target, start, now, judgement, flight.key, certain=True)
        self._tracker.stream(self.engine, flight.person, load)
        return True

    def closed(self, flight: Flight) -> None:
        """The flight is over. May be called twice."""
        self._running.remove(flight)

    # -- WebSockets and tunnels

    def upgraded(self, flight: Flight) -> None:
        """The request became a WebSocket."""
        flight.kind = "websocket"

    def message(self, flight: Flight, size: int, now: float, *, from_client: bool) -> Activity:
        """One WebSocket message of `size` bytes; a server's push is never a person's doing."""
        became = Activity.BACKGROUND
        if not from_client:
            if (
                now - flight.sent > RECEIPT_SECONDS
            ):  # what answers the person's own message is not a push
                flight.pushed = now
        elif flight.x is not None and now - flight.pushed > RECEIPT_SECONDS:
            flight.sent = now
            width = size if size <= 64 else 64 * (size // 64)
            key = f"ws:{flight.x.host}:{width}"
            load = Load(flight.target, now, now, _MESSAGE, key, weak=size <= SHORT_MESSAGE)
            if flight.target.platform in self.rules.limited:
                became = self._tracker.enter(self.engine, flight.person, load)
        if not became.counts:
            self._metrics.ignored(flight.person, flight.target.platform, became)
        return became

    def tunnel(
        self, person: Person, platform: str, now: float, section: str | None = None
    ) -> Asked:
        """Decide about a tunnel that stays closed to us."""
        started = self._timer()
        target = Target(platform, section)
        decision = self._decide(person, target, now)
        self._metrics.decided(person, decision, self._timer() - started)
        if decision.blocks:
            return Asked(decision)
        flight = Flight("tunnel", person, target, now)
        flight.key = f"tunnel:{platform}"
        self._running.add(flight, self.engine, decision, now)
        return Asked(decision, flight)

    def tunnel_bytes(self, flight: Flight, size: int, now: float) -> None:
        """Bytes passed either way: busy is media, a trickle is background."""
        flight.bytes += size
        elapsed = now - flight.since
        if elapsed < TUNNEL_SECONDS:
            return
        if not self._flow(flight, elapsed, now, _TUNNEL):
            self._metrics.ignored(flight.person, flight.target.platform, Activity.BACKGROUND)
        flight.since, flight.bytes = now, 0

    def tunnel_quiet(self, flight: Flight) -> None:
        """All of a tunnel was a trickle."""
        self._metrics.ignored(flight.person, flight.target.platform, Activity.BACKGROUND)

    def blocked_now(self, flight: Flight, now: float) -> bool:
        """Whether what goes on under this flight would have to end."""
        return self._decide(flight.person, flight.target, now).blocks

    # -- time

    def due(self, now: float) -> Iterator[Due]:
        """What is running and must end now. The clock of those people has been stopped."""
        self._tracker.follow(self.engine, lambda name: self.known(name, now), FOLLOWED_AT_ONCE)
        self._tracker.run_out(self.engine, lambda name: self.known(name, now), now)
        for running, flights in self._running.due(now):
            person, target = running
            decision = self._decide(person, target, now)
            if not decision.blocks:
                self._running.go_on(running, self.engine, decision, now)
                continue
            delay = self._over_since(person, target, now)
            why = evidence.TIME_UP if decision.reason is Reason.EXHAUSTED else evidence.RULE_CHANGED
            self._tracker.stop(self.engine, person, target.platform, now, why)
            for flight in flights:
                yield Due(flight, decision, delay)

    def _over_since(self, person: Person, target: Target, now: float) -> float:
        stretches = self._tracker.state_of(person.name, target.platform).timeline.stretches
        return max(0.0, now - stretches[-1].end) if stretches else 0.0

    def stepped(self, before: float) -> None:
        """The wall clock jumped at the instant `before`: what is open ends there, the jump is
        nobody's time."""
        for name, platform in self._tracker.tracked():
            who = self.known(name, before)
            self._tracker.stop(self.engine, who, platform, before, evidence.CLOCK_SET)

    def settle(self, now: float) -> None:
        """Housekeeping, once a minute or so."""
        self._tracker.settle(now)
        for memory in (self._last, self._decision_cache, self._forced):
            if len(memory) > 100_000:
                memory.clear()

    # -- what pages and commands show

    def balance(self, person: Person, allowance: str, now: float) -> Balance:
        """One balance of one person."""
        return self.engine.balance(person, allowance, self._book.of(person.name), now)

    def failure(self, person: Person | None, target: Target) -> Decision:
        """The configured verdict when our own code failed or a balance cannot be read."""
        wanted = self.rules.on_failure
        closed = Decision(Verdict.BLOCK, Reason.UNAVAILABLE, target.platform, target.section)
        if self.rules.observes:
            return closed.tried_out(Verdict.ALLOW)
        if wanted is OnFailure.ALLOW:
            return Decision(Verdict.ALLOW, Reason.UNAVAILABLE, target.platform, target.section)
        if wanted is OnFailure.LAST_KNOWN and person is not None:
            last = self._last.get((person.name, target))
            if last is not None:
                return last
        return closed
