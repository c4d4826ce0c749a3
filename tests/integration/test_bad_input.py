"""Bad input: one clear line, a counted outcome, and the rest goes on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.conftest import Newsbeam, balances
from tests.unit.loopback import Route, Site, redirect

PAGE = """<!doctype html><html><head><title>{0}</title></head><body><article><h1>{0}</h1>
<p>The ministers of three countries met on Monday and agreed to keep the shipping lanes open, officials said.</p>
<p>They will meet again in spring, when the agreement on {0} is to be reviewed by all sides together.</p>
</article></body></html>"""


def rss(*items: str, channel: str = "") -> str:
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>T</title>{channel}{''.join(items)}</channel></rss>"


def item(title: str, link: str = "", *, guid: str = "", date: str = "", text: str = "") -> str:
    parts = {"title": title, "link": link, "pubDate": date, "description": text}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items() if value)
    return f"<item>{inner}" + (f"<guid isPermaLink='false'>{guid}</guid>" if guid else "") + "</item>"


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/xml")
    handler.end_headers()
    for _ in itertools.count():
        handler.wfile.write(b"<!-- -->" * 8192)


@pytest.fixture
def config(tmp_path: Path, repo: Path) -> Path:
    """A configuration with short times, beside the project's topics and entities."""
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / "entities").symlink_to(repo / "config" / "entities")
    (directory / "topics.yaml").symlink_to(repo / "config" / "topics.yaml")
    (directory / "settings.yaml").write_text("fetch: {timeout: 3, max_feed_bytes: 2000000}\n")
    return directory


class Newsstand:
    """Sites, each with one feed at /feed, and the feeds.yaml that lists them."""

    def __init__(self, directory: Path) -> None:
        self._path, self.sites = directory / "feeds.yaml", dict[str, Site]()

    def add(self, name: str, feed: Route, pages: Mapping[str, Route] | None = None) -> Site:
        site = self.sites[name] = Site({"/feed": feed, **(pages or {})})
        feeds = [{"url": site.url("/feed"), "id": name} for name, site in self.sites.items()]
        self._path.write_text(yaml.safe_dump({"feeds": feeds}))
        return site


@pytest.fixture
def stand(config: Path) -> Iterator[Newsstand]:
    stand = Newsstand(config)
    yield stand
    for site in stand.sites.values():
        site.close()


def ingest(newsbeam: Newsbeam, config: Path) -> dict[str, Any]:
    ran = newsbeam("ingest", "--config", config, "--now", "--json")
    assert ran.code in (0, 1) and "Traceback" not in ran.err, ran.err
    line = ran.document
    assert balances(line), line
    return line


def test_feeds_that_cannot_be_read_are_counted_by_reason(stand: Newsstand, newsbeam: Newsbeam, config: Path) -> None:
    bad: dict[str, Route] = {
        "empty": "",
        "html": "<!doctype html><html><body><h1>Sorry</h1></body></html>",
        "encoding": b"<?xml version='1.0' encoding='x-klingon'?><rss version='2.0'><channel><item>\xff\xfe<title>",
        "gone": 404,
        "loop": redirect("/feed"),
        "endless": endless,
        "entities": "<!DOCTYPE r [<!ENTITY a 'b'>]><rss version='2.0'><channel><item><title>&a;</title></item>",
        "rubbish": b"\x00\x01\x02" * 100,
    }
    for name, feed in bad.items():
        stand.add(name, feed)
    good = stand.add("good", "")
    good.routes |= {"/feed": rss(item("Shipping lanes", good.url("/a/1"))), "/a/1": PAGE.format("Shipping lanes")}

    line = ingest(newsbeam, config)
    assert line["feeds"] == len(bad) + 1
    assert sum(line["feed_failures"].values()) == len(bad), line
    for reason in ("empty", "html", "http_404", "redirect_loop", "too_large", "xml_entities"):
        assert line["feed_failures"].get(reason, 0) >= 1, (reason, line)
    assert line["outcomes"]["new"] == 1
    assert newsbeam("store", "check").code == 0


def test_no_feed_at_all_can_be_read(stand: Newsstand, newsbeam: Newsbeam, config: Path) -> None:
    stand.add("gone", 404)
    ran = newsbeam("ingest", "--config", config, "--json")
    assert ran.code == 1 and "no feed could be read" in ran.err


def test_odd_entries_each_have_an_outcome(stand: Newsstand, newsbeam: Newsbeam, config: Path) -> None:
    site = stand.add("odd", "")
    site.routes["/feed"] = rss(
        item("No date here", site.url("/a/1")),
        item("From the far future", site.url("/a/2"), date="Tue, 01 Dec 2099 10:00:00 GMT"),
        item("Nowhere to go", guid="g-3", text="It has a text of its own."),
        item("Seen twice", site.url("/a/4")),
        item("Seen twice", site.url("/a/4")),
        item("A script", "javascript:alert(1)", guid="g-5"),
        "<item></item>",
    )
    line = ingest(newsbeam, config)
    assert line["seen"] == 7
    assert line["outcomes"]["new"] == 5
    assert sum(line["outcomes"]["skipped"].values()) == 1  # the second of the two
    assert sum(line["outcomes"]["failed"].values()) == 1  # the empty one
    documents = {document["title"]: document for document in newsbeam("export").documents}
    assert documents["No date here"]["published_from"] == "none"
    future = documents["From the far future"]
    assert future["published_at"] is None and future["@timestamp"] < "2090"
    assert line["labels"]["date absurd"] == 1
    assert documents["A script"]["url"] == ""
    again = ingest(newsbeam, config)
    assert again["outcomes"]["new"] == 0 and again["outcomes"]["failed"] == {}


