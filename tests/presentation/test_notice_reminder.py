"""`proxy_addon/presentation/notice_reminder.py`: what is sent to those who have not read it."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from proxy_addon.core.notices.notice import AskWhen, Notice, NoticeText, Version
from proxy_addon.presentation.languages import speaking
from proxy_addon.presentation.notice_reminder import address, reminder

ZONE = ZoneInfo("Europe/London")
NOW = 1_793_610_000.0  # Monday, 2 November 2026
TEXTS = {
    "en": NoticeText("en", "Social media at work", "word " * 300),
    "de": NoticeText("de", "Soziale Medien", "Wort"),
}
NOTICE = Notice("social media", Version(3), TEXTS, "d3")


def test_to_somebody() -> None:
    """By name, with the address, how long it takes, when it has to be done and whom to ask."""
    found = reminder(
        NOTICE, NOW, ZONE, name="dora", until=NOW + 2 * 86_400, contact="the people office"
    )
    assert found.subject == "Please read: Social media at work, version 3"
    assert found.text.splitlines() == [
        "Hello dora,",
        "",
        "Please read “Social media at work”, version 3, and confirm that you have read it:",
        "http://allowance.internal/policy?notice=social+media",
        "",
        "It takes about 2 minutes.",
        "",
        f"If you have not confirmed it by then, limited platforms close on Wednesday at {clock()}.",
        "",
        "Questions: the people office",
    ]


def clock() -> str:
    """The time of day of NOW."""
    from datetime import datetime

    return f"{datetime.fromtimestamp(NOW, ZONE):%H:%M}"


def test_to_anybody() -> None:
    """Without a name, an end or a contact nothing is said about them."""
    text = reminder(NOTICE, NOW, ZONE).text
    assert text.startswith("Hello,\n")
    assert text.endswith("It takes about 2 minutes.")


def test_after_the_grace_time() -> None:
    """What is closed now is told; of a notice that is only shown nothing is closed."""
    assert "limited platforms stay closed" in reminder(NOTICE, NOW, ZONE, until=NOW).text
    shown = reminder(replace(NOTICE, ask=AskWhen.SHOWN), NOW, ZONE, until=NOW).text
    assert "closed" not in shown
    assert "confirm" not in shown


def test_in_the_readers_language() -> None:
    """The title is that of the text in the language that is spoken."""
    with speaking("de"):
        assert "Soziale Medien" in reminder(NOTICE, NOW, ZONE).subject
    assert address(NOTICE).startswith("http://allowance.internal/policy?")
