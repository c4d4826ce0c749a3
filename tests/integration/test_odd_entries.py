"""What becomes of odd entries, from the feed to the stored article: one table, each case a feed that is polled twice.

The cases are those of item 48 in the checklist of faults (shared/notes, section 4.1), and what belongs to them. What
stands in the table is the promise: the same input always ends so. No page can be had but where a case says so, so
that what the feed says is the article.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pytest
import yaml

from newsbeam.records import now_ms, to_document, to_iso
from newsbeam.settings import load_settings
from newsbeam.stores import open_store
from pipelines.rounds import Rounds
from tests.integration.conftest import Newsbeam, balances
from tests.integration.test_bad_input import rss
from tests.unit.loopback import Site

SAYS = "The ministers agreed to keep the lanes open."
HOSTILE = """<p onclick="steal()">The <b>ministers</b> met.<script>alert(1)</script></p><style>p{color:red}</style>
<img src="x" onerror="alert(2)" srcset="a.png 1x, b.png 2x"><iframe src="https://ads.example/f">framed</iframe>
<img src="https://count.example/p.gif" width="1" height="1"><a href="javascript:alert(3)">They agreed.</a>"""
PAGE = f"""<html><head><title>Hostile</title></head><body><article><h1>Hostile</h1>{HOSTILE}
<p>The ministers of three countries met on Monday and agreed to keep the shipping lanes open, officials said.</p>
<p>They will meet again in spring, when the agreement is to be reviewed by all sides together.</p></article></body>"""


def item(number: int = 1, **fields: Optional[str]) -> str:
    """An item of a feed; a field that is None is left out. `BASE` in it is the address of the case's publisher."""
    fields = {
        "title": f"Report {number}", "link": f"BASE/a/{number}", "guid": f"g-{number}", "description": SAYS,
    } | fields  # fmt: skip
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items() if value is not None)
    return "<item>" + inner.replace("<guid>", "<guid isPermaLink='false'>") + "</item>"


class Case(NamedTuple):
    """A feed and what becomes of it.

    `first` and `second` count outcomes ("skipped: duplicate" with its reason), `labels` the labels of the first poll.
    `documents` are facts of what is stored in the end, by title.
    """

    items: list[str]
    then: Optional[list[str]] = None  # what the second poll finds; the same where it is None
    first: Mapping[str, int] = {"new": 1}
    second: Mapping[str, int] = {"unchanged": 1}
    labels: Mapping[str, int] = {}
    documents: Mapping[str, Mapping[str, Any]] = {"Report 1": {"revision": 1}}


def dated(date: Optional[str], published: Optional[str], label: str = "") -> Case:
    """An article dated so is published then; without a date that can be used, @timestamp is when it was first seen."""
    facts = {"published_at": published, "published_from": "feed" if published else "none"}
    return Case([item(pubDate=date)], labels={label: 1} if label else {}, documents={"Report 1": facts})


def linked(link: str, url: str, label: str = "") -> Case:
    return Case([item(link=link)], labels={label: 1} if label else {}, documents={"Report 1": {"url": url}})


def titled(title: str, shown: str, label: str = "") -> Case:
    return Case([item(title=title)], labels={label: 1} if label else {}, documents={shown: {"revision": 1}})


