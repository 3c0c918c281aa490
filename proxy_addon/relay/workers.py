"""The workers of a host that share a port, as one of them sees them.

Behind a balancer the kernel spreads connections over the workers, whoever they come from. What has
to be decided about goes on in one worker for each person, because one clock has to see all that a
person does.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from proxy_addon.relay.handoff import (
    Adopt,
    Handoff,
    HandoffReceiver,
    HandoffSender,
    OnTaken,
    listen,
)


def worker_of(name: str, workers: int) -> int:
    """The number of the worker at which somebody's connections go on; the same in each process and
    after each restart."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % workers


class WorkerPlace(NamedTuple):
    """This worker among those that pass connections on; alone, everybody is served here."""

    number: int = 0
    workers: int = 1

    @property
    def shared(self) -> bool:
        """Whether there are others."""
        return self.workers > 1

    def serves(self, name: str) -> bool:
        """Whether somebody's connections go on here."""
        return self.workers == 1 or worker_of(name, self.workers) == self.number


def socket_file(folder: Path, index: int) -> Path:
    """Where a worker listens."""
    return folder / f"worker-{index}"


def listeners_of(folder: Path, workers: int) -> Sequence[socket.socket]:
    """The sockets of all workers. Whoever starts the workers keeps them: a worker's successor goes
    on with the same one."""
    return [listen(socket_file(folder, index)) for index in range(workers)]


class Workers:
    """Sends connections to the others, and takes theirs."""

    def __init__(self, place: WorkerPlace, folder: Path, listener: socket.socket) -> None:
        self.place = place
        self._listener = listener
        self._outgoing = [HandoffSender(socket_file(folder, n)) for n in range(place.workers)]
        self._incoming: HandoffReceiver | None = None
        self._retired = False

    def start(self, adopt: Adopt) -> None:
        """Take what others send, from now on."""
        if self._incoming is None and not self._retired:
            self._listener.setblocking(False)
            self._incoming = HandoffReceiver(self._listener, adopt)

    def serves(self, name: str) -> bool:
        """Whether somebody's next connections go on here."""
        return not self._retired and self.place.serves(name)

    def send(self, name: str, descriptor: int, handoff: Handoff, result: OnTaken) -> None:
        """Send a connection to the worker of somebody. See `HandoffSender.send`."""
        number = worker_of(name, self.place.workers)
        self._outgoing[number].send(descriptor, handoff, result)

    def retire(self) -> None:
        """A successor with the same number serves: what others send is its own from now on, and
        what is accepted here goes to it."""
        self._retired = True
        if self._incoming is not None:
            self._incoming.close()
        else:
            self._listener.close()

    def stop(self) -> None:
        """Neither send nor take any more."""
        self.retire()
        for outgoing in self._outgoing:
            outgoing.close()
