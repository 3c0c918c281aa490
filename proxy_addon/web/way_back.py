"""Back to where somebody was going when a page of ours stood in the way."""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.web.notice_service import NoticeService


class WayBack(NamedTuple):
    """`target` is an address of a limited platform, None for nowhere; `platform` what people call
    it, "" for nowhere; `sealed` what the address was made from, "" for nowhere."""

    target: str | None = None
    platform: str = ""
    sealed: str = ""


def way_back(notices: NoticeService | None, person: str, sealed: str) -> WayBack:
    """Where a sealed way back leads that was made for this person."""
    target = notices.way_to(person, sealed) if notices is not None and sealed else None
    if notices is None or target is None:
        return WayBack()
    return WayBack(target, notices.platform_title(target), sealed)