UNUSABLE, ABSURD, UNREADABLE = "link unusable", "date absurd", "date unreadable"
NOON = "2024-01-02T12:00:00.000Z"
CASES: dict[str, Case] = {
    # Names and addresses. The guid names an entry; without one its link does, without either its title and date.
    "no guid": Case([item(guid=None)], documents={"Report 1": {"guid": "", "url": "BASE/a/1"}}),
    "no guid, no link": Case([item(guid=None, link=None)], documents={"Report 1": {"guid": "", "url": ""}}),
    "no link": Case([item(link=None)], documents={"Report 1": {"guid": "g-1", "url": ""}}),
    # An entry stays with its article: one that moves has a new address and no new article.
    "guid reused with a new address": Case(
        [item()], [item(link="BASE/moved/1")], documents={"Report 1": {"url": "BASE/moved/1", "revision": 1}}
    ),
    "guid reused for another report": Case(
        [item()], [item(link="BASE/a/2", title="Another matter")], second={"revised": 1},
        documents={"Another matter": {"url": "BASE/a/2", "revision": 2}},
    ),
    "one guid for all": Case(
        [item(1, guid="same"), item(2, guid="same")], first={"new": 2}, second={"unchanged": 2},
        documents={"Report 1": {"url": "BASE/a/1"}, "Report 2": {"url": "BASE/a/2"}},
    ),
    "a new guid for an address": Case([item()], [item(guid="new")], documents={"Report 1": {"refs": 2, "revision": 1}}),
    "a guid in other case, later": Case([item(guid="abc")], [item(guid="ABC")], documents={"Report 1": {"refs": 2}}),
    "guids that differ by case": Case(
        [item(1, guid="abc"), item(2, guid="ABC")], first={"new": 2}, second={"unchanged": 2},
        documents={"Report 1": {"guid": "abc"}, "Report 2": {"guid": "ABC"}},
    ),
    # Changes.
    "changed title": Case(
        [item()], [item(title="Report 1, corrected")], second={"revised": 1},
        documents={"Report 1, corrected": {"revision": 2}},
    ),
    "changed text": Case(
        [item()], [item(description="They did not agree.")], second={"revised": 1},
        documents={"Report 1": {"revision": 2, "summary": "They did not agree."}},
    ),
    "changed white space": Case([item()], [item(description=SAYS.replace(" ", " \n "))]),
    "changed date": Case(
        [item(pubDate="2 Jan 2024 10:00 GMT")], [item(pubDate="2 Jan 2024 12:00 GMT")],
        documents={"Report 1": {"revision": 1, "published_at": NOON}},
    ),
    # Dates.
    "no date": dated(None, None),
    "no date, but words": dated("some time last week", None, UNREADABLE),
    "1970": dated("Thu, 01 Jan 1970 00:00:00 GMT", None, ABSURD),
    "2099": dated("Tue, 01 Dec 2099 10:00:00 GMT", None, ABSURD),
    "31 February": dated("31 Feb 2024 10:00:00 GMT", None, UNREADABLE),
    "zone EST": dated("Tue, 02 Jan 2024 07:00:00 EST", NOON),
    "zone JST": dated("Tue, 02 Jan 2024 21:00:00 JST", NOON),
    "zone CET": dated("Tue, 2 Jan 2024 13:00:00 CET", NOON),
    "zone unknown": dated("Tue, 02 Jan 2024 12:00:00 XQT", NOON),
    "month with a dot": dated("02 Jan. 2024 12:00:00 GMT", NOON),
    "Korean": dated("2024년 1월 2일 12:00", NOON),
    "Japanese": dated("2024年1月2日 12:00", NOON),
    # Links: only http(s) leads anywhere; the entry is kept all the same.
    "link from the root": linked("/a/1", "BASE_ROOT/a/1"),
    "link from the feed": linked("a/1", "BASE/a/1"),
    "link with dots": linked("../other/./a/1", "BASE_ROOT/other/a/1"),
    "link as a question": linked("?id=5", "BASE/feed?id=5"),
    "javascript: link": linked("javascript:alert(1)", "", UNUSABLE),
    "data: link": linked("data:text/html,<script>alert(1)</script>", "", UNUSABLE),
    "file: link": linked("file:///etc/passwd", "", UNUSABLE),
    "link with a password": linked("http://user:secret@127.0.0.1/a", "", UNUSABLE),
    "link that is none": linked("http://[::1", "", UNUSABLE),
    # Titles: one line of plain text, of 1,000 characters at most.
    "title of 1 MB": titled("news " * 200_000, ("news " * 200).rstrip(), "title cut"),
    "title that is reordered": titled("\u202eReport\u202c \u2067one\u2069", "Report one"),
    "title with zero width": titled("Re\u200bport\u00ad o\u2060ne\ufeff", "Report one"),
    "title in Arabic": titled("الوزراء اتفقوا", "الوزراء اتفقوا"),
    "title in Persian": titled("گفت‌وگو می‌شود", "گفت‌وگو می‌شود"),  # its joiners are spelling
    "title with emoji": titled("Families \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1ef\U0001f1f5", "Families \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1ef\U0001f1f5"),  # noqa: E501
    "title with markup": titled("<b>Report</b> <script>x()</script>one &amp; all", "Report one & all"),
    "title with controls": Case(
        [item(title="Report\x01 \x00one")], labels={"recovered": 1}, documents={"Report one": {"revision": 1}}
    ),
    "no title": Case([item(title=None)], documents={"": {"summary": SAYS}}),
    "nothing at all": Case(["<item></item>"], first={"failed: no_link": 1}, documents={}),
    # Texts.
    "hostile HTML": Case(
        [item(description=HOSTILE)],
        documents={"Report 1": {"summary": "The ministers met.\n\nThey agreed.", "text_from": "feed", "image": None}},
    ),
    "hostile page": Case(
        [item(title="Hostile", link="BASE/page", description=None)],
        documents={"Hostile": {"text_from": "page"}},
    ),
    # Several of one.
    "twice the same": Case([item(), item()], first={"new": 1, "skipped: duplicate": 1},
                           second={"unchanged": 1, "skipped: duplicate": 1}),
    "twice, the later counts": Case(
        [item(title="Old", pubDate="1 Jan 2024 10:00 GMT"), item(title="New", pubDate="2 Jan 2024 12:00 GMT"),
         item(title="Older", pubDate="1 Jan 2024 09:00 GMT")],
        first={"new": 1, "skipped: duplicate": 2}, second={"unchanged": 1, "skipped: duplicate": 2},
        documents={"New": {"published_at": NOON}},
    ),
    "one report under two tracked addresses": Case(
        [item(1, link="BASE/a/1?utm_source=rss&id=7"), item(2, title="Report 1", link="BASE/a/1?id=7&fbclid=x#top")],
        first={"new": 1, "unchanged": 1}, second={"unchanged": 2},
        documents={"Report 1": {"url": "BASE/a/1?id=7", "refs": 2}},
    ),
    "tracking that changes": Case(
        [item(guid=None, link="BASE/a/1?utm_campaign=monday")], [item(guid=None, link="BASE/a/1?utm_campaign=tuesday")],
        documents={"Report 1": {"url": "BASE/a/1", "refs": 1}},
    ),
}  # fmt: skip


