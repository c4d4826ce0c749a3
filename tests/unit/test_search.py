"""What a person types, as a query; times; grams; folding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.errors import ConfigError
from newsbeam.records import Article, Source, from_iso
from newsbeam.search import (
    FILTERS,
    SORTS,
    Query,
    Term,
    article_grams,
    fold,
    gram_runs,
    grams,
    parse_query,
    parse_time,
    plain,
    without_runs,
)

NOW = from_iso("2026-11-24T12:00:00Z")


def words(*texts: str) -> tuple[Term, ...]:
    return tuple(Term(text) for text in texts)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("  \n ", ()),
        ("one two", words("one", "two")),
        ("one one", words("one")),
        ('"one two"', (Term("one two", phrase=True),)),
        ('a "one   two\n" b', (Term("a"), Term("one two", phrase=True), Term("b"))),
        ("“one two”", (Term("one two", phrase=True),)),
        ("„one two“", (Term("one two", phrase=True),)),
        ("-one two", (Term("one", negated=True), Term("two"))),
        ('-"one two"', (Term("one two", phrase=True, negated=True),)),
        ("Indo-Pacific", words("Indo-Pacific")),
        ("--one", (Term("-one", negated=True),)),
        ("- one", words("one")),
        ('one "two', words("one", '"two')),
        ('one" two', words('one"', "two")),
        ('5" gun', words('5"', "gun")),
        ('a"b c"d', words('a"b', 'c"d')),
        ('"a"b', (Term("a", phrase=True), Term("b"))),
        ("title:one NEAR(two) *", words("title:one", "NEAR(two)")),
        ("one OR two AND NOT three", words("one", "OR", "two", "AND", "NOT", "three")),
        ("one\0two\x1bthree\x85four", words("one", "two", "three", "four")),
        ("one\ud800two", words("one", "two")),
        ("Cafe\u0301", words("Caf\u00e9")),
        ("one – ? ... two", words("one", "two")),
        ("***", words("***")),
        ("*** ???", words("***", "???")),
        ("-***", ()),
        ('"" -""', ()),
        ("-", words("-")),
        ("首相 협력", words("首相", "협력")),
    ],
)
def test_terms(text: str, terms: tuple[Term, ...]) -> None:
    assert parse_query(text).terms == terms


def test_the_rest_of_a_query() -> None:
    query = parse_query(
        "a", filters={"topic": ["x", "x", " y ", ""], "lang": []}, since=1, until=2, sort="newest", limit=0
    )
    assert query == Query(words("a"), {"topic": ("x", "y")}, 1, 2, "newest", 0)
    assert parse_query("") == Query()
    assert parse_query("", filters={"entity": "NATO"}).filters == {"entity": ("NATO",)}, "a text is one value"


def test_every_filter_and_sort_is_known() -> None:
    for sort in SORTS:
        assert parse_query("", filters={name: ["x"] for name in FILTERS}, sort=sort).sort == sort


@pytest.mark.parametrize(
    ("options", "named"),
    [({"filters": {"author": ["x"]}}, "author"), ({"sort": "date"}, "date"), ({"limit": -1}, "-1")],
)
def test_wrong_options_are_named(options: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        parse_query("", **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60) | st.text(alphabet='a -"“\0\ud800*:(首', max_size=30))
def test_any_text_is_a_query_and_its_terms_can_be_stored(text: str) -> None:
    for term in parse_query(text).terms:
        term.text.encode("utf-8")
        assert term.text == " ".join(term.text.split()) != ""
        assert "\0" not in term.text and (term.phrase or " " not in term.text)


def test_every_naughty_string_is_a_query(shared_data: Path) -> None:
    for text in json.loads((shared_data / "hostile" / "naughty-strings" / "blns.json").read_text("utf-8")):
        parse_query(text, filters={"entity": [text]})


# --- times


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24", "2026-11-24T00:00:00Z"),
        ("2026-11-24T10:30", "2026-11-24T10:30:00Z"),
        ("2026-11-24 10:30:01.5", "2026-11-24T10:30:01.500Z"),
        ("2026-11-24T10:30:00z", "2026-11-24T10:30:00Z"),
        ("2026-11-24T10:30:00+02:00", "2026-11-24T08:30:00Z"),
        (" 2026-11-24 ", "2026-11-24T00:00:00Z"),
        ("90m", "2026-11-24T10:30:00Z"),
        ("24h", "2026-11-23T12:00:00Z"),
        ("7d", "2026-11-17T12:00:00Z"),
        ("2W", "2026-11-10T12:00:00Z"),
        ("0d", "2026-11-24T12:00:00Z"),
        ("99999d", "1970-01-01T00:00:00Z"),
    ],
)
def test_times(text: str, moment: str) -> None:
    assert parse_time(text, NOW) == from_iso(moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "7",
        "d",
        "-7d",
        "7 d",
        "7y",
        "1e3d",
        "2026-13-01",
        "24.11.2026",
        "9999999999d",
        "\u0667d",
        "\ud800",
    ],
)
def test_what_is_no_time_is_named(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_time(text, NOW)
    assert repr(text) in str(caught.value)


# --- grams


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", ""),
        ("plain text, é", ""),
        ("首相", "首相"),
        ("岸田首相", "岸田 田首 首相"),
        ("米", "米"),
        ("日米 首脳", "日米 首脳"),
        ("岸田、首相。", "岸田 首相"),
        ("한국과 협력", "한국 국과 협력"),
        ("กรุงเทพ", "กร รุ ุง งเ เท ทพ"),
        ("NATO首脳会議", "首脳 脳会 会議"),
        ("コンピューター・ゲーム", "コン ンピ ピュ ュー ータ ター ゲー ーム"),
        ("ﾊﾝｶｸ", "ハン ンカ カク"),
        ("\u1112\u1161\u11ab\uad6d", "한국"),
        ("𠮷野家", "𠮷野 野家"),
    ],
)
def test_grams(text: str, pairs: str) -> None:
    assert grams(text) == pairs


@pytest.mark.parametrize(
    ("text", "indexed"),
    [
        ("plain text, é", ""),
        ("首相", "首相 相"),
        ("米", "米"),
        ("NATO首脳 and NATO", "NATO 首脳 脳"),
        ("2026年", "2026 年"),
        ("ＮＡＴＯ", "NATO"),
        ("㈱東芝", "株 東芝 芝"),
    ],
)
def test_grams_for_indexing(text: str, indexed: str) -> None:
    assert grams(text, index=True) == indexed


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="首相岸田の米 a1。Ａ", max_size=30), st.data())
def test_any_piece_of_a_run_is_found_in_what_is_indexed(text: str, data: st.DataObject) -> None:
    indexed = f" {grams(text, index=True)} "
    for run in gram_runs(text):
        start = data.draw(st.integers(0, len(run) - 1))
        piece = run[start : data.draw(st.integers(start + 1, len(run)))]
        wanted = f" {grams(piece)}" + (" " if len(piece) > 1 else "")  # one character: what begins with it
        assert wanted in indexed


def test_the_rest_of_a_text() -> None:
    assert without_runs("NATO首脳会議2026").split() == ["NATO", "2026"]
    assert without_runs("plain") == "plain"


def test_grams_of_an_article_are_of_title_summary_and_body() -> None:
    article = Article("i", 1, 1, "", "", Source("s"), "首相", "日米", "협력", "page", "", "")
    assert article_grams(article) == "首相 相 日米 米 협력 력"


# --- folding


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("São Paulo", "sao  PAULO"),
        ("Sa\u0303o", "são"),
        ("STRASSE", "straße"),
        ("ＮＡＴＯ", "nato"),
        (" a\n b ", "A B"),
    ],
)
def test_fold(one: str, other: str) -> None:
    assert fold(one) == fold(other) == fold(fold(one))


def test_fold_keeps_apart_what_is_not_the_same() -> None:
    assert len({fold(text) for text in ("한국", "한구", "भारत", "भरत", "москва", "а", "a", "")}) == 8


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=30))
def test_plain_and_fold_are_idempotent_and_can_be_stored(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert fold(fold(text)) == fold(text)
    fold(text).encode("utf-8")
