"""Names, slugs, flags, versions and numbers: each condition with the value on both sides of it."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.rules import parsers
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code

quick = settings(max_examples=100, deadline=None)
NOTHING = (Code.WRONG_TYPE, "nothing is written here", "fill it in, or leave the key out")
LETTERS = string.ascii_lowercase + string.digits


def refused(parse: Callable[[object], object], value: object) -> tuple[Code, str, str]:
    """Code, message and hint of what a parser says about a value that it cannot read."""
    with pytest.raises(BadValue) as caught:
        parse(value)
    assert str(caught.value) == caught.value.message
    return caught.value.code, caught.value.message, caught.value.hint


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (True, "yes or no"),
        (False, "yes or no"),
        ({}, "a block of keys"),
        ({"a": 1}, "a block of keys"),
        ([], "a list"),
        ((1,), "a list"),
        (0, "a number"),
        (1.5, "a number"),
        ("", "text"),
        ("5", "text"),
    ],
)
def test_kinds_in_words(value: object, words: str) -> None:
    """Each kind of value has the name that a person who writes YAML would use."""
    assert parsers.kind(value) == words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", '""'),
        ("a", '"a"'),
        (5, '"5"'),
        (-1.5, '"-1.5"'),
        (True, '"true"'),
        (False, '"false"'),
        ("x" * 60, f'"{"x" * 60}"'),
        ("x" * 61, f'"{"x" * 59}…"'),
        ("a\nb", '"a\N{REPLACEMENT CHARACTER}b"'),
        ("a\u202eb", '"a\N{REPLACEMENT CHARACTER}b"'),
        ("ü–", '"ü–"'),
        (None, "nothing"),
        ({"a": 1}, "a block of keys"),
        ([1, 2], "a list"),
        ((), "a list"),
    ],
)
def test_how_messages_quote_a_value(value: object, shown: str) -> None:
    """Sixty characters are shown whole, sixty-one are cut; blocks and lists are named."""
    assert parsers.quote(value) == shown


@quick
@given(st.text(max_size=200))
def test_a_quoted_text_is_short_and_printable(text: str) -> None:
    """Whatever a text holds, its quotation is one line of at most 62 characters."""
    shown = parsers.quote(text)
    assert shown.isprintable() and len(shown) <= 62
    assert shown[0] == shown[-1] == '"'


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("  a ", "a"),
        ("x" * 100, "x" * 100),
        ("x" * 101, ""),
        (" " * 101, ""),
        (5, ""),
        (None, ""),
        (["a"], ""),
    ],
)
def test_short_texts(value: object, found: str) -> None:
    """A hundred characters are looked at, a hundred and one are not, and only text is."""
    assert parsers.short(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("anna", "anna"),
        ("  anna  ", "anna"),
        ("two\nlines", "two\nlines"),
        ("a\tb", "a\tb"),
        (0, "0"),
        (-7, "-7"),
        ("Zoë – 学", "Zoë – 学"),
        ("true", "true"),
    ],
)
def test_texts(value: object, found: str) -> None:
    """Text keeps its lines and tabs, loses the spaces around it, and a number is text as well."""
    assert parsers.text(value) == found


A_NAME = "put it in quotes if it is one"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, NOTHING),
        (True, (Code.WRONG_TYPE, '"true" means yes or no here, not a name', A_NAME)),
        (False, (Code.WRONG_TYPE, '"false" means yes or no here, not a name', A_NAME)),
        ([], (Code.WRONG_TYPE, "text is expected here, not a list", "")),
        ({}, (Code.WRONG_TYPE, "text is expected here, not a block of keys", "")),
        (1.5, (Code.WRONG_TYPE, "text is expected here, not a number", "")),
        ("", (Code.EMPTY_TEXT, "the text is empty", "fill it in, or leave the key out")),
        (" \n\t ", (Code.EMPTY_TEXT, "the text is empty", "fill it in, or leave the key out")),
        (
            "a\x00b",
            (
                Code.BAD_CHARACTER,
                '"a\N{REPLACEMENT CHARACTER}b" contains a control character',
                "",
            ),
        ),
        (
            "a\x9fb",
            (
                Code.BAD_CHARACTER,
                '"a\N{REPLACEMENT CHARACTER}b" contains a control character',
                "",
            ),
        ),
    ],
    ids=repr,
)
def test_texts_that_are_refused(value: object, said: tuple[Code, str, str]) -> None:
    """What is not text is named by its kind; what is empty or would steer a terminal is refused."""
    assert refused(parsers.text, value) == said


@pytest.mark.parametrize("code", [0x00, 0x08, 0x0B, 0x1F, 0x7F, 0x80, 0x9F])
def test_control_characters_at_the_edges_are_refused(code: int) -> None:
    """The first and last character of each range of control characters."""
    assert refused(parsers.text, f"a{chr(code)}b")[0] is Code.BAD_CHARACTER


@pytest.mark.parametrize("code", [0x09, 0x0A, 0x20, 0x7E, 0xA0])
def test_characters_beside_the_control_characters_are_text(code: int) -> None:
    """The neighbours of those ranges stand in texts."""
    assert parsers.text(f"a{chr(code)}b") == f"a{chr(code)}b"


@pytest.mark.parametrize("value", ["x" * 200, "  " + "x" * 200, "*@brand.example", "O'Neil, K."])
def test_names(value: str) -> None:
    """A name is one line of up to 200 characters, spaces around it not counted."""
    assert parsers.name(value) == value.strip()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 201, f'"{"x" * 59}…"'),
        ("a\nb", '"a\N{REPLACEMENT CHARACTER}b"'),
        ("a\tb", '"a\N{REPLACEMENT CHARACTER}b"'),
    ],
)
def test_names_that_are_refused(value: str, shown: str) -> None:
    """One character too many, a second line, or a tab."""
    hint = "a name is one line of up to 200 characters"
    assert refused(parsers.name, value) == (Code.BAD_NAME, f"{shown} is not a valid name", hint)


@pytest.mark.parametrize("value", ["a", "9gag", "a-b", "a_b", "a.b", "a--b", "x" * 60, 4711])
def test_slugs(value: object) -> None:
    """Names of platforms begin and end with a letter or a digit."""
    assert parsers.slug(value) == str(value)


@pytest.mark.parametrize("value", ["-a", "a-", ".a", "a.", "_", "A", "a b", "ä", "a/b", "x" * 61])
def test_slugs_that_are_refused(value: str) -> None:
    """A sign at an end, upper case, a space, other letters, or one character too many."""
    code, message, hint = refused(parsers.slug, value)
    assert (code, hint) == (Code.BAD_NAME, "use lower-case letters, digits and hyphens")
    assert message == f"{parsers.quote(value)} is not a valid name here"


@quick
@given(st.text(LETTERS + "-_.", min_size=1, max_size=60))
def test_a_slug_is_told_by_its_ends(word: str) -> None:
    """Of words made of the right characters, just those whose ends are no signs are slugs."""
    if word[0] in LETTERS and word[-1] in LETTERS:
        assert parsers.slug(word) == word
    else:
        assert refused(parsers.slug, word)[0] is Code.BAD_NAME


@pytest.mark.parametrize("value", [True, False])
def test_flags(value: bool) -> None:
    """Only the two words themselves are flags."""
    assert parsers.flag(value) is value


@pytest.mark.parametrize(
    ("value", "shown", "meant"),
    [
        ("y", '"y"', "true"),
        ("YES", '"YES"', "true"),
        ("On", '"On"', "true"),
        (1, '"1"', "true"),
        ("1", '"1"', "true"),
        ("n", '"n"', "false"),
        ("No", '"No"', "false"),
        ("OFF", '"OFF"', "false"),
        (0, '"0"', "false"),
        (2, '"2"', "true or false"),
        ("true", '"true"', "true or false"),
        ([], "a list", "true or false"),
        (None, "nothing", "true or false"),
    ],
)
def test_flags_that_are_refused(value: object, shown: str, meant: str) -> None:
    """The hint says which of the two was meant, where that can be told."""
    wanted = (Code.WRONG_TYPE, f"{shown} is neither true nor false", f"write {meant}")
    assert refused(parsers.flag, value) == wanted


def test_the_version_is_one() -> None:
    """There is one version of the language."""
    assert parsers.version(1) == 1


@pytest.mark.parametrize("value", [0, 2, -1, "1", "one", True, None, [1]])
def test_other_versions_are_refused(value: object) -> None:
    """Also the same number as text, and the `true` that equals one."""
    message = f"{parsers.quote(value)} is not a supported version"
    assert refused(parsers.version, value) == (Code.BAD_VERSION, message, "write version: 1")


@pytest.mark.parametrize(
    ("value", "found"), [(0, 0.0), (-0.0, 0.0), (7, 7.0), ("2500.5", 2500.5), (" 4e3 ", 4000.0)]
)
def test_numbers(value: object, found: float) -> None:
    """Zero and more, as a number or as text."""
    assert parsers.number(value) == found


@pytest.mark.parametrize(
    "value",
    [-1, "-0.001", "nan", "inf", "-inf", "1e400", 10**400, "4k", "", True, False, None, [], {}],
)
def test_numbers_that_are_refused(value: object) -> None:
    """Less than zero, no end, no number, too large for a number, and the flags that Python counts
    with."""
    code, message, hint = refused(parsers.number, value)
    assert (code, hint) == (Code.BAD_NUMBER, "")
    assert message == f"{parsers.quote(value)} is not a number of zero or more"


@quick
@given(st.floats(min_value=0, allow_infinity=False, allow_nan=False))
def test_a_number_is_read_as_it_was_written(number: float) -> None:
    """Writing a number and reading it again gives the same number."""
    assert parsers.number(repr(number)) == parsers.number(number) == number
