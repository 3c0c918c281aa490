"""`proxy_addon/look`: bars, links and the content security policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, TemplateNotFound

from proxy_addon.core.ruleset import Period
from proxy_addon.core.types import Balance
from proxy_addon.presentation import spoken_rules
from proxy_addon.presentation.theme import (
    STYLE,
    LoadedTemplates,
    bar,
    page_headers,
    policy,
    web_link,
)

SECONDS = st.floats(0, 1e6)


def held(limit: float, spent: float, granted: float = 0.0, carried: float = 0.0) -> Balance:
    """A balance that adds up."""
    left = max(0.0, limit + granted + carried - spent)
    return Balance("a", limit, spent, granted, carried, left, None)


@pytest.mark.parametrize(
    ("balance", "share", "tone", "reads"),
    [
        (held(900, 0), 0.0, "ok", "0 of 15 minutes, 15 minutes left"),
        (held(900, 690, 300), 57.5, "ok", "11 of 20 minutes, 9 minutes left"),
        (held(900, 788), 87.56, "low", "13 of 15 minutes, 2 minutes left"),
        (held(900, 890), 98.89, "low", "14 minutes 50 seconds of 15 minutes, 10 seconds left"),
        (held(900, 900), 100.0, "out", "15 of 15 minutes, 0 minutes left"),
        (held(600, 900), 100.0, "out", "10 of 10 minutes, 0 minutes left"),
        (held(0, 0), 100.0, "out", "0 of 0 minutes, 0 minutes left"),
        (held(5400, 3900), 72.22, "ok", "1 hour 5 minutes of 1 hour 30 minutes, 25 minutes left"),
        (held(900, 20), 2.22, "ok", "20 seconds of 15 minutes, 14 minutes 40 seconds left"),
    ],
)
def test_bar(balance: Balance, share: float, tone: str, reads: str) -> None:
    """A bar's length, colour and words say the same."""
    drawn = bar(balance)
    assert (drawn.share, drawn.tone) == (share, tone)
    assert f"{drawn.spent} of {drawn.total}, {drawn.left} left" == reads


@pytest.mark.parametrize(
    ("period", "rolling", "reads"),
    [
        (None, 0.0, ""),
        ("hour", 0.0, "this hour"),
        ("day", 0.0, "today"),
        ("week", 0.0, "this week"),
        ("month", 0.0, "this month"),
        ("quarter", 0.0, "this quarter"),
        ("year", 0.0, "this year"),
        ("rolling", 14_400.0, "in the last 4 hours"),
    ],
)
def test_a_bar_names_the_window_of_its_limit(
    period: str | None, rolling: float, reads: str
) -> None:
    """Of several limits the page shows the one with the least left, so it says which."""
    shown = bar(Balance("a", 900, 60, 0, 0, 840, None, period, rolling))
    assert shown.period == reads


def test_every_period_of_rules_has_its_words() -> None:
    """A period that is new cannot be forgotten here."""
    for period in Period:
        assert spoken_rules.period_now(period, 3600.0)


def test_a_page_with_a_form_sends_it_home_alone() -> None:
    """Forms go to our own pages, which learn where they come from; other pages have none."""
    assert "form-action 'self'" in policy(forms=True)
    assert "form-action 'none'" in policy()
    assert page_headers(forms=True)["Referrer-Policy"] == "same-origin"
    assert page_headers()["Referrer-Policy"] == "no-referrer"


def test_a_grant_and_carried_time_are_named() -> None:
    """Time that does not come from the limit is shown as what it is."""
    drawn = bar(held(900, 0, 600, 120))
    assert (drawn.granted, drawn.carried) == ("10 minutes", "2 minutes")
    plain = bar(held(900, 0))
    assert plain[:8] == (0.0, "ok", "0", "15 minutes", "15 minutes", 900.0, None, None)
    assert plain.heading == "15 minutes left"


@given(SECONDS, SECONDS, SECONDS, SECONDS)
def test_a_bar_is_never_longer_than_its_track(
    limit: float, spent: float, granted: float, carried: float
) -> None:
    """Whatever the balance, the share stays between nothing and all."""
    assert 0.0 <= bar(held(limit, spent, granted, carried)).share <= 100.0


@pytest.mark.parametrize(
    "url", ["https://x.com/", "http://x.com", "https://x.com/a?b=<&c='\"#d", "HTTPS://X.com/"]
)
def test_web_addresses_are_links(url: str) -> None:
    """http and https addresses may be linked as they are."""
    assert web_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x.com",
        "/path",
        "javascript:alert(1)",
        " https://x.com",
        "java\nscript:a",
        "data:,x",
        "http:x",
        "blob:https://x.com/1",
    ],
)
def test_anything_else_is_not(url: str) -> None:
    """What a browser might run, or read differently from us, is not a link."""
    assert web_link(url) is None


@given(st.text(max_size=60))
def test_web_link_judges_any_text(text: str) -> None:
    """No text makes it fail, and only whole http(s) URLs pass."""
    link = web_link(text)
    assert link is None or link.lower().startswith(("http://", "https://"))


def test_policy_opens_only_what_a_page_needs() -> None:
    """A script is allowed by its hash, and with it a request to ourselves; a framed page may be
    framed."""
    assert "script-src" not in policy()
    assert "script-src 'sha256-" in policy(script="1")
    assert "connect-src 'self'" in policy(script="1")
    assert "frame-ancestors" not in policy(framed=True)
    assert page_headers()["Cache-Control"] == "no-store"


def test_days_of_the_week_are_not_broken_within_a_word() -> None:
    """At 400 % a column of the week is as narrow as "Wed": what may break elsewhere does not."""
    style = "".join(line for line in STYLE.splitlines() if line.startswith(".week"))
    assert "overflow-wrap:normal" in style


def test_templates_are_read_at_once(tmp_path: Path) -> None:
    """A page that is shown for the first time waits for no disk: what was read stays, also when the
    file has gone; the first folder wins, and a name that nobody has is an error."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, text in ((first, "ours"), (second, "theirs")):
        folder.mkdir()
        (folder / "page.html").write_text(text)
    (second / "base.html").write_text("base")
    made = Environment(loader=LoadedTemplates(first, second))
    for path in (first / "page.html", second / "page.html", second / "base.html"):
        path.unlink()
    assert made.get_template("page.html").render() == "ours"
    assert made.get_template("base.html").render() == "base"
    assert made.list_templates() == ["base.html", "page.html"]
    with pytest.raises(TemplateNotFound):
        made.get_template("nothing.html")
