"""Texts of written policies: those in force and those that the ledger keeps, and how two differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Final

from proxy_addon.core.notices.notice import Notice, Version, version
from proxy_addon.ledger.interface import NoticeVersion

SHORT: Final = 12  # digits of a digest that are shown
_LEAST: Final = 6  # digits of a digest by which a text can be asked for
_AROUND: Final = 2  # lines that are shown around a change


class TextNotFound(ValueError):
    """There is no such text; the message says which there are."""


@dataclass(frozen=True, slots=True)
class PolicyText:
    """One text of a notice. `texts`: Markdown by language; `since`: when it was first in force,
    None where the ledger does not know it yet; `in_force`: whether it is now."""

    notice: str
    version: str
    digest: str
    texts: Mapping[str, str]
    since: float | None
    in_force: bool

    @property
    def name(self) -> str:
        """ "social-media 3 (3f9ad2c1b7e0)"."""
        return f"{self.notice} {self.version} ({self.digest[:SHORT]})"

    @property
    def order(self) -> Version:
        """Its version as a number; nought for what is none."""
        try:
            return version(self.version)
        except ValueError:
            return Version(0)


def known_texts(notices: Iterable[Notice], kept: Iterable[NoticeVersion]) -> list[PolicyText]:
    """All of them: those in force in their order, each followed by its older ones, the newest
    first; then those of notices that are not in force any more."""
    in_force = {each.digest: each for each in notices}
    seen = {each.digest: each for each in kept}
    found = [
        PolicyText(
            each.name,
            str(each.version),
            each.digest,
            {language: text.markdown for language, text in each.texts.items()},
            seen[each.digest].at if each.digest in seen else None,
            True,
        )
        for each in in_force.values()
    ]
    found += [
        PolicyText(each.notice, each.version, each.digest, each.texts, each.at, False)
        for each in seen.values()
        if each.digest not in in_force
    ]
    names = [each.notice for each in found]
    found.sort(key=lambda each: (names.index(each.notice), not each.in_force, -(each.since or 0.0)))
    return found


def find(texts: Sequence[PolicyText], notice: str, wanted: str) -> PolicyText:
    """The text of a notice by its version or by the first digits of its digest; the one in force,
    or the newest, of several with one version. Raises TextNotFound."""
    own = [each for each in texts if each.notice == notice]
    for each in own:
        if each.version == wanted:
            return each
    hits = [each for each in own if len(wanted) >= _LEAST and each.digest.startswith(wanted)]
    if len(hits) == 1:
        return hits[0]
    there = ", ".join(dict.fromkeys(f"{each.version} ({each.digest[:SHORT]})" for each in own))
    if not own:
        raise TextNotFound(f"no text of {notice!r} is known")
    what = "several texts begin with" if hits else "there is no version or digest"
    raise TextNotFound(f"{what} {wanted!r} of {notice}; there are {there}")


def differences(old: PolicyText, new: PolicyText) -> dict[str, list[str]]:
    """By language, what has to be taken out (-) and put in (+), in the form of a unified diff;
    empty for a language in which nothing changed."""
    return {
        language: list(
            unified_diff(
                old.texts.get(language, "").splitlines(),
                new.texts.get(language, "").splitlines(),
                f"{old.name} {language}",
                f"{new.name} {language}",
                n=_AROUND,
                lineterm="",
            )
        )
        for language in dict.fromkeys((*new.texts, *old.texts))
    }
