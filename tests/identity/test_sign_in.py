"""Twin of proxy_addon/identity/sign_in.py: real argon2 in real threads, and an event loop that goes
on."""

from __future__ import annotations

import asyncio
import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.identity.passwords import Attempt, PasswordFile
from proxy_addon.identity.sign_in import (
    RIGHT_FOR,
    WRONG_FOR,
    Checked,
    SignIn,
    Throttle,
    basic_credentials,
)
from proxy_addon.system.clock import SystemClock
from tests.virtual_clock import VirtualClock

START = 1_793_610_000.0


def basic(user: str, password: str, encoding: str = "utf-8") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode(encoding)).decode()


class CountingFile(PasswordFile):
    """The real file, which also counts how often it was asked to check a password."""

    checks = 0

    def attempt(self, user: str, password: str) -> Attempt:
        self.checks += 1
        return super().attempt(user, password)


@pytest.fixture
def file(tmp_path) -> CountingFile:
    made = CountingFile(tmp_path / "passwords")
    made.add("dora", "pass:word")
    return made


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def sign_in(file, clock):
    made = SignIn(file, clock)
    yield made
    made.close()


@given(
    st.text(st.characters(codec="utf-8", exclude_characters=":")),
    st.text(st.characters(codec="utf-8")),
)
def test_basic_round_trip(user, password):
    """What a browser packs into Basic credentials comes out again, colons in the password too."""
    assert basic_credentials(basic(user, password)) == (user, password)


def test_basic_in_latin_1():
    """Old clients send Latin-1: bytes that are not UTF-8 are read as that."""
    assert basic_credentials(basic("zoë", "père", "latin-1")) == ("zoë", "père")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ",
        "Basic YQ==",
        "Bearer YTpi",
        "Basic YTpi YTpi",
        "Basic ä",
    ],
)
def test_malformed_credentials(header):
    """What is not Basic credentials is none, and breaks nothing."""
    assert basic_credentials(header) is None


def test_scheme_in_any_case():
    """The name of the scheme is compared without regard to case."""
    assert basic_credentials("bASIC YTpi") == ("a", "b")


async def test_right_credentials_are_checked_once(sign_in, file):
    """The first use costs a check, the next ones none."""
    header = basic("Dora", "pass:word")
    assert sign_in.known(header) is None
    assert await sign_in.check("10.0.0.1", header) == Checked("dora")
    assert sign_in.known(header) == Checked("dora")
    assert await sign_in.check("10.0.0.2", header) == Checked("dora")
    assert file.checks == 1


async def test_right_ones_are_kept_while_in_use(sign_in, clock):
    """A person who browses all day is checked once; after ten idle minutes the next use is checked
    again."""
    header = basic("dora", "pass:word")
    await sign_in.check("10.0.0.1", header)
    for _ in range(3):
        clock.advance(RIGHT_FOR - 1)
        assert sign_in.known(header) == Checked("dora")
    clock.advance(RIGHT_FOR)
    assert sign_in.known(header) is None


async def test_wrong_ones_are_kept_briefly(sign_in, file, clock):
    """A wrong password that is sent again and again is checked twice a minute."""
    header = basic("dora", "wrong")
    for _ in range(20):
        assert await sign_in.check("10.0.0.1", header) == Checked(None)
    assert file.checks == 1
    clock.advance(WRONG_FOR)
    assert sign_in.known(header) is None


async def test_changed_password_is_noticed_for_that_person_only(sign_in, file):
    """When one password changes, what is known of that person is forgotten, and of nobody else."""
    file.add("bob", "bob's password")
    old, new, bob = (
        basic("dora", "pass:word"),
        basic("dora", "new password"),
        basic("bob", "bob's password"),
    )
    assert await sign_in.check("10.0.0.1", new) == Checked(None)
    await sign_in.check("10.0.0.1", old)
    await sign_in.check("10.0.0.1", bob)
    PasswordFile(file.path).add("dora", "new password")
    file.refresh()
    assert sign_in.known(old) is None
    assert sign_in.known(new) is None
    assert sign_in.known(bob) == Checked("bob")
    assert await sign_in.check("10.0.0.1", new) == Checked("dora")
    assert await sign_in.check("10.0.0.1", old) == Checked(None)


