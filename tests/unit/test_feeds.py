"""From feed documents to entries, and from entries to rows."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam import identity
from newsbeam.errors import FeedError
from newsbeam.feeds import KEEP_SEEN, MAX_GONE, ParsedFeed, Selection, parse_feed, select
from newsbeam.records import Cursor, Entry, Feed, Seen, Source, from_iso

NOW = from_iso("2026-11-24T12:00:00Z")
HOUR = 3_600_000
FEED = Feed("f", "https://example.org/feed", "", Source("s"))
REASONS = {"empty", "html", "not_a_feed", "bad_xml", "bad_json", "unknown_encoding", "xml_entities", "too_large"}


def read(body: str | bytes, content_type: str = "", url: str = "https://example.org/feeds/all.xml") -> ParsedFeed:
    data = body.encode() if isinstance(body, str) else body
    return parse_feed(data, url=url, content_type=content_type, now=NOW)


def rss(*items: str, channel: str = "") -> str:
    spaces = (
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:media="http://search.yahoo.com/mrss/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
        'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
    )
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0" {spaces}><channel><title>F</title>{channel}{body}</channel></rss>'


def atom(*entries: str, root: str = "") -> str:
    body = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {root}><title type="html">F &amp;amp; G</title>{body}</feed>'


def only(parsed: ParsedFeed) -> Entry:
    (entry,) = parsed.entries
    return entry


def failure(body: str | bytes, content_type: str = "") -> str:
    with pytest.raises(FeedError) as caught:
        read(body, content_type)
    assert pickle.loads(pickle.dumps(caught.value)).reason == caught.value.reason
    return caught.value.reason


# --- fields -------------------------------------------------------------------------------------------------------


def test_a_whole_rss_item() -> None:
    long = "&lt;p&gt;" + "A long text. " * 40 + "&lt;/p&gt;&lt;p&gt;End.&lt;/p&gt;"
    parsed = read(
        rss(
            "<title>Title &amp;amp; &lt;b&gt;more&lt;/b&gt;</title><link> /news/1?utm_source=rss </link>"
            "<guid isPermaLink='false'>g1</guid><description>Short &lt;i&gt;words&lt;/i&gt;.</description>"
            f"<content:encoded>{long}</content:encoded><dc:creator>Ada</dc:creator><dc:creator>Bo</dc:creator>"
            "<category>Asia</category><category>asia</category><category>Defence</category>"
            "<pubDate>Fri, 20 Nov 2026 10:00:00 JST</pubDate><media:thumbnail url='/t.jpg'/>"
            "<media:content url='/v.mp4' type='video/mp4'/><media:content url='/i.jpg' medium='image'/>",
            channel="<language>en-GB</language><ttl>30</ttl>",
        )
    )
    assert (parsed.title, parsed.language, parsed.ttl, parsed.version) == ("F", "en-gb", 1_800, "rss20")
    assert not parsed.recovered
    entry = only(parsed)
    assert (entry.key, entry.guid) == ("g1", "g1")
    assert entry.link == "https://example.org/news/1?utm_source=rss"
    assert (entry.title, entry.summary) == ("Title & more", "Short words.")
    assert entry.text == ("A long text. " * 40).strip() + "\n\nEnd."
    assert (tuple(entry.authors), tuple(entry.categories)) == (("Ada", "Bo"), ("Asia", "Defence"))
    assert (entry.published_at, entry.updated_at) == ("2026-11-20T01:00:00.000Z", None)
    assert (entry.image, entry.language, tuple(entry.labels)) == ("https://example.org/i.jpg", "en-gb", ())


def test_a_whole_atom_entry() -> None:
    parsed = read(
        atom(
            "<id>urn:1</id><title>1 &lt; 2 &amp;amp; &lt;b&gt;</title>"
            "<author><name>Ada</name><email>a@b.c</email></author>"
            "<link rel='self' href='https://example.org/self'/><link rel='enclosure' type='image/png' href='/e.png'/>"
            "<link rel='alternate' type='application/pdf' href='/1.pdf'/>"
            "<link rel='alternate' type='text/html' href='1.html'/>"
            "<published>2026-11-20T10:00:00.250Z</published><updated>2026-11-21T10:00:00+01:00</updated>"
            "<category term='as' label='Asia'/><category term='Defence'/>"
            "<summary type='html'>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;</summary>"
            "<content type='xhtml' xml:lang='fr'><div xmlns='http://www.w3.org/1999/xhtml'><p>Un texte plus long</p>"
            "<script>no()</script><p>que le résumé.</p></div></content>",
            root="xml:base='https://base.example/x/'",
        )
    )
    assert (parsed.title, parsed.version) == ("F & G", "atom10")
    entry = only(parsed)
    assert (entry.key, entry.link) == ("urn:1", "https://base.example/x/1.html")
    assert entry.title == "1 < 2 &amp; <b>"  # type text: what stands there
    assert (entry.summary, entry.text) == ("One\n\nTwo", "Un texte plus long\n\nque le résumé.")
    assert (entry.published_at, entry.updated_at) == ("2026-11-20T10:00:00.250Z", "2026-11-21T09:00:00.000Z")
    assert (tuple(entry.authors), tuple(entry.categories)) == (("Ada",), ("Asia", "Defence"))
    assert entry.image == "https://base.example/e.png"
    assert entry.language == "fr"


def test_rdf() -> None:
    entry = only(
        read(
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>F</title></channel>'
            '<item rdf:about="https://a.example/1"><title>T</title><link>https://a.example/1</link>'
            "<dc:date>2026-11-20</dc:date><dc:creator>Ada</dc:creator><dc:subject>Asia</dc:subject></item></rdf:RDF>"
        )
    )
    assert (entry.key, entry.title, entry.published_at) == ("https://a.example/1", "T", "2026-11-20T00:00:00.000Z")
    assert (tuple(entry.authors), tuple(entry.categories)) == (("Ada",), ("Asia",))


@pytest.mark.parametrize(
    ("item", "link", "label"),
    [
        ("<link>https://a.example/1</link>", "https://a.example/1", False),
        ("<link>../1</link>", "https://example.org/1", False),
        ("<link>//b.example/1</link>", "https://b.example/1", False),
        ("<link>https://a.example/a b\n</link>", "https://a.example/a%20b", False),
        ("<link>javascript:alert(1)</link>", "", True),
        ("<link>ftp://a.example/1</link>", "", True),
        ("<link>https://user:word@a.example/1</link>", "", True),
        ("<link>https://a.example:99999/1</link>", "", True),
        ("<link>https://a.example/" + "x" * 2_048 + "</link>", "", True),
        ("<link>http://</link>", "", True),
        ("<link>javascript:alert(1)</link><guid>https://a.example/1</guid>", "", True),
        ("<guid>https://a.example/1</guid>", "https://a.example/1", False),
        ("<guid isPermaLink='true'>https://a.example/1</guid>", "https://a.example/1", False),
        ("<guid isPermaLink='false'>https://a.example/1</guid>", "", False),
        ("<guid>urn:uuid:1</guid>", "", True),
        ("<link>https://proxy.example/~r/1</link><feedburner:origLink>https://a.example/1</feedburner:origLink>",
         "https://a.example/1", False),
        ("<enclosure url='https://a.example/1.mp3' type='audio/mpeg'/>", "", False),
        ("", "", False),
    ],
)  # fmt: skip
def test_links(item: str, link: str, label: bool) -> None:
    entry = only(read(rss(f"<title>T</title>{item}")))
    assert (entry.link, "link unusable" in entry.labels) == (link, label)


def test_dates_that_are_put_aside() -> None:
    dates = ("soon", "Fri, 01 Jan 2099 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "")
    parsed = read(rss(*(f"<guid>{number}</guid><pubDate>{date}</pubDate>" for number, date in enumerate(dates))))
    assert [entry.published_at for entry in parsed.entries] == [None] * 4
    labels = [[label for label in entry.labels if "date" in label] for entry in parsed.entries]
    assert labels == [["date unreadable"], ["date absurd"], ["date absurd"], []]


def test_texts_of_one_element_only() -> None:
    teaser, long = "A teaser.", "A long text. " * 40
    content = "<content:encoded>{}</content:encoded>"
    assert only(read(rss(content.format(teaser))))[4:6] == (teaser, "")
    assert only(read(rss(content.format(long))))[4:6] == ("", long.strip())
    assert only(read(rss(f"<description>{long}</description>")))[4:6] == (long.strip(), "")
    assert only(read(rss(f"<description>{long}</description>" + content.format(teaser))))[4:6] == (long.strip(), "")


def test_titles_show_what_they_are() -> None:
    entry = only(read(rss("<title>a\u202eb\u200bc &#8203;d\n e</title><link>https://a.example/1</link>")))
    assert entry.title == "abc d e"
    entry = only(read(rss("<title>" + "x" * 5_000 + "</title>")))
    assert len(entry.title) == 1_000 and "title cut" in entry.labels


@pytest.mark.parametrize(
    ("channel", "seconds"),
    [
        ("<ttl>60</ttl>", 3_600), ("<ttl>0</ttl>", None), ("<ttl>-5</ttl>", None), ("<ttl>often</ttl>", None),
        ("", None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>", 1_800),
        ("<sy:updatePeriod> daily </sy:updatePeriod>", 86_400),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 3_600),
        ("<ttl>5</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", 3_600),
    ],
)  # fmt: skip
def test_how_long_a_feed_asks_to_be_left_alone(channel: str, seconds: int | None) -> None:
    assert read(rss(channel=channel)).ttl == seconds


# --- keys ---------------------------------------------------------------------------------------------------------


def test_keys_by_what_there_is() -> None:
    parsed = read(
        rss(
            "<guid isPermaLink='false'> g </guid><link>https://a.example/1</link>",
            "<link>https://A.example:443/2?b=1&amp;a=2&amp;utm_source=x#top</link>",
            "<title>Title</title><pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate>",
            "<description>text</description>",
            "<description>other</description>",
        )
    )
    keys = [entry.key for entry in parsed.entries]
    assert keys[:3] == ["g", "https://a.example/2?a=2&b=1", "title:Title:Fri, 20 Nov 2026 10:00:00 GMT"]
    assert len(set(keys)) == 5 and all(key.startswith("text:") for key in keys[3:])


def test_a_guid_on_different_links_is_not_a_key() -> None:
    item = "<guid isPermaLink='false'>home</guid><link>https://a.example/{}</link>"
    parsed = read(rss(item.format(1), item.format(2), item.format("2?utm_source=x")))
    one, two, same = (entry.key for entry in parsed.entries)
    assert (one, two, same) == ("home https://a.example/1", "home https://a.example/2", "home https://a.example/2")


def test_long_guids_stay_apart_and_short() -> None:
    guid = "<guid isPermaLink='false'>" + "x" * 5_000
    keys = [entry.key for entry in read(rss(f"{guid}1</guid>", f"{guid}2</guid>")).entries]
    assert keys[0] != keys[1] and all(len(key) < 600 for key in keys)


# --- documents that are broken or none ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \n\t\0", "empty"),
        (b"\xff\xfe \0\n\0", "empty"),
        ("<!DOCTYPE html><html><body>gone</body></html>", "html"),
        ("\n<!-- x --><HTML><head></head></HTML>", "html"),
        ("<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", "html"),
        ("<catalog><book/></catalog>", "not_a_feed"),
        ("<?xml version='1.0'?><urlset><url/></urlset>", "not_a_feed"),
        ("just words", "bad_xml"),
        ("<rss version='2.0'><channel><title>x", "bad_xml"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "bad_xml"),
        ("<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a 'b'>]><rss><channel><item/></channel></rss>", "xml_entities"),
        ("<!DOCTYPE rss SYSTEM '<x' [<!ENTITY % a 'b'>]><rss/>", "xml_entities"),
        ("<!DOCTYPE rss [<!-- ' <rss> --><?x > ?><!ENTITY a 'b'>]><rss/>", "xml_entities"),
        (("<!DOCTYPE rss [<!ENTITY a 'b'>]><rss/>").encode("utf-16"), "xml_entities"),
        ("<rss><channel>" + "<item><title>&</title></item>" * 90_000 + "</channel></rss>", "bad_xml"),
    ],
)
def test_reasons(body: str | bytes, reason: str) -> None:
    assert failure(body) == reason


def test_elements_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsbeam.feedxml._MAX_ELEMENTS", 1_000)
    assert len(read(rss(*["<title/>"] * 400)).entries) == 400
    assert failure(rss(*["<title/>"] * 500)) == "too_large"
    assert failure(rss(*["<title/>"] * 500).replace("</rss>", "")) == "too_large"


def test_an_empty_feed_is_no_failure() -> None:
    assert read(rss()).entries == () and not read(rss()).recovered
    assert read("<rss/>").entries == ()
    assert read(atom()).entries == ()


def test_a_broken_document_gives_what_it_has() -> None:
    items = [f"<title>{number} &amp; more</title><link>https://a.example/{number}</link>" for number in range(3)]
    whole = rss(*items)
    for broken in (whole.replace("&amp;", "&"), whole.replace("</rss>", ""), whole.replace("<item>", "<p>x<item>", 1),
                   whole.replace(" &amp; ", "&nbsp;&eacute;"), whole.replace("1 ", "1 \x0b\x00")):  # fmt: skip
        parsed = read(broken)
        assert parsed.recovered
        assert [entry.link for entry in parsed.entries] == [f"https://a.example/{number}" for number in range(3)]
    assert read(whole.replace(" &amp; ", "&nbsp;&eacute;")).entries[0].title == "0 émore"


@pytest.mark.parametrize("cut", [20, 30, 45, 58])
def test_an_entry_that_is_cut_off_waits_for_the_next_poll(cut: int) -> None:
    items = [f"<title>{number}</title><link>https://a.example/{number}</link>" for number in range(3)]
    whole = rss(*items)
    parsed = read(whole[: whole.rindex("<item>") + cut])
    assert [entry.title for entry in parsed.entries] == ["0", "1"]
    assert (parsed.recovered, parsed.unreadable) == (True, 1)
    selection = select(parsed, FEED, Cursor("f"), now=NOW)
    assert (selection.seen, selection.skipped) == (3, {"unreadable": 1})


@pytest.mark.parametrize(
    ("declared", "served", "actual"),
    [
        ("", "", "utf-8"), ("utf-8", "", "utf-8"), ("", "text/xml", "utf-8"), ("", "", "utf-8-sig"),
        ("utf-8", "text/xml; charset=iso-8859-1", "utf-8"),  # a server's default, and wrong
        ("iso-8859-1", "", "latin-1"), ("", "text/xml; charset=ISO-8859-1", "latin-1"),
        ("iso-8859-1", "text/xml; charset=utf-8", "utf-8"), ("windows-1252", "", "cp1252"),
        ("utf-16", "", "utf-16"), ("", "", "utf-16-le"), ("", "", "utf-16-be"), ("utf-32", "", "utf-32"),
        ("utf-16", "", "utf-8"), ("utf-8", "text/xml; charset=iso-8859-1", "latin-1"),
        ("no-such", "", "utf-8"), ("utf-8", "text/xml; charset=no-such", "utf-8"),
    ],
)  # fmt: skip
def test_encodings(declared: str, served: str, actual: str) -> None:
    declaration = f"<?xml version='1.0' encoding='{declared}'?>" if declared else "<?xml version='1.0'?>"
    body = rss("<title>Größe café</title>").replace('<?xml version="1.0"?>', declaration)
    assert only(read(body.encode(actual), served)).title == "Größe café"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("euc-kr", "한국의 정부"),
        ("shift_jis", "日本の首相"),
        ("gb2312", "中国政府"),
        ("big5", "台灣政府"),
        ("koi8-r", "Россия"),
    ],
)
def test_asian_and_russian_encodings(name: str, text: str) -> None:
    body = rss(f"<title>{text}</title>").replace('<?xml version="1.0"?>', f"<?xml version='1.0' encoding='{name}'?>")
    parsed = read(body.encode(name))
    assert only(parsed).title == text and not parsed.recovered
    slip = read(body.encode(name).replace(b"</title><", b"\xff</title><"))  # one byte too many
    assert text[:2] in slip.entries[0].title or slip.recovered


def test_unknown_encodings() -> None:
    body = rss("<title>caf\xe9</title>").replace('<?xml version="1.0"?>', "<?xml version='1.0' encoding='x-nothing'?>")
    assert failure(body.encode("latin-1")) == "unknown_encoding"
    assert failure(rss("<title>\xe9</title>").encode("latin-1"), "text/xml; charset=hex") == "unknown_encoding"
    undeclared = read(rss("<title>caf\xe9</title>").encode("latin-1"))
    assert only(undeclared).title == "café" and undeclared.recovered


def test_the_cap_is_counted() -> None:
    parsed = read(rss(*(f"<guid>https://a.example/{number}</guid>" for number in range(2_005))))
    assert (len(parsed.entries), parsed.truncated) == (2_000, 5)
    selection = select(parsed, FEED, Cursor("f"), now=NOW)
    assert (selection.seen, len(selection.rows), selection.skipped) == (2_005, 2_000, {"over the cap": 5})


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", "&", "&x;", "<![CDATA[", "<!--", "<?x ", "<!x ", "<b>", "</b>", "<item>", "<title>", "<link>",
     "<!DOCTYPE ", "<?xml ", "<guid>a</guid>", "<author>a.a.a.a.a.", "a.", "&amp;a;", '"', "]]>", "\u00e9"],
)  # fmt: skip
@pytest.mark.timeout(90)
def test_nonsense_is_read_in_linear_time(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 kB of it; what takes quadratic time (feedparser's author addresses: 25 s for 80 kB) ends in the limit."""
    monkeypatch.setattr("newsbeam.feedxml._MAX_ELEMENTS", 10_000)  # their cost is linear, and known
    for around in ("<rss version='2.0'><channel><item><title>x</title>{}", "{}<rss><channel><item/></channel></rss>",
                   "<rss><channel><item><author>{}</author></item></channel></rss>"):  # fmt: skip
        try:
            read(around.format(piece * (300_000 // len(piece))))
        except FeedError as error:
            assert error.reason in REASONS


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.sampled_from(["", "text/xml", "text/xml; charset=utf-16", "x; charset=\0"]))
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    for data in (body, rss("<title>").encode() + body, body + rss().encode()):
        try:
            read(data, content_type)
        except FeedError as error:
            assert error.reason in REASONS


# --- select -------------------------------------------------------------------------------------------------------


def document(*entries: Entry, **more: int) -> ParsedFeed:
    return ParsedFeed("", None, entries, False, None, "rss20", **more)


def balanced(selection: Selection) -> bool:
    return selection.seen == selection.unchanged + sum(selection.skipped.values()) + len(selection.rows)


def test_new_then_unchanged_then_changed() -> None:
    entry = Entry("k", guid="k", title="One")
    first = select(document(entry), FEED, Cursor("f", poll=4), now=NOW)
    (row,) = first.rows
    assert (row.change, row.previous, row.kind, row.poll) == (0, None, "entry", 5)
    assert (row.feed, row.entry, row.seen_at, row.due_at) == (FEED, entry, NOW, NOW)
    assert row.entry_hash == identity.entry_hash(entry)
    assert row.id == identity.row_id("f", "k", 0, row.entry_hash)
    assert first.cursor.entries == {"k": Seen(row.entry_hash, 0, NOW)} and first.cursor.current == 1
    assert first.cursor.poll == 4  # the caller's to set

    second = select(document(entry), FEED, first.cursor, now=NOW + HOUR)
    assert (second.seen, second.unchanged, second.rows) == (1, 1, [])
    assert second.cursor.entries["k"].last_at == NOW + HOUR

    third = select(document(entry._replace(title="Two")), FEED, second.cursor, now=NOW + 2 * HOUR)
    assert [(changed.change, changed.previous) for changed in third.rows] == [(1, row.id)]
    again = select(document(entry), FEED, third.cursor, now=NOW + 3 * HOUR)
    assert [(changed.change, changed.previous) for changed in again.rows] == [(2, third.rows[0].id)]
    assert len({row.id, third.rows[0].id, again.rows[0].id}) == 3


def test_a_repeated_poll_makes_the_same_rows() -> None:
    parsed = document(Entry("a"), Entry("b"))
    ids = [[row.id for row in select(parsed, FEED, Cursor("f"), now=now).rows] for now in (NOW, NOW + HOUR)]
    assert ids[0] == ids[1]


def test_an_entry_that_comes_back_within_a_week_is_not_new() -> None:
    entry = Entry("k", title="T")
    cursor = select(document(entry), FEED, Cursor("f"), now=NOW).cursor
    gone = select(document(), FEED, cursor, now=NOW + HOUR)
    assert (gone.seen, gone.cursor.current) == (0, 0)
    assert select(document(entry), FEED, gone.cursor, now=NOW + KEEP_SEEN).unchanged == 1
    forgotten = select(document(), FEED, gone.cursor, now=NOW + KEEP_SEEN + 1).cursor
    assert forgotten.entries == {}
    assert len(select(document(entry), FEED, forgotten, now=NOW + KEEP_SEEN + 2).rows) == 1


def test_a_cursor_remembers_the_newest_of_what_has_gone() -> None:
    gone = {str(number): Seen("h", 0, NOW - number) for number in range(MAX_GONE + 5)}
    cursor = select(document(Entry("k")), FEED, Cursor("f", entries=gone), now=NOW).cursor
    assert cursor.entries.keys() == {"k", *map(str, range(MAX_GONE))}
    here = document(*(Entry(key) for key in gone))
    assert select(here, FEED, cursor, now=NOW).cursor.entries.keys() == {"k", *gone}, "what is there is never forgotten"


def test_of_entries_with_one_key_the_latest_counts() -> None:
    old = Entry("k", title="old", published_at="2026-11-20T10:00:00.000Z")
    new = Entry("k", title="new", published_at="2026-11-20T10:00:00.000Z", updated_at="2026-11-21T10:00:00.000Z")
    undated = Entry("k", title="undated")
    cursor = Cursor("f")
    for order in ((old, new, undated), (undated, new, old), (new, undated, old)):
        selection = select(document(*order), FEED, cursor, now=NOW)
        assert selection.skipped == {"duplicate": 2} and selection.seen == 3 and balanced(selection)
        assert [row.entry.title for row in selection.rows] == (["new"] if not cursor.entries else [])
        cursor = selection.cursor


def test_equals_that_change_places_are_no_change() -> None:
    one, two = Entry("k", title="one"), Entry("k", title="two")
    cursor = select(document(one, two), FEED, Cursor("f"), now=NOW).cursor
    swapped = select(document(two, one), FEED, cursor, now=NOW + HOUR)
    assert (swapped.rows, swapped.unchanged, swapped.skipped) == ([], 1, {"duplicate": 1})


def poll(cursor: Cursor, hours: int, *numbers: str, guid: str = "home") -> Selection:
    items = (
        f"<guid isPermaLink='false'>{guid}</guid><link>https://a.example/{n}</link><title>{n}</title>" for n in numbers
    )
    return select(read(rss(*items)), FEED, cursor, now=NOW + hours * HOUR)


def test_a_shared_guid_keeps_its_keys_when_one_entry_leaves_or_comes() -> None:
    both = poll(Cursor("f"), 0, "1", "2")
    assert len(both.rows) == 2
    one_left = poll(both.cursor, 1, "2")
    assert (one_left.rows, one_left.unchanged) == ([], 1)
    assert poll(one_left.cursor, 2, "1", "2").unchanged == 2

    alone = poll(Cursor("f"), 0, "1")
    joined = poll(alone.cursor, 1, "1", "2")
    assert [row.entry.title for row in joined.rows] == ["2"] and joined.unchanged == 1
    assert poll(joined.cursor, 2, "2").unchanged == 1
    assert poll(joined.cursor, 2, "2", "1").unchanged == 2


@pytest.mark.parametrize("length", [600, 3_000])
def test_so_does_a_long_one(length: int) -> None:
    guid = "x" * length
    alone = poll(Cursor("f"), 0, "1", guid=guid)
    joined = poll(alone.cursor, 1, "1", "2", guid=guid)
    assert [row.entry.title for row in joined.rows] == ["2"] and joined.unchanged == 1
    assert all(len(key) <= 512 for key in joined.cursor.entries)


def test_an_entry_with_nothing_is_still_a_row() -> None:
    selection = select(read(rss("")), FEED, Cursor("f"), now=NOW)
    assert len(selection.rows) == 1 and selection.rows[0].entry.key


entries = st.builds(
    Entry,
    key=st.sampled_from("abcd"),
    title=st.sampled_from(["", "one", "two"]),
    published_at=st.sampled_from([None, "2026-11-20T10:00:00.000Z", "2026-11-21T10:00:00.000Z"]),
    updated_at=st.sampled_from([None, "2026-11-22T10:00:00.000Z"]),
)
documents = st.lists(entries, max_size=8)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(documents, st.integers(1, 5 * 24), st.integers(0, 2)), max_size=8), st.randoms())
def test_every_entry_of_every_poll_is_accounted_for(polls: list[tuple[list[Entry], int, int]], random: object) -> None:
    cursor, now, rows = Cursor("f"), NOW, {}
    for found, hours, capped in polls:
        now += hours * HOUR
        selection = select(document(*found, truncated=capped), FEED, cursor, now=now)
        assert balanced(selection) and selection.seen == len(found) + capped
        assert (
            selection.cursor.current == len({entry.key for entry in found}) == selection.unchanged + len(selection.rows)
        )
        for row in selection.rows:
            assert row.change == 0 or row.previous in rows
            rows[row.id] = row
        again = select(document(*found), FEED, selection.cursor, now=now + 1)
        assert again.rows == [] and balanced(again)
        random.shuffle(found)  # type: ignore[attr-defined]
        shuffled = select(document(*found), FEED, selection.cursor, now=now + 1)
        assert shuffled.rows == [] and balanced(shuffled)
        cursor = selection.cursor
        assert all(now - seen.last_at <= KEEP_SEEN for seen in cursor.entries.values())


