"""Requests recorded by others, read again as a browser of today would send them.

The file lies beside the checkout and is never copied into it: see ../shared/data/README.md there.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from proxy_addon.core.catalogue import Catalogue
from proxy_addon.core.metering import activity
from proxy_addon.core.metering.activity import Exchange, Judgement, PageMemory
from proxy_addon.core.types import Activity
from proxy_addon.rules import folder as rules_folder

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data" / "real-requests.jsonl.gz"
WHY_SKIPPED = (
    "the recorded requests are not beside this checkout (../shared/data/real-requests.jsonl.gz)"
)

_DEST = {
    "document": "document",
    "subdocument": "iframe",
    "script": "script",
    "image": "image",
    "media": "video",
}
_ENDS = {
    ".js": "script",
    ".css": "style",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".gif": "image",
    ".svg": "image",
    ".webp": "image",
    ".ico": "image",
    ".woff": "font",
    ".woff2": "font",
    ".ttf": "font",
    ".mp4": "video",
    ".html": "iframe",
    ".htm": "iframe",
}
_TYPES = {
    "image": "image/jpeg",
    "script": "text/javascript",
    "style": "text/css",
    "video": "video/mp4",
}
_PAGE_EVERY = 40.0  # virtual seconds from one page to the next
_LOAD_EVERY = 0.15


@dataclass(slots=True)
class Figures:
    """What the rows were judged, by relation; and the third-party rows that would have cost
    time."""

    rows: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    visits: int = 0
    mistaken: list[tuple[str, str]] = field(default_factory=list)

    @property
    def third_share(self) -> float:
        """Share of third-party rows that were judged visit or media."""
        return self.counted["third"] / self.rows["third"]

    @property
    def document_share(self) -> float:
        """Share of first-party documents that were judged visits."""
        return self.visits / self.documents


def rows() -> Iterator[dict[str, Any]]:
    """The recorded rows, in their order."""
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _site(host: str) -> str:
    labels = host.split(".")
    return ".".join(labels[-3:] if len(labels) > 2 and len(labels[-2]) <= 3 else labels[-2:])


def _dest(row: dict[str, Any]) -> str:
    if row["type"] in _DEST:
        return _DEST[row["type"]]
    path = urlsplit(row["url"]).path
    return next((dest for end, dest in _ENDS.items() if path.endswith(end)), "empty")


def exchange(row: dict[str, Any]) -> Exchange:
    """The request with the Referer and the fetch metadata that a browser derives from page, frame
    and type."""
    url, frame = urlsplit(row["url"]), urlsplit(row.get("frame_url") or row["page_url"])
    host, behind = url.hostname or "", frame.hostname or ""
    dest = _dest(row)
    if dest == "document":
        return Exchange(
            "GET",
            host,
            url.path or "/",
            dest,
            "navigate",
            "none",
            None,
            True,
            status=200,
            content_type="text/html",
            bytes=40_000,
        )
    same = (url.scheme, url.netloc) == (frame.scheme, frame.netloc)
    site = "same-origin" if same else "same-site" if _site(host) == _site(behind) else "cross-site"
    mode = "navigate" if dest == "iframe" else "cors" if dest in ("empty", "font") else "no-cors"
    return Exchange(
        "GET",
        host,
        url.path or "/",
        dest,
        mode,
        site,
        None,
        False,
        behind,
        frame.path if same else "/",
        status=200,
        content_type=_TYPES.get(dest, "text/html" if dest == "iframe" else ""),
        bytes=20_000,
    )


def judged(catalogue: Catalogue) -> Iterator[tuple[dict[str, Any], Judgement | None]]:
    """Each row with what it is judged, as if one person had opened all those pages in this
    order."""
    places: dict[str, PageMemory] = {}
    at, page = 1.8e9, ""
    for row in rows():
        at += _PAGE_EVERY if row["page_url"] != page else _LOAD_EVERY
        page = row["page_url"]
        x = exchange(row)
        hit = catalogue.lookup(x.host, x.path)
        if hit is None:
            yield row, None
            continue
        pages = places.get(hit.platform, PageMemory())
        behind = catalogue.lookup(x.page_host, x.page_path or "/") if x.page_host else None
        judgement = activity.classify(x, hit, behind, pages, at)
        places[hit.platform] = activity.remember(pages, x, judgement, at)
        yield row, judgement


def figures() -> Figures:
    """The whole file under the shipped catalogue."""
    found = Figures()
    for row, judgement in judged(Catalogue(rules_folder.load(ROOT / "rules").platforms)):
        relation = row["relation"]
        counts = judgement is not None and judgement.activity.counts
        found.rows[relation] += 1
        found.counted[relation] += counts
        if relation == "first" and row["type"] == "document":
            found.documents += 1
            found.visits += judgement is not None and judgement.activity is Activity.VISIT
        elif relation == "third" and counts and judgement is not None:
            found.mistaken.append((row["url"], judgement.evidence))
    return found
