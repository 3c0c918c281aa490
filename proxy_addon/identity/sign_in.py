"""Proxy sign-in: Basic credentials checked against the password file, off the event loop.

* What was found out is remembered under a keyed hash of the header (each process makes its own
  key), so no password stays in memory: a right one for ten minutes after its last use, a wrong one
  for half a minute. Either is forgotten as soon as that person's line in the password file changes.
* The same credentials asked about several times at once, as browsers do, are checked once.
* After some wrong passwords from one address, further checks for that address wait, and are one at
  a time. Nobody who is signed in already notices; nobody is locked out for longer than that address
  keeps guessing.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import logging
import math
import os
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from proxy_addon.identity.passwords import Attempt, PasswordFile
from proxy_addon.system.clock import Clock

RIGHT_FOR = 600.0  # seconds since the last use
WRONG_FOR = 30.0  # seconds
_THREADS = 2
_RIGHT_KEPT, _WRONG_KEPT = (
    16_384,
    2_048,
)  # kept apart, so that guessing does not drive out who is signed in
_WAITING, _WAITING_EACH = 512, 128  # checks under way: in all, and from one address
_LONGEST_HEADER = 4_096
_LOOK_EVERY = 1.0  # seconds between two looks at the password file

# A fixed name, because log filters rely on it: not the name of the module, which may move.
_log = logging.getLogger("proxy_addon.proxy.sign_in")


class Checked(NamedTuple):
    """The result for credentials: the person's name, or None when they are wrong."""

    name: str | None


class _Known(NamedTuple):
    attempt: Attempt
    until: float


def is_basic(header: str | None) -> bool:
    """True when the header carries credentials of the one scheme that we ask for."""
    return header is not None and header[:6].lower() == "basic "


