"""Throw bytes at the loader of rule files: whatever they are, it answers, in time, with located
problems.

    python tests/fuzz/fuzz_rules.py --inputs 1000000 --seed 1

Half of the inputs are bytes that atheris mutates by what they reach in our code (where that package
is installed), a part are rules that hypothesis puts together, the rest are the files of the corpus
with cuts, swaps and strange bytes in them. Prints how many inputs there were, how many were right,
how long the slowest took, and which codes of problems came up. Exits 1 at the first crash and
leaves the input in `var/fuzz/`.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import random
import subprocess
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as hypothesis_seed
from hypothesis import strategies as st

try:
    import atheris
except ImportError:  # not for every Python; its share of the inputs goes to mutations then
    atheris = None

# What atheris is to steer by has to be imported under its eyes.
guided = atheris is not None and "--guided" in sys.argv
with atheris.instrument_imports(include=["proxy_addon"]) if guided else contextlib.nullcontext():
    from proxy_addon.core.policy.engine import Engine, StaticUsage
    from proxy_addon.core.rules.problems import Code, Severity
    from proxy_addon.core.types import Target
    from proxy_addon.rules import folder as rules_folder
    from proxy_addon.rules.folder import Reading

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "rules"
RICH = ROOT / "tests" / "fuzz" / "rich"  # one of each thing that rules can say
CUT = b"\n=====\n"  # between the files of one input
NAMES = ("rules/policy.yaml", "rules/people.yaml", "rules/platforms/ours.yaml", "shifts.ics")
SLOW = 5.0  # seconds of a processor for one input that are a failure
NOW = 1_793_615_400.0
PLATFORMS = b"""x: {hosts: [x.com]}
linkedin: {hosts: [linkedin.com], sections: {learning: {paths: ['/learning/*']}}}
"""


def reading(data: bytes) -> Reading:
    """One input as a folder: up to four files, the policy first."""
    parts = data.split(CUT)[:4]
    files = dict(zip(NAMES, parts, strict=False))
    top = tuple((name, files[name]) for name in NAMES[:2] if name in files)
    platforms = (
        ("rules/platforms/base.yaml", PLATFORMS),
        *((n, files[n]) for n in NAMES[2:3] if n in files),
    )
    calendars = tuple((name, files[name]) for name in NAMES[3:] if name in files)
    return Reading("rules", top, platforms, (), "0", calendars)


class Count:
    """What came of all inputs."""

    def __init__(self) -> None:
        self.inputs = self.right = 0
        self.slowest = 0.0
        self.codes: collections.Counter[str] = collections.Counter()

    def one(self, data: bytes) -> None:
        """Try one input. Anything but an answer is an exception."""
        begun = (
            time.process_time()
        )  # of a processor: a machine that is busy with other things is not a failure
        read = reading(data)
        problems = rules_folder.problems(read)
        files = {name for name, _ in (*read.top, *read.platforms)} | {"rules"}
        for problem in problems:
            text = str(problem)
            assert text.isprintable(), text
            assert problem.file in files, text
            assert problem.line >= 1 and problem.column >= 1, text
            assert problem.code in tuple(Code), text
        self.codes.update({problem.code for problem in problems})
        if not any(problem.severity is Severity.ERROR for problem in problems):
            self._use(read)
        took = time.process_time() - begun
        assert took < SLOW, f"{took:.1f} s"
        self.inputs += 1
        if self.inputs % 20_000 == 0:
            print(f"  {self.inputs:,} inputs, {self.right:,} right", flush=True)
        self.slowest = max(self.slowest, took)

    def _use(self, read: Reading) -> None:
        """Rules that are right can be asked."""
        engine = Engine(rules_folder.rule_set(read))
        person = engine.person("carl", NOW)
        for target in (Target("x"), Target("linkedin", "learning")):
            engine.explain(person, target, StaticUsage(), NOW)
        engine.balances(person, StaticUsage(), NOW)
        self.right += 1

    def summary(self, what: str, seconds: float) -> str:
        """One line for people."""
        return (
            f"{what}: {self.inputs:,} inputs in {seconds:,.0f} s, {self.right:,} right, "
            f"slowest {self.slowest * 1000:.0f} ms, {len(self.codes)} of {len(Code)} codes"
        )


def seeds() -> list[bytes]:
    """The good and the bad files of the corpus; the right ones many times over,
    so that half the wounds are theirs."""
    good = [CORPUS.joinpath("good", name).read_bytes() for name in ("policy.yaml", "people.yaml")]
    rich = [RICH.joinpath(n).read_bytes() for n in ("policy.yaml", "people.yaml", "shifts.ics")]
    found = [CUT.join(good), CUT.join((rich[0], rich[1], b"", rich[2]))]
    for case in sorted(CORPUS.joinpath("bad").iterdir()):
        if case.is_file():
            found.append(CUT.join([case.read_bytes(), good[1]]))
        else:
            found.extend(CUT.join([good[0], each.read_bytes()]) for each in case.rglob("*.yaml"))
    found += found[:2] * (len(found) // 2)
    return found


WORDS = [
    b"\t",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r",
    b"---\n",
    b"&a ",
    b"*a",
    b"<<: *a",
    b"!!set",
    b"? ",
    b"|",
    b">-",
    b"[",
    b"]",
    b"{",
    b"}",
    b"'",
    b'"',
    b": ",
    b"- ",
    b"#",
    b"on",
    b"yes",
    b"12:30",
    b"null",
    b"~",
    b"1e9",
    b"0x1f",
    b"9" * 400,
    b"not: ",
    b"calendar: ",
    b"{holidays: GB}",
    b"{ics: shifts.ics}",
    b"per rolling 4h",
    b"2026-02-30",
    b"RRULE:FREQ=DAILY;COUNT=9",
    b"DTSTART:20261102T090000Z",
    b"\xed\xa0\x80",
    "\u2028".encode(),
    b"*@b.example",
]


def mutated(chance: random.Random, pool: list[bytes]) -> bytes:
    """A file of the corpus with a few wounds."""
    data = bytearray(chance.choice(pool))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        wound = chance.randrange(6)
        if wound == 0:
            data[at:at] = chance.choice(WORDS)
        elif wound == 1:
            del data[at : at + chance.randint(1, 30)]
        elif wound == 2 and at < len(data):
            data[at] = chance.randrange(256)
        elif wound == 3:
            other = chance.choice(pool)
            begin = chance.randrange(len(other) + 1)
            data[at:at] = other[begin : begin + chance.randint(1, 80)]
        elif wound == 4:
            lines = bytes(data).split(b"\n")
            chance.shuffle(lines)
            data = bytearray(b"\n".join(lines))
        else:
            data[at:at] = bytes(data[at : at + chance.randint(1, 60)]) * chance.randint(1, 8)
    return bytes(data[:20_000])


scalars = st.one_of(
    st.sampled_from(
        [
            "allow",
            "block",
            "15m per day",
            "90m per hour",
            "mon-fri",
            "12:00-13:30",
            "x",
            "linkedin/learning",
            "care",
            "2026-12-24",
            "2026-12-24..2027-01-01",
            "carl",
            '"*"',
            "no",
            "on",
            "1",
            "true",
            "~",
            "{spend: daily}",
            "bank",
        ]
    ),
    st.text(max_size=8).map(repr),
    st.integers(-5, 10**12).map(str),
)
keys = st.sampled_from(
    [
        "version",
        "timezone",
        "rules",
        "allowances",
        "calendars",
        "roles",
        "devices",
        "platform_groups",
        "name",
        "then",
        "when",
        "days",
        "between",
        "dates",
        "calendar",
        "not",
        "platforms",
        "users",
        "limit",
        "overrides",
        "members",
        "user",
        "ics",
        "holidays",
        "otherwise",
        "daily",
        "care",
        "x",
        "mode",
        "metering",
        "day_starts",
        "10.0.0.0/8",
    ]
)
flows = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(keys, inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=12,
)
files = st.lists(st.tuples(keys, flows), max_size=5).map(
    lambda pairs: (
        "version: 1\ntimezone: UTC\n" + "".join(f"{key}: {value}\n" for key, value in pairs)
    )
)


def by_hypothesis(count: Count, inputs: int, seed: int) -> None:
    """Rules put together from the words of the language."""

    @hypothesis_seed(seed)
    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(files, min_size=1, max_size=3))
    def run(texts: list[str]) -> None:
        count.one(CUT.join(text.encode("utf-8", "surrogatepass") for text in texts))

    run()


def by_atheris(inputs: int, seed: int, folder: Path) -> None:
    """The same target under libFuzzer,
    which leaves the process when it is done; so this is one of its own."""
    count, begun = Count(), time.perf_counter()

    def one(data: bytes) -> None:
        count.one(data)
        if count.inputs == inputs:
            print(count.summary("atheris", time.perf_counter() - begun), flush=True)

    words = folder / "words"
    words.write_text(
        "".join('"' + "".join(f"\\x{byte:02x}" for byte in word[:60]) + '"\n' for word in WORDS)
    )
    flags = [
        f"-runs={inputs}",
        f"-seed={seed}",
        "-max_len=6000",
        "-timeout=30",
        "-verbosity=0",
        f"-dict={words}",
    ]
    atheris.Setup([sys.argv[0], *flags, f"-artifact_prefix={folder}/", str(folder / "corpus")], one)
    atheris.Fuzz()


def main() -> None:
    """Share the inputs out, and say what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--guided", action="store_true", help="all of it by atheris, in this process"
    )
    parser.add_argument("--unguided", action="store_true", help="all but the share of atheris")
    options = parser.parse_args()
    folder = ROOT / "var" / "fuzz"
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    if options.guided:
        by_atheris(options.inputs, options.seed, folder)
        return
    pool = seeds()
    for n, data in enumerate(pool):
        (folder / "corpus" / f"seed-{n}").write_bytes(data)
    share = options.inputs // 2 if atheris is not None else 0
    command = [
        sys.executable,
        __file__,
        "--guided",
        "--inputs",
        str(share),
        "--seed",
        str(options.seed),
    ]
    if share and not options.unguided and subprocess.run(command, check=False).returncode:
        sys.exit(1)
    if not share:
        print("atheris is not installed: its share goes to mutations")
    begun, count = time.perf_counter(), Count()
    while count.inputs < options.inputs // 20:  # it remembers what it tried, and slows down
        by_hypothesis(
            count, min(2_000, options.inputs // 20 - count.inputs), options.seed + count.inputs
        )
    print(count.summary("hypothesis", time.perf_counter() - begun), flush=True)
    begun, rest, chance = time.perf_counter(), Count(), random.Random(options.seed)
    for _ in range(options.inputs - share - count.inputs):
        data = mutated(chance, pool)
        try:
            rest.one(data)
        except BaseException:
            (folder / "crash").write_bytes(data)
            raise
    print(rest.summary("mutations", time.perf_counter() - begun), flush=True)


if __name__ == "__main__":
    main()
