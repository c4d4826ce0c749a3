from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.errors import ExtractError
from newsbeam.extract import EXTRACTOR_VERSION, Content, clean_text, decode, extract_page, matches
from newsbeam.metadata import parse_time
from tests.samples.pages import DESIGNS, HERE, Sample, build_page, read_sample

URL = "https://gazette.example/world/a?b=c"
P1 = "The ferry company said on Monday that it would buy two ships and hire forty sailors before the summer."
P2 = "Its rival on the western route has cut sailings since the price of fuel went up in the autumn."
P3 = "“Nobody will be left on the quay,” the director told reporters in the harbour office on Tuesday."
BODY = "\n\n".join((P1, P2, P3))


def page(head: str = "", body: str = f"<p>{P1}</p><p>{P2}</p><p>{P3}</p>", html: str = "<html lang='en'>") -> str:
    return f"<!DOCTYPE html>{html}<head>{head}</head><body><article>{body}</article></body></html>"


def reason(html: bytes | str, content_type: str = "") -> str:
    with pytest.raises(ExtractError) as caught:
        extract_page(html, url=URL, content_type=content_type)
    return caught.value.reason


# --- a text with all its furniture, in four shapes


@pytest.fixture(scope="module")
def harbour() -> Sample:
    return read_sample((HERE / "harbour.txt").read_text(encoding="utf-8"))


def check(content: Content, sample: Sample) -> None:
    assert content.title == sample.title
    assert content.summary == sample.standfirst
    assert content.body.split("\n\n") == list(sample.body)
    assert content.quality == "ok" and not content.cut and content.version == EXTRACTOR_VERSION


@pytest.mark.parametrize("design", DESIGNS)
def test_designs_of_pages(design: str, harbour: Sample) -> None:
    content = extract_page(build_page(design, harbour).encode(), url=URL, content_type="text/html; charset=utf-8")
    check(content, harbour)
    assert content.method == "trafilatura"


@pytest.mark.parametrize("with_title", [False, True])
def test_a_copied_text(with_title: bool, harbour: Sample) -> None:
    text = (HERE / "harbour.txt").read_text(encoding="utf-8")
    content = clean_text(text, title=harbour.title if with_title else "")
    check(content, harbour)
    assert content.method == "given"


def test_metadata(harbour: Sample) -> None:
    content = extract_page(build_page("semantic", harbour), url=URL)
    assert content.canonical_url == "https://gazette.example/news/lead-story"
    assert content.image == "https://gazette.example/img/lead.jpg"
    assert content.authors == ("Jane Doe",)
    assert content.published_at == "2023-02-01T09:30:05.000Z"
    assert content.language == "en"
    assert content.categories == ("Security",)


# --- what is no article


@pytest.mark.parametrize("html", [b"", "", b" \n", "\0\0", b"\xef\xbb\xbf"])
def test_empty(html: bytes | str) -> None:
    assert reason(html) == "empty"


@pytest.mark.parametrize(
    ("html", "content_type"),
    [
        (b"%PDF-1.7\n" + page().encode(), "text/html"),
        (b"\n%PDF-1.7", ""),
        (b"\x89PNG\r\n\x1a\n<p>", ""),
        (b"PK\x03\x04", "application/octet-stream"),
        (page().encode(), "application/pdf"),
        (page().encode(), "image/png; charset=utf-8"),
        (b'{"title": "x"}', "application/json"),
        (b'{"title": "x"}', ""),
        (b"Only words, and 1 < 2.", "text/plain"),
        (b"<?xml version='1.0'?>\n<rss version='2.0'><channel/></rss>", "text/xml"),
        (bytes(range(256)) * 40, ""),
    ],
)
def test_not_html(html: bytes, content_type: str) -> None:
    assert reason(html, content_type) == "not_html"


@pytest.mark.parametrize(
    "body", ["", "<script>var x = 'a long text in a script';</script>", "<h1>Only a title here</h1>"]
)
def test_no_text(body: str) -> None:
    assert reason(page(body=body, head="<title>Only a title here</title>")) == "no_text"


@pytest.mark.parametrize(
    "content_type", ["", "text/html", "application/xhtml+xml", "TEXT/HTML;charset=UTF-8", "text/plain"]
)
def test_html_under_other_names(content_type: str) -> None:
    assert extract_page(page().encode(), url=URL, content_type=content_type).body == BODY


