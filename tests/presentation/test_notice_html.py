"""A written policy as HTML."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.notices.headings import headings
from proxy_addon.core.notices.notice import NoticeText
from proxy_addon.presentation import notice_html


def text(markdown: str) -> NoticeText:
    """A text in English."""
    return NoticeText("en", "Title", markdown, headings(markdown))


def body(markdown: str, **values: str) -> str:
    """Its HTML, with these values."""
    return str(notice_html.body(text(markdown), lambda name, detail: values.get(name, "")))


def test_markdown() -> None:
    """Headings get their anchors, and lose their identifiers; the title is left to the page."""
    html = body(
        "# Title\n## In a storm {#escalation}\nCall **us**.\n\n> My view.\n\n| a |\n|---|\n| b |\n"
    )
    assert "<h1" not in html and "{#" not in html
    assert '<h2 id="escalation">In a storm</h2>' in html
    assert "<strong>us</strong>" in html and "<blockquote>" in html and "<td>b</td>" in html


def test_values_are_text() -> None:
    """What comes from the rules runs nothing, and is no Markdown either."""
    html = body("You have **{{ allowance }}**.", allowance='<script>alert("1")</script> *x*')
    assert "<strong>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; *x*</strong>" in html


def test_html_is_text() -> None:
    """Whoever writes a policy writes no scripts."""
    html = body(
        "a <b>c</b>\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![p](https://a.example/p.png)\n"
    )
    assert "<script" not in html and "<b>" not in html and "<img" not in html
    assert "javascript:" not in html.replace("[x](javascript:", "")


def test_the_address_of_my_time_is_a_link() -> None:
    """Where it is not in a link already, nor in code; nothing stands for one that is not known."""
    mine = "http://allowance.internal/"
    link = f'<a href="{mine}">{mine}</a>'
    assert body("At {{ my_time }}, {{my_time}}.", my_time=mine) == f"<p>At {link}, {link}.</p>\n"
    assert body("[{{ my_time }}](/x)", my_time=mine) == f'<p><a href="/x">{mine}</a></p>\n'
    assert body("`{{ my_time }}`", my_time=mine) == f"<p><code>{mine}</code></p>\n"
    assert body("At {{ my_time }}.") == "<p>At .</p>\n"


def test_lines_that_say_nothing_are_left_out() -> None:
    """An item that holds only a value which is empty for this reader; others stay."""
    html = body(
        "- {{ free }}\n- {{ allowance }} a day\n\n{{ warning }}\n\n- {{ free }}\n",
        allowance="15 minutes",
    )
    assert html.count("<li>") == 1
    assert "<p>" not in html and html.count("<ul>") == 1


def test_code_keeps_its_place() -> None:
    """A block of code is something, and values stand in it as well."""
    assert "I work at Example Ltd" in body(
        "```\nI work at {{ office }}\n```\n", office="Example Ltd"
    )


def test_a_line_of_the_front_matter() -> None:
    """Plain text, on one line."""
    filled = notice_html.line(
        "You have\n{{ allowance }}. {{ free }}",
        lambda name, detail: {"allowance": "15"}.get(name, ""),
    )
    assert filled == "You have 15."


def test_how_long_it_takes() -> None:
    """At least a minute."""
    assert notice_html.minutes_to_read(text("word")) == 1
    assert notice_html.minutes_to_read(text("word " * 221)) == 2


@given(st.text(max_size=300))
def test_any_text(markdown: str) -> None:
    """Nothing that somebody writes stops us, or becomes a tag of its own."""
    html = body(markdown + "\n\n<script>x</script>")
    assert "<script" not in html