def basic_credentials(header: str) -> tuple[str, str] | None:
    """User and password of `Basic …`; None when malformed. Bytes that are not UTF-8 count as
    Latin-1."""
    if not is_basic(header) or len(header) > _LONGEST_HEADER:
        return None
    try:
        raw = base64.b64decode(header[6:].strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


class SignIn:
    """Checks credentials. For one event loop; only `close` may be called from elsewhere."""

    def __init__(
        self,
        passwords: PasswordFile,
        clock: Clock,
        on_result: Callable[[str], None] = lambda result: None,
    ) -> None:
        """`on_result` is called with each result: right, wrong, throttled (too many guesses) or
        failed."""
        self._passwords, self._clock, self._on_result = passwords, clock, on_result
        self._key = os.urandom(32)
        self._right: OrderedDict[bytes, _Known] = OrderedDict()
        self._wrong: OrderedDict[bytes, _Known] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Future[Checked]] = {}
        self._waiting: Counter[str] = Counter()
        self._throttle = Throttle()
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="sign-in")
        self._looked_at = clock.now()
        self._closed = False

    def possible(self) -> bool:
        """True when somebody can sign in. Notices a changed file within about two seconds; never
        waits."""
        self.look()
        return self._passwords.people > 0

    def look(self) -> None:
        """Look for a changed file, if it is time to: also when nobody asks, so that the first one
        who does is asked to sign in. Never waits."""
        now = self._clock.now()
        if now - self._looked_at >= _LOOK_EVERY and not self._closed:
            self._looked_at = now
            self._threads.submit(self._passwords.refresh)

    def known(self, header: str) -> Checked | None:
        """What is known of these credentials without checking them; None when they have to be
        checked."""
        if len(header) > _LONGEST_HEADER:
            return Checked(None)
        key = self._digest(header)
        now = self._clock.now()
        if (right := self._recall(self._right, key, now)) is not None:
            self._right[key] = right._replace(until=now + RIGHT_FOR)
            return Checked(right.attempt.name)
        if self._recall(self._wrong, key, now) is not None:
            return Checked(None)
        return None

    async def check(self, address: str, header: str) -> Checked:
        """Check credentials that came from `address`. Wrong too when far too many checks wait
        already."""
        known = self.known(header)
        if known is not None:
            return known
        key = self._digest(header)
        under_way = self._under_way.get(key)
        if under_way is None:
            credentials = basic_credentials(header)
            if credentials is None:
                return Checked(None)
            under_way = self._start(key, address, *credentials)
        if under_way is None:
            self._on_result("throttled")
            return Checked(None)
        # Shielded: a client that goes away must not take the answer from the others that wait for
        # it.
        return await asyncio.shield(under_way)

    def close(self) -> None:
        """Stop checking. What still waits is answered as wrong."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(
        self, key: bytes, address: str, user: str, password: str
    ) -> asyncio.Future[Checked] | None:
        if (
            self._closed
            or len(self._under_way) >= _WAITING
            or self._waiting[address] >= _WAITING_EACH
        ):
            return None
        wait = self._throttle.wait(address, self._clock.now())
        if wait is None:
            return None
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Checked] = loop.create_future()
        self._under_way[key] = answer
        self._waiting[address] += 1
        loop.call_later(wait, self._submit, key, address, user, password)
        return answer

    def _submit(self, key: bytes, address: str, user: str, password: str) -> None:
        if self._closed:
            self._settle(key, address, None)
            return
        work = asyncio.get_running_loop().run_in_executor(
            self._threads, self._passwords.attempt, user, password
        )
        work.add_done_callback(partial(self._done, key, address))

    def _done(self, key: bytes, address: str, work: asyncio.Future[Attempt]) -> None:
        error = None if work.cancelled() else work.exception()
        if error is not None:
            # Not the traceback: its frames hold the password.
            _log.error("a password could not be checked: %s", type(error).__name__)
        self._settle(key, address, None if error is not None or work.cancelled() else work.result())

    def _settle(self, key: bytes, address: str, attempt: Attempt | None) -> None:
        """Remember and hand out the result; None when there is none."""
        now = self._clock.now()
        self._on_result("failed" if attempt is None else "right" if attempt.right else "wrong")
        self._waiting[address] -= 1
        if self._waiting[address] <= 0:
            del self._waiting[address]
        if attempt is not None and attempt.right:
            _keep(self._right, key, _Known(attempt, now + RIGHT_FOR), _RIGHT_KEPT)
        elif attempt is not None:
            _keep(self._wrong, key, _Known(attempt, now + WRONG_FOR), _WRONG_KEPT)
            self._throttle.failed(address, now)
        answer = self._under_way.pop(key)
        if not answer.done():
            answer.set_result(
                Checked(attempt.name if attempt is not None and attempt.right else None)
            )

    def _recall(self, kept: OrderedDict[bytes, _Known], key: bytes, now: float) -> _Known | None:
        known = kept.get(key)
        if known is None:
            return None
        if (
            now >= known.until
            or self._passwords.fingerprint(known.attempt.name) != known.attempt.fingerprint
        ):
            del kept[key]
            return None
        kept.move_to_end(key)
        return known

    def _digest(self, header: str) -> bytes:
        return hashlib.blake2b(
            header.encode("utf-8", "surrogateescape"), key=self._key, digest_size=32
        ).digest()


class _Guesses(NamedTuple):
    weight: float
    at: float
    next_at: float


class Throttle:
    """How long checks from one address have to wait, after wrong passwords from it.

    Five are free; each further one doubles the gap between two checks, from a quarter of a second
    up to five seconds. Half of them are forgotten every minute: one machine with an old password
    stored in it, which is checked twice a minute, stays below the five and does not slow down the
    others behind its address.
    """

    FREE = 5
    HALF_LIFE = 60.0
    FIRST_GAP, LONGEST_GAP = 0.25, 5.0
    LONGEST_WAIT = 15.0
    KEPT = 4_096

    def __init__(self) -> None:
        self._guesses: OrderedDict[str, _Guesses] = OrderedDict()

    def wait(self, address: str, now: float) -> float | None:
        """Seconds until the next check from this address may begin; None: do not even wait."""
        guesses = self._guesses.get(address)
        if guesses is None:
            return 0.0
        count = self._fade(guesses, now)
        if round(count) < self.FREE:
            return 0.0
        start = max(now, guesses.next_at)
        if start - now > self.LONGEST_WAIT:
            return None
        self._guesses[address] = _Guesses(count, now, start + self._gap(count))
        return start - now

    def failed(self, address: str, now: float) -> None:
        """Another wrong password from this address."""
        guesses = self._guesses.pop(address, _Guesses(0.0, now, now))
        count = self._fade(guesses, now) + 1
        next_at = max(guesses.next_at, now + self._gap(count)) if round(count) >= self.FREE else now
        self._guesses[address] = _Guesses(count, now, next_at)
        while len(self._guesses) > self.KEPT:
            self._guesses.popitem(last=False)

    def _gap(self, count: float) -> float:
        return min(
            self.LONGEST_GAP, self.FIRST_GAP * math.exp2(min(max(0.0, count - self.FREE), 16))
        )

    def _fade(self, guesses: _Guesses, now: float) -> float:
        return guesses.weight * math.exp2(-max(0.0, now - guesses.at) / self.HALF_LIFE)


def _keep(kept: OrderedDict[bytes, _Known], key: bytes, known: _Known, most: int) -> None:
    kept[key] = known
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