# --- encodings


@pytest.mark.parametrize(
    ("encoding", "content_type", "meta"),
    [
        ("utf-8-sig", "text/html; charset=iso-8859-1", "windows-1251"),  # the byte order mark first
        ("utf-16", "text/html; charset=utf-8", ""),
        ("windows-1251", 'text/html; charset="windows-1251"', "utf-8"),  # then the header
        ("koi8-r", "text/html", "koi8-r"),  # then the meta element
        ("utf-8", "text/html", ""),
        ("utf-8", "text/html; charset=none-such", ""),
        ("utf-8", "text/html; charset=base64", ""),
        ("windows-1251", "text/html", ""),  # then detection
        ("windows-1251", "text/html; charset=utf-8", "windows-1251"),  # a declaration that the bytes contradict
    ],
)
def test_encodings(encoding: str, content_type: str, meta: str) -> None:
    text = (
        "Совет отклонил план строительства плавучей гостиницы после возражений рыбаков и двух паромных компаний. " * 3
    )
    head = f'<meta charset="{meta}">' if meta else ""
    data = f"<html><head>{head}</head><body><article><p>{text}</p></article></body></html>".encode(encoding)
    assert extract_page(data, url=URL, content_type=content_type).body == text.strip()


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=400), st.sampled_from(("", "text/html; charset=utf-16", "text/html; charset=idna", "a/b; x")))
def test_any_bytes_are_decoded(data: bytes, content_type: str) -> None:
    assert isinstance(decode(data, content_type), str)


# --- the text


def test_paragraphs_are_apart_by_an_empty_line_and_without_markdown() -> None:
    body = (
        f"<p>{P1}</p><h2>What <em>next</em></h2><p>{P2}<br><br>{P3}</p><ul><li>One <b>ship</b></li><li>Two</li></ul>"
        f"<blockquote><p>A quoted line of the old song.</p></blockquote><p>{P1[::-1]}</p>"
    )
    assert extract_page(page(body=body), url=URL).body.split("\n\n") == [
        *(P1, "What next", P2, P3, "One ship", "Two", "A quoted line of the old song.", P1[::-1]),
    ]


def test_table_cells_are_kept_apart() -> None:
    rows = "<tr><th>Ship</th><th>Cabins</th></tr><tr><td>Anna</td><td>120</td></tr>"
    body = extract_page(page(body=f"<p>{P1}</p><table>{rows}</table><p>{P2}</p>"), url=URL).body
    assert body == "\n\n".join((P1, "Ship, Cabins", "Anna, 120", P2))


def test_a_long_text_is_cut_between_paragraphs_and_says_so() -> None:
    content = extract_page(page(), url=URL, max_chars=len(P1) + len(P2) + 10)
    assert (content.body, content.cut) == (f"{P1}\n\n{P2}", True)
    assert clean_text(BODY, max_chars=len(P1) + 5).body == P1
    whole = clean_text(BODY, max_chars=len(BODY))
    assert (whole.body, whole.cut) == (BODY, False)
    assert clean_text(P1, max_chars=12).body == "The ferry"
    assert clean_text("x" * 50, max_chars=12).body == "x" * 12


def test_quality() -> None:
    assert extract_page(page(body=f"<p>{P1}</p>"), url=URL).quality == "short"
    assert extract_page(page(), url=URL).quality == "ok"
    assert clean_text("").quality == "none"
    assert clean_text("市议会在渔民和渡轮公司反对后否决了水上酒店的计划。" * 6).quality == "ok"


def test_a_lead_that_is_the_description_and_the_caption_stays() -> None:
    figure = f"<figure><img src='a.jpg'><figcaption>{P1}</figcaption></figure>"
    head = f"<meta name='description' content='{P1}'>"
    body = f"<h1>Ferry company buys</h1>{figure}<div><p>{P1}</p><p>{P2}</p><p>{P3}</p></div>"
    content = extract_page(page(head, body), url=URL)
    assert (content.body, content.summary) == (BODY, P1)


# --- title


TITLE = "Ferry Company’s ‘Big Bet’ on Two New Ships"


