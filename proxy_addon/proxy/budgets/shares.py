"""What one connection and one person may make us do.

Much of what a peer sends costs it a few bytes and us a thousand times as much. Each connection has
budgets for that, and so has each person, so that it does not help to connect again:

* `resets` of HTTP/2 streams, and `frames` that carry nothing (`paced_frames.py`). Who uses up one
  of them gets GOAWAY (ENHANCE_YOUR_CALM), and for `REFUSED_SECONDS` no new connection on which we
  would have to decide anything.
* `memory`: what waits because the other side does not take it, in windows of HTTP/2 and in messages
  of a WebSocket that are not complete. Each connection is bounded by itself; of all connections of
  a person together, those that have us keep most of it end once it is more than `PERSON_BYTES`.
* time of the processor, beyond what their bytes are worth. Nothing is refused for it: we read more
  slowly from those who use more than their share, so that everybody else's turn comes.

Whose turn it is when there is more to do than the processor can is decided in `loop_turns.py`.

A person is a name, or an address where there is none. Nobody stands for a front proxy, behind which
there are many.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol
from weakref import WeakKeyDictionary

import structlog
from mitmproxy.connection import Client, Connection
from mitmproxy.proxy import events

from proxy_addon.proxy.budgets.token_bucket import Allotment, TokenBucket
from proxy_addon.system.clock import ClockSource

log = structlog.get_logger("allowance.proxy")

RESETS, FRAMES, WEBSOCKET, MEMORY = "resets", "frames", "websocket", "memory"
LIMITS = {RESETS: Allotment(50, 300), FRAMES: Allotment(500, 3000)}  # for a connection, in a second
PERSON = 2.0  # a person may use so many times what a connection may
PERSON_BYTES = 64 << 20  # that may wait in memory, of all connections of a person
SMALL_BYTES = 128 << 10  # a connection that has us keep no more goes on, whatever the others do
KEPT_STEP = 64 << 10  # what a connection keeps is counted when it has changed by so much
TIME = Allotment(0.5, 0.5)  # seconds of the processor in a second
SECONDS_A_BYTE = 60e-9  # seconds of the processor that each byte is worth: bulk is not slowed down
REFUSED_SECONDS = 10.0  # somebody who floods gets no new connections for so long
KEPT = 2000  # people who are remembered while they have no connection
LOG_SECONDS = 60.0  # seconds between two lines about the same budget
SHORTEST_REST = 0.002  # seconds


class RefusalCounts(Protocol):
    """Where what is refused is counted."""

    def refused(self, budget: str) -> None:
        """Something was refused because a budget was used up."""


class PersonShare:
    """What one person has left, over all of their connections."""

    __slots__ = ("_buckets", "_kept", "refused_until", "time")

    def __init__(self, now: float) -> None:
        self._buckets = {
            name: TokenBucket(limit.times(PERSON), now) for name, limit in LIMITS.items()
        }
        self.time = TokenBucket(TIME, now)
        self.refused_until = 0.0
        # Weak: a connection that ends without saying so is forgotten with it.
        self._kept: WeakKeyDictionary[ConnectionShare, int] = WeakKeyDictionary()

    def keep(self, connection: ConnectionShare, size: int) -> bool:
        """See `ConnectionShare.keep`."""
        if not size:
            self._kept.pop(connection, None)
            return True
        self._kept[connection] = size
        return size <= SMALL_BYTES or sum(self._kept.values()) <= PERSON_BYTES

    def use(self, budget: str, amount: float, now: float) -> bool:
        """See `TokenBucket.use`."""
        return self._buckets[budget].use(amount, now)


class ConnectionShare:
    """What one connection has left. `held`: bytes that were read and are not handled yet."""

    __slots__ = (
        "__weakref__",
        "_buckets",
        "_client",
        "_clock",
        "_kept",
        "_owner",
        "_time",
        "held",
    )

    def __init__(self, owner: ClientShare, *, is_client: bool) -> None:
        now = owner.clock()
        self._client = owner
        self._kept = 0
        self._owner = owner if is_client else None
        self._clock = owner.clock
        self._buckets = {name: TokenBucket(limit, now) for name, limit in LIMITS.items()}
        self._time = TokenBucket(TIME, now)
        self.held = 0

    @property
    def _person(self) -> PersonShare | None:
        return None if self._owner is None else self._owner.person

    def use(self, budget: str, amount: float = 1.0) -> bool:
        """Use something up; False: there is not so much, and the connection has to end."""
        now, person = self._clock(), self._person
        enough = self._buckets[budget].use(amount, now)
        return (person is None or person.use(budget, amount, now)) and enough

    def keep(self, size: int) -> bool:
        """So many bytes wait in memory for it now; False: all that its person has us keep is too
        much, and this connection has to end."""
        if abs(size - self._kept) < KEPT_STEP and (size or not self._kept):
            return True
        self._kept = size
        person = self._client.person
        return person is None or person.keep(self, size)

    def spent(self, seconds: float, size: int) -> None:
        """So much time of the processor went into `size` bytes."""
        seconds -= size * SECONDS_A_BYTE
        if seconds > 0:
            now, person = self._clock(), self._person
            self._time.use(seconds, now)
            if person is not None:
                person.time.use(seconds, now)

    def rest(self) -> float:
        """Seconds until the next of its bytes may be handled; 0: at once."""
        now, person = self._clock(), self._person
        return max(self._time.wait(now), 0.0 if person is None else person.time.wait(now))

    async def rested(self) -> None:
        """Wait until more may be read from it."""
        while (seconds := self.rest()) or self.held:
            await asyncio.sleep(max(seconds, SHORTEST_REST))


class ClientShare:
    """The shares of a client's connection, and of those to sites that were opened for it."""

    __slots__ = ("_budgets", "_connections", "clock", "person", "turn_of", "used")

    def __init__(self) -> None:
        self._budgets: Budgets | None = None
        self.clock: ClockSource = time.monotonic
        self._connections: WeakKeyDictionary[Connection, ConnectionShare] = WeakKeyDictionary()
        self.person: PersonShare | None = None
        self.turn_of: Connection | None = None  # whose bytes are being handled, in a later turn
        self.used = 0.0  # see `loop_turns.TurnTaker`

    def belongs_to(self, budgets: Budgets, clock: ClockSource) -> None:
        """From now on what is refused is counted there. Before its first byte."""
        self._budgets, self.clock = budgets, clock

    def of(self, connection: Connection) -> ConnectionShare:
        """The share of one of its connections."""
        found = self._connections.get(connection)
        if found is None:
            is_client = isinstance(connection, Client)
            found = self._connections[connection] = ConnectionShare(self, is_client=is_client)
        return found

    def handled(self, event: events.Event, seconds: float) -> None:
        """So much time of the processor went into an event."""
        if type(event) is events.DataReceived:
            self.of(event.connection).spent(seconds, len(event.data))
        elif self.turn_of is not None:
            self.of(self.turn_of).spent(seconds, 0)
            self.turn_of = None

    def exceeded(self, connection: Connection, budget: str) -> None:
        """A connection has to end, because it used up a budget."""
        if self._budgets is None:
            return
        is_client = isinstance(connection, Client)
        if is_client and self.person is not None and budget in LIMITS:
            self.person.refused_until = self.clock() + REFUSED_SECONDS
        self._budgets.note(budget, "client" if is_client else "site")


