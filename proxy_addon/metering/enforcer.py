"""Decides and meters without mitmproxy: one method for each event of a connection.

Runs on the event loop only and never blocks: rules, balances and clocks are in memory. The steps of
a request:

1. `ask` decides before the site is contacted. A page that is opened after a silent gap is decided
   as if the gap had been charged already, because it will be: so the last second is found before
   the page is loaded, not after half of it.
2. `answered` judges the request with the type and size of the answer, and adds it to the clock; at
   the end of the answer where its size is not known before (`request_meter.py`).
3. `body`, `message` and `tunnel_bytes` (`traffic_meter.py`) add to the clock while a connection is
   in use.
4. `due`, a few times a second, decides again about what may have run out by now
   (`check_schedule.py`) and returns what has to be cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from proxy_addon.core.catalogue import Catalogue, Hit
from proxy_addon.core.metering import activity, evidence
from proxy_addon.core.metering.activity import Evidence, Exchange, Judgement
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.policy.opening import Opening
from proxy_addon.core.types import Balance, Decision, Person, Reason, Target, Verdict
from proxy_addon.metering.check_schedule import Running
from proxy_addon.metering.decider import Decider
from proxy_addon.metering.flight import Asked, Due, Flight, page_of
from proxy_addon.metering.free_tunnels import FreeTunnels
from proxy_addon.metering.heads_up import HeadsUps
from proxy_addon.metering.next_openings import NextOpenings
from proxy_addon.metering.notice_gate import NoticeGate
from proxy_addon.metering.platform_state import Load, RulesPeriod
from proxy_addon.metering.request_meter import RequestMeter
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.metering.visit_tracker import VisitTracker
from proxy_addon.observability.interface import Metrics

FOLLOWED_AT_ONCE = 200  # clocks that are rewritten in one turn after a change of rules

_WHY = {Reason.EXHAUSTED: evidence.TIME_UP}

NOT_LIMITED = Decision(Verdict.ALLOW, Reason.NOT_LIMITED)


class Enforcer(RequestMeter):
    """Decides and meters by one rule set at a time; `swap` changes it."""

    def __init__(
        self,
        policy: CompiledPolicy,
        book: UsageBook,
        tracker: VisitTracker,
        metrics: Metrics,
        timer: Callable[[], float],
        gate: NoticeGate,
    ) -> None:
        super().__init__(tracker, metrics, book)
        self.gate = gate
        self._book = book
        self._timer = timer
        self.free = FreeTunnels()
        self._decider = Decider(book)
        self._forced: dict[str, tuple[str, ...]] = {}
        self._heads_ups = HeadsUps(self.balance)
        self.next_openings = NextOpenings(book)
        self.use(policy)

    def use(self, policy: CompiledPolicy) -> None:
        """Decide by `policy` from now on."""
        self.engine = policy.engine
        self.catalogue: Catalogue = policy.catalogue
        self._decider.use(policy.engine)
        self.free.use(policy.engine)
        self.gate.use(policy.engine)
        self._running.check_all()

    def swap(self, prepared: CompiledPolicy, now: float) -> None:
        """Decide by other rules from the instant `now` on. What was charged before stays as it is.

        Roles are looked up again; those that an address gives come with the next `person` of that
        name.
        """
        self._tracker.swapped(RulesPeriod(now, self.engine, self._forced))
        self._forced = {}
        self._decider.forget_all()
        self.use(prepared)
        self.reassign(lambda flight: None, now)

    def reassign(self, who: Callable[[Flight], Person | None], now: float) -> None:
        """Assign everything in flight to the person that `who` returns; None: the same name with
        its current roles."""
        self._running.reassign(lambda flight: who(flight) or self.known(flight.person.name, now))

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
        self._decider.drop(name)
        self._heads_ups.drop(name)
        self.gate.book.drop(name)

    # -- requests

    def ask(
        self, person: Person, x: Exchange, hit: Hit, now: float, *, signed_in: bool = True
    ) -> Asked:
        """Decide about one request of a limited platform. `signed_in`: the person's name rests on
        more than an address."""
        started = self._timer()
        target = Target(hit.platform, hit.section)
        loads = not activity.is_navigation(x)  # a page is decided to the second
        decision = self._decider.recent(person, target, now) if loads else None
        if decision is None:
            decision = self._decider.decide(person, target, now)
        page = page_of(self.catalogue, x)
        judgement, opens = None, False
        if not loads:
            state = self._tracker.state_of(person.name, hit.platform)
            judgement = activity.classify(x, hit, page, state.pages, now)
            opens = judgement.evidence is Evidence.PAGE_OPENED
        if (
            judgement is not None
            and opens
            and decision.verdict is Verdict.SPEND
            and decision.would is None
        ):
            decision = self._with_gap(person, target, decision, judgement, now)
        decision = self._as_part(person, decision, x, hit, page, now)
        gated = self.gate.check(
            person,
            decision,
            now,
            signed_in=signed_in,
            is_page=not loads,
            is_seen=activity.is_seen(x),
        )
        if gated is not None:
            decision = gated.decision
        self._metrics.decided(person, decision, self._timer() - started)
        if decision.blocks:
            self._tracker.refused(person, target.platform, decision, now)
            return Asked(decision, gated=gated)
        notice = self._notice(person, decision, now) if opens else None
        if notice is not None:
            return Asked(decision, None, notice)
        flight = Flight("http", person, target, now)
        flight.signed_in = signed_in
        flight.x, flight.hit, flight.page, flight.judgement = x, hit, page, judgement
        flight.as_embed = decision.reason is Reason.EMBED and decision.would is None
        if not flight.as_embed:
            self._begin(flight, decision)
        return Asked(decision, flight)

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
        again = self._decider.decide(person, target, now)
        if again.blocks:
            self._tracker.stop(self.engine, person, target.platform, now)
        return again

    def _notice(self, person: Person, decision: Decision, now: float) -> Balance | None:
        if decision.allowance is None:
            return None
        warn_at = self.rules.allowances[decision.allowance].warn_at
        return self._heads_ups.due(person, decision, warn_at, now)

    def ended(self, flight: Flight, now: float) -> None:
        """The flight is over: what of its answer is open is judged with what came. May be called
        twice."""
        self._judge_open(flight, now)
        self.closed(flight)

    def closed(self, flight: Flight) -> None:
        """The flight is over, whatever of its answer is open. May be called twice."""
        flight.answer = None
        self._running.remove(flight)
        self.provisional.forget(flight)
        self.free.ended(flight)

    # -- tunnels

    def opening(
        self, person: Person, platform: str, now: float, *, signed_in: bool = True
    ) -> Opening:
        """Whether tunnels of a person to a platform have to be opened now: because of the rules, or
        because something has to be asked of the person."""
        found = self.free.opening(person, platform, now)
        if found.needed or self.gate.needs(person, now, signed_in=signed_in):
            return Opening(True, found.until)
        return Opening(False, min(found.until, self.gate.until(person, now)))

    def free_tunnel(
        self, person: Person, platform: str, now: float, *, signed_in: bool = True
    ) -> Asked | None:
        """Decide about a tunnel in which nothing has to be decided now: it is relayed, and free
        time in it is estimated from bytes. None: it has to be opened."""
        opening = self.opening(person, platform, now, signed_in=signed_in)
        if opening.needed:
            return None
        asked = self.tunnel(person, platform, now, until=opening.until, signed_in=signed_in)
        if asked.flight is not None:
            asked.flight.estimated = True
        return asked

    def tunnel(
        self,
        person: Person,
        platform: str,
        now: float,
        section: str | None = None,
        until: float = math.inf,
        *,
        signed_in: bool = True,
    ) -> Asked:
        """Decide about a tunnel that stays closed to us. `until`: an instant at which it has to be
        looked at again in any case."""
        started = self._timer()
        target = Target(platform, section)
        decision = self._decider.decide(person, target, now)
        gated = self.gate.check(person, decision, now, signed_in=signed_in, is_page=False)
        if gated is not None:
            decision = gated.decision
        self._metrics.decided(person, decision, self._timer() - started)
        if decision.blocks:
            return Asked(decision, gated=gated)
        flight = Flight("tunnel", person, target, now)
        flight.signed_in = signed_in
        flight.key = f"tunnel:{platform}"
        self._begin(flight, decision, until)
        return Asked(decision, flight)

    def _begin(self, flight: Flight, decision: Decision, until: float = math.inf) -> None:
        if (flight.person, flight.target) not in self._running:
            until = min(until, self.gate.due_by(flight.person, flight.at))
        self._running.add(flight, self.engine, decision, until)
        self.provisional.watch(flight)

    def blocked_now(self, flight: Flight, now: float) -> bool:
        """Whether what goes on under this flight would have to end."""
        return self._decider.decide(flight.person, flight.target, now).blocks

    # -- time

    def due(self, now: float) -> Iterator[Due]:
        """What is running and must end now. The clock of those people has been stopped."""
        self._tracker.follow(self.engine, lambda name: self.known(name, now), FOLLOWED_AT_ONCE)
        self._tracker.run_out(self.engine, lambda name: self.known(name, now), now)
        for running, flights in self._running.due(now):
            decision = self._decider.decide(*running, now)
            unread = self.gate.unread(decision, flights, now)
            rest = [flight for flight in flights if flight not in unread]
            if not decision.blocks and rest:
                until = min(
                    self._follow_free(running, rest, now), self.gate.due_by(running[0], now)
                )
                self._running.go_on(running, self.engine, decision, now, until)
            if decision.blocks:
                yield from self._ended(running, flights, decision, now)
            for refused in dict.fromkeys(unread.values()):
                ending = [flight for flight in flights if unread.get(flight) == refused]
                yield from self._ended(running, ending, refused, now, evidence.POLICY_UNREAD)
        for flight in self.free.due(now):
            yield Due(
                flight, self._decider.decide(flight.person, flight.target, now), 0.0, reopens=True
            )

    def _ended(
        self,
        running: Running,
        flights: list[Flight],
        decision: Decision,
        now: float,
        why: str | None = None,
    ) -> Iterator[Due]:
        """These end now, and the clock stops. `why`: one of `core/metering/evidence.py`; None: what
        the decision says."""
        person, target = running
        delay = self._over_since(person, target, now)
        why = why or _WHY.get(decision.reason, evidence.RULE_CHANGED)
        for flight in flights:
            if flight.judgement is not None and flight.judgement.activity.counts:
                self._judge_open(flight, now)  # before the clock stops, or it would start again
        self._tracker.stop(self.engine, person, target.platform, now, why)
        for flight in flights:
            if flight.estimated or flight.ending is not None:
                self.free.end_now(flight, now)
            elif not self._goes_on(flight, decision, now):
                self._judge_open(flight, now)
                yield Due(flight, decision, delay)

    def _follow_free(self, running: Running, flights: list[Flight], now: float) -> float:
        """Free tunnels in which something has to be decided now are charged, and end soon; the
        instant until which the others stay free."""
        free = [flight for flight in flights if flight.estimated]
        if not free:
            return math.inf
        until = math.inf
        for flight in free:
            opening = self.opening(running[0], running[1].platform, now, signed_in=flight.signed_in)
            if not opening.needed:
                until = min(until, opening.until)
                continue
            if flight.report is not None:
                flight.report()
            self.charged_from(flight, now)
            self.free.end_soon(flight, now)
        return until

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
        self._decider.settle()
        if len(self._forced) > 100_000:
            self._forced.clear()

    # -- what pages and commands show

    def balance(self, person: Person, allowance: str, now: float) -> Balance:
        """One balance of one person."""
        return self.engine.balance(person, allowance, self._book.of(person.name), now)

    def failure(self, person: Person | None, target: Target) -> Decision:
        """The configured verdict when our own code failed or a balance cannot be read."""
        return self._decider.failure(person, target)
