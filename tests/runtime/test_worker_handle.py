"""`proxy_addon/runtime/worker_handle.py`: what arrives from a worker."""

from __future__ import annotations

import multiprocessing
import os
import socket
from multiprocessing.reduction import send_handle

import pytest

from proxy_addon.runtime.worker_handle import Worker
from tests.e2e.waiting import accepts


def test_a_worker_that_is_stopped_between_two_sockets() -> None:
    """Nobody waits for the second one: what has come is kept until it is there, and closed when it
    is too late."""
    supervisor_end, worker_end = multiprocessing.Pipe()
    worker = Worker(0, multiprocessing.get_context("forkserver").Process(), supervisor_end, 0.0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        worker.ask_for_listeners()
        worker_end.send(("listeners", 2))
        worker.listen(1.0)
        send_handle(worker_end, listening.fileno(), os.getpid())
        worker.listen(2.0)
        assert worker.listeners == []
        send_handle(worker_end, listening.fileno(), os.getpid())
        worker_end.send(("ready", None))
        worker.listen(3.0)
        assert len(worker.listeners) == 2 and worker.ready
        for each in worker.take_listeners():
            each.close()
        worker.ask_for_listeners()
        worker_end.send(("listeners", 2))
        send_handle(worker_end, listening.fileno(), os.getpid())
        worker.listen(4.0)
    assert worker.take_listeners() == [] and not accepts(port)
    for end in (supervisor_end, worker_end):
        end.close()


@pytest.mark.parametrize("awaited", [True, False])
def test_listening_sockets_that_arrive(awaited: bool) -> None:
    """Sockets that a worker sends are kept while somebody waits for them; what comes too late is
    closed, or the port would stay open with nobody behind it."""
    supervisor_end, worker_end = multiprocessing.Pipe()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        worker = Worker(0, multiprocessing.get_context("forkserver").Process(), supervisor_end, 0.0)
        worker.ask_for_listeners()
        if not awaited:
            assert worker.take_listeners() == []
        worker_end.send(("listeners", 1))
        send_handle(worker_end, listening.fileno(), os.getpid())
        worker.listen(1.0)
        port = listening.getsockname()[1]
    copies = worker.take_listeners()
    assert [copy.getsockname()[1] for copy in copies] == ([port] if awaited else [])
    assert accepts(port) is awaited
    for each in (*copies, supervisor_end, worker_end):
        each.close()
