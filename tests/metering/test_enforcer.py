"""The shell on a virtual clock: what is asked, answered, streamed, tunnelled, warned of and
ended."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import measure, normalise
from proxy_addon.core.types import Interval, Reason, Verdict
from tests.core.policies import H, M
from tests.metering.two_platforms import FETCH, NAVIGATE, START, TAIL, load, small_allowance, tunnel
from tests.shell import Shell

quick = settings(max_examples=60, deadline=None)


def test_a_page_costs_its_tail_and_a_blocked_one_nothing() -> None:
    """What is not let through leaves no flight, no visit and no clock."""
    shell = Shell(small_allowance())
    assert shell.open("dora", "x.com", START).decision.verdict is Verdict.SPEND
    blocked = shell.open("dora", "tiktok.com", START + 1)
    assert (blocked.decision.reason, blocked.flight) == (Reason.BLOCKED, None)
    assert shell.rows() == [(START, START + TAIL, "a", "Little")]


def test_a_section_that_is_free_is_kept_as_free_time() -> None:
    """It has a visit without an allowance, and the balance stays."""
    shell = Shell(small_allowance())
    assert shell.open("dora", "x.com", START, "/learning/a").decision.verdict is Verdict.ALLOW
    assert shell.rows() == [(START, START + TAIL, None, "Free")]
    assert shell.spent("dora", "a") == 0


def test_the_gap_before_a_page_is_charged_to_the_last_second_and_the_page_blocked() -> None:
    """Nobody gets half a page, and nobody pays more than there was."""
    shell = Shell(small_allowance(limit=5 * M))
    ended: list[float] = []
    shell.metrics.exhausted = lambda person, allowance, at: ended.append(at)  # type: ignore[method-assign]
    shell.open("dora", "x.com", START)
    shell.open("dora", "x.com", START + 170)
    asked = shell.open("dora", "x.com", START + 310)
    assert (asked.decision.reason, asked.flight) == (Reason.EXHAUSTED, None)
    assert shell.spent("dora", "a") == 5 * M
    assert shell.rows() == [(START, START + 5 * M, "a", "Little")]
    assert ended[:1] == [START + 5 * M]


def test_a_page_after_a_longer_silence_is_let_through() -> None:
    """The gap was nobody's, so there is time left."""
    shell = Shell(small_allowance(limit=5 * M))
    shell.open("dora", "x.com", START)
    shell.open("dora", "x.com", START + 170)
    assert shell.open("dora", "x.com", START + 170 + 244).flight is not None
    assert shell.spent("dora", "a") == 180 + TAIL


@quick
@given(st.lists(st.sampled_from([3.0, 30.0, 59.0, 100.0, 170.0, 500.0]), max_size=25))
def test_never_more_than_there_is(pauses: Sequence[float]) -> None:
    """Whenever pages are opened, only the tail of the last may run over; then all is blocked."""
    shell, now = Shell(small_allowance(limit=5 * M)), START
    for pause in pauses:
        now += pause
        asked = shell.open("dora", "x.com", now)
        assert shell.spent("dora", "a") <= 5 * M + TAIL + 1e-6
        assert asked.decision.blocks is (asked.decision.reason is Reason.EXHAUSTED)
    union = normalise(Interval(start, end) for start, end, _, _ in shell.rows())
    assert shell.spent("dora", "a") == pytest.approx(measure(union))


def test_two_devices_are_charged_once() -> None:
    """Two streams at the same time cost what one costs; afterwards each goes on by itself."""
    shell = Shell(small_allowance(limit=H))
    one, two = tunnel(shell, START), tunnel(shell, START, "facebook")
    for second in range(5, 65, 5):
        shell.enforcer.tunnel_bytes(one, 10**6, START + second)
        shell.enforcer.tunnel_bytes(two, 10**6, START + second)
    assert len(shell.rows()) == 2
    assert shell.spent("dora", "a") == 60 + TAIL
    shell.enforcer.tunnel_bytes(two, 10**6, START + 65)
    assert shell.spent("dora", "a") == 65 + TAIL


NOISE = {
    "embed": FETCH._replace(page_host="news.example", site="cross-site"),
    "frame": FETCH._replace(
        path="/widget", dest="iframe", mode="navigate", site="cross-site", page_host="n.example"
    ),
    "head": FETCH._replace(method="HEAD"),
    "poll": FETCH._replace(path="/beat"),
    "beacon": FETCH._replace(method="POST", mode="no-cors"),
    "prefetch": NAVIGATE._replace(purpose="prefetch"),
    "worker": FETCH._replace(page_path="/sw.js"),
}


@quick
@given(
    st.lists(st.sampled_from([1.0, 20.0, 59.0, 61.0, 179.0, 181.0]), min_size=1, max_size=15),
    st.lists(st.tuples(st.floats(0, 900), st.sampled_from(sorted(NOISE))), max_size=15),
)
def test_what_is_ignored_never_changes_a_charge(
    pauses: list[float], noise: list[tuple[float, str]]
) -> None:
    """Embeds, polling, beacons and prefetches between pages cost nothing and join nothing up."""
    quiet, loud = Shell(small_allowance(limit=8 * M)), Shell(small_allowance(limit=8 * M))
    pages = [sum(pauses[: n + 1]) for n in range(len(pauses))]
    for moment, what in sorted([*((p, "page") for p in pages), *noise]):
        now = START + moment
        if what == "page":
            assert (
                quiet.open("dora", "x.com", now).decision
                == loud.open("dora", "x.com", now).decision
            )
        else:
            judged = load(loud, NOISE[what], now, size=900)
            assert judged is None or not judged.activity.counts
    assert quiet.rows() == loud.rows()


def test_a_clock_that_jumps_is_nobodys_time() -> None:
    """What is open ends at the jump; afterwards a new visit begins, whichever way it went."""
    for jump in (100.0, -100.0):
        shell = Shell(small_allowance(limit=H))
        shell.open("dora", "x.com", START)
        shell.open("dora", "x.com", START + 60)
        shell.enforcer.stepped(START + 62)
        shell.open("dora", "x.com", START + 62 + jump)
        assert shell.rows()[0] == (START, START + 62, "a", "Little")
        assert shell.spent("dora", "a") == 62 + TAIL


def test_who_somebody_is() -> None:
    """Roles by the rules, or those that an address gave, which are remembered until the person is
    forgotten."""
    enforcer = Shell(small_allowance()).enforcer
    assert enforcer.person("carl", None, START).roles == ("care",)
    assert enforcer.person("ip:10.0.0.7", ("guest",), START).roles == ("guest",)
    assert enforcer.known("ip:10.0.0.7", START).roles == ("guest",)
    enforcer.drop("ip:10.0.0.7")
    assert enforcer.known("ip:10.0.0.7", START).roles == ("staff",)


def test_what_is_none_of_our_business() -> None:
    """A platform that no rule limits is not a platform for us, and a name that is none either."""
    enforcer = Shell(small_allowance()).enforcer
    assert enforcer.limited("www.x.com") == "x"
    assert enforcer.limited("medium.com") is None
    assert enforcer.limited("notx.com") is None


def test_housekeeping_forgets_and_charges_no_different() -> None:
    """What was spent stays spent."""
    shell = Shell(small_allowance())
    shell.open("dora", "x.com", START)
    shell.enforcer.settle(START + 12 * H)
    assert shell.attention.tracked() == []
    assert shell.spent("dora", "a") == TAIL
    dora = shell.enforcer.person("dora", None, START)
    assert shell.enforcer.balance(dora, "a", START + 12 * H).left == 5 * M - TAIL
