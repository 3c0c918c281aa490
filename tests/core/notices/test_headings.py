"""The headings of a written policy, and what stands below them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.notices.headings import headings, html_lines, missing_topics
from proxy_addon.core.notices.topics import Topic

TEXT = """\
# Social *media* at work

## Why?

Because.

## In a storm {#escalation}
Call **Marketing, ext. 120**.

Underlined disclaimer
---------------------
> I work here.

```
## not a heading
```

## Why?
"""


def test_headings_in_order() -> None:
    """Both ways to write them, with their level and line; marks and code are left out."""
    found = headings(TEXT)
    assert [(each.level, each.title, each.line) for each in found] == [
        (1, "Social media at work", 1),
        (2, "Why?", 3),
        (2, "In a storm", 7),
        (2, "Underlined disclaimer", 10),
        (2, "Why?", 18),
    ]


def test_anchors_are_unique() -> None:
    """Two headings with the same words get different anchors; an identifier is the anchor."""
    anchors = [each.anchor for each in headings(TEXT)]
    assert anchors == [
        "social-media-at-work",
        "why",
        "escalation",
        "underlined-disclaimer",
        "why-2",
    ]


def test_what_stands_below() -> None:
    """Somebody to call, and a sentence to copy."""
    below = {each.anchor: (each.has_contact, each.has_quote) for each in headings(TEXT)}
    assert below["why"] == (False, False)
    assert below["escalation"] == (True, False)
    assert below["underlined-disclaimer"] == (False, True)


def test_ways_to_name_a_contact() -> None:
    """Bold words, a number, an address, or that of the front matter."""
    for words in (
        "**Marketing**",
        "ext. 4711",
        "+44 20 7946 0018",
        "a@office.example",
        "{{ contact }}",
    ):
        assert headings(f"# Alarm\nCall {words}.\n")[0].has_contact, words
    assert not headings("# Alarm\nCall marketing in 5 minutes.\n")[0].has_contact


def test_ways_to_write_a_sentence_to_copy() -> None:
    """A quotation, quotation marks, or code."""
    for words in (
        "> My view.",
        'Write "My view."',
        "Write „Meine Sicht.“",
        "    My view.",
        "«Mi opinión»",
    ):
        assert headings(f"# Bio\n\n{words}\n")[0].has_quote, words
    assert not headings("# Bio\nSay that it is your own view.\n")[0].has_quote


def test_topics_that_are_missing() -> None:
    """Those that no heading announces, in their order."""
    assert missing_topics(()) == list(Topic)
    missing = missing_topics(headings(TEXT))
    assert missing == [
        Topic.RESPONSIBILITY,
        Topic.CONDUCT,
        Topic.PUBLIC,
        Topic.IMAGES,
        Topic.CONFIDENTIALITY,
    ]


def test_html_is_found() -> None:
    """Blocks and parts of lines, not what only looks like it."""
    text = "a < b\n\n<script>\nx\n</script>\n\nSee <b>this</b>.\n\n`<i>` and https://a.example\n"
    assert html_lines(text) == [3, 7]


@given(st.text(max_size=400))
def test_any_text_has_headings(text: str) -> None:
    """Nothing that somebody writes stops us, and anchors stay unique."""
    anchors = [each.anchor for each in headings(text)]
    assert len(set(anchors)) == len(anchors)
    html_lines(text)
