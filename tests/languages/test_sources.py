"""Every text of a page is a message: templates and modules are read for those that are not."""

from __future__ import annotations

import re

import pytest

from tests.languages import plurals
from tests.languages.sources import (
    ROOT,
    modules,
    templates,
    untranslated_in_module,
    untranslated_in_template,
)

# What is no text for a reader: it is for browsers, for commands, or for a log.
NO_TEXTS = {
    "presentation/theme/__init__.py": {"img-src data:"},
    "proxy/responses/responses.py": {'Basic realm="'},
    "web/balance_events.py": {": nothing new\n\n"},
    "web/device_systems.py": {"chrome os", "chromium os"},
    "web/explain_api.py": {
        "Only commands on the proxy's own machine may ask this.",
        "Ask with ?user=…&url=…",
    },
    "web/health_api.py": {"no event loop turns"},
    "web/reload_api.py": {"Only commands on the proxy's own machine may ask this."},
    "web/ledger_executor.py": {
        "too many requests are waiting for the ledger; try again in a moment",
        "the ledger does not answer in time",
    },
    "ledger/availability.py": {"the ledger does not answer"},
    "web/urgent_service.py": {"a customer is waiting"},
    "web/server.py": {"; choose another with "},
}
NO_TEXT_BEGINS = ("function FindProxyForURL",)


@pytest.mark.parametrize("name", templates())
def test_templates(name: str) -> None:
    """A template has no text of its own, neither between tags nor in what is read out."""
    assert untranslated_in_template(templates()[name].read_text("utf-8")) == []


@pytest.mark.parametrize("name", modules())
def test_modules(name: str) -> None:
    """A string of several words is a message, unless it is for a program."""
    allowed = NO_TEXTS.get(name, set())
    found = untranslated_in_module(modules()[name].read_text("utf-8"))
    assert allowed <= set(found), f"gone: {allowed - set(found)}"
    texts = [text for text in found if text not in allowed]
    assert [text for text in texts if not text.startswith(NO_TEXT_BEGINS)] == []


@pytest.mark.parametrize("folder", ["proxy_addon", "db"])
def test_numbers_have_their_forms(folder: str) -> None:
    """No sentence of a page, a command or a log says "1 allowances"."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, text in plurals.in_module(path.read_text("utf-8"))
    ]
    for path in sorted((ROOT / folder).rglob("*.html")):
        texts = plurals.in_template(path.read_text("utf-8"))
        found += [f"{path.relative_to(ROOT)}: {text}" for text in texts]
    assert not found, "\n".join(found)


def test_which_plurals_are_found() -> None:
    """A value in front of a noun that is always plural; not a constant, and not a message."""
    source = 'f"{len(a)} visits, {MAX} rows, {a.MOST} days, {a} is, {b} more people"'
    assert [text for _, text in plurals.in_module(source)] == [
        "len(a)} visits, ",
        "b} more people",
    ]
    assert plurals.in_template("{{ n }} rules {% trans n=n %}{{ n }} days{% endtrans %}") == [
        "}} rules"
    ]


def test_what_is_found_in_templates() -> None:
    """Texts, attributes and strings in expressions are found; values and messages are not."""
    assert untranslated_in_template('<p title="A hint">{{ value }} Allowance 12</p>') == ["A hint"]
    assert untranslated_in_template("<p>{% trans %}Said{% endtrans %} left</p>") == ["left"]
    assert untranslated_in_template("{{ 'two words' if value else '' }}") == ["two words"]
    assert untranslated_in_template("{{ gettext('two words') }}<style>p q</style>") == []


def test_what_is_found_in_modules() -> None:
    """Strings and parts of f-strings are found; messages, docstrings, logs and errors are not."""
    source = '''
"""A docstring of it."""
def say(name: str) -> str:
    _LOG.info("a page was made")
    if not name:
        raise ValueError("no name given")
    return _("hello to %(name)s") + f"{name} is here now" + "one" + "two words"
'''
    assert untranslated_in_module(source) == ["two words", " is here now"]


def test_the_style_has_no_words() -> None:
    """What the style sheet puts on a page is a sign: a catalogue cannot translate it."""
    style = (ROOT / "proxy_addon" / "presentation" / "theme" / "style.css").read_text("utf-8")
    signs = re.findall(r"content:\s*\"([^\"]*)\"", style)
    assert len(signs) > 3
    shown = [re.sub(r"\\[\dA-F]{2,6} ?", "", each) for each in signs]
    assert [each for each in shown if re.search(r"[A-Za-z]", each)] == []
