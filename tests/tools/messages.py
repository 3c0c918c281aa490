"""Brings the catalogues up to date with the messages of the program: `make messages`.

Translations are kept, new messages come without one, and what nobody says any more is left out.
What is written depends on nothing but the messages: no dates, no line numbers, no paths of a
machine.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from proxy_addon.presentation.languages import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "proxy_addon"
LOCALES = SOURCE / "presentation" / "locales"
TRANSLATED = tuple(language for language in LANGUAGES if language != "en")
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
OPTIONS = {"**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "marked": None,
    "ngettext": (1, 2),
    "marked_plural": (1, 2),
}
# The forms of numbers as we use them: CLDR has a third for millions, which no page says.
PLURALS = {
    "fr": "nplurals=2; plural=(n > 1);",
    "es": "nplurals=2; plural=(n != 1);",
}
HEAD = """\
# Messages of Allowance in {name}. `make messages` brings this file up to date with the program.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n"

"""


class Source(NamedTuple):
    """A message and the files that say it; `many` is its plural, "" where it has none."""

    one: str
    many: str
    files: tuple[str, ...]


def messages() -> list[Source]:
    """All messages of the program, by file and in the order of the files."""
    found: dict[tuple[str, str], list[str]] = {}
    for file, _, message, _, _ in extract_from_dir(
        SOURCE, METHODS, OPTIONS, keywords=KEYWORDS, directory_filter=_is_source
    ):
        texts = (message, "") if isinstance(message, str) else (message[0], message[1])
        files = found.setdefault(texts, [])
        if file not in files:
            files.append(file)
    for one, many in [texts for texts in found if texts[1]]:
        # Said without a number as well: gettext finds the form for one.
        found[one, many] += found.pop((one, ""), [])
    made = [Source(one, many, tuple(sorted(set(files)))) for (one, many), files in found.items()]
    return sorted(made, key=lambda each: (each.files[0], each.one))


def _is_source(folder: str) -> bool:
    return not Path(folder).name.startswith((".", "_"))


def catalogue(language: str) -> Catalog:
    """The catalogue of a language as it is in its file; empty where there is none."""
    file = LOCALES / f"{language}.po"
    if not file.exists():
        return _empty(language)
    with file.open("rb") as lines:
        return read_po(lines, locale=language)


def _empty(language: str) -> Catalog:
    made = Catalog(locale=language, fuzzy=False)
    if language in PLURALS:
        made.mime_headers = [("Plural-Forms", PLURALS[language])]
    return made


def updated(old: Catalog, sources: list[Source]) -> str:
    """The text of a catalogue with these messages and the translations that there are."""
    locale = Locale.parse(str(old.locale))
    made = _empty(str(locale))
    for source in sources:
        key = (source.one, source.many) if source.many else source.one
        known = old.get(source.one)
        made.add(
            key,
            string=_kept(known, source, made.num_plurals),
            locations=[(f"proxy_addon/{file}", 0) for file in source.files],
            user_comments=known.user_comments if known else (),
            flags={flag for flag in known.flags if flag == "fuzzy"} if known else (),
        )
    out = io.BytesIO()
    write_po(out, made, width=0, omit_header=True, include_lineno=False)
    head = HEAD.format(name=locale.english_name, language=locale, plural_forms=made.plural_forms)
    return head + out.getvalue().decode()


def _kept(known: Message | None, source: Source, plurals: int) -> str | tuple[str, ...]:
    """The translation of a message, if it still is of the same kind."""
    if not source.many:
        return known.string if known is not None and isinstance(known.string, str) else ""
    if known is not None and known.id == (source.one, source.many):
        return tuple(known.string)
    return ("",) * plurals


def untranslated(catalog: Catalog) -> Iterator[str]:
    """Messages of a catalogue without a translation, or with one to be looked at."""
    for message in catalog:
        strings = [message.string] if isinstance(message.string, str) else message.string
        if message.id and (message.fuzzy or not all(strings)):
            yield message.id if isinstance(message.id, str) else message.id[0]


def main() -> None:
    """Write all catalogues, and say what is missing."""
    sources = messages()
    LOCALES.mkdir(exist_ok=True)
    for language in TRANSLATED:
        text = updated(catalogue(language), sources)
        (LOCALES / f"{language}.po").write_text(text, "utf-8")
        missing = list(untranslated(catalogue(language)))
        print(f"{language}: {len(sources)} messages, {len(missing)} without a translation")
        for message in missing:
            print(f"  {message}")


if __name__ == "__main__":
    main()
