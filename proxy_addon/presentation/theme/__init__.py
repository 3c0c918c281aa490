"""The look of all our pages: one style sheet, one base template, one content security policy.

A page is a single HTML document. It loads nothing from anywhere: the style sheet is in the page and
the policy allows exactly that style sheet, by hash, so a value that somebody managed to slip into a
page could neither run nor fetch anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
from markupsafe import Markup

from proxy_addon.core.types import Balance
from proxy_addon.presentation import durations as words
from proxy_addon.presentation import languages, spoken_rules

_HERE: Final = Path(__file__).parent
_LOW_SHARE: Final = 0.2  # of an allowance left: from here on the bar takes its warning colour


def digest(text: str) -> str:
    """The CSP source for an inline style sheet or script: "'sha256-…'"."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLE: Final = "".join((_HERE / name).read_text("utf-8") for name in ("style.css", "access.css"))
_STYLE_SOURCE: Final = digest(STYLE)


def policy(
    *,
    framed: bool = False,
    script: str | None = None,
    forms: bool = False,
    asks: Sequence[str] = (),
) -> str:
    """The Content-Security-Policy of a page; `script` is the text of the one inline script it may
    run, `asks` the origins besides the page's own that the script may ask.

    `framed`: the page answers for a frame on somebody else's page, and may be shown there. `forms`:
    what is typed may be sent, to our own pages alone.
    """
    parts = ["default-src 'none'", f"style-src {_STYLE_SOURCE}", "img-src data:"]
    if script is not None:
        parts += [f"script-src {digest(script)}", " ".join(("connect-src 'self'", *asks))]
    parts += ["base-uri 'none'", f"form-action {"'self'" if forms else "'none'"}"]
    if not framed:
        parts.append("frame-ancestors 'none'")
    return "; ".join(parts)


def page_headers(
    *,
    framed: bool = False,
    script: str | None = None,
    forms: bool = False,
    asks: Sequence[str] = (),
) -> dict[str, str]:
    """Headers that every HTML page of ours carries. Pages are about one person now: nobody may
    store them."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy(framed=framed, script=script, forms=forms, asks=asks),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        # With "no-referrer" a form would come back with `Origin: null`, and nobody could tell from
        # where.
        "Referrer-Policy": "same-origin" if forms else "no-referrer",
    }


class Bar(NamedTuple):
    """A balance as templates need it; reads "`spent` of `total` used `period`". `share` is the part
    used, 0 to 100."""

    share: float
    tone: str  # "ok", "low", "out": the colour
    spent: str
    total: str
    left: str
    seconds_left: float
    granted: str | None
    carried: str | None
    period: str = ""  # "today", "this quarter"; empty where it is not known
    heading: str = ""  # "2 minutes left today"


def bar(balance: Balance) -> Bar:
    """What a bar says about a balance. The total is what the person has: limit, grants and what
    moved on."""
    total = balance.limit + balance.granted + balance.carried
    share = 100.0 if total <= 0 else min(100.0, max(0.0, 100.0 * (total - balance.left) / total))
    low = balance.left <= _LOW_SHARE * total
    parts = words.parts(balance.left, total)
    period = spoken_rules.period_of(balance.period)
    return Bar(
        share=round(share, 2),
        tone="out" if balance.left <= 0 else "low" if low else "ok",
        spent=parts.short,
        total=parts.total,
        left=parts.left,
        seconds_left=balance.left,
        granted=words.duration(balance.granted) if balance.granted > 0 else None,
        carried=words.duration(balance.carried) if balance.carried > 0 else None,
        period=spoken_rules.period_now(balance.period, balance.rolling),
        heading=spoken_rules.left_in(parts.left, period, balance.rolling),
    )


class Page(NamedTuple):
    """A page in the navigation: its address, its name, and whether it is the one shown."""

    href: str
    name: str
    is_current: bool = False


class Language(NamedTuple):
    """The same page in another language: its address, and what the language calls itself."""

    href: str
    code: str
    name: str


class Shell(NamedTuple):
    """What stands around a page: the office's name, who is reading, the other pages, the page in
    other languages, whom to ask, and whether the reader may open the administration."""

    office: str = ""
    who: str = ""
    pages: tuple[Page, ...] = ()
    languages: tuple[Language, ...] = ()
    contact: str = ""
    is_admin: bool = False


def web_link(url: str) -> str | None:
    """The URL if a link may lead there: http or https, a host, no blanks or control characters;
    else None."""
    if any(character <= " " or character in "\x7f\\" for character in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


class LoadedTemplates(BaseLoader):
    """The templates of some folders, the first wins. All are read at once, because pages are made
    on the event loop, which must not wait for a disk when one is shown for the first time."""

    def __init__(self, *folders: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): (path.read_text("utf-8"), str(path))
            for folder in reversed(folders)
            for path in sorted(folder.rglob("*.html"))
        }

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """See `jinja2.BaseLoader`."""
        if template not in self._files:
            raise TemplateNotFound(template)
        return (*self._files[template], lambda: True)

    def list_templates(self) -> list[str]:
        """Their names."""
        return sorted(self._files)


def environment(folder: Path, **constants: str) -> Environment:
    """Templates in `folder`, with ours to build on. Everything is escaped; a missing value is an
    error."""
    made = Environment(
        loader=LoadedTemplates(folder, _HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    # As `make messages` has them: a message may be broken into several lines.
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(  # type: ignore[attr-defined]
        languages.gettext, languages.ngettext, newstyle=True
    )
    # ours
    trusted: Mapping[str, Markup] = {name: Markup(text) for name, text in constants.items()}  # noqa: S704
    made.globals |= {"style": Markup(STYLE), "spoken": languages.spoken, **trusted}  # noqa: S704 - our own file, read at import
    return made
