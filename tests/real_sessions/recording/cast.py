"""The people of a recording, and the software that each of them uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.real_sessions.recording.chats import (
    BoshConverseChatter,
    Chatter,
    ConverseChatter,
    LoungeChatter,
    PollingLoungeChatter,
)
from tests.real_sessions.recording.contacts import Contacts
from tests.real_sessions.recording.feeds import (
    EventsScroller,
    MagazineReader,
    PollingScroller,
    Scroller,
)
from tests.real_sessions.recording.films import DashViewer, PlainViewer, ShakaViewer, Viewer
from tests.real_sessions.recording.plan import Away
from tests.real_sessions.recording.readers import ForumReader, ManualReader, WikiReader
from tests.real_sessions.recording.tab import Tab
from tests.real_sessions.recording.visitor import Visitor

type Make = Callable[[str, Tab, Random, Contacts], Visitor]
AWAKE = (Away.HIDDEN, Away.VISIBLE)
LAPTOP = (Away.ASLEEP, Away.HIDDEN, Away.VISIBLE)  # has a browser of its own, which can be stopped


@dataclass(frozen=True, slots=True)
class Member:
    """`address`: by which the proxy knows the person (`rules/people.yaml`)."""

    name: str
    software: str
    family: str
    address: str
    make: Make
    ways: tuple[Away, ...] = AWAKE


def _alone(kind: type[Visitor]) -> Make:
    return lambda name, tab, random, _: kind(name, tab, random)


def _chat(kind: type[Chatter]) -> Make:
    return kind


CAST = (
    Member("lounge", "The Lounge (IRC), WebSocket", "chat", "127.0.3.1", _chat(LoungeChatter)),
    Member("chat", "Converse.js (XMPP), WebSocket", "chat", "127.0.3.2", _chat(ConverseChatter)),
    Member("hls", "hls.js", "video", "127.0.3.3", _alone(Viewer)),
    Member("dash", "dash.js", "video", "127.0.3.4", _alone(DashViewer)),
    Member("forum", "Spirit forum", "forum", "127.0.3.5", _alone(ForumReader), LAPTOP),
    Member("feedws", "infinite-scroll, socket.io WebSocket", "feed", "127.0.3.6", _alone(Scroller)),
    Member(
        "feedpoll",
        "infinite-scroll, socket.io polling",
        "feed",
        "127.0.3.7",
        _alone(PollingScroller),
        LAPTOP,
    ),
    Member(
        "irc", "The Lounge (IRC), long polling", "chat", "127.0.3.8", _chat(PollingLoungeChatter)
    ),
    Member(
        "bosh", "Converse.js (XMPP), BOSH", "chat", "127.0.3.9", _chat(BoshConverseChatter), LAPTOP
    ),
    Member("news", "htmx, server-sent events", "feed", "127.0.3.10", _alone(EventsScroller)),
    Member("mag", "quicklink, workbox precache", "feed", "127.0.3.11", _alone(MagazineReader)),
    Member("shaka", "shaka-player", "video", "127.0.3.12", _alone(ShakaViewer)),
    Member("plain", "video element, byte ranges", "video", "127.0.3.13", _alone(PlainViewer)),
    Member("docs", "mkdocs-material", "forum", "127.0.3.14", _alone(ManualReader)),
    Member("wiki", "TiddlyWiki", "forum", "127.0.3.15", _alone(WikiReader)),
)
