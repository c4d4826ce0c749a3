"""Searches: the same questions get the same answers from every engine."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsbeam.records import Source, to_iso
from newsbeam.search import FACETS, Query, Term, parse_query
from newsbeam.stores import Store
from tests.contract.samples import DAY, NOW, entity, titles, write

TEXTS = (
    {
        "key": "pact", "title": "Prime Minister visits Brussels", "summary": "A pact of the Indo-Pacific partners.",
        "body": "China's growing assertiveness was on the agenda.\n\nNATO \"welcomes\" <b>Japan</b> & others.",
        "timestamp": to_iso(NOW - 3 * DAY), "source": Source("daily", "The Daily", "daily.example"), "language": "en",
        "topics": ("pact",), "entities": ("Fumio Kishida", "NATO"), "people": ("Fumio Kishida",),
        "organizations": ("NATO",), "places": ("Brussels",), "story_id": "story-1",
        "entity_details": (entity("Fumio Kishida", "person", "Kishida", "Mr Kishida"), entity("NATO", "organization")),
    },
    {
        "key": "sao", "title": "Eleições em São Paulo", "summary": "Votos contados.",
        "body": "Partners of Brazil vote.",
        "timestamp": to_iso(NOW - 2 * DAY), "source": Source("jornal", "O Jornal", "jornal.example"), "language": "pt",
        "topics": ("vote",), "entities": ("São Paulo",), "places": ("São Paulo",),
    },
    {
        "key": "naive", "title": "A naive view of Sao Tome", "summary": "",
        "body": "The agenda: partners, Pacific and Indo.",
        "timestamp": to_iso(NOW - 1 * DAY), "source": Source("daily", "The Daily", "daily.example"), "language": "en",
        "topics": ("pact", "vote"), "entities": ("NATO",), "organizations": ("NATO",),
    },
    {
        "key": "ja", "title": "岸田首相がブリュッセルを訪問", "summary": "日米", "body": "ＮＡＴＯ首脳会議に出席した。",
        "timestamp": to_iso(NOW), "source": Source("shimbun", "新聞", "shimbun.example"), "language": "ja",
    },
    {
        "key": "ko", "title": "한국과 일본의 협력을 강화", "summary": "", "body": "서울에서 발표했다.",
        "timestamp": to_iso(NOW - 4 * DAY), "source": Source("ilbo", "일보", "ilbo.example"), "language": "ko",
    },
    {
        "key": "th", "title": "นายกรัฐมนตรีเยือนกรุงเทพ", "summary": "", "body": "",
        "timestamp": to_iso(NOW - 5 * DAY), "source": Source("khao", "ข่าว", "khao.example"), "language": "th",
    },
)  # fmt: skip
PACT, SAO, NAIVE, JA, KO, TH = (str(text["title"]) for text in TEXTS)


@pytest.fixture
def full(store: Store, refresh: Callable[[], None]) -> Store:
    """A store with the six texts above."""
    write(store, *TEXTS)
    refresh()
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("visiting", {PACT}),
        ("VISIT", {PACT}),
        ("agendas", {PACT, NAIVE}),
        ("visits agenda", {PACT}),
        ("visits votos", set()),
        ("Sao", {SAO, NAIVE}),
        ("São", {SAO, NAIVE}),
        ("Sa\u0303o paulo", {SAO}),
        ("eleicoes", {SAO}),
        ("naïve", {NAIVE}),
        ('"growing assertiveness"', {PACT}),
        ('"assertiveness growing"', set()),
        ("“growing assertiveness”", {PACT}),
        ("china's", {PACT}),
        ("China’s", {PACT}),
        ("Indo-Pacific", {PACT}),
        ("indo pacific", {PACT, NAIVE}),
        ('"indo pacific"', {PACT}),
        ("partners -vote", {PACT, NAIVE}),
        ("partners -brazil", {PACT, NAIVE}),
        ('agenda -"growing assertiveness"', {NAIVE}),
        ("-partners", {JA, KO, TH}),
        ("-partners -首相", {KO, TH}),
        ("-nothinghasthis", {PACT, SAO, NAIVE, JA, KO, TH}),
        ("首相", {JA}),
        ("岸田首相", {JA}),
        ("相首", set()),
        ("ブリュッセル", {JA}),
        ("ﾌﾞﾘｭｯｾﾙ", {JA}),
        ("NATO首脳", {JA}),
        ("nato", {PACT, JA}),
        ("ＮＡＴＯ", {PACT, JA}),
        ("ＮＡＴＯ首脳会議", {JA}),
        ("訪", {JA}),
        ("問", {JA}),
        ("米", {JA}),
        ("협력", {KO}),
        ("일본 협력", {KO}),
        ("서울", {KO}),
        ("กรุงเทพ", {TH}),
        ("", {PACT, SAO, NAIVE, JA, KO, TH}),
        ("   ", {PACT, SAO, NAIVE, JA, KO, TH}),
    ],
)
def test_what_a_query_finds(full: Store, query: str, found: set[str]) -> None:
    assert set(titles(full, query)) == found
    assert full.search(parse_query(query)).total == len(found)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"topic": ["pact"]}, {PACT, NAIVE}),
        ({"topic": ["pact", "vote"]}, {PACT, NAIVE, SAO}),
        ({"topic": ["pact"], "lang": ["en"], "place": ["Brussels"]}, {PACT}),
        ({"topic": ["vote"], "source": ["daily"]}, {NAIVE}),
        ({"entity": ["nato"]}, {PACT, NAIVE}),
        ({"entity": ["kishida"]}, {PACT}),
        ({"entity": ["mr  KISHIDA"]}, {PACT}),
        ({"person": ["Fumio Kishida"]}, {PACT}),
        ({"person": ["Kishida"]}, {PACT}),
        ({"person": ["NATO"]}, set()),
        ({"org": ["NATO"]}, {PACT, NAIVE}),
        ({"place": ["sao paulo"]}, {SAO}),
        ({"source": ["jornal"]}, {SAO}),
        ({"source": ["the daily"]}, {PACT, NAIVE}),
        ({"source": ["jornal.example", "新聞"]}, {SAO, JA}),
        ({"lang": ["EN"]}, {PACT, NAIVE}),
        ({"story": ["story-1"]}, {PACT}),
        ({"topic": ["no such topic"]}, set()),
        ({"topic": ["pact"], "entity": ["no such entity"]}, set()),
    ],
)
def test_what_filters_let_through(full: Store, filters: dict[str, list[str]], found: set[str]) -> None:
    assert set(titles(full, filters=filters)) == found
    assert set(titles(full, "-nothinghasthis", filters=filters)) == found


def test_filters_and_terms_are_both_needed(full: Store) -> None:
    assert titles(full, "agenda", filters={"topic": ["vote"]}) == [NAIVE]
    assert titles(full, "agenda -pacific", filters={"topic": ["vote"]}) == []


def test_times_include_since_and_exclude_until(full: Store) -> None:
    assert set(titles(full, since=NOW - 2 * DAY, until=NOW)) == {SAO, NAIVE}
    assert set(titles(full, "partners", since=NOW - 2 * DAY)) == {SAO, NAIVE}
    assert set(titles(full, until=NOW - 3 * DAY)) == {KO, TH}
    assert titles(full, since=NOW + 1) == []


def test_sorts(full: Store) -> None:
    assert titles(full, sort="newest") == [JA, NAIVE, SAO, PACT, KO, TH]
    assert titles(full, sort="oldest") == [TH, KO, PACT, SAO, NAIVE, JA]
    assert titles(full, "partners", sort="oldest") == [PACT, SAO, NAIVE]
    assert titles(full, sort="newest", limit=2) == [JA, NAIVE]
    assert titles(full) == titles(full, sort="newest"), "without terms, nothing is more relevant than another"


def test_the_limit_is_of_hits_not_of_the_total(full: Store) -> None:
    result = full.search(parse_query("partners", limit=1))
    assert (result.total, len(result.hits)) == (3, 1)
    result = full.search(parse_query("partners", limit=0))
    assert (result.total, len(result.hits)) == (3, 0)
    assert [facet.value for facet in result.facets["source"]] == ["daily", "jornal"]


def test_titles_count_more_than_bodies_and_the_new_more_than_the_old(store: Store, refresh: Callable[[], None]) -> None:
    filler = [{"key": f"filler-{number}", "title": "Other", "body": "Something else."} for number in range(20)]
    write(
        store,
        {"key": "body", "title": "Talks", "body": "A treaty was signed there."},
        {"key": "title", "title": "Treaty", "body": "It was signed there."},
        {"key": "old", "title": "Quake", "body": "x", "timestamp": to_iso(NOW - 300 * DAY)},
        {"key": "new", "title": "Quake", "body": "x", "timestamp": to_iso(NOW - 1 * DAY)},
        *filler,
    )
    refresh()
    assert titles(store, "treaty") == ["Treaty", "Talks"]
    hits = store.search(parse_query("quake")).hits
    assert [hit.article.guid or hit.article.url.rsplit("/", 1)[1] for hit in hits] == ["new", "old"]
    assert hits[0].score > hits[1].score > 0


def test_equal_hits_come_in_the_order_of_their_ids(store: Store, refresh: Callable[[], None]) -> None:
    ids = write(store, *({"key": f"k{number}", "title": "Same", "body": "", "summary": ""} for number in range(8)))
    refresh()
    for sort in ("relevance", "newest", "oldest"):
        found = [hit.article.id for hit in store.search(parse_query("same", sort=sort)).hits]
        assert found == sorted(ids), sort


def test_words_that_differ_in_vowel_signs_are_apart(store: Store, refresh: Callable[[], None]) -> None:
    write(store, {"title": "दिन"}, {"title": "दान"})
    refresh()
    assert titles(store, "दिन") == ["दिन"]
    assert titles(store, "दान") == ["दान"]


# --- facets


def test_facets_count_all_that_was_found(full: Store) -> None:
    facets = full.search(parse_query("agenda", limit=1)).facets
    assert set(facets) == set(FACETS)
    assert [tuple(facet) for facet in facets["topic"]] == [("pact", 2), ("vote", 1)]
    assert [tuple(facet) for facet in facets["org"]] == [("NATO", 2)]
    assert [tuple(facet) for facet in facets["person"]] == [("Fumio Kishida", 1)]
    assert [tuple(facet) for facet in facets["source"]] == [("daily", 2)]
    assert [tuple(facet) for facet in facets["lang"]] == [("en", 2)]
    assert [tuple(facet) for facet in full.search(parse_query("", filters={"lang": ["pt"]})).facets["place"]] == [
        ("São Paulo", 1)
    ]
    assert all(values == () for values in full.search(parse_query("nothinghasthis")).facets.values())


def test_facets_are_the_ten_commonest_then_by_name(store: Store, refresh: Callable[[], None]) -> None:
    people = [f"Person {number:02}" for number in range(15)]
    write(
        store,
        {"key": "all", "title": "All", "people": tuple(reversed(people))},
        {"key": "one", "title": "One", "people": ("Person 14",)},
    )
    refresh()
    found = [tuple(facet) for facet in store.search(parse_query("")).facets["person"]]
    assert found == [("Person 14", 2), *((name, 1) for name in people[:9])]


# --- highlights


def test_highlights_are_escaped_and_marked(full: Store) -> None:
    (hit,) = full.search(parse_query("japan visiting")).hits
    assert list(hit.highlights["title"]) == ["Prime Minister <em>visits</em> Brussels"]
    (fragment,) = hit.highlights["body"]
    assert "&lt;b&gt;<em>Japan</em>&lt;/b&gt; &amp; others" in fragment
    assert "summary" not in hit.highlights


def test_highlights_of_accents_phrases_and_running_text(full: Store) -> None:
    assert full.search(parse_query("sao paulo")).hits[0].highlights["title"][0].startswith("Eleições em <em>São")
    phrase = full.search(parse_query('"growing assertiveness"')).hits[0].highlights["body"][0]
    assert re.search(r"<em>growing(</em> <em>| )assertiveness</em>", phrase)
    assert "岸田<em>首相</em>が" in full.search(parse_query("首相")).hits[0].highlights["title"][0]


def test_what_is_not_searched_by_words_has_no_highlights(full: Store) -> None:
    assert all(not hit.highlights for query in ("", "-vote") for hit in full.search(parse_query(query)).hits)


def test_fragments_are_short(store: Store, refresh: Callable[[], None]) -> None:
    body = "\n\n".join(f"Paragraph {number} " + "padding words " * 40 + "needle here." for number in range(9))
    write(store, {"title": "Long", "body": body})
    refresh()
    fragments = store.search(parse_query("needle")).hits[0].highlights["body"]
    assert 1 <= len(fragments) <= 3
    for fragment in fragments:
        assert "<em>needle</em>" in fragment
        assert len(html.unescape(fragment)) < 400


# --- what nobody should type


HOSTILE = (
    "NEAR(", "NEAR/2", '"', '""', '"""', "a\"b", "*", "vis*", "title:visits", "body : x", "grams:首", "{title}: x",
    "^visits", "AND", "OR", "NOT", "a AND OR NOT b", "(", ")", "((a OR b)", "+", "-", "--", '-"', '-""', "- -",
    "\\", "'",
    "'; DROP TABLE articles; --", "%", "_", "\0", "a\0b", "\ud800", "\udfff首", "a\x01\x02\x03b", "\u202e", "\ufeff",
    "texts MATCH 'x'", ":wanted", "?", "?1", "@x", "$x", "rank:x", "rowid:1", "visits~2", "/visi.*/", "[a TO b]",
    "_exists_:title", "\U0010ffff", "e\u0301" * 50, "a" * 10_000, "-a " * 300, "(" * 500, "\u0301", "ー", "ｱ", "𠮷",
)  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_plain_text(full: Store, query: str) -> None:
    for given_query in (
        parse_query(query),
        parse_query(f"visits {query}"),
        Query((Term(query), Term(query, True, True))),
    ):
        result = full.search(given_query)
        assert result.total >= len(result.hits)
        assert len(list(full.scan(given_query))) == result.total
    full.search(parse_query("", filters={"entity": [query], "source": [query, "x"]}))
    assert full.status().articles == len(TEXTS)


