"""People who chat: keys that are pressed in a box, and a contact who says what arrived."""

from __future__ import annotations

import asyncio
from random import Random

from tests.real_sessions.recording.clock import now
from tests.real_sessions.recording.contacts import Contacts, sentence
from tests.real_sessions.recording.tab import Tab
from tests.real_sessions.recording.visitor import Visitor

WRITES, SCROLLS = 0.6, 0.8  # of the pauses: below the first writes, below the second scrolls
ARRIVES_SECONDS = 10.0


class Chatter(Visitor):
    """Writes into the box that `box` finds; the contact hears it on `service` from `nick`."""

    address, service, nick, box = "https://lounge.test/", "irc", "ana", "#input"

    def __init__(self, name: str, tab: Tab, random: Random, contacts: Contacts) -> None:
        super().__init__(name, tab, random)
        self._contacts = contacts
        self.said: list[str] = []

    async def use(self, end: float, glance: bool) -> None:
        """Read, and write unless it is only a glance."""
        while now() < end:
            await self.pause(9, end)
            chance = self.random.random()
            if now() >= end or glance or chance > SCROLLS:
                continue
            if chance < WRITES:
                await self._say(sentence(self.random))
            else:
                await self.tab.wheel(self.random.choice([-400, 400]))

    async def _say(self, text: str) -> None:
        if not await self.tab.press(self.box):
            raise self.failed("the box to write into is not on the screen")
        await self.tab.type(text, 0.12, self.random)
        written = await self.tab.script(f"document.querySelector('{self.box}').value")
        if written != text:
            raise self.failed(f"the box has {written!r} instead of what was typed")
        await self.tab.enter()
        self.said.append(text)

    async def check(self) -> None:
        """The contact heard as much as was said."""
        deadline = now() + ARRIVES_SECONDS
        while self._heard() < len(self.said):
            if now() > deadline:
                heard = f"{self._heard()} of {len(self.said)} messages"
                raise self.failed(f"{heard} arrived at the contact")
            await asyncio.sleep(0.2)

    def _heard(self) -> int:
        return self._contacts.heard[self.service, self.nick]


class LoungeChatter(Chatter):
    """The Lounge over WebSocket."""

    async def arrive(self) -> None:
        """Connect to IRC and open the room in which the contact talks."""
        await self.tab.open(self.address)
        await self.tab.until("document.querySelector('button.btn')", "the form to connect")
        await self.tab.script("void document.querySelector('button.btn').scrollIntoView()")
        await asyncio.sleep(self.random.uniform(2, 4))
        if not await self.tab.press("button.btn"):
            raise self.failed("the button to connect is not on the screen")
        room = "[...document.querySelectorAll('.channel-list-item')].find(e => /team/.test(e.innerText))"
        await self.tab.until(room, "the room on IRC")
        await self.tab.script(f"{room}.click()")
        await self.tab.until("document.querySelector('#input')", "the box to write into")


class PollingLoungeChatter(LoungeChatter):
    """The Lounge over long polling."""

    address, nick = "https://irc.test/", "bea"


class ConverseChatter(Chatter):
    """Converse.js over WebSocket."""

    address, service, box = "https://chat.test/socket.html", "xmpp", "textarea.chat-textarea"

    async def arrive(self) -> None:
        """Sign in, which the page does, and see the conversation."""
        await self.tab.open(self.address)
        await self.tab.until(f"document.querySelector('{self.box}')", "the conversation", 60)


class BoshConverseChatter(ConverseChatter):
    """Converse.js over BOSH: long polling."""

    address, nick = "https://chat.test/bosh.html", "bea"