class Ended(NamedTuple):
    """What became of a case: outcomes of its polls, labels of the first, and what is stored of it."""

    outcomes: tuple[Counter[str], Counter[str]]
    labels: Counter[str]
    documents: list[dict[str, Any]]
    base: str


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, repo: Path) -> Iterator[dict[str, Ended]]:
    """All cases as feeds of one run, polled twice."""
    directory = tmp_path_factory.mktemp("odd")
    slugs = {name: f"case{number}" for number, name in enumerate(CASES)}
    with Site() as site, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEWSBEAM_ALLOW_NETWORKS", "127.0.0.0/8")
        bases = {name: site.url(f"/{slug}") for name, slug in slugs.items()}
        feeds = [{"url": f"{bases[name]}/feed", "id": slug, "source": {"id": slug}} for name, slug in slugs.items()]
        (directory / "feeds.yaml").write_text(yaml.safe_dump({"feeds": feeds}))
        settings = load_settings(repo / "config", directory / "feeds.yaml")
        site.routes[f"/{slugs['hostile page']}/page"] = PAGE
        store = open_store(f"sqlite:///{directory / 'newsbeam.db'}", create=True)
        rounds = Rounds(settings, store)
        for number in (1, 2):
            for name, case in CASES.items():
                items = case.then if number == 2 and case.then is not None else case.items
                body = rss(*items, f"<!-- {number} -->").replace("BASE", bases[name])
                site.routes[f"/{slugs[name]}/feed"] = body
            report = rounds.ingest(force=True)
            assert report.balanced and report.ledger.inbox == 0 and report.ledger.feeds == len(CASES)
        assert store.check() == []
        documents = [to_document(article) for article in store.scan()]
        store.close()
        yield {name: _ended(directory / "newsbeam.db", slug, documents, bases[name]) for name, slug in slugs.items()}


def _ended(path: Path, feed: str, documents: list[dict[str, Any]], base: str) -> Ended:
    outcomes, labels = (Counter[str](), Counter[str]()), Counter[str]()
    with sqlite3.connect(path) as db:
        for number, unchanged, skipped in db.execute(
            "SELECT number, unchanged, skipped FROM polls WHERE feed_id = ?", (feed,)
        ):
            outcomes[number - 1]["unchanged"] += unchanged
            outcomes[number - 1].update({f"skipped: {reason}": count for reason, count in json.loads(skipped).items()})
        for poll, outcome, reason, said in db.execute(
            "SELECT poll, outcome, reason, labels FROM entries WHERE feed_id = ?", (feed,)
        ):
            outcomes[poll - 1][f"{outcome}: {reason}" if reason else outcome] += 1
            labels.update(json.loads(said or "[]") if poll == 1 else ())
    db.close()
    own = [document for document in documents if document["feeds"][0]["id"] == feed]
    return Ended(outcomes, labels, own, base)


