"""`proxy_addon/runtime/worker_maker.py`: a fork server that leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import multiprocessing.forkserver as forkserver, os, pathlib, sys
from proxy_addon.runtime import worker_maker

if __name__ == "__main__":
    context = worker_maker.start(["json"], pathlib.Path(sys.argv[1]))
    print(*os.listdir(sys.argv[1]))
    number = forkserver._forkserver._forkserver_pid
    made = context.Process(target=print, args=("made",))
    made.start()
    made.join()
    worker_maker.end()
    worker_maker.end()
    print(os.path.exists(f"/proc/{number}"))
"""

REPLACED = """
import multiprocessing.forkserver as forkserver, multiprocessing, os, pathlib, signal, sys, time
from proxy_addon.runtime import worker_maker
from proxy_addon.runtime.worker_handle import Worker

def made(context):
    ours, _ = context.Pipe()
    process = context.Process(target=time.sleep, args=(600,))
    process.start()
    return Worker(0, process, ours, 0.0)

if __name__ == "__main__":
    first, second = (pathlib.Path(name) for name in sys.argv[1:])
    context = worker_maker.start(["json"], first)
    killed = forkserver._forkserver._forkserver_pid
    workers = [made(context)]
    os.kill(killed, signal.SIGKILL)
    time.sleep(0.5)
    worker_maker.ensure_running()
    workers.append(made(context))
    lost = forkserver._forkserver._forkserver_pid
    worker_maker.move(second)
    workers.append(made(context))
    print(*(each.is_alive() for each in workers))
    print(len(os.listdir(second)), forkserver._forkserver._forkserver_pid not in (killed, lost))
    for each in workers:
        each.kill()
        each.wait(10.0)
        print(each.is_alive(), each is workers[1] or each.exit_code())
        each.close()
    worker_maker.end()
    print(*(os.path.exists(f"/proc/{pid}") for pid in (killed, lost)))
"""


def test_a_fork_server_from_start_to_end(tmp_path: Path) -> None:
    """Its socket is in the folder that its maker removes, processes come from it, and it has ended
    when `end` returns."""
    folder = tmp_path / "shared"
    folder.mkdir()
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, program, folder], capture_output=True, text=True, timeout=60, check=True
    )
    file, made, exists = done.stdout.splitlines()
    assert file.startswith("listener-")
    assert (made, exists) == ("made", "False")
    assert list(folder.iterdir()) == []


def test_fork_servers_that_are_replaced(tmp_path: Path) -> None:
    """What a fork server made goes on when it is killed or has lost its files, and is known to run
    until it ends; the next one makes more."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    program = tmp_path / "program.py"
    program.write_text(REPLACED)
    done = subprocess.run(
        [sys.executable, program, first, second],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "True True True",
        "1 True",
        "False None",  # nobody knows how it ended: its fork server was dead
        "False True",  # the last process of a fork server that ends with it: it may not tell
        "False -9",
        "False False",
    ]
