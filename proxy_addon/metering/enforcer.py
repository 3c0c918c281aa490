"""The shell without mitmproxy: one method per event of a connection, one answer for each.

Called on the event loop only, and never waits: rules, balances and clocks are in memory. The order of a request:

1. `ask` decides before the site is contacted. A page that is opened after a silent gap is decided as if the gap
   had been charged already, because it will be: so the last second is found before the page is loaded, not
   after half of it.
2. `answered` judges the request with what the answer told (type, size), and feeds the clock.
3. `body`, `message` and `tunnel_bytes` feed the clock while something runs.
4. `due`, a few times a second, decides again for whatever is running and says what has to be cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from proxy_addon.core.catalogue import Catalogue, Hit
from proxy_addon.core.metering import activity, evidence, polling
from proxy_addon.core.metering.activity import Evidence, Exchange, Judgement, Kind
from proxy_addon.core.policy.compiled import Prepared
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import OnFailure, RuleSet
from proxy_addon.core.types import Activity, Balance, Decision, Person, Reason, Target, Verdict
from proxy_addon.metering.decision_cache import Lately
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.metering.visit_tracker import Attention, Era, Load
from proxy_addon.observability.interface import Metrics

CHUNK_SECONDS = 1.0  # resolution at which a stream is charged
TUNNEL_SECONDS = 5.0  # the same for tunnels, whose bytes tell less
STREAM_AGE = 2.0  # a body that is over sooner is a load like others
STALLED = 15.0  # bytes after a longer silence do not fill it
POLL_BYTES = 1_500  # a known poll that is answered with more may bring pictures
RECEIPT_SECONDS = 0.8  # a message this soon after a push was written by no person
SHORT_MESSAGE = 64  # bytes; heartbeats and receipts are as short, what people write seldom is
FOLLOWED = 200  # clocks that are written anew in one turn after a change of rules


class Ticket:
    """A body, a WebSocket or a tunnel that goes on. `handle` (what to cut) and `request` (its id) are the adapter's."""

    __slots__ = (
        "at", "bytes", "handle", "hit", "judgement", "key", "kind", "page", "person", "pushed", "request", "sent",
        "since", "target", "x",
    )  # fmt: skip

    def __init__(self, kind: str, person: Person, target: Target, at: float) -> None:
        self.kind = kind  # "http", "websocket" or "tunnel"
        self.person = person
        self.target = target
        self.at = at
        self.since = at
        self.bytes = 0
        self.handle: object = None
        self.request = ""
        self.x: Exchange | None = None
        self.hit: Hit | None = None
        self.page: Hit | None = None
        self.judgement: Judgement | None = None
        self.key = ""
        self.pushed = self.sent = float("-inf")


class Asked(NamedTuple):
    """The answer to `ask`. `ticket` only when it goes on; `notice` when a heads-up is due first."""

    decision: Decision
    ticket: Ticket | None = None
    notice: Balance | None = None


class Due(NamedTuple):
    """Something that has to end now, why, and how long ago its time was up (seconds)."""

    ticket: Ticket
    decision: Decision
    delay: float


_STREAM = Judgement(Activity.MEDIA, Evidence.MEDIA_STREAM, Kind.MEDIA)
_TUNNEL = Judgement(Activity.MEDIA, Evidence.BUSY_TUNNEL, Kind.MEDIA)
_MESSAGE = Judgement(Activity.VISIT, Evidence.MESSAGE_SENT, Kind.INTERACTION)
NOT_LIMITED = Decision(Verdict.ALLOW, Reason.NOT_LIMITED)


