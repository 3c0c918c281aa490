"""`proxy_addon/presentation/notice_changes.py`: what has changed between two texts of a policy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.presentation.notice_changes import ChangedSection, Edit, Paragraph, Words, changes

OLD = """\
# Social media
Speak for yourself.

## Images & video {#images}
- Ask everybody in a picture.
- No screens in the background.

## Contact
Call **marketing** at once, at any hour: ext. 120.
"""


def nothing(name: str, detail: str) -> str:
    """A value of the rules that says its own name."""
    return f"<{name}>"


def added(text: str) -> Paragraph:
    """A paragraph that is new."""
    return Paragraph(Edit.ADDED, (Words(Edit.ADDED, text),))


def removed(text: str) -> Paragraph:
    """A paragraph that is gone."""
    return Paragraph(Edit.REMOVED, (Words(Edit.REMOVED, text),))


def test_the_same_text() -> None:
    """Nothing has changed; marks, line breaks, the title and identifiers do not count."""
    assert changes(OLD, OLD, nothing) == ()
    other = OLD.replace("**marketing**", "*marketing*").replace("# Social media\n", "# Else\n")
    assert (
        changes(OLD, other.replace(" {#images}", "").replace("once, at", "once,\nat"), nothing)
        == ()
    )


def test_an_item_more_and_one_less() -> None:
    """Each below the heading at which it stands or stood."""
    new = OLD.replace("- No screens in the background.\n", "- Say when a machine made it.\n")
    assert changes(OLD, new, nothing) == (
        ChangedSection(
            "Images & video",
            (added("Say when a machine made it."), removed("No screens in the background.")),
        ),
    )


def test_a_paragraph_that_was_rewritten() -> None:
    """Word by word, with the words around it."""
    new = OLD.replace("ext. 120", "ext. 130")
    [section] = changes(OLD, new, nothing)
    assert section.heading == "Contact"
    assert section.paragraphs == (
        Paragraph(
            Edit.SAME,
            (
                Words(Edit.SAME, "Call marketing at once, at any hour: ext."),
                Words(Edit.REMOVED, "120."),
                Words(Edit.ADDED, "130."),
            ),
        ),
    )


def test_a_new_heading() -> None:
    """It is named as what is new, and so is what stands below it."""
    [section] = changes(OLD, OLD + "\n## Bots\n\nNone.\n", nothing)
    assert section == ChangedSection("Bots", (added("Bots"), added("None.")))


def test_above_the_first_heading() -> None:
    """What stands there belongs to no heading."""
    [section] = changes(OLD, OLD.replace("Speak for yourself.", "Be brave."), nothing)
    assert section.heading == ""


def test_values_of_the_rules() -> None:
    """Put in on both sides: the same value is no change, another one is."""
    old = OLD + "\nYou have {{ allowance }}.\n"
    assert changes(old, old, nothing) == ()
    [section] = changes(old, old.replace("allowance }}", "retention }}"), nothing)
    [paragraph] = section.paragraphs
    assert Words(Edit.ADDED, "<retention>.") in paragraph.words


_TEXT = st.lists(
    st.sampled_from(["Be kind.", "Be very kind.", "## A", "## B", "- one", "> q", "```\nx\n```"])
).map("\n\n".join)


@given(_TEXT, _TEXT)
def test_what_is_added_stands_in_the_new_text(old: str, new: str) -> None:
    """Words that are said to be new are in the new text, removed ones in the old, and two
    different texts differ in something that can be read."""
    for section in changes(old, new, nothing):
        for paragraph in section.paragraphs:
            for words in paragraph.words:
                where = {Edit.ADDED: new, Edit.REMOVED: old, Edit.SAME: new}[words.mark]
                assert words.text.split()[0] in where
