"""Record a session of real software in a real browser behind the real proxy:
`python -m tests.real_sessions.record`, or `make sessions`. See docs/real-sessions.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from tests.real_sessions import kept, small_form
from tests.real_sessions.recorded_session import RECORDED, load
from tests.real_sessions.recording import installation, material
from tests.real_sessions.recording.attention import AttentionRecord
from tests.real_sessions.recording.browser import RecordedBrowser
from tests.real_sessions.recording.cast import CAST, Member
from tests.real_sessions.recording.clock import now
from tests.real_sessions.recording.contacts import Contacts
from tests.real_sessions.recording.machine import MachineLoad
from tests.real_sessions.recording.part_failed import PartFailed
from tests.real_sessions.recording.person import RecordedPerson
from tests.real_sessions.recording.plan import WHOLE_MINUTES, Away, plan
from tests.real_sessions.recording.proxy import RecordingProxy
from tests.real_sessions.recording.servers import Servers
from tests.real_sessions.replay import replay
from tests.real_sessions.table import lines

COMING = 4.0  # seconds between one person and the next
CHECKED_EVERY = 5.0  # seconds, that all servers still run


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    seed: int
    minutes: float
    people: list[Member]
    out: Path
    pictures: Path | None
    keep: bool


class Recording:
    """One session. `work` is a folder for everything that is not kept."""

    def __init__(self, options: Options, work: Path) -> None:
        self._options, self._work = options, work
        self._attention = AttentionRecord(work / "attention.jsonl")
        self._load = MachineLoad()
        self._began = now()
        self._people = [
            RecordedPerson(
                member,
                plan(self._random(member.name, "plan"), options.minutes, member.ways),
                self._attention,
                self.say,
                options.pictures,
                work,
            )
            for member in options.people
        ]

    def say(self, text: str) -> None:
        """Progress: seconds since the beginning, and what happens."""
        print(f"{now() - self._began:7.1f} s  {text}", flush=True)

    def _random(self, *parts: str) -> Random:
        return Random(":".join((str(self._options.seed), *parts)))

    async def run(self) -> None:
        """Start everything, let people come, write what was seen."""
        installed = await asyncio.to_thread(installation.install, self.say)
        made = await asyncio.to_thread(material.make, installed, self.say)
        self.say("starting the servers and the proxy")
        proxy = None
        async with AsyncExitStack() as stack:
            servers = await stack.enter_async_context(Servers(self._work, installed, made))
            proxy = await stack.enter_async_context(RecordingProxy(self._work, servers))
            chat = servers.ports["IRCD"], servers.ports["XMPPC2S"]
            contacts = await stack.enter_async_context(Contacts(*chat, self._random("contacts")))
            await stack.enter_async_context(self._load.watched())
            await self._visits(stack, servers, proxy, contacts)
            self.say("everybody has left; stopping")
        charged = {each.member.name: proxy.charged(each.member.name) for each in self._people}
        self._write(proxy.dump, charged)

    async def _visits(
        self, stack: AsyncExitStack, servers: Servers, proxy: RecordingProxy, contacts: Contacts
    ) -> None:
        # Who has a laptop has a browser alone, because it is stopped when the laptop sleeps.
        browsers: dict[str, RecordedBrowser] = {}
        for person in self._people:
            member = person.member
            name = f"laptop-{member.name}" if Away.ASLEEP in member.ways else "desktop"
            if name not in browsers:
                started = RecordedBrowser(name, self._work, proxy.trust)
                browsers[name] = await stack.enter_async_context(started)
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch(servers, proxy))
            async with asyncio.TaskGroup() as visits:
                for person in self._people:
                    name = f"laptop-{person.member.name}"
                    browser = browsers.get(name) or browsers["desktop"]
                    random = self._random(person.member.name, "acts")
                    visits.create_task(person.run(browser, proxy.port, contacts, random))
                    await asyncio.sleep(COMING)
            watch.cancel()

    async def _watch(self, servers: Servers, proxy: RecordingProxy) -> None:
        while True:
            await asyncio.sleep(CHECKED_EVERY)
            servers.check()
            proxy.check()

    def _write(self, dump: Path, charged: dict[str, float]) -> None:
        """Small form and truth; refused where something is in it that must not be."""
        trace, notes = self._options.out.with_suffix(".jsonl.gz"), self._options.out
        names = [each.member.name for each in self._people]
        made = self._work / trace.name
        small_form.write_dump(dump, names, made)
        typed = [text for each in self._people for text in each.said]
        kept.check(made, typed, [Path.home(), Path(tempfile.gettempdir()), self._work])
        shutil.copy(made, trace)
        people = {
            each.member.name: {
                "software": each.member.software,
                "family": each.member.family,
                "live": round(charged[each.member.name], 3),
                "attention": [
                    [round(start, 3), round(end, 3)]
                    for start, end in self._attention.spans[each.member.name]
                ],
            }
            for each in self._people
        }
        today = datetime.fromtimestamp(now(), UTC).date().isoformat()
        session = {
            "recorded": today,
            "seed": self._options.seed,
            "load": round(self._load.highest, 2),
            "people": people,
        }
        notes.write_text(json.dumps(session, indent=1) + "\n")
        self.say(
            f"wrote {trace.name} ({trace.stat().st_size / 1000:.0f} kB) and {notes.name}; load of a core "
            f"at most {self._load.highest:.2f}, timers at most {self._load.late:.2f} s late "
            f"({self._load.often} times 0.25 s or more)"
        )


def options_of(arguments: Sequence[str] | None) -> Options:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="make sessions", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides who does what when")
    parser.add_argument("--minutes", type=float, default=WHOLE_MINUTES)
    names = [member.name for member in CAST]
    parser.add_argument("--people", default=",".join(names), help="separated by commas")
    parser.add_argument("--out", type=Path, help="NAME.json; the trace lies beside it")
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of each visit")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and dump")
    given = parser.parse_args(arguments)
    wanted = given.people.split(",")
    if unknown := sorted(set(wanted) - set(names)):
        parser.error(f"nobody is called {', '.join(unknown)}; there are {', '.join(names)}")
    out = given.out or RECORDED / f"seed-{given.seed}.json"
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
    people = [member for member in CAST if member.name in wanted]
    return Options(given.seed, given.minutes, people, out, given.pictures, given.keep)


async def _run(options: Options, work: Path) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await Recording(options, work).run()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 = a session was written."""
    options = options_of(arguments)
    work = Path(tempfile.mkdtemp(prefix="recorded-session-"))
    try:
        asyncio.run(_run(options, work))
    except (PartFailed, ExceptionGroup) as problem:
        for each in _parts(problem):
            print(f"FAILED  {each}", file=sys.stderr)
        print(f"The logs are in {work}", file=sys.stderr)
        return 1
    if options.keep:
        print(f"Logs and dump are in {work}")
    else:
        shutil.rmtree(work)
    load(options.out)
    print("\n".join(lines(replay([options.out]))))
    return 0


def _parts(problem: Exception) -> list[PartFailed]:
    """The failed parts of a group of exceptions; anything else is a mistake of this program."""
    if isinstance(problem, PartFailed):
        return [problem]
    if isinstance(problem, ExceptionGroup):
        return [part for each in problem.exceptions for part in _parts(each)]
    raise problem


if __name__ == "__main__":
    sys.exit(main())
