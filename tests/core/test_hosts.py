"""Hosts: one spelling for each, and the most specific pattern wins."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.hosts import HostTable, normalise

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
NAME = st.lists(LABEL, min_size=1, max_size=5).map(".".join)


@pytest.mark.parametrize(
    ("written", "spelt"),
    [
        ("x.com", "x.com"),
        ("X.COM", "x.com"),
        ("x.com.", "x.com"),
        ("x.com..", "x.com"),
        ("x.com:443", "x.com"),
        ("x.com:", "x.com"),
        (" x.com\t", "x.com"),
        ("ana:secret@X.com:8080", "x.com"),
        ("a@b@x.com", "x.com"),
        ("_sip.x.com", "_sip.x.com"),
        ("%78.com", "x.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("ｘ.com", "x.com"),
        ("x。com", "x.com"),
        ("foo_bar.ｆacebook.com", "foo_bar.facebook.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1:8080", "127.0.0.1"),
        ("[::1]:443", "::1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[fe80::1%25eth0]", "fe80::1"),
        ("☃.x.com", "☃.x.com"),
    ],
)
def test_spelling(written: str, spelt: str) -> None:
    """Every way to write a host comes down to one."""
    assert normalise(written) == spelt


@pytest.mark.parametrize(
    "rubbish",
    [
        *(
            "",
            " ",
            ".",
            "..",
            ".x.com",
            "x..com",
            "a b.com",
            "x.com/path",
            "http://x.com",
            "x.com?q",
        ),
        *("x.com:80:90z", "[::1", "[nonsense]", "x\x00.com", "x.com\r\nHost: y.com", "x\\y.com"),
        *("%2525.com", "％.com", "a" * 600),
    ],
)
def test_rubbish(rubbish: str) -> None:
    """What cannot be a host is the empty string, so that it never matches a platform."""
    assert normalise(rubbish) == ""


@given(st.text(max_size=80))
@settings(max_examples=100)
def test_never_raises_and_settles(text: str) -> None:
    """Whatever a client sends is spelt without an exception, and spelling it again changes
    nothing."""
    once = normalise(text)
    assert normalise(once) == once


@given(NAME)
@settings(max_examples=100)
def test_clean_names_stay(name: str) -> None:
    """A host in its one spelling is left as it is, also in capitals, with a dot or with a port."""
    assert (
        normalise(name)
        == normalise(name.upper())
        == normalise(f"{name}.")
        == normalise(f"{name}:443")
        == name
    )


PATTERNS = [
    ("x.com", "all"),
    ("=x.com", "alone"),
    ("api.x.com", "api"),
    ("sc*.x.com", "star"),
    ("scontent*.x.com", "longer star"),
    ("=scontent-9.x.com", "plain"),
    ("a*.*.fna.x.com", "two stars"),
    ("*.t.co", "prefix"),
    ("*vod*.shared.net", "inside"),
]


@pytest.mark.parametrize(
    ("host", "value"),
    [
        ("x.com", "alone"),
        ("www.x.com", "all"),
        ("api.x.com", "api"),
        ("v2.api.x.com", "api"),
        ("sc.x.com", "star"),
        ("sc9.x.com", "star"),
        ("scontent-1.x.com", "longer star"),
        ("deep.scontent-1.x.com", "longer star"),
        ("scontent-9.x.com", "plain"),
        ("deep.scontent-9.x.com", "longer star"),
        ("a1.b.fna.x.com", "two stars"),
        ("1a.b.fna.x.com", "all"),
        ("t.co", "prefix"),
        ("a.t.co", "prefix"),
        ("10vod-adaptive.shared.net", "inside"),
        ("shared.net", None),
        ("other.shared.net", None),
        ("netflix.com", None),
        ("xx.com", None),
        ("x.com.example", None),
        ("com", None),
        ("", None),
        ("x", None),
        ("at.co", None),
    ],
)
def test_most_specific_wins(host: str, value: str | None) -> None:
    """More labels beat fewer, plain beats a star, `=` beats all below, and labels are never cut."""
    assert HostTable(PATTERNS).find(host) == value


def test_all_matches_in_order() -> None:
    """Everything that fits is there, the most specific first, so that exclusions can be weighed."""
    table = HostTable(PATTERNS)
    assert table.matches("deep.scontent-9.x.com") == ["longer star", "star", "all"]
    assert table.matches("x.com") == ["alone", "all"]


def test_same_pattern_twice() -> None:
    """Two values under one pattern are both kept, in the order in which they came."""
    assert HostTable([("a.b", 1), ("A.b.", 2)]).matches("c.a.b") == [1, 2]


def test_star_with_equals() -> None:
    """A star with `=` fits as many labels as it has, none below."""
    table = HostTable([("=s*.x.com", 1)])
    assert (table.find("s1.x.com"), table.find("a.s1.x.com"), table.find("x.com")) == (
        1,
        None,
        None,
    )


def test_star_stays_in_its_label() -> None:
    """A star never crosses a dot."""
    assert HostTable([("a*z.x.com", 1)]).find("a.z.x.com") is None


def test_empty_table() -> None:
    """A table without patterns finds nothing."""
    assert HostTable[int]([]).find("x.com") is None


@pytest.mark.parametrize("pattern", ["", "=", "*.", "http://x.com", "x..com"])
def test_bad_pattern(pattern: str) -> None:
    """A pattern that cannot be one is refused, with its text in the message."""
    with pytest.raises(ValueError, match="is not a host pattern"):
        HostTable([(pattern, 1)])


@given(NAME, NAME, LABEL)
@settings(max_examples=100)
def test_boundaries(name: str, other: str, glued: str) -> None:
    """A pattern fits its name and all below it; a name that merely ends alike, or goes on, it does
    not."""
    table = HostTable([(name, 1)])
    assert table.find(name) == table.find(f"{other}.{name}") == 1
    assert table.find(f"{glued}{name}") is None
    assert table.find(f"{name}.{glued}") == (1 if f"{name}.{glued}".endswith(f".{name}") else None)


@given(st.dictionaries(NAME, st.integers(), min_size=1, max_size=8), NAME)
@settings(max_examples=100)
def test_agrees_with_the_slow_way(patterns: dict[str, int], host: str) -> None:
    """The dictionary walk finds what trying every pattern finds."""
    fitting = [name for name in patterns if host == name or host.endswith(f".{name}")]
    best = max(fitting, key=lambda name: name.count("."), default=None)
    assert HostTable(patterns.items()).find(host) == (None if best is None else patterns[best])
