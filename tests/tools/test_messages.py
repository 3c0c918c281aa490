"""`make messages`: which messages there are, and what becomes of translations."""

from __future__ import annotations

from babel.messages.catalog import Catalog

from tests.tools.messages import Source, messages, untranslated, updated


def old() -> Catalog:
    """A German catalogue with three messages."""
    made = Catalog(locale="de")
    made.add("Kept", "Behalten", user_comments=["of the office"])
    made.add("Gone", "Weg")
    made.add("Grown", "Gewachsen")
    return made


SOURCES = [
    Source("Grown", "%(n)d grown", ("b.py",)),
    Source("Kept", "", ("a.html", "b.py")),
    Source("New", "", ("a.html",)),
]


def test_translations_are_kept() -> None:
    """What is said still keeps its translation and its comment; what is new has none; what nobody
    says is gone; a message that became a plural is to be translated again."""
    text = updated(old(), SOURCES)
    assert (
        '# of the office\n#: proxy_addon/a.html proxy_addon/b.py\nmsgid "Kept"\nmsgstr "Behalten"'
        in text
    )
    assert 'msgid "New"\nmsgstr ""' in text
    assert "Gone" not in text
    assert 'msgid "Grown"\nmsgid_plural "%(n)d grown"\nmsgstr[0] ""\nmsgstr[1] ""' in text


def test_what_is_missing() -> None:
    """Messages without a translation, with one form too few, or with a guess."""
    made = old()
    made.add("New", "")
    made.add(("%(n)d day", "%(n)d days"), ("%(n)d Tag", ""))
    made.add("Guessed", "Geraten", flags=["fuzzy"])
    assert list(untranslated(made)) == ["New", "%(n)d day", "Guessed"]


def test_messages_are_found_in_modules_and_templates() -> None:
    """Also those that are marked to be translated later, and plurals."""
    found = {(source.one, source.many): source.files for source in messages()}
    assert "presentation/durations.py" in found["%(n)d minute", "%(n)d minutes"]
    assert "presentation/visit_evidence.py" in found["Not recorded.", ""]
    assert "presentation/theme/base.html" in found["Pages", ""]