@pytest.mark.parametrize(
    ("head", "h1", "hint", "title"),
    [
        ("", TITLE, "", TITLE),
        ('<meta property="og:title" content="Ferry Company\'s \'Big Bet\' On Two New Ships">', TITLE, "", TITLE),
        (f"<title>{TITLE} - The Gazette</title>", TITLE, "", TITLE),
        (f"<title>{TITLE} | The Gazette</title><meta property='og:site_name' content='The Gazette'>", "", "", TITLE),
        (f"<title>{TITLE} | The Gazette</title>", "The Gazette", "", TITLE),
        (f"<meta property='og:title' content='{TITLE}'>", "More from the harbour", "", TITLE),
        ("", "", TITLE, ""),  # a hint is the feed's word, not the page's
        ("<title>Gazette</title>", "", TITLE, "Gazette"),
    ],
)
def test_titles(head: str, h1: str, hint: str, title: str) -> None:
    html = page(head, (f"<h1>{h1}</h1>" if h1 else "") + f"<p>{P1}</p><p>{P2}</p><p>{P3}</p>")
    content = extract_page(html, url=URL, title_hint=hint)
    assert content.title == title
    assert content.body.endswith(BODY) and TITLE not in content.body


def test_a_title_that_only_the_text_has_is_found() -> None:
    content = extract_page(page(body=f"<p>{TITLE}</p><p>{TITLE}</p><p>{P1}</p><p>{P2}</p><p>{P3}</p>"), url=URL)
    assert (content.title, content.body) == (TITLE, BODY)


# --- metadata


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("/a", "https://gazette.example/a"),
        ("https://other.example/x", "https://other.example/x"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("javascript:alert(1)", ""),
        ("http://[bad", ""),
        ("", ""),
    ],
)
def test_the_canonical_address_is_absolute_or_empty(href: str, url: str) -> None:
    assert extract_page(page(f'<link rel="canonical" href="{href}">'), url=URL).canonical_url == url


@pytest.mark.parametrize(
    ("head", "time"),
    [
        ("<meta property='article:published_time' content='2024-03-12T10:15:00+01:00'>", "2024-03-12T09:15:00.000Z"),
        (
            '<script type="application/ld+json">{"@type":"Article","datePublished":"2024-03-12T10:15:00.5Z"}</script>',
            "2024-03-12T10:15:00.500Z",
        ),
        ("<meta name='date' content='2024-03-12'>", "2024-03-12T00:00:00.000Z"),
        (
            "<meta name='date' content='2024-03-12'><meta name='parsely-pub-date' content='2024-03-12T10:15:00Z'>",
            "2024-03-12T10:15:00.000Z",
        ),
        ("<meta name='pubdate' content='Tue, 12 Mar 2024 10:15:00 GMT'>", "2024-03-12T10:15:00.000Z"),
        ("<meta property='article:published_time' content='99999-99-99T99'>", None),
        ("", None),
    ],
)
def test_dates(head: str, time: str | None) -> None:
    assert extract_page(page(head), url=URL).published_at == time


def test_a_shown_time_completes_a_declared_day() -> None:
    body = f"<time datetime='2024-03-12T10:15Z'>today</time><p>{P1}</p><p>{P2}</p>"
    head = "<meta name='date' content='2024-03-12'>"
    assert extract_page(page(head, body), url=URL).published_at == "2024-03-12T10:15:00.000Z"
    other_day = "<meta name='date' content='2024-03-10'>"
    assert extract_page(page(other_day, body), url=URL).published_at == "2024-03-10T00:00:00.000Z"


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.text(max_size=41), st.datetimes().map(str), st.none(), st.lists(st.integers(), max_size=2)))
def test_any_date_is_iso_or_none(value: object) -> None:
    time = parse_time(value)
    assert time is None or (len(time) == 24 and time[10] == "T" and time.endswith("Z"))


@pytest.mark.parametrize("text", ["March 2024", "12 March", "10:15", "2024"])
def test_a_date_with_a_part_missing_is_none(text: str) -> None:
    assert parse_time(text) is None


