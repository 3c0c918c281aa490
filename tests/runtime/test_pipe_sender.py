"""`proxy_addon/runtime/pipe_sender.py`: a supervisor that does not read holds up no worker."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from multiprocessing.reduction import recv_handle

from proxy_addon.runtime.pipe_sender import PipeSender


def test_messages_come_in_order() -> None:
    """Ready, a state, and the sockets after their number."""
    here, there = multiprocessing.Pipe()
    sender = PipeSender(there)
    sender.ready()
    sender.state("well")
    assert (here.recv(), here.recv()) == (("ready", None), ("state", "well"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sender.listeners([listening.fileno()])
        assert here.recv() == ("listeners", 1)
        with socket.socket(fileno=recv_handle(here)) as copy:
            assert copy.getsockname() == listening.getsockname()
    here.close()
    there.close()


def test_nobody_reads() -> None:
    """Megabytes of states are said in no time while the pipe is full; afterwards the newest one
    comes, and few that were on their way."""
    here, there = multiprocessing.Pipe()
    sender = PipeSender(there)
    began = time.monotonic()
    for number in range(2_000):
        sender.state((number, b"x" * 100_000))
        time.sleep(0.0005)
    assert time.monotonic() - began < 30.0
    seen = []
    while not seen or seen[-1] != 1_999:
        kind, (number, _) = here.recv()
        assert kind == "state"
        seen.append(number)
    assert seen == sorted(set(seen))
    assert len(seen) < 100
    here.close()
    there.close()


def test_a_supervisor_that_has_ended() -> None:
    """Nothing is raised, and nothing waits."""
    here, there = multiprocessing.Pipe()
    here.close()
    sender = PipeSender(there)
    for _ in range(3):
        sender.ready()
        sender.state(os.getpid())
    there.close()
