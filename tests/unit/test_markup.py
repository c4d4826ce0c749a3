"""Markup as plain text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.markup import plain_line, plain_text, to_line, to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("&#55357;&#56832; &#xd83d", "😀 \ufffd"),
        ("<b>&#xD83D;&#xDE00;</b> &#55357;", "😀 \ufffd"),
        ("&#" + "0" * 5_000 + "55357;", "\ufffd"),
        ("&#55296;&#57344;&#55000;&#553570;&#xD83D0;", "\ufffd\ue000" + chr(55000) + chr(553570) + chr(0xD83D0)),
        ("<p>One <b>bold</b> word.</p><p>Two</p>", "One bold word.\n\nTwo"),
        ("a<br>b<br/><br/>c", "a\nb\n\nc"),
        ("<div>a<p>b</p> c</div>d", "a\n\nb\n\nc\n\nd"),
        ("<h1>Head</h1>text", "Head\n\ntext"),
        ("<ul><li>a</li><li>b</li></ul>end", "a\nb\n\nend"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("<pre>a\nb</pre>", "a\nb"),
        ("  a \n\t b  <i> c</i> d", "a b c d"),
        ("half<b>word</b>", "halfword"),
        ("one\n\ntwo\nlines\n \nthree", "one\n\ntwo lines\n\nthree"),
        ("a < b and c > d", "a < b and c > d"),
        ("AT&T &amp; R&D", "AT&T & R&D"),
        ("&lt;b&gt; &amp;lt; &#65;&#x42; &eacute; &unknown;", "<b> &lt; AB é &unknown;"),
        ("<p>&lt;b&gt; &amp;lt; &#65; &eacute;</p>", "<b> &lt; A é"),
        ("a<script>alert('<p>x')</script>b<style>p{}</style><!-- <p>c -->d", "abd"),
        ("a<iframe src=x>fallback</iframe><noscript>x</noscript><template>y</template>b", "ab"),
        ("<p>open <b>left open<p>next", "open left open\n\nnext"),
        ("</p></div>a</b>", "a"),
        ("<a href='javascript:x' onclick=y>link</a>", "link"),
        ("a\x00b\x1b[31mc\x9bd<p>\ud800e\ufffe", "ab[31mcd\n\ne"),
        ("Ünïcode 日本語 <b>한국어</b> 👨‍👩", "Ünïcode 日本語 한국어 👨‍👩"),
        ("<p>\u00a0</p><p>x</p>", "x"),
    ],
)
def test_text(html: str, text: str) -> None:
    assert to_text(html) == text


def test_lines_have_no_breaks_and_nothing_hidden() -> None:
    assert to_line("<p>One</p>\n<p>Two<br>three</p>") == "One Two three"
    assert to_line("a\u202eb\u200bc\ufeffd\u2066e\u00adf") == "abcdef"
    assert to_line("می‌خواهم क्‍ष 👨‍👩") == "می‌خواهم क्‍ष 👨‍👩"  # joiners that belong to the spelling
    assert to_line("a\u200db \u200cc") == "ab c"
    assert plain_line(" &amp; <b> \n x ") == "&amp; <b> x"
    assert plain_text(" &amp; <b> \n\n x ") == "&amp; <b>\n\nx"


@pytest.mark.parametrize(
    "html",
    [
        "<b>" * 300_000 + "deep",
        "<div>" * 200_000 + "deep",
        "<b>" * 150_000 + "deep</i>" * 100_000,
        "<p>deep" * 140_000,
        "<table><tr><td>" * 60_000 + "deep",
        "deep" + "<" * 1_000_000,
        "deep" + "<a " * 300_000,
        "deep<a " + "x=1 " * 250_000 + ">",
        "deep" + "<!--" * 250_000,
        "deep" + "<script>" * 120_000,
        "<b>" * 2_000 + "<script>" * 100_000 + "deep",
        "deep" + "&" * 1_000_000,
        "deep" + " " * 1_000_000 + "\n" * 1_000,
        "deep" + "\n \n" * 300_000,
        "deep" + "<br>" * 250_000,
    ],
    ids=lambda html: html[:12],
)
@pytest.mark.timeout(60)
def test_a_megabyte_of_nonsense_is_read(html: str) -> None:
    """Seconds where a walk of each element over all others took minutes; the runner's limit ends a hang."""
    assert to_text(html).strip().startswith(("deep", "<"))


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(codec=None), max_size=200))
def test_any_string_gives_clean_text(html: str) -> None:
    for text in (to_text(html), to_line(html), plain_text(html), plain_line(html)):
        text.encode()  # no lone surrogates
        assert text == text.strip() and "\n\n\n" not in text and "\x00" not in text
    assert "\n" not in to_line(html)
    assert plain_line(plain_line(html)) == plain_line(html)


PIECES = (
    "<p>", "</p>", "<b>", "</i>", "<br>", "<li>", "<table>", "<td>", "x", " ", "&amp;", "<pre>", "\n", "<script>",
    "</script>", "<!--", "-->", "<svg>", "<![CDATA[", "<?", "<",
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_markup_gives_clean_text(pieces: list[str]) -> None:
    text = to_text("".join(pieces))
    assert text == text.strip() and "\n\n\n" not in text and "  " not in text


def test_hostile_markup(shared_data: Path) -> None:
    """Vectors of sanitisers: nothing of a script is left as markup, and nothing fails."""
    folder = shared_data / "hostile"
    vectors = [path.read_text("utf-8", "surrogateescape") for path in sorted((folder / "bleach-xss").glob("*.test"))]
    for path in sorted((folder / "html5lib-sanitizer").rglob("*.dat")):
        vectors += [case["input"] for case in json.loads(path.read_text("utf-8"))]
    vectors += json.loads((folder / "naughty-strings" / "blns.json").read_text("utf-8"))
    assert len(vectors) > 400
    for vector in vectors:
        to_text(vector).encode()
        to_line(vector).encode()