def test_odd_metadata_is_passed_over() -> None:
    head = (
        '<script type="application/ld+json">{"@type":["NewsArticle",3],"headline":["a"],"datePublished":{"a":1},'
        '"author":[[1]],"description":7}</script><script type="application/ld+json">[[[</script>'
        '<script type="application/ld+json">"text"</script><meta property="og:image" content="data:image/png;base64,x">'
    )
    content = extract_page(page(head, html="<html lang='xx-none'>"), url=URL)
    assert (content.body, content.image, content.published_at, content.language) == (BODY, None, None, None)


# --- matches


@pytest.mark.parametrize(
    ("title", "same"),
    [
        ("Ferry company buys two ships", True),
        ("Ferry operator orders new vessels", False),
        ("Ferries", True),
        ("", True),
        ("We use cookies and similar technologies", False),
        ("Company to hire sailors for western route, director says", True),
        ("市议会否决水上酒店计划", False),
    ],
)
def test_matches(title: str, same: bool) -> None:
    assert matches(title, clean_text(BODY, title="A page")) is same


def test_matches_in_scripts_without_spaces() -> None:
    assert matches("市议会否决水上酒店计划", clean_text("市议会在渔民反对后否决了水上酒店的计划。"))


# --- the same again


def test_the_same_page_gives_the_same_content_whatever_came_before(harbour: Sample) -> None:
    pages = [build_page(design, harbour) for design in DESIGNS] + [page(), page(body=f"<div>{P1}</div>" * 8)]
    first = [extract_page(html, url=URL) for html in pages]
    order = [index for index in range(len(pages)) for _ in range(4)]
    random.Random(7).shuffle(order)
    assert all(extract_page(pages[index], url=URL) == first[index] for index in order)


# --- hostile pages

PARAGRAPHS = f"<p>{P1}</p><p>{P2}</p><p>{P3}</p>"


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<html><body>" + "<div>" * 50_000 + PARAGRAPHS, id="deep"),
        pytest.param("<html><body>" + "<table><tr><td>" * 5_000 + PARAGRAPHS, id="deep tables"),
        pytest.param("<html><body>" + "<!--" * 100_000 + PARAGRAPHS, id="comments"),
        pytest.param("<html><body><p a='" + "x" * 1_000_000, id="an open attribute"),
        pytest.param("<html><body>" + "<" * 500_000, id="open brackets"),
        pytest.param("<html><body>" + '<a href="/x">link</a> ' * 100_000, id="links"),
        pytest.param("<html><body><table><tr>" + "<td>a word</td>" * 100_000, id="cells"),
    ],
)
def test_hostile_pages_end_in_text_or_an_error(html: str) -> None:
    try:
        assert extract_page(html, url=URL).body
    except ExtractError as error:
        assert error.reason in ("no_text", "not_html")


def test_what_is_not_looked_at_is_told() -> None:
    content = extract_page(page(body=PARAGRAPHS + "<span></span>" * 21_000 + f"<p>{P1[::-1]}</p>"), url=URL)
    assert (content.body, content.cut) == (BODY, True)


def test_scripts_do_not_count_as_text_not_looked_at() -> None:
    content = extract_page(page("<script>1</script>" * 21_000), url=URL)
    assert (content.body, content.cut) == (BODY, False)


def test_control_characters_go() -> None:
    html = page(body=f"<p>{P1[:20]}\0{P1[20:]}</p><p>\x08{P2}\x7f</p><p>{P3}\ud800</p>")
    assert extract_page(html, url=URL).body == BODY
    assert clean_text(BODY.replace("e", "e\0")).body == BODY


@pytest.mark.parametrize(
    "reference", ["&#27;", "&#8;", "&#5", "&#xFFFE;", "&#Xffff;", "&#x0001f;", "&#65535;", "&#0000001;", "&#x1b;"]
)
def test_references_to_control_characters_go(reference: str) -> None:
    head = f"<title>A big{reference} day</title><meta name='description' content='{reference}Two ships.'>"
    html = page(head, f"<p class='{reference}'>{P1[:20]}{reference}{P1[20:]}</p><p>{P2}</p><p>{P3}</p>")
    content = extract_page(html, url=URL)
    assert (content.title, content.summary, content.body) == ("A big day", "Two ships.", BODY)


