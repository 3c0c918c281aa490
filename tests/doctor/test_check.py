"""`proxy_addon/doctor/check.py`: the result of one check."""

from __future__ import annotations

from collections.abc import Iterator

from proxy_addon.doctor.check import (
    Check,
    State,
    error,
    healthy,
    not_checked,
    ok,
    run_checks,
    warning,
)


def test_a_check_that_fails_is_an_error_and_the_others_go_on() -> None:
    """Never a traceback: its name, what was raised without a password in it, and what comes
    after."""

    def broken() -> Iterator[Check]:
        yield ok("first", "half of it worked")
        raise RuntimeError("no way to\npostgresql://ada:secret@db/office")

    found = list(
        run_checks([("broken", broken), ("next", lambda: [warning("next", "low", "fill it up")])])
    )
    assert [(each.name, each.state) for each in found] == [
        ("first", State.OK),
        ("broken", State.ERROR),
        ("next", State.WARNING),
    ]
    assert "RuntimeError: no way to postgresql://***@db/office" in found[1].fact
    assert found[1].remedy


def test_only_errors_are_unhealthy() -> None:
    """Warnings, and what could not be checked, do not."""
    assert healthy([ok("a", "b"), warning("a", "b", "c"), not_checked("a", "b")])
    assert not healthy([ok("a", "b"), error("a", "b", "c")])
