"""`proxy_addon/metering/assembly.py`: what is put together shares its parts."""

from __future__ import annotations

from pathlib import Path

from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.types import Visit
from proxy_addon.metering.assembly import MeteringComponents, assemble, numbered
from tests.proxy.harness import NOON, ProxyHarness


def open_page(metering: MeteringComponents, now: float) -> None:
    """dora opens a page that is limited."""
    enforcer = metering.enforcer
    hit = enforcer.catalogue.lookup("www.facebook.com", "/")
    assert hit is not None
    x = Exchange("GET", "www.facebook.com", "/", "document", "navigate", "none", gesture=True)
    asked = enforcer.ask(enforcer.person("dora", None, now), x, hit, now)
    assert asked.flight is not None
    enforcer.answered(asked.flight, 200, "text/html", 50_000, now)
    enforcer.closed(asked.flight)


def test_what_is_used_is_in_the_book_and_in_the_sink(tmp_path: Path) -> None:
    """A page is charged by the tracker, found in the book under the ledger's name, and handed on
    with its id."""
    harness = ProxyHarness(tmp_path)
    harness.close()
    written: list[Visit] = []
    metering = assemble(harness.rules, written.append, numbered("a-"), "here", mask=lambda _: "p:x")
    open_page(metering, NOON)
    open_page(metering, NOON + 20.0)
    assert {(visit.id, visit.person, visit.node) for visit in written} == {("a-1", "dora", "here")}
    assert list(metering.book) == ["p:x"]
    assert metering.book.of("dora").spent("short", 0.0, float("inf")) >= 20.0
    assert [name for name, _ in metering.tracker.tracked()] == ["dora"]


def test_what_was_compiled_before_is_used(tmp_path: Path) -> None:
    """Many assemblies share what was compiled once; each has a book of its own."""
    harness = ProxyHarness(tmp_path)
    harness.close()
    policy = CompiledPolicy.of(harness.rules)
    first, second = (assemble(policy, lambda _: None, numbered(""), "n") for _ in range(2))
    assert first.enforcer.engine is second.enforcer.engine is policy.engine
    assert first.book is not second.book


def test_numbers_begin_anew_with_each_prefix() -> None:
    """Ids of one source never repeat."""
    ids = numbered("v")
    assert [ids(), ids(), numbered("w")()] == ["v1", "v2", "w1"]