async def test_change_of_the_file_is_noticed_unasked(tmp_path):
    """The file is looked at every second, off the loop: removing somebody ends a sign-in in
    memory."""
    file = PasswordFile(tmp_path / "passwords")
    clock = VirtualClock(START)
    sign_in = SignIn(file, clock)
    assert not sign_in.possible()
    PasswordFile(file.path).add("dora", "pass:word")
    deadline = time.monotonic() + 10
    while not sign_in.possible() and time.monotonic() < deadline:
        clock.advance(1)
        await asyncio.sleep(0.01)
    header = basic("dora", "pass:word")
    assert await sign_in.check("10.0.0.1", header) == Checked("dora")
    PasswordFile(file.path).remove("dora")
    while sign_in.possible() and time.monotonic() < deadline:
        clock.advance(1)
        await asyncio.sleep(0.01)
    assert sign_in.known(header) is None
    sign_in.close()


async def test_same_credentials_at_once_are_one_check(sign_in, file):
    """Thirty connections that a browser opens at once cost one check, and all get its answer."""
    header = basic("dora", "pass:word")
    answers = await asyncio.gather(*(sign_in.check("10.0.0.1", header) for _ in range(30)))
    assert set(answers) == {Checked("dora")}
    assert file.checks == 1


async def test_client_that_goes_away_takes_nothing_from_others(sign_in):
    """When the first of several waiting clients vanishes, the others still get the answer."""
    header = basic("dora", "pass:word")
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(sign_in.check("10.0.0.1", header))
        second = tasks.create_task(sign_in.check("10.0.0.1", header))
        await asyncio.sleep(0)
        first.cancel()
    assert first.cancelled()
    assert second.result() == Checked("dora")


