"""Names to addresses by the system's resolver, off the event loop and with a share for everybody.

The system's resolver (`getaddrinfo`) knows what the machine knows: hosts file, search domains,
directory, VPN. It blocks, for half a minute where a name server does not answer. So each question
has a thread, and:

* questions for the same name at the same time are one question;
* answers are remembered for `ANSWER_SECONDS` (the system does not tell how long they hold; browsers
  assume the same), failures for `FAILURE_SECONDS`;
* nobody may have more than a share of the threads, neither a person nor a domain, and the shares
  become small before the threads run out: one person with forty names that hang, or a tracker whose
  name servers are dead, delays no other name;
* who waits for longer than `PATIENCE` gets an error, and whoever asks for that name as long as its
  question hangs gets it at once.

For one event loop.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from proxy_addon.network.lookup_threads import LookupThreads

ANSWER_SECONDS = 60.0
FAILURE_SECONDS = 5.0
PATIENCE = 10.0  # seconds that somebody waits for an answer
THREADS = 128  # questions asked at once
ROOMY = 64  # below this many everybody has a large share, from it on a small one
PERSON_SHARE, PERSON_SHARE_SMALL = 16, 2
DOMAIN_SHARE, DOMAIN_SHARE_SMALL = 8, 1
WAITING_EACH = 256  # questions of one person that wait; further ones fail at once
KEPT = 8_192  # answers and failures remembered
_SHORT_LABEL = 3  # `co.uk` and `com.au` are no domains of their own

type AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]
type Ask = Callable[[str], Sequence[AddressInfo]]


def ask_system(name: str) -> Sequence[AddressInfo]:
    """All addresses of a name for TCP, in the order in which the system prefers them. Blocks. The
    port is 0. Raises OSError."""
    try:
        found: Sequence[Any] = socket.getaddrinfo(name, 0, 0, socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError(f"{name} is not a valid name of a host") from None
    return found


class _Remembered(NamedTuple):
    """An answer or a failure, until the instant `until` of the loop's clock."""

    until: float
    addresses: Sequence[AddressInfo]
    error: OSError | None


@dataclass(eq=False)
class _Question:
    """A name that is asked for. `askers`: who waits; `share_of`: against whose share it runs."""

    name: str
    domain: str
    answer: asyncio.Future[Sequence[AddressInfo]]
    askers: Counter[str] = field(default_factory=Counter)
    share_of: str | None = None
    started: float = 0.0  # seconds of the loop's clock


class Lookups:
    """The names that are being looked up, and those that are known."""

    def __init__(self, ask: Ask = ask_system) -> None:
        """`ask` is called on a thread."""
        self._ask = ask
        self._threads = LookupThreads("dns")
        self._known: OrderedDict[str, _Remembered] = OrderedDict()
        self._open: dict[str, _Question] = {}
        self._waiting: OrderedDict[str, _Question] = OrderedDict()
        self._running = 0
        self._of_person: Counter[str] = Counter()
        self._of_domain: Counter[str] = Counter()
        self._waits_of: Counter[str] = Counter()

    def known(self, name: str) -> Sequence[AddressInfo] | None:
        """The addresses of a name if they are known now. Raises the error of a failure that is
        remembered."""
        remembered = self._known.get(name)
        if remembered is None:
            return None
        if asyncio.get_running_loop().time() >= remembered.until:
            del self._known[name]
            return None
        if remembered.error is not None:
            raise remembered.error.with_traceback(None)
        return remembered.addresses

    async def addresses(self, name: str, asker: str) -> Sequence[AddressInfo]:
        """The addresses of a name; `asker` is whose share pays. Raises OSError."""
        known = self.known(name)
        if known is not None:
            return known
        loop = asyncio.get_running_loop()
        question = self._open.get(name) or self._put(name, asker)
        patience = PATIENCE
        if question.share_of is not None:
            patience -= loop.time() - question.started
        question.askers[asker] += 1
        self._waits_of[asker] += 1
        self._start(loop)
        try:
            done, _ = await asyncio.wait((question.answer,), timeout=max(0.0, patience))
            if not done:
                raise TimeoutError(f"name resolution of {name} timed out")
            return question.answer.result()
        finally:
            self._leave(question, asker)

    def forget(self, name: str) -> None:
        """None of the addresses could be reached: ask again the next time."""
        self._known.pop(name, None)

    def close(self) -> None:
        """Ask no more; questions that still run end by themselves."""
        self._threads.close()

    def _put(self, name: str, asker: str) -> _Question:
        if self._waits_of[asker] >= WAITING_EACH:
            raise OSError(f"name resolution of {name} refused: too many names at once")
        loop = asyncio.get_running_loop()
        question = _Question(name, domain_of(name), loop.create_future())
        self._open[name] = self._waiting[name] = question
        return question

    def _leave(self, question: _Question, asker: str) -> None:
        """Somebody waits no more. A question for nobody is not asked."""
        question.askers -= Counter({asker: 1})
        self._waits_of -= Counter({asker: 1})
        if not question.askers and self._waiting.pop(question.name, None) is not None:
            del self._open[question.name]

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ask what there is room for, in the order in which it came."""
        if not self._waiting or self._running >= THREADS:
            return
        for question in list(self._waiting.values()):
            if self._running >= THREADS:
                return
            roomy = self._running < ROOMY
            share = DOMAIN_SHARE if roomy else DOMAIN_SHARE_SMALL
            if self._of_domain[question.domain] >= share:
                continue
            share = PERSON_SHARE if roomy else PERSON_SHARE_SMALL
            payer = next((each for each in question.askers if self._of_person[each] < share), None)
            if payer is not None:
                self._begin(question, payer, loop)

    def _begin(self, question: _Question, payer: str, loop: asyncio.AbstractEventLoop) -> None:
        del self._waiting[question.name]
        question.share_of, question.started = payer, loop.time()
        self._running += 1
        self._of_person[payer] += 1
        self._of_domain[question.domain] += 1

        def call() -> None:
            addresses: Sequence[AddressInfo] = ()
            error: OSError | None = None
            try:
                addresses = self._ask(question.name)
            except OSError as problem:
                error = problem
            except Exception as problem:
                error = OSError(f"name resolution of {question.name} failed: {problem!r}")
            try:
                loop.call_soon_threadsafe(self._done, question, addresses, error)
            except RuntimeError:  # the loop has ended meanwhile
                pass

        self._threads.run(call)

    def _done(
        self,
        question: _Question,
        addresses: Sequence[AddressInfo],
        error: OSError | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        del self._open[question.name]
        self._running -= 1
        self._of_person -= Counter({question.share_of or "": 1})
        self._of_domain -= Counter({question.domain: 1})
        seconds = ANSWER_SECONDS if error is None else FAILURE_SECONDS
        self._known[question.name] = _Remembered(loop.time() + seconds, addresses, error)
        self._known.move_to_end(question.name)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        if not question.answer.done():
            if error is None:
                question.answer.set_result(addresses)
            else:
                question.answer.set_exception(error)
                question.answer.exception()  # nobody may wait for it any more
        self._start(loop)


def domain_of(name: str) -> str:
    """The domain whose name servers answer for a name, roughly: its last two labels, or three where
    the last two are short (`co.uk`). An address is its own domain."""
    labels = name.rstrip(".").lower().split(".")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return name
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= _SHORT_LABEL
    return ".".join(labels[-3 if short else -2 :])
