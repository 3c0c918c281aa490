"""Twin of proxy_addon/metering/heads_up.py: somebody is told once that little time is left."""

from __future__ import annotations

from proxy_addon.core.types import Grant, Verdict
from tests.core.policies import H, M
from tests.metering.two_platforms import FETCH, NAVIGATE, START, TAIL, ask, small_allowance
from tests.shell import Shell


def test_a_heads_up_comes_once_in_each_window() -> None:
    """On a page load, when little is left; continuing goes on; the next day it comes again."""
    shell = Shell(small_allowance(limit=5 * M, warn_at=2 * M))
    noticed = []
    for day in (0, 24 * H):
        for second in range(0, 280, 20):
            now = START + day + second
            asked = ask(shell, NAVIGATE, now)
            if asked.notice is not None:
                assert asked.flight is None
                noticed.append((day, asked.notice.left))
            shell.open("dora", "x.com", now)
    assert [day for day, _ in noticed] == [0, 24 * H]
    assert all(M < left <= 2 * M for _, left in noticed)


def test_a_heads_up_comes_again_after_a_grant() -> None:
    """More time was given, so its end is another end."""
    shell = Shell(small_allowance(limit=M + TAIL, warn_at=M))
    shell.open("dora", "facebook.com", START)
    assert ask(shell, NAVIGATE, START + 1).notice is None
    shell.book.of("dora").grant(Grant("g", "dora", "a", 3 * M, "r", "ada", START, START + H))
    assert ask(shell, NAVIGATE, START + 2).notice is None
    for second in range(0, 180, 20):
        shell.open("dora", "facebook.com", START + second)
    assert shell.open("dora", "x.com", START + 181).decision.verdict is Verdict.SPEND
    assert len([d for d in shell.metrics.decisions if d.blocks]) == 0


def test_no_heads_up_without_a_page_or_when_nobody_wants_one() -> None:
    """Scripts and pictures are not interrupted, and `warn_at: 0` means none."""
    assert ask(Shell(small_allowance(limit=M, warn_at=M)), FETCH, START).notice is None
    assert ask(Shell(small_allowance(limit=M)), NAVIGATE, START).notice is None
    assert ask(Shell(small_allowance(limit=M, warn_at=M)), NAVIGATE, START).notice is not None


def test_somebody_who_was_forgotten_is_told_again() -> None:
    """After `drop`, as after a restart."""
    shell = Shell(small_allowance(limit=M, warn_at=M))
    assert ask(shell, NAVIGATE, START).notice is not None
    assert ask(shell, NAVIGATE, START + 1).notice is None
    shell.enforcer.drop("dora")
    assert ask(shell, NAVIGATE, START + 2).notice is not None
