"""`newsbeam feeds`: add, import, export, check."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsbeam.settings import read_feeds
from tests.integration.conftest import Newsbeam
from tests.integration.test_bad_input import item, rss
from tests.unit.loopback import Site

CHANNEL = "<link>https://www.pub.example/</link><language>ko</language>"


@pytest.fixture
def site() -> Iterator[Site]:
    feed = rss(
        item("One", "/a/1", date="Mon, 05 Jan 2026 10:00:00 GMT"), item("Two", "/a/2", guid="g2"), channel=CHANNEL
    )
    page = "<html><head><link rel='alternate' type='application/rss+xml' href='/feed'></head><body>x</body></html>"
    with Site({"/": page, "/feed": feed, "/plain": feed, "/gone": 404}) as site:
        yield site


@pytest.fixture
def config(tmp_path: Path, repo: Path) -> Path:
    directory = tmp_path / "config"
    directory.mkdir()
    for name in ("entities", "topics.yaml"):
        (directory / name).symlink_to(repo / "config" / name)
    return directory


def test_add_finds_the_feed_of_a_site_and_keeps_the_file(newsbeam: Newsbeam, site: Site, config: Path) -> None:
    path = config / "feeds.yaml"
    path.write_text("# mine\nfeeds:\n  - url: https://a.example/feed  # good\n# the end\n")
    ran = newsbeam("feeds", "add", site.url("/"), "--config", config, "--tag", "asia", "--tag", "two words")
    assert ran.code == 0 and "2 entries now" in ran.out, ran
    assert path.read_text() == (
        "# mine\nfeeds:\n  - url: https://a.example/feed  # good\n"
        f"  - url: {site.url('/feed')}\n    name: T\n    source: {{name: T, domain: pub.example}}\n"
        "    language: ko\n    tags: [asia, two words]\n# the end\n"
    )
    before = path.read_text()
    for address in (site.url("/"), site.url("/feed"), site.url("/feed") + "/"):
        ran = newsbeam("feeds", "add", address, "--config", config)
        assert ran.code == 2 and "has it already" in ran.err and len(ran.err.splitlines()) == 1
    ran = newsbeam("feeds", "add", site.url("/plain"), "--config", config, "--name", "Mine", "--json")
    assert ran.document["name"] == "Mine" and ran.document["url"] == site.url("/plain")
    assert path.read_text().startswith(before.removesuffix("# the end\n"))


def test_add_refuses_what_is_no_feed(newsbeam: Newsbeam, site: Site, config: Path, tmp_path: Path) -> None:
    site.routes = {"/": "<html><body>nothing</body></html>"}
    for address, said in ((site.url("/"), "no_feed"), ("http://10.0.0.1/", "private_network")):
        ran = newsbeam("feeds", "add", address, "--config", config)
        assert ran.code == 1 and said in ran.err and len(ran.err.splitlines()) == 1, ran
    assert not (config / "feeds.yaml").exists()


def test_add_never_writes_to_the_installed_configuration(
    newsbeam: Newsbeam, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = newsbeam("feeds", "add", site.url("/feed"))
    assert ran.code == 2 and "--feeds FILE" in ran.err and len(ran.err.splitlines()) == 1
    assert newsbeam("feeds", "add", site.url("/feed"), "--feeds", "mine.yaml").code == 0
    assert [feed.url for feed in read_feeds(tmp_path / "mine.yaml")] == [site.url("/feed")]


def test_import_and_export(newsbeam: Newsbeam, config: Path, tmp_path: Path) -> None:
    path, opml = config / "feeds.yaml", tmp_path / "list.opml"
    path.write_text("feeds:\n  - url: https://a.example/feed\n    every: 5m\n")
    opml.write_text(
        "<opml version='2.0'><body><outline text='Asia'>\n"
        "<outline text='A' xmlUrl='https://a.example/feed'/>\n"
        "<outline text='B &amp; C' xmlUrl='https://b.example/feed'/>\n"
        "<outline text='F' xmlUrl='ftp://f.example/feed'/>\n"
        "</outline></body></opml>"
    )
    ran = newsbeam("feeds", "import", opml, "--config", config)
    assert ran.code == 0 and "1 added" in ran.out and "1 there already" in ran.out and "1 refused" in ran.out
    assert "list.opml:4: refused: ftp://f.example/feed" in ran.err
    again = newsbeam("feeds", "import", opml, "--config", config, "--json").document
    assert again["added"] == [] and again["duplicates"] == 2 and again["refused"][0]["line"] == 4
    feeds = read_feeds(path)
    assert [(feed.name, list(feed.tags)) for feed in feeds][1] == ("B & C", ["Asia"])

    for name in ("out.opml", "out.yaml"):
        assert newsbeam("feeds", "export", tmp_path / name, "--config", config).code == 0
        listed = newsbeam("feeds", "list", "--feeds", tmp_path / name, "--json")
        assert listed.out == newsbeam("feeds", "list", "--config", config, "--json").out
    assert (
        newsbeam("feeds", "export", "--config", config, "--format", "yaml").out == (tmp_path / "out.yaml").read_text()
    )
    assert newsbeam("feeds", "export", "--config", config).out == (tmp_path / "out.opml").read_text()
    for wrong in (("import", tmp_path / "out.yaml"), ("import", tmp_path / "none.opml"), ("export", "--format", "csv")):
        ran = newsbeam("feeds", *wrong, "--config", config)
        assert ran.code == 2 and len(ran.err.splitlines()) == 1, ran


def test_check_says_what_a_poll_would_do_and_writes_nothing(
    newsbeam: Newsbeam, site: Site, config: Path, tmp_path: Path
) -> None:
    (config / "feeds.yaml").write_text(
        f"feeds:\n  - {{url: '{site.url('/feed')}', id: good}}\n  - {{url: '{site.url('/gone')}', id: gone}}\n"
        f"  - {{url: '{site.url('/off')}', id: off, enabled: false}}\n"
    )
    ran = newsbeam("feeds", "check", "--config", config, "--json")
    assert ran.code == 0 and not (tmp_path / "newsbeam.db").exists()
    good, gone = ran.documents
    assert (good["id"], good["status"], good["format"], good["entries"]) == ("good", "ok", "rss20", 2)
    assert (good["new"], good["changed"], good["unchanged"]) == (2, 0, 0)
    assert good["newest"] == "2026-01-05T10:00:00.000Z"
    assert any(text.startswith("no date: 1 of 2") for text in good["problems"]), good
    assert (gone["status"], gone["reason"]) == ("failed", "http_404")

    assert newsbeam("ingest", "--config", config, "--now", "--json").code == 0
    before = newsbeam("store", "status", "--json").document
    site.routes["/feed"] = rss(item("One!", "/a/1"), item("Two", "/a/2", guid="g2"), item("Three", "/a/3"))
    (good,) = newsbeam("feeds", "check", "good", "--config", config, "--json").documents
    assert (good["new"], good["changed"], good["unchanged"]) == (1, 1, 1)
    assert newsbeam("store", "status", "--json").document == before
    table = newsbeam("feeds", "check", "--config", config)
    assert "http_404" in table.out and "1 of 2 feeds can be read" in table.err
    assert newsbeam("feeds", "check", "gone", "off", "--config", config).code == 1
    wrong = newsbeam("feeds", "check", "god", "--config", config)
    assert wrong.code == 2 and "did you mean 'good'" in wrong.err
