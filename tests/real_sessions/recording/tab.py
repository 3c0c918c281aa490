"""A tab and what a hand does in it: wheel, clicks and keys arrive as the browser's own events."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from random import Random
from typing import Any

from tests.real_sessions.recording.devtools import DevTools, DevToolsError
from tests.real_sessions.recording.part_failed import PartFailed

NOTCH = 120.0  # pixels of a wheel
# What a person could click on: on the screen, and not covered by something else.
VISIBLE = """(selector) => [...document.querySelectorAll(selector)].filter(each => {
  const box = each.getBoundingClientRect();
  const x = box.x + box.width / 2, y = box.y + box.height / 2;
  if (!box.width || !box.height || x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return false;
  const top = document.elementFromPoint(x, y);
  return !!top && each.contains(top);
})"""


class Tab:
    """One tab of a window."""

    def __init__(self, tools: DevTools, target: str, session: str) -> None:
        self._tools, self._target, self._session = tools, target, session

    async def script(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        answer = await self._tools.send(
            "Runtime.evaluate",
            self._session,
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        if "exceptionDetails" in answer:
            raise DevToolsError(f"{expression[:80]}: {answer['exceptionDetails'].get('text')}")
        return answer["result"].get("value")

    async def show(self) -> None:
        """Bring it to the front of its window."""
        await self._tools.send("Target.activateTarget", targetId=self._target)

    async def state(self) -> str:
        """`visible` or `hidden`, as the page sees it."""
        return str(await self.script("document.visibilityState"))

    async def open(self, url: str) -> None:
        """Go to an address, as typed into the bar."""
        answer = await self._tools.send("Page.navigate", self._session, url=url)
        if "errorText" in answer:
            raise PartFailed(
                f"the page {url}", answer["errorText"], "read the logs of the proxy and of nginx"
            )

    async def until(self, expression: str, what: str, seconds: float = 40.0) -> None:
        """Wait until a JavaScript expression is true. Raises PartFailed naming `what`."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                if await self.script(f"!!({expression})"):
                    return
            except DevToolsError:
                pass  # between two documents there is nothing to ask
            if asyncio.get_running_loop().time() > deadline:
                address = await self.script("location.href")
                raise PartFailed(
                    what,
                    f"did not come within {seconds:g} s on {address}",
                    "look at the tab (--pictures), then read the logs of its server",
                )
            await asyncio.sleep(0.25)

    async def wheel(self, distance: float) -> None:
        """Turn the wheel over the middle of the window; down is positive."""
        notches = max(1, round(abs(distance) / NOTCH))
        for _ in range(notches):
            await self._mouse("mouseWheel", 450.0, 400.0, deltaX=0, deltaY=distance / notches)
            await asyncio.sleep(0.05)

    async def place(
        self, selector: str, random: Random | None = None
    ) -> tuple[float, float] | None:
        """The middle of the first (or a random) element that can be clicked on."""
        boxes = await self.script(
            f"({VISIBLE})({json.dumps(selector)}).map(e => {{ const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })"
        )
        if not boxes:
            return None
        x, y = random.choice(boxes) if random else boxes[0]
        return x, y

    async def press(self, selector: str, random: Random | None = None) -> bool:
        """Click on the first (or a random) visible element; False where there is none."""
        place = await self.place(selector, random)
        if place is None:
            return False
        await self._mouse("mouseMoved", *place)
        for kind in ("mousePressed", "mouseReleased"):
            await self._mouse(kind, *place, button="left", clickCount=1)
        return True

    async def type(self, text: str, pace: float, random: Random) -> None:
        """Press keys one after the other into what has the focus."""
        for letter in text:
            key = {"key": letter, "text": letter, "unmodifiedText": letter}
            code = ord(letter.upper())
            await self._key("keyDown", **key, windowsVirtualKeyCode=code)
            await self._key("keyUp", key=letter, windowsVirtualKeyCode=code)
            await asyncio.sleep(pace * random.uniform(0.5, 1.5))

    async def enter(self) -> None:
        """Press Enter."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        await self._key("keyDown", **key, text="\r", unmodifiedText="\r")
        await self._key("keyUp", **key)

    async def picture(self, path: Path) -> None:
        """What a person sees, as PNG."""
        answer = await self._tools.send("Page.captureScreenshot", self._session, format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))

    async def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        await self._tools.send(
            "Input.dispatchMouseEvent", self._session, type=kind, x=x, y=y, **more
        )

    async def _key(self, kind: str, **more: Any) -> None:
        await self._tools.send("Input.dispatchKeyEvent", self._session, type=kind, **more)
