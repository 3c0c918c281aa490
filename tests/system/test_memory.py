"""Twin of proxy_addon/system/memory.py: little that is free is kept, and garbage is found soon."""

from __future__ import annotations

import subprocess
import sys

import pytest

THREADS = """
import ctypes, threading
from proxy_addon.system import memory
if {limited}:
    memory.limit_allocator()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
kept = []
def work():
    kept.append(libc.malloc(1000))
    at.wait()
at = threading.Barrier(17)
threads = [threading.Thread(target=work) for _ in range(16)]
[thread.start() for thread in threads]
at.wait()
[thread.join() for thread in threads]
print(len({{address >> 26 for address in kept}}))  # heaps of threads begin at multiples of 64 MiB
"""
GARBAGE = """
import gc
from proxy_addon.system import memory
many = [[] for _ in range(1_500_000)]  # what a start imports and loads
if {settled}:
    memory.settle()
else:
    gc.collect()
    gc.freeze()
before = gc.get_stats()[2]["collections"]
lately = [None] * 20_000  # what goes on for a while, and refers to itself
number = 0
while gc.get_stats()[2]["collections"] == before:
    one, other = [], []
    one.append(other); other.append(one)
    lately[number % len(lately)] = one
    number += 1
print(number)
"""


def run(text: str, **values: object) -> int:
    """What a program prints, a number."""
    done = subprocess.run(
        [sys.executable, "-c", text.format(**values)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU C library is on Linux")
def test_threads_share_heaps() -> None:
    """Sixteen threads have two heaps between them, not one each."""
    assert run(THREADS, limited=False) > run(THREADS, limited=True)
    assert run(THREADS, limited=True) <= 3  # two, one of which may lie across such a border


def test_garbage_is_found_soon_after_the_start() -> None:
    """What was there at the start does not put off the first full round of the collector."""
    assert run(GARBAGE, settled=True) * 1.3 < run(GARBAGE, settled=False)