items = st.lists(
    st.tuples(st.sampled_from(["", "g", "h"]), st.sampled_from(["", "1", "2"]), st.sampled_from(["", "t", "u"]))
)


@settings(deadline=None, max_examples=150)
@given(st.lists(items.map(lambda found: found[:6]), min_size=1, max_size=5))
def test_documents_read_again_give_no_rows(polls: list[list[tuple[str, str, str]]]) -> None:
    """Whatever guids entries share or lose from poll to poll."""
    cursor = Cursor("f")
    for number, found in enumerate(polls):
        body = rss(
            *(f"<guid isPermaLink='false'>{g}</guid><link>{link}</link><title>{t}</title>" for g, link, t in found)
        )
        selection = select(read(body), FEED, cursor, now=NOW + number * HOUR)
        assert balanced(selection) and selection.seen == len(found)
        assert len({row.id for row in selection.rows}) == len(selection.rows)
        again = select(read(body), FEED, selection.cursor, now=NOW + number * HOUR + 1)
        assert again.rows == [] and balanced(again)
        cursor = selection.cursor


# --- captured documents -------------------------------------------------------------------------------------------


def test_successive_polls_of_a_publisher(shared_data: Path) -> None:
    paths = sorted((shared_data / "feeds" / "polls").glob("*/*.xml"))
    assert len(paths) > 20
    cursor, totals = Cursor("f"), {"new": 0, "changed": 0, "unchanged": 0}
    for number, path in enumerate(paths):
        body = path.read_bytes()
        now = from_iso(path.stem[:15])
        selection = select(parse_feed(body, url=FEED.url, content_type="", now=now), FEED, cursor, now=now)
        new, changed = (sum((row.change > 0) is late for row in selection.rows) for late in (False, True))
        print(f"{path.stem}: seen {selection.seen}, new {new}, changed {changed}, unchanged {selection.unchanged}, "
              f"skipped {dict(selection.skipped)}")  # fmt: skip
        assert balanced(selection) and selection.seen > 50
        if number:
            assert new < selection.seen / 2  # the same feed, some hours later
        again = select(parse_feed(body, url=FEED.url, content_type="", now=now), FEED, selection.cursor, now=now + 1)
        assert (again.rows, again.unchanged) == ([], len(selection.rows) + selection.unchanged)
        totals["new"] += new
        totals["changed"] += changed
        totals["unchanged"] += selection.unchanged
        cursor = selection.cursor
    print(totals)
    assert totals["new"] > 100 and totals["unchanged"] > totals["new"] + totals["changed"]


