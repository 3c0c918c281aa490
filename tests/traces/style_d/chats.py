"""Conversations: what a person writes, what others write, and how each platform carries it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.traces.day import Span, Spans
from tests.traces.style_d.people import arrivals, lognormal
from tests.traces.style_d.scene import Scene
from tests.traces.style_d.sites import Timer
from tests.traces.style_d.tabs import STATES, Poll, Show, Socket, Tab, beats, held, stream, tick
from tests.traces.style_d.wire import Call, Device, document, picture

_VOYAGER = "https://www.linkedin.com/voyager/api/voyagerMessaging"
_MATRIX = "https://matrix.redditspace.com/_matrix/client/v3"


def _post(url: str, low: int = 40, high: int = 500, method: str = "POST") -> Call:
    return Call(url, low, high, method=method)


ATTACHMENT = picture("https://media.discordapp.net/attachments/{n}/{n}/image.png")


@dataclass(frozen=True, slots=True)
class Channel:
    """How one platform's chat talks. One of `socket`, `poll`, `events`, `timer` tells what others
    write; what the person does goes over the socket where there is no call for it."""

    platform: str
    home: str
    history: Call
    send: Call | None = None
    typing: Call | None = None
    seen: Call | None = None
    socket: Socket | None = None
    poll: Poll | None = None
    events: Call | None = None
    timer: Timer | None = None
    pong: Call | None = None
    pictures: Call = ATTACHMENT


WHATSAPP = Channel(
    "whatsapp",
    "https://web.whatsapp.com/",
    Call(
        "https://mmg.whatsapp.net/v/t62.7118-24/{n}_n.enc",
        8_000,
        150_000,
        "application/octet-stream",
    ),
    socket=Socket("wss://web.whatsapp.com/ws/chat", 25.0, (26, 42), (30, 70), (150, 1_900), 92),
    pictures=picture("https://pps.whatsapp.net/v/t61.24694-24/{n}_n.jpg", 3_000, 9_000),
)
DISCORD = Channel(
    "discord",
    "https://discord.com/channels/@me",
    Call("https://discord.com/api/v9/channels/{n}/messages?limit=50", 8_000, 70_000),
    send=_post("https://discord.com/api/v9/channels/{n}/messages", 600, 1_500),
    typing=_post("https://discord.com/api/v9/channels/{n}/typing", 0, 0),
    seen=_post("https://discord.com/api/v9/channels/{n}/messages/{n}/ack", 14, 14),
    socket=Socket(
        "wss://gateway.discord.gg/?encoding=json&v=9", 41.25, (18, 30), (12, 20), (90, 2_600)
    ),
)
TELEGRAM = Channel(
    "telegram",
    "https://web.telegram.org/a/",
    Call("https://web.telegram.org/a/progressive/{n}", 8_000, 90_000, "image/jpeg"),
    socket=Socket(
        "wss://zws2.web.telegram.org/apiws", 60.0, (88, 106), (88, 120), (150, 1_500), 104
    ),
    pictures=picture("https://web.telegram.org/a/avatars/{n}.jpg", 2_000, 8_000),
)
MESSENGER = Channel(
    "messenger",
    "https://www.messenger.com/t/{n}",
    Call(
        "https://www.messenger.com/api/graphql/",
        6_000,
        80_000,
        method="POST",
        operation="MWThreadQuery",
    ),
    socket=Socket(
        "wss://edge-chat.messenger.com/chat?region=fra&sid={k}",
        10.0,
        (2, 2),
        (2, 2),
        (300, 3_000),
        110,
    ),
    pictures=picture("https://static.messenger.com/images/emoji/{h}.png", 2_000, 9_000),
)
SOCKETS = (WHATSAPP, WHATSAPP, DISCORD, TELEGRAM, MESSENGER)

WECHAT = Channel(
    "wechat",
    "https://web.wechat.com/",
    Call(
        "https://web.wechat.com/cgi-bin/mmwebwx-bin/webwxbatchgetcontact?type=ex",
        1_000,
        20_000,
        "text/plain",
        "POST",
    ),
    send=_post("https://web.wechat.com/cgi-bin/mmwebwx-bin/webwxsendmsg", 120, 260),
    poll=Poll(
        Call(
            "https://webpush.web.wechat.com/cgi-bin/mmwebwx-bin/synccheck?r={n}",
            type="text/javascript",
        ),
        25.0,
        (48, 52),
        (48, 52),
    ),
    pong=_post("https://web.wechat.com/cgi-bin/mmwebwx-bin/webwxsync?sid={k}", 900, 6_000),
    pictures=picture(
        "https://web.wechat.com/cgi-bin/mmwebwx-bin/webwxgeticon?seq={n}", 2_000, 9_000
    ),
)
MATRIX = Channel(
    "reddit",
    "https://chat.reddit.com/",
    Call(f"{_MATRIX}/rooms/{{h}}/messages?dir=b&limit=30", 4_000, 40_000),
    send=_post(f"{_MATRIX}/rooms/{{h}}/send/m.room.message/m{{n}}", 60, 70, "PUT"),
    typing=_post(f"{_MATRIX}/rooms/{{h}}/typing/{{w}}", 2, 2, "PUT"),
    seen=_post(f"{_MATRIX}/rooms/{{h}}/receipt/m.read/{{h}}", 2, 2),
    poll=Poll(
        Call(f"{_MATRIX}/sync?filter=0&timeout=30000&since={{s}}"), 30.0, (500, 7_000), (120, 260)
    ),
    pictures=picture(
        "https://styles.redditmedia.com/t5_{w}/styles/profileIcon_{s}.png", 2_000, 8_000
    ),
)
BOSH = Channel(
    "xing",
    "https://www.xing.com/messenger",
    Call("https://www.xing.com/messenger/api/chats/{n}", 3_000, 30_000),
    send=_post("https://www.xing.com/http-bind/", 50, 120),
    typing=_post("https://www.xing.com/http-bind/", 50, 120),
    poll=Poll(
        Call("https://www.xing.com/http-bind/", type="text/xml", method="POST"),
        60.0,
        (250, 1_500),
        (55, 70),
    ),
    pictures=picture("https://profile-images.xing.com/images/{h}/photo.256x256.jpg", 4_000, 15_000),
)
SOCKET_IO = Channel(
    "gab",
    "https://chat.gab.com/",
    Call("https://chat.gab.com/api/rooms/{h}/messages", 4_000, 40_000),
    send=_post("https://chat.gab.com/socket.io/?EIO=4&transport=polling&t={w}&sid={k}", 2, 2),
    typing=_post("https://chat.gab.com/socket.io/?EIO=4&transport=polling&t={w}&sid={k}", 2, 2),
    poll=Poll(
        Call(
            "https://chat.gab.com/socket.io/?EIO=4&transport=polling&t={w}&sid={k}",
            type="text/plain; charset=UTF-8",
        ),
        25.0,
        (60, 1_200),
        (1, 1),
    ),
    pong=_post("https://chat.gab.com/socket.io/?EIO=4&transport=polling&t={w}&sid={k}", 2, 2),
    pictures=picture(
        "https://media.gab.com/system/accounts/avatars/{n}/small/{h}.jpg", 3_000, 12_000
    ),
)
EVENTS = Channel(
    "linkedin",
    "https://www.linkedin.com/messaging/",
    Call(
        f"{_VOYAGER}GraphQL/graphql?queryId=messengerMessages.5846eeb71c981f11e0134cb6626cc314",
        5_000,
        40_000,
    ),
    send=_post(f"{_VOYAGER}DashMessengerMessages?action=createMessage", 900, 2_000),
    typing=_post(f"{_VOYAGER}DashMessengerConversations?action=typing", 0, 0),
    seen=_post(f"{_VOYAGER}DashMessengerConversations?ids=List({{n}})", 80, 200),
    events=Call("https://www.linkedin.com/realtime/connect?rc=1", type="text/event-stream"),
    pictures=picture(
        "https://media.licdn.com/dms/image/v2/{s}/profile-displayphoto-shrink_100_100/0/{n}",
        2_000,
        5_000,
    ),
)
SHORT_POLL = Channel(
    "bluesky",
    "https://bsky.app/messages",
    Call("https://api.bsky.chat/xrpc/chat.bsky.convo.getMessages?convoId={s}", 3_000, 25_000),
    send=_post("https://api.bsky.chat/xrpc/chat.bsky.convo.sendMessage", 250, 400),
    seen=_post("https://api.bsky.chat/xrpc/chat.bsky.convo.updateRead", 400, 900),
    timer=Timer(
        Call("https://api.bsky.chat/xrpc/chat.bsky.convo.getLog?cursor={s}", 30, 60),
        10,
        "chain",
        hidden=60,
        news=0.03,
        full=(400, 1_500),
    ),
    pictures=picture(
        "https://cdn.bsky.app/img/avatar_thumbnail/plain/did:plc:{h}/{h}", 2_000, 6_000
    ),
)
HELD = (WECHAT, MATRIX, BOSH, SOCKET_IO)


def _say(scene: Scene, tab: Tab, channel: Channel, call: Call | None, at: float, size: int) -> None:
    if call:
        scene.wire.send(tab.device, at, call, tab.url)
    elif channel.socket:
        scene.wire.message(
            tab.device, at, channel.socket.url, True, size + scene.rng.randint(0, 40)
        )


def _open(scene: Scene, tab: Tab, channel: Channel, at: float) -> float:
    rng, wire, device = scene.rng, scene.wire, tab.device
    tab.url = wire.fill(channel.home)
    done = wire.send(
        device, at, document(tab.url, 5_000, 60_000), "", "document", "navigate", url=tab.url
    )
    base = f"https://{tab.url.split('/')[2]}/assets/app.js"
    if not wire.cached(device, base):
        wire.send(
            device,
            done,
            Call(base, 200_000, 2_000_000, "text/javascript"),
            tab.url,
            "script",
            "no-cors",
        )
    done = wire.send(device, done + 0.2, channel.history, tab.url)
    return wire.pictures(device, done, (channel.pictures,), rng.randint(3, 12), tab.url)


def _sit(scene: Scene, tab: Tab, channel: Channel, span: Span, end: str, news: list[float]) -> None:
    """In front of a chat: reads, turns to others, writes; answers to it join `news`."""
    rng, wire = scene.rng, scene.wire
    scene.attend(channel.platform, span)
    fresh = not tab.views or tab.show(span[0]) is Show.CLOSED
    tab.turn(span[0], Show.VISIBLE)
    at = span[0] + rng.uniform(0.0, 0.3)
    if fresh:
        at = _open(scene, tab, channel, at)
    at += scene.person.pause(rng) * 0.5
    writes = rng.choice((0.0, 0.35, 0.6, 0.7))  # some only read
    while at < span[1]:
        choice = rng.random()
        if choice < writes:
            at = _write(scene, tab, channel, at, span[1])
            if rng.random() < 0.7:
                news.append(at + lognormal(rng, 14.0, 0.9, 1.5, 240.0))
        elif choice < writes + 0.25:
            done = wire.send(tab.device, at, channel.history, tab.url)
            wire.pictures(tab.device, done, (channel.pictures,), rng.randint(0, 4), tab.url)
            _say(scene, tab, channel, channel.seen, done + 0.3, 120)
        at += min(120.0, scene.person.pause(rng))
    for each in [n for n in news if span[0] < n < span[1]]:
        if rng.random() < 0.8:
            _say(scene, tab, channel, channel.seen, each + rng.uniform(0.2, 2.0), 110)
    tab.turn(span[1], STATES[end])


def _write(scene: Scene, tab: Tab, channel: Channel, at: float, stop: float) -> float:
    """A message is composed, with its typing notices, and sent, if there is still time."""
    rng = scene.rng
    done = at + lognormal(rng, 9.0, 0.8, 1.2, 90.0)
    typing = at
    while typing < min(done, stop):
        if channel.typing or channel.socket:
            _say(scene, tab, channel, channel.typing, typing, 80)
        typing += rng.uniform(4.0, 8.0)
    if done < stop:
        _say(scene, tab, channel, channel.send, done, rng.randint(180, 420))
    return done


def chat(
    scene: Scene, device: Device, channel: Channel, spans: Spans, ends: tuple[str, ...]
) -> Tab:
    """Sittings in front of a chat that runs all day."""
    rng = scene.rng
    tab = Tab(device, channel.home)
    news = arrivals(rng, scene.day, 10 ** rng.uniform(0.5, 1.7))
    for span in spans:
        _sit(scene, tab, channel, span, rng.choice(ends), news)
    news.sort()
    if channel.socket:
        beats(scene, tab, channel.socket, news)
    if channel.poll:
        pong = channel.pong
        poll = channel.poll
        if pong:
            poll = Poll(
                poll.call, poll.hold, poll.news, poll.idle, lambda at: _pong(scene, tab, pong, at)
            )
        held(scene, tab, poll, news)
    if channel.events:
        stream(scene, tab, channel.events, news, 900.0)
    if channel.timer:
        tick(scene, tab, channel.timer)
    if rng.random() < 0.5:  # what it also asks now and then
        status = Call(f"https://{channel.home.split('/')[2]}/status", 20, 300)
        tick(scene, tab, Timer(status, rng.choice((60.0, 120.0, 300.0)), hidden=300.0))
    return tab


def _pong(scene: Scene, tab: Tab, call: Call, at: float) -> None:
    scene.wire.send(tab.device, at + scene.rng.uniform(0.003, 0.06), call, tab.url)