_SHARES: WeakKeyDictionary[Client, ClientShare] = WeakKeyDictionary()


def share_of(client: Client) -> ClientShare:
    """The shares of a client's connection, in whatever layer that is asked for."""
    found = _SHARES.get(client)
    if found is None:
        found = _SHARES[client] = ClientShare()
    return found


class Budgets:
    """One for the add-on: who is behind each connection, and who is refused for a while."""

    def __init__(self, counter: RefusalCounts, clock: ClockSource = time.monotonic) -> None:
        self._counter = counter
        self._clock = clock
        self._people: dict[str, PersonShare] = {}
        self._logged: dict[str, float] = {}

    def connected(self, client: Client) -> None:
        """A client has connected."""
        share_of(client).belongs_to(self, self._clock)

    def belongs(self, client: Client, name: str) -> None:
        """It is known whose connection it is."""
        share_of(client).person = self._person(name)

    def _person(self, name: str) -> PersonShare:
        found = self._people.pop(name, None)
        if found is None:
            found = PersonShare(self._clock())
            if len(self._people) >= KEPT:
                del self._people[next(iter(self._people))]
        self._people[name] = found  # at the end: those seen longest ago are forgotten first
        return found

    def refused(self, client: Client) -> float:
        """Seconds for which its person gets no new connection; 0: they do."""
        person = share_of(client).person
        if person is None:
            return 0.0
        left = person.refused_until - self._clock()
        if left <= 0:
            return 0.0
        self.note("flooded", "client")
        return left

    def note(self, budget: str, peer: str) -> None:
        """Count what was refused, and say so now and then."""
        self._counter.refused(budget)
        now = self._clock()
        if now - self._logged.get(budget, -LOG_SECONDS) >= LOG_SECONDS:
            self._logged[budget] = now
            log.warning("a budget was used up", budget=budget, peer=peer)
