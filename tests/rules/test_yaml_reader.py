"""YAML with places: less than YAML allows, and every value at its line and column."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.rules.problems import Code
from proxy_addon.rules.yaml_reader import MAX_VALUES, lines, parse

# Text made of what YAML is made of finds more than text made of anything.
YAMLISH = st.lists(
    st.sampled_from(
        [
            *"ab:#&*!|>?%@`'\"[]{},~1ü \n\t\r\x85\u2028\ufeff\0-",
            "\n  ",
            "\n- ",
            "a: ",
            "!!str",
            "<<: ",
            "---",
        ]
    ),
    max_size=40,
).map("".join)


def data(text: str) -> object:
    """What a text without mistakes says."""
    document, problems = parse(text.encode(), "f.yaml")
    assert problems == []
    assert document is not None
    return document.data


def code(content: bytes) -> Code:
    """The code of the one thing that is wrong."""
    document, problems = parse(content, "f.yaml")
    assert document is None
    return problems[-1].code


@pytest.mark.parametrize(
    "word", ["on", "off", "yes", "no", "y", "n", "12:30", "1:30:00", "2026-11-02", "007", "0x1f"]
)
def test_words_mean_what_they_look_like(word: str) -> None:
    """None of the surprises of YAML 1.1: these are texts."""
    assert data(f"a: {word}") == {"a": word}


@pytest.mark.parametrize(
    "word", ["1e3", ".inf", "1.10", "1_000", "=", "12345678901234567890", "+1", "-0"]
)
def test_numbers_that_would_change_stay_text(word: str) -> None:
    """What would not come back as it was written is text."""
    assert data(f"a: {word}") in ({"a": word}, {"a": 0})


def test_what_is_no_text() -> None:
    """true, false, nothing and whole numbers, if they are not in quotes."""
    assert data("a: true\nb: false\nc:\nd: ~\ne: 15\nf: '15'\ng: \"true\"\nh: ''") == {
        "a": True,
        "b": False,
        "c": None,
        "d": None,
        "e": 15,
        "f": "15",
        "g": "true",
        "h": "",
    }


def test_keys_are_always_text() -> None:
    """A platform may be called 9 or on."""
    assert data("9: a\non: b\ntrue: c\n2026-11-02: d") == {
        "9": "a",
        "on": "b",
        "true": "c",
        "2026-11-02": "d",
    }


def test_every_key_and_value_has_its_place() -> None:
    """Lines and columns from 1, in characters, in block and flow style."""
    document, _ = parse("ü: {a: [x, 'ü', y]}\nb:\n  - c: d\n".encode(), "f.yaml")
    assert document is not None
    assert document.values[("ü", "a", 2)] == (1, 17)
    assert document.keys[("ü", "a")] == (1, 5)
    assert document.values[("b", 0, "c")] == (3, 8)
    assert document.keys[("b",)] == (2, 1)
    assert document.values[("b", 0)] == (3, 5)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "\ufeff"])
def test_a_file_with_nothing_in_it_is_an_empty_block(text: str) -> None:
    """A file may be commented out as a whole."""
    assert data(text) == {}


def test_a_byte_order_mark_at_the_front_is_let_pass() -> None:
    """Some editors write one; it does not move the first column."""
    document, problems = parse(b"\xef\xbb\xbfa: 1\n", "f.yaml")
    assert problems == []
    assert document is not None
    assert document.keys[("a",)] == (1, 1)


def test_lines_end_as_in_editors() -> None:
    """CRLF is one line end, and places agree with it."""
    document, _ = parse(b"a: 1\r\nb: 2\r\n", "f.yaml")
    assert document is not None
    assert document.keys[("b",)] == (2, 1)
    assert lines("a\r\nb\rc\nd") == ["a", "b", "c", "d"]


def test_duplicate_keys_are_all_reported_and_the_first_one_counts() -> None:
    """The rest of the file is still read, so that its mistakes are told, too."""
    document, problems = parse(b"a: {x: 1, x: 2}\nb: 1\na: {y: [1, {y: 2}]}\nc: 3\n", "f.yaml")
    assert document is not None
    assert document.data == {"a": {"x": 1}, "b": 1, "c": 3}
    assert [(p.code, p.line, p.column) for p in problems] == [
        (Code.DUPLICATE_KEY, 1, 11),
        (Code.DUPLICATE_KEY, 3, 1),
    ]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"a: &x 1", Code.YAML_ANCHOR),
        (b"a: *x", Code.YAML_ANCHOR),
        (b"<<: {a: 1}", Code.YAML_MERGE),
        (b"a: !!int 1", Code.YAML_TAG),
        (b"a: !mine 1", Code.YAML_TAG),
        (b"a: 1\n---\nb: 2", Code.YAML_DOCUMENTS),
        (b"? {a: 1}\n: 2", Code.BAD_KEY),
        (b"? &x a\n: 2", Code.YAML_ANCHOR),
        (b"~: 1\n: 2", Code.YAML_SYNTAX),
        (b"'': 2", Code.BAD_KEY),
        (b"a:\n\tb: 1", Code.TAB),
        (b"\ta: 1", Code.TAB),
        (b"a: [", Code.YAML_SYNTAX),
        (b"a: \0", Code.BAD_CHARACTER),
        (b"a: \xef\xbb\xbfb", Code.BAD_CHARACTER),
        (b"a: \xff", Code.NOT_UTF8),
        ("a: 1".encode("utf-16"), Code.NOT_UTF8),
        ("a: 1".encode("utf-16-le"), Code.BAD_CHARACTER),
        (b"- a", Code.WRONG_TYPE),
        (b"5", Code.WRONG_TYPE),
        (b"a: " + b"[" * 100_000, Code.TOO_DEEP),
        (b"a: " + b"{a: " * 100_000, Code.TOO_DEEP),
        (b"- " * 100_000, Code.TOO_DEEP),
        (b"? " * 100_000, Code.BAD_KEY),
        (b"a: [" + b"1," * (MAX_VALUES + 10) + b"]", Code.TOO_LARGE),
    ],
)
def test_what_is_refused(content: bytes, wanted: Code) -> None:
    """Each with a code of its own, hostile nesting and size among them."""
    assert code(content) is wanted


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'a: "x"\n-\tfoo: b\nb: c\n', (2, 2)),
        (b'a: x\n  \t"foo": b\nb: c\n', (2, 3)),
        (b"a: x\n \tfoo\n  b: c\n", (2, 2)),
        (b"- a\n \tfoo\nb: c\n", (2, 2)),
    ],
)
def test_a_tab_is_named_where_it_stands(content: bytes, place: tuple[int, int]) -> None:
    """Also where the parser took the line for more text, and blames another place."""
    _, (problem,) = parse(content, "f.yaml")
    assert (problem.code, (problem.line, problem.column)) == (Code.TAB, place)


def test_quotes_make_any_text_harmless() -> None:
    """What looks like YAML is text in quotes, as a key as well."""
    assert data('"<<": "*x"\n"&a": "!b"') == {"<<": "*x", "&a": "!b"}


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Nothing but a document or located problems comes out."""
    _holds(content)


@given(YAMLISH)
@settings(max_examples=100, deadline=None)
def test_any_text_that_looks_like_yaml_is_read_or_refused(text: str) -> None:
    """The same for text that goes deeper into the parser; places lie inside the file."""
    _holds(text.encode())


def _holds(content: bytes) -> None:
    document, problems = parse(content, "f.yaml")
    assert (document is None) <= bool(problems)
    count = len(lines(content.decode("utf-8", "replace")))
    for problem in problems:
        assert 1 <= problem.line <= count + 1
        assert problem.column >= 1


def test_a_lot_of_anything_ends_soon() -> None:
    """Inputs that make parsers slow take a moment."""
    began = perf_counter()
    for unit in (
        b"a: b\n",
        b"[",
        b"{",
        b"- ",
        b"'",
        b'"',
        b"&a ",
        b"? ",
        b"a:\n ",
        b"!",
        b"|\n",
        b"#",
        b" ",
        b"\t",
        b",",
    ):
        parse(unit * (300_000 // len(unit)), "f.yaml")
    assert perf_counter() - began < 60
