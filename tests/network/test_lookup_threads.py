"""Twin of proxy_addon/network/lookup_threads.py: threads that hold nothing up."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from proxy_addon.network.lookup_threads import LookupThreads


def test_calls_run_side_by_side_and_threads_are_used_again() -> None:
    """Five that wait for each other run at once; five after them need no new thread."""
    threads, together = LookupThreads("test"), threading.Barrier(6)
    names: set[str] = set()

    def call() -> None:
        names.add(threading.current_thread().name)
        together.wait(5)

    for _ in range(3):
        for _ in range(5):
            threads.run(call)
        together.wait(5)
        time.sleep(0.05)
    assert names == {f"test-{i}" for i in range(1, 6)}
    threads.close()


def test_closed_threads_end() -> None:
    """No thread is left when its call is over."""
    threads, done = LookupThreads("ends"), threading.Event()
    threads.run(done.set)
    assert done.wait(5)
    threads.close()
    deadline = time.monotonic() + 5
    while any(t.name.startswith("ends-") for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_process_ends_while_a_call_hangs() -> None:
    """A name server that does not answer does not hold up the end of the proxy."""
    code = (
        "import time; from proxy_addon.network.lookup_threads import LookupThreads\n"
        "LookupThreads('dns').run(lambda: time.sleep(60)); time.sleep(0.1)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
