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