async def test_loop_goes_on_during_checks(file):
    """While many passwords are checked, the event loop keeps ticking without a pause worth the
    name."""
    sign_in = SignIn(file, SystemClock())
    pauses: list[float] = []
    done = asyncio.Event()

    async def tick() -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while not done.is_set():
            await asyncio.sleep(0.001)
            now = loop.time()
            pauses.append(now - last)
            last = now

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(tick())
        started = time.monotonic()
        await asyncio.gather(
            *(sign_in.check(f"10.0.0.{n}", basic(f"u{n}", "wrong")) for n in range(20))
        )
        took = time.monotonic() - started
        done.set()
    sign_in.close()
    # A check on the loop would stop it for a whole check at a time, and tick about once for each.
    assert len(pauses) > 3 * 20 or took / 20 < 0.005
    assert sorted(pauses)[len(pauses) // 2] < took / 20


async def test_guessing_is_slowed_down(file):
    """After five wrong passwords from one address further ones wait; another address does not."""
    sign_in = SignIn(file, SystemClock())
    loop = asyncio.get_running_loop()

    async def seconds(address: str, password: str) -> float:
        start = loop.time()
        await sign_in.check(address, basic("dora", password))
        return loop.time() - start

    for number in range(Throttle.FREE):
        await seconds("10.0.0.1", f"wrong {number}")
    assert await seconds("10.0.0.1", "wrong again") >= Throttle.FIRST_GAP * 0.7
    header = basic("dora", "pass:word")
    assert await sign_in.check("10.0.0.2", header) == Checked("dora")
    # And whoever is known already is not slowed down behind the guesser's address.
    assert sign_in.known(header) == Checked("dora")
    sign_in.close()


async def test_endless_header_is_wrong_without_work(sign_in, file):
    """Credentials longer than any that could be right cost nothing."""
    header = basic("dora", "x" * 10_000)
    assert sign_in.known(header) == Checked(None)
    assert await sign_in.check("10.0.0.1", "Basic !!!") == Checked(None)
    assert file.checks == 0


async def test_flood_is_bounded(file):
    """Of a thousand different guesses at once from one address, most are refused without a
    check."""
    sign_in = SignIn(file, VirtualClock(START))
    headers = [basic("dora", f"wrong {number}") for number in range(1000)]
    answers = await asyncio.gather(*(sign_in.check("10.0.0.1", header) for header in headers))
    assert set(answers) == {Checked(None)}
    assert file.checks <= 128
    sign_in.close()


async def test_closing_answers_those_who_wait(file):
    """On stop nobody is left waiting: what was not checked yet is wrong."""
    sign_in = SignIn(file, SystemClock())
    waiting = [
        asyncio.ensure_future(sign_in.check("10.0.0.1", basic("dora", f"{n}"))) for n in range(20)
    ]
    await asyncio.sleep(0)
    sign_in.close()
    assert set(await asyncio.wait_for(asyncio.gather(*waiting), 10)) == {Checked(None)}
    assert await sign_in.check("10.0.0.1", basic("dora", "late")) == Checked(None)
    assert sign_in.possible()


class BrokenFile(PasswordFile):
    """A file whose check fails, as when memory runs out; its error even holds the password."""

    def attempt(self, user: str, password: str) -> Attempt:
        raise MemoryError(password)


async def test_failing_check_is_wrong_and_silent_about_it(tmp_path, caplog):
    """A check that fails counts as wrong, is not remembered, and leaves no password in the log."""
    file = BrokenFile(tmp_path / "passwords")
    sign_in = SignIn(file, VirtualClock(START))
    header = basic("dora", "hunter2")
    assert await sign_in.check("10.0.0.1", header) == Checked(None)
    assert sign_in.known(header) is None
    assert "MemoryError" in caplog.text
    assert "hunter2" not in caplog.text
    sign_in.close()


async def test_no_password_is_kept(sign_in):
    """After a check nothing in the object shows user or password."""
    header = basic("dora", "pass:word")
    await sign_in.check("10.0.0.1", header)
    shown = repr(vars(sign_in))
    assert "pass:word" not in shown
    assert header[6:] not in shown


def test_throttle_is_free_for_few_mistakes():
    """One machine with an old password stored in it, asked twice a minute, never slows its address
    down."""
    throttle = Throttle()
    for number in range(1000):
        at = START + number * WRONG_FOR
        assert throttle.wait("10.0.0.1", at) == 0
        throttle.failed("10.0.0.1", at)


def test_throttle_bounds_guessing():
    """However fast somebody guesses from one address, an hour holds less than a thousand
    guesses."""
    throttle = Throttle()
    now, guesses = START, 0
    while now < START + 3600:
        wait = throttle.wait("10.0.0.1", now)
        now += 0.03 + (wait or 0.0)
        if wait is not None:
            throttle.failed("10.0.0.1", now)
            guesses += 1
    assert guesses < 1000


def test_throttle_turns_queues_away_and_forgets():
    """Checks that would wait too long are turned away, and after some quiet minutes all is
    forgotten."""
    throttle = Throttle()
    for _ in range(20):
        throttle.failed("10.0.0.1", START)
    waits = [throttle.wait("10.0.0.1", START) for _ in range(10)]
    assert waits[-1] is None
    assert all(wait is None or wait <= Throttle.LONGEST_WAIT for wait in waits)
    assert throttle.wait("10.0.0.1", START + 600) == 0


def test_throttle_remembers_a_bounded_number_of_addresses():
    """A guesser with many addresses does not fill the memory."""
    throttle = Throttle()
    for number in range(Throttle.KEPT * 2):
        throttle.failed(f"2001:db8::{number:x}", START)
    assert len(vars(throttle)["_guesses"]) == Throttle.KEPT
