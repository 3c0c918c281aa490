"""docs/rules.md, "A change, from wish to live": every file and command of it, as it stands there,
on a real proxy."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy

PAGE = Path(__file__).parents[2].joinpath("docs/rules.md").read_text("utf-8")
STORY = PAGE.partition("\n## A change, from wish to live\n")[2].partition("\n## ")[0]
PASSWORD = "a password of carl's"


def blocks() -> Iterator[tuple[str, str]]:
    """Language and content of each block of the story, in its order."""
    for found in re.finditer(r"```(yaml|console)\n(.*?)```", STORY, re.S):
        yield found[1], found[2]


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a transcript with what it is said to print."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def essence(command: str, output: str) -> object:
    """What a command printed, without what depends on the day, the hour and the version of the
    catalogue."""
    if command.startswith("curl"):
        answer = json.loads(output)
        for allowance in answer["allowances"].values():
            del allowance["resets_at"]
        return answer
    lines = [line.rstrip() for line in output.splitlines()]
    if "--live" in command:
        lines = [
            line for line in lines[lines.index("This is linkedin.") :] if "may change" not in line
        ]
    return [re.sub(r"version [0-9a-f]{12}", "version", line) for line in lines]


def typed(proxy: OfficeProxy, command: str) -> str:
    """What the terminal shows for a command, on the ports of this test and with carl's password."""
    command = command.replace("localhost:8080", f"127.0.0.1:{proxy.port}")
    command = command.replace(
        "--proxy-user carl ", f"--proxy-user 'carl:{PASSWORD.replace("'", "'\\''")}' "
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=proxy.folder,
        env=proxy.environment() | {"PATH": path, "ALLOWANCE_WEB": f"127.0.0.1:{proxy.web_port}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


def test_the_wish_becomes_true_as_the_page_says(origins: Origins, tmp_path: Path) -> None:
    """A colleague who types what the page shows sees what the page shows, up to the running proxy's
    answer."""
    (policy, *_) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    (_, people), *steps = blocks()
    # the proxy's is the real day
    weekend = datetime.now(ZoneInfo("Europe/London")).weekday() >= 5  # noqa: TID251
    told = 0
    proxy = OfficeProxy(tmp_path, origins, policy, people=people)
    assert (
        proxy.cli("people", "add", "carl", "--password-stdin", stdin=f"{PASSWORD}\n").returncode
        == 0
    )
    with proxy:
        for language, block in steps:
            if language == "yaml":
                file = tmp_path / block.partition("\n")[0].removeprefix("# ")
                file.parent.mkdir(exist_ok=True)
                file.write_text(block)
                continue
            for command, expected in commands(block):
                got = typed(proxy, command)
                told += 1
                if "--live" in command and not weekend:  # the page was written on a Sunday
                    assert '"Fifteen minutes a day"' in got
                    assert re.search("Weekends of the care team │ no .*it is not sat-sun now", got)
                else:
                    assert essence(command, got) == essence(command, expected), (
                        f"$ {command}\n{got}"
                    )
    assert told == 10