@pytest.mark.parametrize("name", CASES)
def test_48_an_odd_entry_ends_as_promised(ended: dict[str, Ended], name: str) -> None:
    """Case 48: no guid, guids reused, changed, or differing by case; dates, links, titles and texts of every kind."""
    case, found = CASES[name], ended[name]
    assert [+outcomes for outcomes in found.outcomes] == [Counter(case.first), Counter(case.second)]
    del found.labels["feed text only"]
    assert found.labels == case.labels
    root = found.base.rpartition("/")[0]
    documents = {document["title"]: document | {"refs": len(document["feeds"])} for document in found.documents}
    assert set(documents) == set(case.documents)
    for title, facts in case.documents.items():
        wanted = {
            key: fact.replace("BASE_ROOT", root).replace("BASE", found.base) if isinstance(fact, str) else fact
            for key, fact in facts.items()
        }
        assert {key: documents[title][key] for key in wanted} == wanted
        if not documents[title]["published_at"]:
            assert documents[title]["@timestamp"] == documents[title]["first_seen_at"] <= to_iso(now_ms())


def test_48_no_markup_is_stored(ended: dict[str, Ended]) -> None:
    """Case 48: HTML with script, onerror, srcset, iframe and a tracking pixel, in a feed and in a page."""
    for name in ("hostile HTML", "hostile page"):
        (document,) = ended[name].documents
        said = " ".join(document[field] for field in ("title", "summary", "body"))
        assert "The ministers met." in said and "They agreed." in said
        for word in ("<", "alert", "steal", "onerror", "srcset", "color:red", "javascript:"):
            assert word not in said, (name, word, said)
        assert "count.example" not in json.dumps(document)


@pytest.fixture
def poll(newsbeam: Newsbeam, tmp_path: Path) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Polls a feed that is now as given, and gives the line of the ledger. `BASE` in it is the publisher's address."""
    with Site() as site:
        (tmp_path / "feeds.yaml").write_text(f"feeds: [{{url: '{site.url('/feed')}', id: odd}}]")

        def poll(body: str) -> dict[str, Any]:
            site.routes["/feed"] = body.replace("BASE/", site.url("/"))
            line = newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml", "--now", "--json").document
            assert balances(line) and line["inbox"] == 0 and newsbeam("store", "check").code == 0
            return line

        yield poll


def test_48_of_5000_items_2000_are_read_and_the_rest_counted(poll: Callable[[str], dict[str, Any]]) -> None:
    """Case 48: 5,000 items. Those that are read stay the same ones, so the second poll has nothing to do."""
    feed = rss(*(f"<item><title>Report {number}</title></item>" for number in range(5_000)))
    line = poll(feed)
    assert (line["seen"], line["outcomes"]["new"]) == (5_000, 2_000)
    assert line["outcomes"]["skipped"] == {"over the cap": 3_000}
    again = poll(f"{feed}<!-- again -->")
    assert (again["seen"], again["outcomes"]["unchanged"]) == (5_000, 2_000)


BROKEN = {
    "an ampersand": (rss("<item><title>Fish & chips</title></item>"), ["Fish & chips"]),
    "an entity of HTML": (rss("<item><title>Caf&eacute; &nosuch;</title></item>"), ["Café &nosuch;"]),
    "an undeclared namespace": (rss("<item><title>One</title><media:text>x</media:text></item>"), ["One"]),
    "a tag that never ends": (rss("<item><title>One</title><b></item><item><title>Two</title></item>"), ["One", "Two"]),
    "cut within an entry": ("<rss version='2.0'><channel><item><title>One</title></item><item><title>Tw", ["One"]),
    "cut between entries": ("<rss version='2.0'><channel><item><title>One</title></item>", ["One"]),
    "words behind the end": (rss("<item><title>One</title></item>") + "<p>Warning: out of memory</p>", ["One"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_feed_gives_what_entries_it_has(
    poll: Callable[[str], dict[str, Any]], newsbeam: Newsbeam, tmp_path: Path, name: str
) -> None:
    """They are labelled as recovered, and so is the poll; an entry that is cut off waits for the next one."""
    body, titles = BROKEN[name]
    line = poll(body)
    assert line["feed_failures"] == {} and line["outcomes"]["new"] == len(titles)
    assert line["labels"]["recovered"] == len(titles)
    assert line["outcomes"]["skipped"] == ({"unreadable": 1} if name == "cut within an entry" else {})
    assert sorted(document["title"] for document in newsbeam("export").documents) == titles
    with sqlite3.connect(tmp_path / "newsbeam.db") as db:
        assert db.execute("SELECT status, recovered FROM polls").fetchall() == [("ok", 1)]
    db.close()

    mended = poll(rss(*(f"<item><title>{escape(title)}</title></item>" for title in [*titles, "Next"])))
    assert mended["outcomes"]["new"] == 1 and mended["outcomes"]["unchanged"] == len(titles)
    assert "recovered" not in mended["labels"]