def test_captured_and_hostile_documents_are_read_or_refused(shared_data: Path) -> None:
    paths = [path for name in ("feeds", "hostile") for path in sorted((shared_data / name).rglob("*"))]
    counts: dict[str, int] = {}
    for path in paths:
        if not path.is_file() or path.name == "LICENSE":
            continue
        try:
            parsed = parse_feed(path.read_bytes(), url=FEED.url, content_type="", now=NOW)
        except FeedError as error:
            assert error.reason in REASONS, path
            counts[error.reason] = counts.get(error.reason, 0) + 1
            continue
        counts["read"] = counts.get("read", 0) + 1
        selection = select(parsed, FEED, Cursor("f"), now=NOW)
        assert balanced(selection), path
        again = select(parsed, FEED, selection.cursor, now=NOW)
        assert again.rows == [], path
        for entry in parsed.entries:
            pickle.dumps(entry)
            for text in (entry.key, entry.title, entry.summary, entry.text, *entry.authors, *entry.categories):
                text.encode()
                assert "<script" not in text.lower() or "codehollow" not in str(path), path
            assert entry.link.startswith(("http://", "https://", "")), path
    print(counts)
    assert counts["read"] > 150


@pytest.mark.parametrize("name", ["codehollow", "rss-parser/input", "polls"])
def test_captured_feeds_of_publishers_are_read(shared_data: Path, name: str) -> None:
    for path in sorted((shared_data / "feeds" / name).rglob("*")):
        if path.is_file() and path.name not in ("LICENSE", "unrecognized.rss"):
            parsed = parse_feed(path.read_bytes(), url=FEED.url, content_type="", now=NOW)
            assert parsed.entries or path.name == "Rss20DailyMail.xml", path  # that one is captured empty


def test_bombs_are_never_parsed(shared_data: Path) -> None:
    folder = shared_data / "hostile" / "defusedxml-xml"
    declaring = [path for path in sorted(folder.glob("*.xml")) if b"<!ENTITY" in path.read_bytes()]
    assert len(declaring) >= 5
    assert {failure(path.read_bytes()) for path in declaring} == {"xml_entities"}