class Enforcer:
    """Decides and meters by one rule set at a time; `swap` changes it."""

    def __init__(
        self,
        rules: RuleSet,
        book: UsageBook,
        attention: Attention,
        metrics: Metrics,
        timer: Callable[[], float],
    ) -> None:
        self._book = book
        self._attention = attention
        self._metrics = metrics
        self._timer = timer
        self._live: dict[tuple[Person, Target], set[Ticket]] = {}
        self._last: dict[tuple[str, Target], Decision] = {}
        self._lately = Lately()
        self._forced: dict[str, tuple[str, ...]] = {}
        self._warned: dict[tuple[str, str], float | None] = {}
        self.use(rules)

    def use(self, rules: RuleSet) -> None:
        """Decide by `rules` from now on."""
        self.engine = Engine(rules)
        self.catalogue = Catalogue(rules.platforms)

    def swap(self, prepared: Prepared, now: float) -> None:
        """Decide by other rules from the instant `now` on. What was charged before stays as it is.

        Roles are looked up anew; those that an address gives come with the next `person` of that name.
        """
        self._attention.swapped(Era(now, self.engine, self._forced))
        self.engine, self.catalogue = prepared
        self._forced, self._last = {}, {}
        self.reseat(lambda ticket: None, now)

    def reseat(self, who: Callable[[Ticket], Person | None], now: float) -> None:
        """Look up anew who pays for what runs; None: the same name with the roles that it has now."""
        live, self._live = self._live, {}
        for ticket in [ticket for tickets in live.values() for ticket in tickets]:
            ticket.person = who(ticket) or self.known(ticket.person.name, now)
            self._live.setdefault((ticket.person, ticket.target), set()).add(ticket)

    @property
    def rules(self) -> RuleSet:
        """The rule set in force."""
        return self.engine.rule_set

    def limited(self, host: str) -> str | None:
        """The platform of a host when some rule limits it; else None: such traffic is none of our business."""
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
        """Forget one person; what runs goes on and is counted anew."""
        self._forced.pop(name, None)
        self._last = {key: said for key, said in self._last.items() if key[0] != name}
        self._warned = {key: until for key, until in self._warned.items() if key[0] != name}

    # -- requests

    def ask(self, person: Person, x: Exchange, hit: Hit, now: float) -> Asked:
        """Decide about one request of a limited platform."""
        begun = self._timer()
        target = Target(hit.platform, hit.section)
        loads = not activity.is_navigation(x)  # a page is decided to the second
        known = self._lately.recall(self.rules, person, target, self._book, now) if loads else None
        decision = known or self._decide(person, target, now)
        page = self._page(x)
        watch = self._attention.watch(person.name, hit.platform)
        judgement, opens = None, False
        if not loads:
            judgement = activity.classify(x, hit, page, watch.place, now)
            opens = judgement.evidence is Evidence.PAGE_OPENED
        if judgement is not None and opens and decision.verdict is Verdict.SPEND and decision.would is None:
            decision = self._with_gap(person, target, decision, judgement, now)
        self._metrics.decided(person, decision, self._timer() - begun)
        if decision.blocks:
            self._attention.refused(person, target.platform, decision, now)
            return Asked(decision)
        notice = self._notice(person, decision, now) if opens else None
        if notice is not None:
            return Asked(decision, None, notice)
        ticket = Ticket("http", person, target, now)
        ticket.x, ticket.hit, ticket.page, ticket.judgement = x, hit, page, judgement
        self._live.setdefault((person, target), set()).add(ticket)
        return Asked(decision, ticket)

    def _decide(self, person: Person, target: Target, now: float) -> Decision:
        decision = self.engine.decide(person, target, self._book.of(person.name), now)
        if decision.allowance is not None and self._book.is_stranger(person.name):
            decision = self.failure(person, target)
        self._last[(person.name, target)] = decision
        self._lately.keep(decision, self.rules, person, target, self._book, now)
        return decision

    def _with_gap(
        self, person: Person, target: Target, decision: Decision, judgement: Judgement, now: float
    ) -> Decision:
        """Charge the silent gap before a page that is opened when it would use up what is left."""
        gap = self._attention.pending(person.name, target.platform, now)
        if decision.left is None or gap < decision.left:
            return decision
        self._attention.enter(self.engine, person, Load(target, now, now, judgement, "", certain=True))
        again = self._decide(person, target, now)
        if again.blocks:
            self._attention.stop(self.engine, person, target.platform, now)
        return again

    def _page(self, x: Exchange) -> Hit | None:
        if x.page_host:
            return self.catalogue.look(x.page_host, x.page_path or "/")
        if x.origin_host:
            return self.catalogue.look(x.origin_host, "/")
        return None

    def _notice(self, person: Person, decision: Decision, now: float) -> Balance | None:
        """The balance for a heads-up, once in each window, on a page load when little is left."""
        if decision.verdict is not Verdict.SPEND or decision.allowance is None or decision.left is None:
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

    def answered(self, ticket: Ticket, status: int, content_type: str, length: int, now: float) -> None:
        """The head of the answer is here. `length` in bytes, 0 = not told; `now` may be after `ticket.at`."""
        self.finished(ticket, status, content_type, length, now - ticket.at)

    def finished(
        self, ticket: Ticket, status: int, content_type: str, length: int, duration: float
    ) -> Judgement:
        """Judge a request with what is known of its answer, and feed the clock with it."""
        assert ticket.x is not None and ticket.hit is not None
        x = activity.with_answer(ticket.x, status, content_type, length, duration)
        person, target = ticket.person, ticket.target
        watch = self._attention.watch(person.name, target.platform)
        judgement = activity.classify(x, ticket.hit, ticket.page, watch.place, ticket.at)
        ticket.judgement = judgement
        leads = activity.leads(x)
        ticket.key = polling.endpoint(x.host, x.path) if leads else polling.CONTENT
        became = judgement.activity
        opened = judgement.evidence is Evidence.PAGE_OPENED
        load = Load(target, ticket.at, ticket.at, judgement, ticket.key, leads,
                    certain=opened and x.gesture, weak=leads and not opened, size=length)  # fmt: skip
        if became.counts and target.platform in self.rules.limited:
            became = self._attention.enter(self.engine, person, load)
        elif judgement.evidence is Evidence.TELEMETRY and length >= POLL_BYTES:
            self._attention.polled(self.engine, person, load)
        if not became.counts:
            ticket.judgement = Judgement(became, judgement.evidence)
            self._metrics.ignored(person, target.platform, became)
        # Only now: a page that is only polled is not in use.
        watch.place = activity.remember(watch.place, x, ticket.judgement, ticket.at)
        return ticket.judgement

    def body(self, ticket: Ticket, size: int, now: float) -> None:
        """`size` bytes of an answer passed. Charges a body that goes on, second by second."""
        ticket.bytes += size
        elapsed = now - ticket.since
        if elapsed < CHUNK_SECONDS:
            return
        judged = ticket.judgement
        if judged is not None and judged.activity.counts and now - ticket.at >= STREAM_AGE:
            self._flow(ticket, elapsed, now, _STREAM)
        ticket.since, ticket.bytes = now, 0

    def _flow(self, ticket: Ticket, elapsed: float, now: float, judgement: Judgement) -> bool:
        if ticket.bytes < self.rules.metering.busy_rate * elapsed:
            return False
        if ticket.target.platform not in self.rules.limited:  # it was, when this began
            return True
        start = ticket.since if elapsed <= STALLED else now
        load = Load(ticket.target, start, now, judgement, ticket.key, certain=True)
        self._attention.stream(self.engine, ticket.person, load)
        return True

    def closed(self, ticket: Ticket) -> None:
        """It is over, in whatever way. Twice is fine."""
        key = (ticket.person, ticket.target)
        live = self._live.get(key)
        if live is not None:
            live.discard(ticket)
            if not live:
                del self._live[key]

    # -- WebSockets and tunnels

    def upgraded(self, ticket: Ticket) -> None:
        """The request became a WebSocket."""
        ticket.kind = "websocket"

    def message(self, ticket: Ticket, size: int, now: float, *, from_client: bool) -> Activity:
        """One WebSocket message of `size` bytes; a server's push is never a person's doing."""
        became = Activity.BACKGROUND
        if not from_client:
            if now - ticket.sent > RECEIPT_SECONDS:  # what answers the person's own message is no push
                ticket.pushed = now
        elif ticket.x is not None and now - ticket.pushed > RECEIPT_SECONDS:
            ticket.sent = now
            width = size if size <= 64 else 64 * (size // 64)
            key = f"ws:{ticket.x.host}:{width}"
            load = Load(ticket.target, now, now, _MESSAGE, key, weak=size <= SHORT_MESSAGE)
            if ticket.target.platform in self.rules.limited:
                became = self._attention.enter(self.engine, ticket.person, load)
        if not became.counts:
            self._metrics.ignored(ticket.person, ticket.target.platform, became)
        return became

    def tunnel(self, person: Person, platform: str, now: float, section: str | None = None) -> Asked:
        """Decide about a tunnel that stays closed to us."""
        begun = self._timer()
        target = Target(platform, section)
        decision = self._decide(person, target, now)
        self._metrics.decided(person, decision, self._timer() - begun)
        if decision.blocks:
            return Asked(decision)
        ticket = Ticket("tunnel", person, target, now)
        ticket.key = f"tunnel:{platform}"
        self._live.setdefault((person, target), set()).add(ticket)
        return Asked(decision, ticket)

    def tunnel_bytes(self, ticket: Ticket, size: int, now: float) -> None:
        """Bytes passed either way: busy is media, a trickle is background."""
        ticket.bytes += size
        elapsed = now - ticket.since
        if elapsed < TUNNEL_SECONDS:
            return
        if not self._flow(ticket, elapsed, now, _TUNNEL):
            self._metrics.ignored(ticket.person, ticket.target.platform, Activity.BACKGROUND)
        ticket.since, ticket.bytes = now, 0

    def tunnel_quiet(self, ticket: Ticket) -> None:
        """All of a tunnel was a trickle."""
        self._metrics.ignored(ticket.person, ticket.target.platform, Activity.BACKGROUND)

    def blocked_now(self, ticket: Ticket, now: float) -> bool:
        """Whether what goes on under this ticket would have to end."""
        return self._decide(ticket.person, ticket.target, now).blocks

    # -- time

    def due(self, now: float) -> Iterator[Due]:
        """What is running and must end now. The clock of those people has been stopped."""
        self._attention.follow(self.engine, lambda name: self.known(name, now), FOLLOWED)
        self._attention.run_out(self.engine, lambda name: self.known(name, now), now)
        for (person, target), tickets in list(self._live.items()):
            decision = self._decide(person, target, now)
            if not decision.blocks:
                continue
            delay = self._over_since(person, target, now)
            why = evidence.TIME_UP if decision.reason is Reason.EXHAUSTED else evidence.RULE_CHANGED
            self._attention.stop(self.engine, person, target.platform, now, why)
            for ticket in list(tickets):
                yield Due(ticket, decision, delay)

    def _over_since(self, person: Person, target: Target, now: float) -> float:
        stretches = self._attention.watch(person.name, target.platform).clock.stretches
        return max(0.0, now - stretches[-1].end) if stretches else 0.0

    def stepped(self, before: float) -> None:
        """The wall clock jumped at the instant `before`: what is open ends there, the jump is nobody's time."""
        for name, platform in self._attention.watched():
            who = self.known(name, before)
            self._attention.stop(self.engine, who, platform, before, evidence.CLOCK_SET)

    def settle(self, now: float) -> None:
        """Housekeeping, once a minute or so."""
        self._attention.settle(now)
        for memory in (self._last, self._lately, self._forced):
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
