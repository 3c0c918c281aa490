"""What stands on the tests' pages without being a message: names, rules and other facts of the
office that they are made with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from babel import Locale

from proxy_addon.presentation.durations import label
from proxy_addon.presentation.languages import LANGUAGES, name_of
from proxy_addon.rules.folder import load
from tests.browser.notice_pages import written
from tests.web.policy_office import GUESTS, NEW_TEXT, OLD_TEXT, SOCIAL, UNREAD, WITH_POLICY

# As people, rules, the notice and tests have them.
FACTS = (
    *UNREAD,
    *(text.title for text in (*SOCIAL.texts.values(), *GUESTS.texts.values())),
    *(line.partition("{#")[0].strip("#*- ") for line in f"{OLD_TEXT}{NEW_TEXT}".splitlines()),
    SOCIAL.name,
    SOCIAL.contact,
    GUESTS.name,
    WITH_POLICY.office.name,
    *written(),
    "English",
    "Deutsch",
    "marketing",
    "press",
    "Allowance",
    "Facebook",
    "LinkedIn",
    "YouTube",
    "TikTok",
    "Daily social",
    "Weekly video",
    "News",
    "Learning is work",
    "Learning",
    "learning",
    "Fifteen minutes a day",
    "Fifteen",
    "Lunch is yours",
    "Care is free",
    "Bob's course",
    "the storm on X",
    "X",
    "Linkedin",
    "An hour of video a week",
    "Not on our network",
    "TikTok is not available on office devices.",
    "Video after work",
    "Tried <b>out</b>",
    "The launch",
    "A customer waits",
    "After lunch, gladly.",
    "The election night needs somebody on every channel, from eight until the end",
    "A course",
    "Carla Meyer, ext. 114",
    "TikTok is not available on office devices. Marketing can post for you.",
    "dora",
    "mo",
    "abe",
    "marketing",
    "reception",
    "bella",
    "ext. 100",
    "emil",
    "ada",
    "staff",
    "care",
    "guest",
    "admin",
    "Windows",
    "Mac",
    "Android",
    "Chromebook",
    "Linux",
    "Firefox",
    "Europe/London",
    "GMT",
    # What parts of the proxy say of themselves, in the log as well.
    "ok",
    "down: database is locked",
    "down since 12:04: the database does not answer",
)
_ADDRESS = re.compile(
    r"https?://\S+|\b[\w.]+@[\w.]+\b|\b(?:[a-z0-9-]+\.)+(?:com|internal|org|example)\b(?:/\S*)?"
    r"|/?[\w-]+\.(?:cer|pem|json|mobileconfig|pac)\b|\bp:[a-z0-9]{4,}|\bip:\S+"
)
_GERMAN = Locale.parse("de")
_CLDR = [
    *_GERMAN.days["format"]["wide"].values(),
    *_GERMAN.days["format"]["abbreviated"].values(),
    *_GERMAN.months["format"]["wide"].values(),
    *_GERMAN.months["format"]["abbreviated"].values(),
    "Uhr",
    "und",
]


def _shipped() -> Iterator[str]:
    """What the shipped rules call things; pages show some of their people."""
    rules = load(Path(__file__).resolve().parents[2] / "rules")
    for platform in rules.platforms.values():
        yield platform.title
        yield from (f"{platform.title} {label(part.name)}" for part in platform.sections)
    for rule in rules.rules:
        yield rule.name
        yield from filter(None, [rule.message])
    for notice in rules.notices:
        for text in notice.texts.values():
            yield from filter(None, [text.owner, text.contact])
    yield from map(label, (*rules.groups, *rules.allowances))


_FACTS = {*FACTS, *_CLDR, *_shipped(), *map(name_of, LANGUAGES)}
_KNOWN = re.compile(
    "|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in sorted(_FACTS, key=len)[::-1])
)


def without_data(text: str) -> str:
    """A text without the facts of the office."""
    return _KNOWN.sub("", _ADDRESS.sub("", text))