def test_one_entry_in_two_feeds_is_one_article_without_a_revision(
    stand: Newsstand, newsbeam: Newsbeam, config: Path
) -> None:
    site = stand.add("one", "", {"/a/1": PAGE.format("Shipping lanes")})
    link = site.url("/a/1")
    site.routes["/feed"] = rss(item("Shipping lanes", link + "?utm_source=one", text="As the first feed has it."))
    other = stand.add("two", rss(item("Lanes of shipping", link, text="As the second feed has it, otherwise.")))
    assert ingest(newsbeam, config)["outcomes"]["new"] == 1
    (document,) = newsbeam("export").documents
    assert document["revision"] == 1 and sorted(ref["id"] for ref in document["feeds"]) == ["one", "two"]

    other.routes["/feed"] = rss(item("Lanes of shipping!", link, text="The second feed says it anew."))
    line = ingest(newsbeam, config)
    assert line["outcomes"]["revised"] == 0
    assert newsbeam("export").document["revision"] == 1


def test_a_page_that_redirects_for_ever_leaves_the_feeds_text(
    stand: Newsstand, newsbeam: Newsbeam, config: Path
) -> None:
    site = stand.add("loops", "", {"/a/1": redirect("/a/2"), "/a/2": redirect("/a/1")})
    site.routes["/feed"] = rss(item("Round and round", site.url("/a/1"), text="What the feed says."))
    line = ingest(newsbeam, config)
    assert line["outcomes"]["new"] == 1 and line["labels"]["feed text only"] == 1
    document = newsbeam("export").document
    assert document["extraction"]["reason"] == "redirect_loop" and document["summary"] == "What the feed says."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("feeds:\n  - url: http://a.example/f\n    evry: 5m\n", ("feeds.yaml:3", "evry")),
        ("feeds:\n  - name: A\n", ("feeds.yaml:2", "url")),
        ("feeds: [\n", ("feeds.yaml",)),
        ("", ("feeds.yaml", "feeds")),
    ],
)
def test_a_wrong_feeds_yaml_is_one_line_that_names_line_and_key(
    newsbeam: Newsbeam, config: Path, text: str, said: tuple[str, ...]
) -> None:
    (config / "feeds.yaml").write_text(text)
    ran = newsbeam("ingest", "--config", config)
    assert ran.code == 2 and ran.out == ""
    assert len(ran.err.splitlines()) == 1 and all(part in ran.err for part in said), ran.err


def test_wrong_use_and_unreachable_stores(newsbeam: Newsbeam, config: Path, tmp_path: Path) -> None:
    (config / "feeds.yaml").write_text("feeds: []\n")
    for arguments, code in (
        (("ingest", "--config", tmp_path / "none"), 2),
        (("ingest", "--frequently"), 2),
        (("ingest", "--runner", "FlinkRunner", "--config", config), 2),
        (("ingest", "--store", "mysql://x", "--config", config), 2),
        (("search", "x", "--store", f"sqlite:///{tmp_path}/none.db"), 3),
        (("ingest", "--store", "sqlite:////proc/none/x.db", "--config", config), 3),
        (("search", "x", "--since", "yesterdayish", "--store", f"sqlite:///{tmp_path}/none.db"), 3),
        (("show", "nothing"), 3),
        (("backfill", tmp_path / "none.jsonl", "--config", config), 2),
    ):
        ran = newsbeam(*arguments)
        assert ran.code == code, (arguments, ran)
        assert len(ran.err.splitlines()) == 1 and "Traceback" not in ran.err, ran.err


def test_a_model_that_is_not_installed_is_one_line(newsbeam: Newsbeam, config: Path) -> None:
    (config / "feeds.yaml").write_text("feeds: []\n")
    (config / "settings.yaml").write_text("models: {en: nosuch_model}\n")
    ran = newsbeam("ingest", "--config", config)
    assert ran.code == 2 and len(ran.err.splitlines()) == 1 and "nosuch_model" in ran.err, ran.err


def test_a_query_may_begin_with_what_it_excludes(newsbeam: Newsbeam, tmp_path: Path) -> None:
    lines = [
        {"url": f"http://a.example/{name}", "title": f"Ferries of {name}", "text": "x"} for name in ("Paulo", "Rio")
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert newsbeam("backfill", tmp_path / "a.jsonl").code == 0
    assert [hit["title"] for hit in newsbeam("search", "-paulo", "--json").documents] == ["Ferries of Rio"]


def test_explain_takes_a_text_file(newsbeam: Newsbeam, tmp_path: Path) -> None:
    text = (
        "Japan and Australia sign a defence pact\n\nJapan and Australia signed a pact on joint exercises on Monday.\n"
    )
    (tmp_path / "text.txt").write_text(
        text + "\nThe two defence ministers said that their navies will train together.\n"
    )
    found = newsbeam("topics", "explain", tmp_path / "text.txt", "--json").documents
    assert [topic["id"] for topic in found if topic["tagged"]][:1] == ["indo-pacific-partnership"]