@pytest.mark.parametrize("space", ["&#11;", "&#12;", "&#x0c;", "\x0b", "\x0c", "&#9;", "&#10;", "&#x0d;"])
def test_white_space_that_xml_refuses_stays_white_space(space: str) -> None:
    html = page(body=f"<p{space if space < '&' else ''}>{P1.replace(' ', space)}</p><p>{P2}</p><p>{P3}</p>")
    assert extract_page(html, url=URL).body == BODY


def test_other_references_stay() -> None:
    html = page(body=f"<p>{P1}</p><p>&#49;&#128; &#x1F6A2; &#271; &#x1bc; &#8221;&#31 &amp;#27; &#146;</p><p>{P3}</p>")
    assert extract_page(html, url=URL).body.split("\n\n")[1] == "1€ 🚢 ď Ƽ ” &#27; ’"


def test_characters_that_hide_or_reorder_go() -> None:
    hidden = "\u202e\u200b\u2066\u200f\ufeff\u00ad"
    parts = [f"{part[:9]}{hidden}{part[9:]}" for part in (P1, P2, P3)]
    head = f"<title>The{hidden} ferries</title><meta name='description' content='{hidden}Two ships.'>"
    head += f"<meta name='author' content='Jane{hidden} Doe'><meta name='keywords' content='sea{hidden}'>"
    content = extract_page(page(head, "".join(f"<p>{part}</p>" for part in parts)), url=URL)
    assert (content.title, content.summary, content.body) == ("The ferries", "Two ships.", BODY)
    assert (content.authors, content.categories) == (("Jane Doe",), ("sea",))
    given = clean_text("\n".join(parts), title=f"The{hidden} ferries")
    assert (given.title, given.body) == ("The ferries", BODY)


def test_titles_and_summaries_have_a_bound() -> None:
    head = f"<title>{'ship ' * 1_000}</title><meta name='description' content='{'sea ' * 10_000}'>"
    content = extract_page(page(head), url=URL)
    assert content.title == ("ship " * 200).strip() and content.summary == ("sea " * 5_000).strip()
    assert clean_text(BODY, title="x" * 2_000).title == "x" * 1_000


def attributes(number: int) -> str:
    return " ".join(f"a{i}=1" for i in range(number))


def test_elements_with_too_many_attributes_are_refused() -> None:
    assert extract_page(page(body=f"{PARAGRAPHS}<br {attributes(1_000)}>"), url=URL).body == BODY
    for before in ("", '<!-- <p a=" -->', "<script>'<!--'; '<p a=\"'</script>", "<p a='>' b=\">\" c=>", "<p \" ' b>"):
        for tag in ("p", "br", "svg", "x-y", "p b='>' c=\">\""):
            with pytest.raises(ExtractError, match="attributes") as caught:
                extract_page(page(body=f"{PARAGRAPHS}{before}<{tag} {attributes(1_001)}>"), url=URL)
            assert caught.value.reason == "no_text"
    assert extract_page(page(body=PARAGRAPHS + f"<!-- <p {attributes(1_001)}> -->"), url=URL).body == BODY


_TAGS = (
    *("<p>", "</p>", "<div class='related'>", "</div>", "<table><tr><td>", "<ul><li>", "<br>", "<h1>", "</h1>", "<!--"),
    *("-->", "<![CDATA[", "&#x0;", "&#27;", "&#", "&bogus;", "<script>", "</script>", "<a href='", "'>", "\0", " "),
)
_SOUP = st.lists(st.sampled_from((*_TAGS, P1, P2, TITLE)), max_size=25)


@settings(deadline=None, max_examples=100)
@given(_SOUP)
def test_any_markup_ends_in_content_or_an_error(parts: list[str]) -> None:
    try:
        content = extract_page("<html><body>" + "".join(parts), url=URL)
    except ExtractError as error:
        assert error.reason in ("no_text", "not_html", "empty")
    else:
        assert content.body and "\0" not in content.body


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=400))
def test_any_text_can_be_cleaned(text: str) -> None:
    content = clean_text(text)
    assert all(paragraph.strip() == paragraph for paragraph in content.body.split("\n\n"))
    assert content.quality == "none" or content.body


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(ExtractError):
        extract_page(page(body=""), url=URL)
    assert not caplog.records


def test_samples_are_our_own() -> None:
    assert sorted(path.name for path in Path(HERE).glob("*.txt")) == ["harbour.txt"]
