"""Host patterns against their definition written out, and more ways to write a host."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.hosts import HostTable, normalise

quick = settings(max_examples=100, deadline=None)
# Few letters and few labels, so that patterns and hosts often meet.
label = st.text("ab", min_size=1, max_size=2)
starred = st.text("ab*", min_size=1, max_size=3)
names = st.lists(label, min_size=1, max_size=4).map(".".join)
patterns = st.builds(
    lambda equals, labels: equals + ".".join(labels),
    st.sampled_from(["", "", "="]),
    st.lists(st.one_of(label, label, starred), min_size=1, max_size=3),
)


def fits(pattern: str, host: str) -> bool:
    """The definition: the same labels, a star any run of characters in one; without `=` also what
    is below."""
    wanted, labels = pattern.removeprefix("=").split("."), host.split(".")
    if len(labels) < len(wanted) or (pattern.startswith("=") and len(labels) > len(wanted)):
        return False
    end = labels[len(labels) - len(wanted) :]
    return all(
        re.fullmatch(re.escape(want).replace(r"\*", "[^.]*"), have)
        for want, have in zip(wanted, end, strict=True)
    )


def how_special(pattern: str) -> tuple[bool, int, bool, bool, int]:
    """The greater, the more special: the exact name, labels, no star, `=`, letters that are no
    star."""
    name = pattern.removeprefix("=")
    star, alone = "*" in name, pattern.startswith("=")
    letters = len(name.replace("*", "")) if star else 0
    return (alone and not star, name.count("."), not star, alone, letters)


@quick
@given(st.lists(patterns, max_size=6, unique=True), names)
def test_every_pattern_that_fits_is_found_and_no_other(some, host):
    """The table finds exactly the patterns that fit by the definition, each once."""
    some = [pattern for pattern in some if not pattern.removeprefix("=").startswith("*.")]
    found = HostTable([(pattern, pattern) for pattern in some]).matches(host)
    assert sorted(found) == sorted(pattern for pattern in some if fits(pattern, host))


@quick
@given(st.lists(patterns, max_size=6, unique=True), names)
def test_they_come_in_the_order_of_how_special_they_are(some, host):
    """Exact names first, then by labels, stars, `=` and letters; `find` is the first of them."""
    some = [pattern for pattern in some if not pattern.removeprefix("=").startswith("*.")]
    table = HostTable([(pattern, pattern) for pattern in some])
    found = table.matches(host)
    ranks = [how_special(pattern) for pattern in found]
    assert ranks == sorted(ranks, reverse=True)
    assert table.find(host) == (found[0] if found else None)


@quick
@given(st.lists(names, min_size=1, max_size=6, unique=True), names)
def test_the_longest_suffix_wins(some, host):
    """Of plain names the one with the most labels is found, and all shorter ones after it."""
    table = HostTable([(name, name) for name in some])
    labels = host.split(".")
    suffixes = [".".join(labels[i:]) for i in range(len(labels))]
    assert table.matches(host) == [suffix for suffix in suffixes if suffix in some]


@quick
@given(st.lists(patterns, max_size=5, unique=True), names, st.randoms(use_true_random=False))
def test_the_order_of_the_file_matters_between_equals_only(some, host, random):
    """Turned round, a table finds the same values; only those equally special may change places."""
    some = [pattern for pattern in some if not pattern.removeprefix("=").startswith("*.")]
    turned = list(some)
    random.shuffle(turned)
    one, other = (HostTable([(p, p) for p in order]).matches(host) for order in (some, turned))
    assert sorted(one) == sorted(other)
    for pattern, also in zip(one, other, strict=True):
        bare, same = pattern.removeprefix("="), also.removeprefix("=")
        assert pattern == also or ("*" in bare and "*" in same)


@quick
@given(names, st.integers(1, 65_535), st.booleans(), st.booleans())
def test_a_port_a_user_and_a_dot_make_no_difference(name, port, dot, user):
    """However a client writes the name, it comes down to the same spelling."""
    written = f"{'ana:x@' if user else ''}{name.upper()}{'.' if dot else ''}:{port}"
    assert normalise(written) == name


@quick
@given(st.lists(st.integers(0, 0xFFFF), min_size=8, max_size=8), st.integers(1, 65_535))
def test_an_ipv6_address_has_one_spelling(groups, port):
    """With or without brackets, port and zone, in capitals or not."""
    address = ":".join(f"{group:x}" for group in groups)
    for written in (
        address,
        address.upper(),
        f"[{address}]",
        f"[{address.upper()}]:{port}",
        f"[{address}%eth0]",
        f"ana@[{address}]",
    ):
        assert normalise(written) == address


@pytest.mark.parametrize(
    ("written", "spelt"),
    [
        ("x.com:0", "x.com"),
        ("x.com:443:1", ""),  # two colons without brackets are an address, and this is none
        ("1:2:3", "1:2:3"),
        ("[::ffff:10.0.0.1]:443", "::ffff:10.0.0.1"),
        ("[::1", ""),
        ("[]", ""),
        ("[10.0.0.1]", ""),  # only what has a colon stands in brackets
        ("[::g]", ""),
        ("x.com@", ""),
        ("@x.com", "x.com"),
        ("x.com:http", ""),
        ("X-1.com", "x-1.com"),
        ("-x.com", "-x.com"),
        ("x\tcom", ""),
        ("x com", ""),
        ("\tx.com\n", "x.com"),
        ("x.com#a", ""),
        ("x.com|a", ""),
        ("x^com", ""),
        ("<x.com>", ""),
        ('"x.com"', ""),
        ("`x`", ""),
        ("{x}", ""),
        ("x.com%00", ""),
        ("x%2ecom", "x.com"),
        ("x.com%2f", ""),
        ("%5Bx", ""),  # a bracket is no part of a host, however it is written
        ("x%5D.com", ""),
        ("x[1].com", ""),
        ("%E2%98%83.com", "☃.com"),
        ("www。x｡com", "www.x.com"),
        ("ＷＷＷ．Ｘ．ＣＯＭ", "www.x.com"),
        ("straße.example", "xn--strae-oqa.example"),
        ("日本.example", "xn--wgv71a.example"),
        ("İ.example", "xn--i-9bb.example"),
        ("*.x.com", "*.x.com"),
        ("a" * 512, "a" * 512),
        ("a" * 513, ""),
    ],
)
def test_more_spellings(written: str, spelt: str) -> None:
    """Each of them has one spelling, or none where it cannot be a host; a second time it stays."""
    assert normalise(written) == spelt
    assert normalise(spelt) == spelt


@pytest.mark.parametrize(
    ("pattern", "host", "found"),
    [
        ("x.com", "x.com", True),
        ("x.com", "a.b.x.com", True),
        ("x.com", "ax.com", False),
        ("x.com", "x.com.a", False),
        ("*.x.com", "x.com", True),
        ("*.x.com", "a.x.com", True),
        ("X.Com.", "x.com", True),
        ("=x.com", "x.com", True),
        ("=x.com", "a.x.com", False),
        ("=*.x.com", "x.com", True),
        ("=*.x.com", "a.x.com", False),
        ("a*.x.com", "a.x.com", True),
        ("a*.x.com", "ab.x.com", True),
        ("a*.x.com", "c.ab.x.com", True),
        ("a*.x.com", "b.x.com", False),
        ("a*.x.com", "a.b.x.com", False),
        ("=a*.x.com", "c.ab.x.com", False),
        ("*a.x.com", "ba.x.com", True),
        ("*a.x.com", "b.a.x.com", True),
        ("a*b.x.com", "ab.x.com", True),
        ("a*b.x.com", "acb.x.com", True),
        ("a*b.x.com", "a.b.x.com", False),
        ("x.c*", "x.com", True),
        ("x.c*", "a.x.cc", True),
        ("x.c*", "x.net", False),
        ("x.c*", "x.com.net", False),
        ("x*", "xy", True),
        ("x*", "a.xy", True),
        ("x*", "xy.a", False),
        ("a.*.c", "a.b.c", True),
        ("a.*.c", "a.c", False),
        ("a.*.c", "a.b.b.c", False),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("10.0.0.1", "10.0.0.1", True),
    ],
)
def test_what_one_pattern_fits(pattern: str, host: str, found: bool) -> None:
    """Labels are never cut, a star stays in its label, and `=` fits nothing below."""
    table = HostTable([(pattern, "here")])
    assert table.find(host) == ("here" if found else None)
    assert table.matches(host) == (["here"] if found else [])
    assert table.find("") is None


def test_a_star_of_a_whole_last_label_is_tried_for_every_host() -> None:
    """Such a pattern has no fixed end to look it up by, and stands below more special ones all the
    same."""
    table = HostTable([("x.*", "any ending"), ("x.com", "com"), ("*", "all"), ("=x.com", "alone")])
    assert table.matches("x.com") == ["alone", "com", "any ending", "all"]
    assert table.matches("x.net") == ["any ending", "all"]
    assert table.matches("a.x.net") == ["any ending", "all"]
    assert table.matches("net") == ["all"]
    assert table.matches("") == []