@pytest.mark.parametrize(
    "query", ["title:visits", "^visits", "vis*", "vis NEAR agenda", "visits OR votos", "visits AND agenda"]
)
def test_signs_of_query_languages_mean_nothing(full: Store, query: str) -> None:
    assert (titles(full, query) == [PACT]) == (query == "^visits"), "only there is the word alone"


def test_signs_alone_find_nothing_and_beside_words_do_not_matter(full: Store) -> None:
    assert titles(full, "***") == []
    assert titles(full, "– visits ?") == [PACT]


def test_every_naughty_string_is_a_query(full: Store, shared_data: Path) -> None:
    strings = json.loads((shared_data / "hostile" / "naughty-strings" / "blns.json").read_text("utf-8"))
    assert len(strings) > 400
    for text in strings:
        result = full.search(parse_query(text, filters={"entity": [text]}, limit=1))
        assert result.total >= 0
        full.search(parse_query(text))


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40) | st.text(alphabet='ab "-*()首相협é\u0301:^\0', max_size=20))
def test_any_text_is_a_query(full: Store, text: str) -> None:
    result = full.search(parse_query(text))
    assert result.total >= len(result.hits)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(TEXTS), st.data())
def test_every_word_of_a_text_finds_it(full: Store, text: dict[str, str], data: st.DataObject) -> None:
    words = re.findall(r"\w+", f"{text['title']} {text['summary']} {text['body']}")
    word = data.draw(st.sampled_from(words))
    assert text["title"] in titles(full, word), word
    assert text["title"] not in titles(full, f'-"{word}"'), word
