"""Every message has a translation in every language, and a catalogue has nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from proxy_addon.presentation.languages import LANGUAGES, catalogue, ngettext, speaking
from tests.tools.messages import LOCALES, ROOT, TRANSLATED, messages, untranslated, updated
from tests.tools.messages import catalogue as read

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|%.?")
_TAG = re.compile(r"</?\w+[^>]*>|<")
_CODE = re.compile(r"<code>.*?</code>")
SOURCES = {(source.one, source.many): source for source in messages()}


def forms(message: Message) -> list[tuple[str, str]]:
    """Each form of the translation, with the form of the message that it stands for; none where it
    is missing."""
    if isinstance(message.string, str):
        return [(message.id, message.string)] if message.string else []
    one, many = message.id
    found = enumerate(message.string)
    return [(one if number == 0 else many, text) for number, text in found if text]


def entries(language: str) -> list[Message]:
    """The messages of a catalogue, without its head."""
    return [message for message in read(language) if message.id]


@pytest.mark.parametrize("language", TRANSLATED)
def test_it_is_complete(language: str) -> None:
    """No message is without a translation, in any of its forms, or has one that is only a guess."""
    assert list(untranslated(read(language))) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_it_is_up_to_date(language: str) -> None:
    """It has the messages of the program, only those, and is as `make messages` writes it."""
    ids = {
        (message.id, "") if isinstance(message.id, str) else tuple(message.id)
        for message in entries(language)
    }
    assert ids == set(SOURCES), "run `make messages`"
    assert not read(language).obsolete
    text = (LOCALES / f"{language}.po").read_text("utf-8")
    assert text == updated(read(language), messages()), "run `make messages`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_fit_their_messages(language: str) -> None:
    """Each has the placeholders and tags of its message, and begins and ends with as much space."""
    wrong = []
    for message in entries(language):
        for source, text in forms(message):
            one = isinstance(message.id, tuple) and source == message.id[0]
            wanted, found = (sorted(set(_PLACEHOLDER.findall(each))) for each in (source, text))
            # The form for one may say the number or not: "a minute", "1 minute".
            if wanted != found and not (one and set(wanted) ^ set(found) <= {"%(n)d", "%(count)s"}):
                wrong.append(f"{source!r}: {wanted} are {found} in {text!r}")
            if sorted(_TAG.findall(source)) != sorted(_TAG.findall(text)):
                wrong.append(f"{source!r}: other tags in {text!r}")
            if (source[:1].isspace(), source[-1:].isspace()) != (
                text[:1].isspace(),
                text[-1:].isspace(),
            ):
                wrong.append(f"{source!r}: other space around {text!r}")
            if source.endswith(".") != text.rstrip("»“”\u00a0\u202f").endswith("."):
                wrong.append(f"{source!r}: another end than {text!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", TRANSLATED)
def test_typography(language: str) -> None:
    """Quotation marks, apostrophes and spaces before marks are those of the language."""
    marks = {"de": "„“", "fr": "«»", "es": "«»"}[language]
    wrong = []
    for message in entries(language):
        for source, text in forms(message):
            plain = _TAG.sub("", _CODE.sub("", text))
            if '"' in plain or ("“" in source) != (marks[0] in text):
                wrong.append(f"quotation marks: {text!r}")
            if language == "fr" and re.search(
                r"[^\u202f\u00a0\d/p][;:!?»]|«[^\u00a0\u202f]", plain
            ):
                wrong.append(f"spaces before marks: {text!r}")
            if re.search(r"\w'\w", plain) and language != "es":
                wrong.append(f"a straight apostrophe: {text!r}")
    assert not wrong, "\n".join(wrong)


def test_typography_of_the_shipped_policy() -> None:
    """The French text has the marks of its pages, whose lines may not begin with one."""
    text = (ROOT / "rules" / "notices" / "social-media.fr.md").read_text("utf-8")
    assert not re.findall(r"\w'\w|\w [;:!?»]|« ", text)


@pytest.mark.parametrize("language", TRANSLATED)
def test_it_is_read(language: str) -> None:
    """The program reads it, with the plural forms of the language: French says "0 minute"."""
    assert catalogue(language).info()["language"] == language
    assert read(language).num_plurals == 2
    with speaking(language):
        said = [ngettext("%(n)d minute", "%(n)d minutes", number) for number in (0, 1, 2)]
    assert said[1] != said[2]
    assert said[0] == (said[1] if language == "fr" else said[2])


def test_there_is_one_for_each_language() -> None:
    """Every language but English has a catalogue, and every catalogue is installed."""
    assert {path.stem for path in LOCALES.iterdir()} == set(LANGUAGES) - {"en"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["proxy_addon.presentation"]
    installed = {path for each in patterns for path in Path(LOCALES.parent).glob(each)}
    assert installed == set(LOCALES.iterdir())


def test_nothing_of_one_machine() -> None:
    """Catalogues change with their messages alone: no dates, line numbers, or folders."""
    for language in TRANSLATED:
        text = (LOCALES / f"{language}.po").read_text("utf-8")
        places = [line for line in text.splitlines() if line.startswith("#:")]
        assert places
        assert all(re.fullmatch(r"#:( proxy_addon/[\w/]+\.(py|html))+", line) for line in places)
        assert "Date" not in text.partition("#:")[0]
