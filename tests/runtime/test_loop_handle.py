"""`proxy_addon/runtime/loop_handle.py`: calls reach a loop that is there, and no other."""

from __future__ import annotations

import asyncio

from proxy_addon.runtime.loop_handle import LoopHandle


async def test_calls_are_handed_over_only_while_there_is_a_loop() -> None:
    """Before the start and after the end calls are dropped, those between are made on the loop,
    also from threads."""
    handle, made = LoopHandle(), list[str]()
    handle.call(made.append, "before")
    handle.attach(asyncio.get_running_loop())
    await asyncio.to_thread(handle.call, made.append, "between")
    handle.later(0.0, lambda: made.append("later"))
    await asyncio.sleep(0.02)
    handle.detach()
    handle.call(made.append, "after")
    handle.later(0.0, lambda: made.append("after"))
    await asyncio.sleep(0.02)
    assert sorted(made) == ["between", "later"]
