"""Who is who: addresses, ids and hashes."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsbeam import identity
from newsbeam.identity import TRACKING_PARAMETERS, TRACKING_PREFIXES, article_key, canonicalize_url
from newsbeam.records import Article, Entry, Source

UGLY = st.text(alphabet="aB9/?&=#%.:;@+ -_~'\"<>[]{}|\\^`äß漢\u0301\u200b\x00\t\n\ud800", max_size=30)
HOSTS = st.sampled_from(
    [
        "daily.example", "DAILY.Example.", "münchen.example", "daily.example:80", "daily.example:8080", "1.2.3", "",
        "user:pw@daily.example", "[2001:DB8::1]", "[::ffff:1.2.3.4]:443", "127.0.0.1", "a..b", "-x.example",
        "xn--mnchen-3ya.example",
    ]
)  # fmt: skip
URLS = st.builds(
    lambda scheme, host, rest: f"{scheme}://{host}/{rest}", st.sampled_from(["http", "HTTPS", "https"]), HOSTS, UGLY
)


@settings(deadline=None, max_examples=500)
@given(URLS | UGLY)
@example("https://daily.example/a%2Fb?c=%26d&e=f%3Dg#h")
@example("https://daily.example/%7euser/%C3%A9/%e9?q=%25%32%35")
@example("https://daily.example/a;b=c?utm_source=x&;y")
@example("https://daily.example/?a=1&a=2&=3&b&%75tm_source=x")
@example("https://daily.example/a?x=http://other.example/?utm_source=1&y=a+b%20c")
def test_canonicalisation_is_idempotent(url: str) -> None:
    once = canonicalize_url(url)
    assert canonicalize_url(once) == once
    if once:
        parts = urlsplit(once)
        assert parts.scheme in ("http", "https")
        assert once.isascii() and parts.netloc == parts.netloc.lower() and "@" not in parts.netloc
        assert parts.path.startswith("/") and not parts.fragment


@settings(deadline=None, max_examples=200)
@given(URLS, st.text(alphabet="ab/C-_", max_size=12))
def test_an_address_that_is_an_article_has_one_id(url: str, fragment: str) -> None:
    if canonicalize_url(url):
        assert identity.url_id(url) == identity.url_id(canonicalize_url(url))
        base = url.split("#")[0].strip()
        assert identity.url_id(f" {base}#{fragment} ") == identity.url_id(base)


@pytest.mark.parametrize("name", sorted(TRACKING_PARAMETERS) + [f"{prefix}anything" for prefix in TRACKING_PREFIXES])
@pytest.mark.parametrize("query", ["{}=1", "{}", "{}=", "id=7&{}=x%26y", "{}=1&id=7&{}=2", "a=b&{}=1&z"])
def test_tracking_parameters_are_removed(name: str, query: str) -> None:
    url = "https://daily.example/a?" + query.replace("{}", name)
    names = [key for key, _ in parse_qsl(urlsplit(canonicalize_url(url)).query, keep_blank_values=True)]
    assert name not in names
    assert names == sorted(key for key in ("id", "a", "z") if f"{key}=" in query or query.endswith(key))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.sampled_from(["id", "page", "Cmp", "UTMX", "q"]), st.text("aB1ü %&=+", max_size=5)), max_size=4
    ),
    st.lists(st.sampled_from(sorted(TRACKING_PARAMETERS)), max_size=4),
    st.randoms(),
)
def test_tracking_parameters_make_no_difference_wherever_they_stand(
    own: list[tuple[str, str]], tracking: list[str], random: object
) -> None:
    from urllib.parse import urlencode

    plain = urlencode(own)
    pairs = [pair for pair in plain.split("&") if pair]
    for name in tracking:
        pairs.insert(random.randint(0, len(pairs)), f"{name}=x")
    base = "https://daily.example/a"
    assert canonicalize_url(f"{base}?{'&'.join(pairs)}") == canonicalize_url(f"{base}?{plain}")


def test_names_of_parameters_are_case_sensitive_but_for_prefixes() -> None:
    for name in ("Cmp", "FBCLID", "ftAG", "feedname", "FeedName", "ITo", "XTOR"):
        assert name in canonicalize_url(f"https://daily.example/a?{name}=1")
    for name in ("cmp", "CMP", "UTM_source", "Utm_Campaign", "utm_whatever"):
        assert canonicalize_url(f"https://daily.example/a?{name}=1") == "https://daily.example/a"


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://Daily.Example:80/News/A/?b=2&a=1#top", "http://daily.example/News/A/?a=1&b=2"),
        ("https://daily.example:443", "https://daily.example/"),
        ("https://daily.example:8443/a", "https://daily.example:8443/a"),
        ("https://MÜNCHEN.example/Straße", "https://xn--mnchen-3ya.example/Stra%C3%9Fe"),
        ("https://daily.example./a", "https://daily.example/a"),
        ("https://daily.example/%e4%b8%ad", "https://daily.example/%E4%B8%AD"),
        ("https://daily.example/a b", "https://daily.example/a%20b"),
        ("  https://daily.example/a\n", "https://daily.example/a"),
        ("https://user:secret@daily.example/a", "https://daily.example/a"),
        ("https://[2001:DB8:0::1]/a", "https://[2001:db8::1]/a"),
        ("ftp://daily.example/a", ""),
        ("javascript:alert(1)", ""),
        ("mailto:a@daily.example", ""),
        ("//daily.example/a", ""),
        ("/news/a", ""),
        ("https:///a", ""),
        ("https://daily.example:99999/a", ""),
        ("https://daily.example:x/a", ""),
        ("https://[bad/a", ""),
        ("https://daily.example/a\nb", ""),
        ("https://daily.example\\@evil.example/", ""),
        ("https://daily.example/" + "a" * 8000, ""),
        ("https://daily.example/" + "漢" * 900, ""),
        ("https://daily.example/" + "漢" * 200, "https://daily.example/" + "%E6%BC%A2" * 200),
        ("", ""),
    ],
)
def test_canonical_forms(url: str, canonical: str) -> None:
    assert canonicalize_url(url) == canonical


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(alphabet="abcXYZ09-_", min_size=1, max_size=9), max_size=4).map("/".join))
def test_paths_are_never_lower_cased(path: str) -> None:
    canonical = canonicalize_url(f"https://daily.example/{path}")
    assert urlsplit(canonical).path == f"/{path}"


def test_hosts_are_never_merged() -> None:
    hosts = ("daily.example", "www.daily.example", "m.daily.example", "amp.daily.example", "daily.example.org")
    assert len({identity.url_id(f"https://{host}/a") for host in hosts}) == len(hosts)


def test_http_and_https_are_one_article_and_a_final_slash_is_another() -> None:
    assert identity.url_id("http://daily.example/a") == identity.url_id("https://daily.example/a")
    assert identity.url_id("https://daily.example/a/") != identity.url_id("https://daily.example/a")


def test_addresses_of_captured_feeds_are_stable(shared_data: Path) -> None:
    strings = json.loads((shared_data / "hostile" / "naughty-strings" / "blns.json").read_text("utf-8"))
    for text in strings:
        for url in (text, f"https://daily.example/{text}", f"https://{text}/a", f"https://daily.example/?q={text}"):
            once = canonicalize_url(url)
            assert canonicalize_url(once) == once


# --- keys

ENTRY = Entry(
    "k",
    guid="tag:daily,2026:1",
    link="https://daily.example/link",
    title="A  Title",
    published_at="2026-11-24T10:00:00.000Z",
)


def key(entry: Entry = ENTRY, **fields: str) -> str:
    return article_key(entry.link, source_id="daily", entry=entry, **fields)


def test_the_canonical_address_comes_before_the_final_one_and_that_before_the_link() -> None:
    final, canonical = "https://www.daily.com/final", "https://amp.daily.com/canonical?utm_source=x"
    assert key(final_url=final, canonical_url=canonical) == "//amp.daily.com/canonical"
    assert key(final_url=final) == "//www.daily.com/final"
    assert key() == "//daily.example/link"


@pytest.mark.parametrize(
    "canonical",
    [
        "https://other.example/article",
        "https://daily.example.evil.test/link",
        "https://daily.example/",
        "https://daily.example",
        "javascript:void(0)",
        "/relative",
        "https://daily.example:99999/x",
    ],
    ids=["another domain", "a longer domain", "home page", "home page without slash", "script", "relative", "bad port"],
)
def test_an_implausible_canonical_is_not_taken(canonical: str) -> None:
    assert key(final_url="https://daily.example/final", canonical_url=canonical) == "//daily.example/final"


def test_registrable_domains_are_by_the_public_suffix_list() -> None:
    entry = ENTRY._replace(link="https://news.daily.co.uk/a")
    assert key(entry, canonical_url="https://www.daily.co.uk/b") == "//www.daily.co.uk/b"
    assert key(entry, canonical_url="https://www.weekly.co.uk/b") == "//news.daily.co.uk/a"
    local = ENTRY._replace(link="http://127.1.2.3:8000/a")
    assert key(local, canonical_url="http://127.1.2.3:8000/b") == "//127.1.2.3:8000/b"
    assert key(local, canonical_url="http://127.1.2.4:8000/b") == "//127.1.2.3:8000/a"


def test_an_address_without_a_path_is_no_key() -> None:
    for final in (
        "https://daily.example/",
        "https://daily.example",
        "https://daily.example/#a",
        "https://daily.example/?utm_source=x",
    ):
        assert key(final_url=final) == "//daily.example/link"
    assert key(final_url="https://daily.example/?p=123") == "//daily.example/?p=123"


def test_without_an_address_guid_or_title_and_date_are_the_key_within_the_source() -> None:
    bare = ENTRY._replace(link="")
    assert key(bare) == article_key("", source_id="daily", entry=bare._replace(title="Other"))
    assert key(bare) != article_key("", source_id="weekly", entry=bare)
    no_guid = bare._replace(guid="")
    assert key(no_guid) == key(no_guid._replace(title="A Title", published_at="2026-11-24T23:00:00.000Z"))
    assert key(no_guid) != key(no_guid._replace(published_at="2026-11-25T10:00:00.000Z"))
    assert key(no_guid) != article_key("", source_id="weekly", entry=no_guid)
    assert key(ENTRY._replace(link="https://daily.example/")) == key(bare), "a home page is no link"


def test_link_id_is_the_id_by_the_link_alone() -> None:
    assert identity.link_id(ENTRY, "daily") == identity.url_id(ENTRY.link)


# --- hashes


def test_row_ids_are_repeatable_and_apart() -> None:
    ids = {
        identity.row_id(*parts)
        for parts in (
            ("f", "k", 0, "h"),
            ("f", "k", 1, "h"),
            ("f", "k", 0, "i"),
            ("g", "k", 0, "h"),
            ("fk", "", 0, "h"),
        )
    }
    assert len(ids) == 5
    assert identity.row_id("f", "k", 0, "h") in ids


@pytest.mark.parametrize("name", ["title", "summary", "text", "html"])
def test_what_a_feed_says_is_in_the_entry_hash(name: str) -> None:
    assert identity.entry_hash(ENTRY._replace(**{name: "changed"})) != identity.entry_hash(ENTRY)


def test_what_is_no_change_of_an_entry() -> None:
    same = ENTRY._replace(title=" A Title ", link="https://daily.example/link?utm_source=rss", labels=("x",))
    assert identity.entry_hash(same) == identity.entry_hash(ENTRY)
    assert identity.entry_hash(ENTRY._replace(link="https://daily.example/other")) != identity.entry_hash(ENTRY)
    assert identity.entry_hash(ENTRY._replace(published_at=None)) != identity.entry_hash(ENTRY)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_content_hashes(title: str, summary: str, body: str) -> None:
    import unicodedata

    base = identity.content_hash(title, summary, body)
    assert identity.content_hash(f" {title} ", unicodedata.normalize("NFD", summary), f"{body}\n\n") == base
    assert identity.content_hash(title, summary, body + " more") != base


def test_content_does_not_move_between_fields() -> None:
    assert identity.content_hash("a", "b", "") != identity.content_hash("a", "", "b")
    assert identity.content_hash("a b", "", "") != identity.content_hash("a", "b", "")


def test_same_content_is_half_of_the_words_of_title_or_text() -> None:
    stored = Article("i", 1, 1, "", "", Source("s"), "Votes are counted", "", "one two three four", "page", "", "")
    assert identity.same_content(stored, "Votes COUNTED", "x")
    assert identity.same_content(stored, "Other", "four three two")
    assert not identity.same_content(stored, "Votes at last", "one of these")
    assert not identity.same_content(stored, "", "")


def test_lone_surrogates_are_hashed_too() -> None:
    assert identity.content_hash("\ud800", "", "") != identity.content_hash("\ud801", "", "")
    assert canonicalize_url("https://daily.example/\ud800") == canonicalize_url(
        canonicalize_url("https://daily.example/\ud800")
    )
