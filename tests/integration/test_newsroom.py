"""The sample newsroom by itself: what it serves, and that what it says about its articles is true."""

from __future__ import annotations

import gzip
import json
import re
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import httpx
import py3langid
import pytest
import yaml

from examples.newsroom import Article, Newsroom
from examples.newsroom.content import COPY_KINDS, load_articles, load_publishers, parse_offset, parse_text

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TOPICS = set(
    re.findall(
        r"[a-z-]+",
        "indo-pacific-partnership taiwan-strait south-china-sea korean-peninsula nuclear-and-missiles cyber space "
        "arms-trade sanctions ukraine-war middle-east-conflict nato asean aukus quad us-china-relations diplomacy "
        "elections climate energy semiconductors trade economy migration human-rights terrorism disasters health "
        "crime sport",
    )
)
PUBLISHERS, _ = load_publishers()
ARTICLES = load_articles(START)
LAST = load_articles(START, 99)
CORRECTED = [article.id for article in LAST if article.note]


@pytest.fixture(scope="module")
def newsroom() -> Iterator[Newsroom]:
    with Newsroom(START) as running:
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as made:
        yield made


def read_feed(body: bytes, content_type: str) -> list[dict[str, Any]]:
    """A feed's entries: id, link, title, published (a datetime), text (content, else summary)."""
    if "json" in content_type:
        items = json.loads(body)["items"]
        return [
            {
                "link": item["url"],
                "title": item["title"],
                "published": datetime.fromisoformat(item["date_published"]),
                "updated": datetime.fromisoformat(item.get("date_modified", item["date_published"])),
                "text": item.get("content_html") or item["content_text"],
            }
            for item in items
        ]
    parsed = feedparser.parse(body)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return [
        {
            "link": entry.link,
            "title": entry.title,
            "published": _date(entry, "published_parsed", "created_parsed", "updated_parsed"),
            "updated": _date(entry, "updated_parsed", "published_parsed"),
            "text": entry.content[0].value if "content" in entry else entry.summary,
        }
        for entry in parsed.entries
    ]


def _date(entry: Any, *names: str) -> datetime:
    """The first date an entry has: dc:date arrives as `updated`, and feedparser warns where a stand-in is asked for."""
    return datetime(*entry[next(name for name in names if name in entry)][:6], tzinfo=UTC)


def feeds_of(newsroom: Newsroom) -> list[dict[str, Any]]:
    return list(yaml.safe_load(newsroom.feeds_yaml())["feeds"])


def publisher_of(url: str) -> str:
    """The id of the publisher at an address."""
    return next(publisher.id for publisher in PUBLISHERS.values() if publisher.host == httpx.URL(url).host)


def expected_titles(newsroom: Newsroom, url: str) -> list[str]:
    """The titles a feed must have, newest first."""
    publisher, spec = next(
        (publisher, spec)
        for publisher in PUBLISHERS.values()
        for spec in publisher.feeds
        if url == f"http://{publisher.host}:{newsroom.port}{spec.path}"
    )
    return [
        article.title
        for article in newsroom.articles
        if article.publisher == publisher.id and (spec.sections is None or article.section in spec.sections)
    ]


def shingles(article: Article) -> set[str]:
    """Runs of five words, or of ten characters in Japanese, which has no spaces."""
    if article.language == "ja":
        text = re.sub(r"\W", "", article.text)
        return {text[index : index + 10] for index in range(len(text) - 9)}
    words = re.findall(r"\w+", article.text.lower())
    return {" ".join(words[index : index + 5]) for index in range(len(words) - 4)}


def containment(first: set[str], second: set[str]) -> float:
    return len(first & second) / min(len(first), len(second))


# --- feeds and pages ---------------------------------------------------------------------------------------------


def test_every_feed_has_its_entries_with_their_dates(newsroom: Newsroom, client: httpx.Client) -> None:
    published = {(article.publisher, article.title): article.published_at for article in newsroom.articles}
    for feed in feeds_of(newsroom):
        response = client.get(feed["url"])
        entries = read_feed(response.content, response.headers["content-type"])
        assert [entry["title"] for entry in entries] == expected_titles(newsroom, feed["url"]), feed["url"]
        publisher = publisher_of(feed["url"])
        for entry in entries:
            assert entry["published"] == published[publisher, entry["title"]], entry["link"]


def test_every_link_leads_to_its_page(newsroom: Newsroom, client: httpx.Client) -> None:
    by_publisher_title = {(article.publisher, article.title): article for article in newsroom.articles}
    for feed in feeds_of(newsroom):
        response = client.get(feed["url"])
        for entry in read_feed(response.content, response.headers["content-type"]):
            article = by_publisher_title[publisher_of(feed["url"]), entry["title"]]
            page = client.get(entry["link"], follow_redirects=True)
            assert page.status_code == (404 if article.page == "missing" else 200), article.id
            if article.page == "missing":
                continue
            assert f'<link rel="canonical" href="{article.url}">' in page.text, article.id
            assert 'property="og:title"' in page.text, article.id
            shown = [paragraph in _plain(page.text) for paragraph in article.paragraphs]
            assert all(shown) is (article.page != "teaser"), article.id


def _plain(html: str) -> str:
    import html as html_module

    return html_module.unescape(re.sub(r"<[^>]+>", "", html))


def test_where_a_page_lacks_the_text_the_feed_has_it(newsroom: Newsroom, client: httpx.Client) -> None:
    lacking = [article for article in newsroom.articles if article.page in ("teaser", "missing")]
    texts = defaultdict(str)
    for feed in feeds_of(newsroom):
        response = client.get(feed["url"])
        for entry in read_feed(response.content, response.headers["content-type"]):
            texts[publisher_of(feed["url"]), entry["title"]] += _plain(entry["text"])
    assert {article.page for article in lacking} == {"teaser", "missing"}
    for article in lacking:
        text = texts[article.publisher, article.title]
        assert all(paragraph in text for paragraph in article.paragraphs), article.id


def test_front_pages_name_their_feeds(newsroom: Newsroom, client: httpx.Client) -> None:
    for publisher in PUBLISHERS.values():
        page = client.get(f"http://{publisher.host}:{newsroom.port}/").text
        for spec in publisher.feeds:
            assert re.search(rf'<link rel="alternate" type="[^"]+" title="[^"]+" href="{re.escape(spec.path)}">', page)


def test_robots_txt(newsroom: Newsroom, client: httpx.Client) -> None:
    disallowed = {article.publisher for article in ARTICLES if article.page == "disallowed"}
    for publisher in PUBLISHERS.values():
        text = client.get(f"http://{publisher.host}:{newsroom.port}/robots.txt").text
        assert text.startswith("User-agent: *\nDisallow:")
        assert (text != "User-agent: *\nDisallow:\n") is bool(publisher.disallow)
    for article in ARTICLES:
        blocked = article.path.startswith(PUBLISHERS[article.publisher].disallow or ("\0",))
        assert blocked is (article.page == "disallowed"), article.id
    assert disallowed <= {publisher.id for publisher in PUBLISHERS.values() if publisher.disallow}


def test_unknown_addresses_are_404_and_pictures_are_pictures(newsroom: Newsroom, client: httpx.Client) -> None:
    with_picture = next(article for article in newsroom.articles if article.image)
    base = str(httpx.URL(with_picture.url).join("/"))
    picture = client.get(f"{base}media/{with_picture.number}.png")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert client.get(f"{base}nothing-here").status_code == 404


# --- HTTP manners ------------------------------------------------------------------------------------------------


def test_revalidation_answers_304(newsroom: Newsroom, client: httpx.Client) -> None:
    pages = [article.url for article in newsroom.articles if article.page != "missing"]
    for url in [feed["url"] for feed in feeds_of(newsroom)] + pages:
        first = client.get(url)
        by_tag = client.get(url, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
        by_date = client.get(url, headers={"If-Modified-Since": first.headers["last-modified"]})
        assert (by_tag.status_code, by_tag.content) == (304, b""), url
        assert (by_date.status_code, by_date.content) == (304, b""), url
        # an entity tag goes before a date
        both = {"If-None-Match": '"other"', "If-Modified-Since": first.headers["last-modified"]}
        assert client.get(url, headers=both).status_code == 200, url
        assert client.get(url, headers={"If-Modified-Since": "no date"}).status_code == 200, url


def test_gzip_only_where_accepted_and_head_has_no_body(newsroom: Newsroom, client: httpx.Client) -> None:
    url = feeds_of(newsroom)[0]["url"]
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with client.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as response:
        raw = b"".join(response.iter_raw())
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["etag"] == plain.headers["etag"]
    assert gzip.decompress(raw) == plain.content
    head = client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(raw)
    parts = httpx.URL(url)
    with socket.create_connection((parts.host, newsroom.port), timeout=5) as connection:  # clients would hide a body
        connection.sendall(f"HEAD {parts.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert b"".join(iter(lambda: connection.recv(65536), b"")).endswith(b"\r\n\r\n")


def test_requests_are_counted_by_path(client: httpx.Client) -> None:
    with Newsroom(START, ["ledger"]) as newsroom:
        feed = feeds_of(newsroom)[0]["url"]
        client.get(feed)
        client.get(feed + "?utm_source=x")
        client.get(str(httpx.URL(feed).join("/robots.txt")))
        assert newsroom.requests == {"ledger/atom.xml": 2, "ledger/robots.txt": 1}
        assert {article.publisher for article in newsroom.articles} == {"ledger"}


# --- steps -------------------------------------------------------------------------------------------------------


def test_a_correction_shows_in_page_and_feed(client: httpx.Client) -> None:
    with Newsroom(START) as newsroom:
        assert len(CORRECTED) >= 1
        before = {article.id: article for article in newsroom.articles}
        pages = {article.url: client.get(article.url) for article in newsroom.articles}
        feeds = {feed["url"]: client.get(feed["url"]) for feed in feeds_of(newsroom)}
        newsroom.publish(newsroom.steps)
        for article in newsroom.articles:
            if article.id not in before:
                continue
            old, page = pages[article.url], client.get(article.url)
            if article.page == "missing":
                continue
            assert (old.headers["etag"] != page.headers["etag"]) or article.id not in CORRECTED
            if article.id not in CORRECTED:
                continue
            assert before[article.id].text != article.text
            assert (article.url, article.published_at) == (before[article.id].url, before[article.id].published_at)
            assert article.note and article.note in _plain(page.text)
            assert old.headers["last-modified"] != page.headers["last-modified"]
            assert article.updated_at > article.published_at
            revalidated = client.get(article.url, headers={"If-None-Match": old.headers["etag"]})
            assert revalidated.status_code == 200
        updates = defaultdict(set)
        for url, old in feeds.items():
            response = client.get(url)
            for entry in read_feed(response.content, response.headers["content-type"]):
                updates[publisher_of(url), entry["title"]].add(entry["updated"])
            titles = set(expected_titles(newsroom, url))
            changed = {article.title for article in newsroom.articles if article.note} & titles
            if changed:
                assert old.headers["etag"] != response.headers["etag"], url
                assert old.headers["last-modified"] != response.headers["last-modified"], url
        for article in newsroom.articles:
            if article.note:
                assert updates[article.publisher, article.title] == {article.updated_at}, article.id


def test_pages_without_a_change_stay_byte_for_byte(client: httpx.Client) -> None:
    with Newsroom(START, ["dispatch"]) as newsroom:
        unchanged = [article.url for article in newsroom.articles if article.id not in CORRECTED]
        before = [client.get(url).headers["last-modified"] for url in unchanged]
        newsroom.publish(1)
        assert [client.get(url).headers["last-modified"] for url in unchanged] == before


def test_the_same_start_gives_the_same_bytes(client: httpx.Client) -> None:
    with Newsroom(START) as newsroom:
        port = newsroom.port
        urls = [feed["url"] for feed in feeds_of(newsroom)] + [article.url for article in newsroom.articles]
        first = [client.get(url).content for url in urls]
        newsroom.publish(1)
        later = [client.get(url).content for url in urls]
    with pytest.raises(httpx.TransportError):  # also on connections that were open
        client.get(urls[0])
    with Newsroom(START, port=port) as newsroom:
        assert [client.get(url).content for url in urls] == first
        newsroom.publish(1)
        assert [client.get(url).content for url in urls] == later
    assert first != later
    assert {article.id: article.number for article in ARTICLES}[
        "courier/filipinas-beat-vietnam-to-reach-final"
    ] == 998767


def test_no_date_is_in_the_future_and_all_are_recent() -> None:
    for article in load_articles(START, 9):
        assert START - timedelta(days=8) < article.published_at <= article.updated_at <= START, article.id


def test_stop_frees_the_port_and_hosts_are_loopback() -> None:
    newsroom = Newsroom(START)
    with pytest.raises(RuntimeError, match="not started"):
        newsroom.publish(1)
    with newsroom:
        for publisher in PUBLISHERS.values():
            assert publisher.host.startswith("127.20.")
            socket.create_connection((publisher.host, newsroom.port), timeout=5).close()
        with pytest.raises(OSError):  # bound to their own addresses, not to all
            socket.create_connection(("127.0.0.1", newsroom.port), timeout=5)
    with pytest.raises(OSError):
        socket.create_connection((PUBLISHERS["courier"].host, newsroom.port), timeout=5)


def test_unknown_publishers_are_refused() -> None:
    with pytest.raises(ValueError, match="nobody"):
        Newsroom(publishers=["nobody"])


def test_the_module_serves_by_hand(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.yaml"
    command = [sys.executable, "-u", "-m", "examples.newsroom", "--port", "0", "--feeds", str(feeds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdin
        try:
            lines = [process.stdout.readline() for _ in range(len(PUBLISHERS) + 1)]
            assert str(feeds) in lines[-1]
            url = yaml.safe_load(feeds.read_text(encoding="utf-8"))["feeds"][0]["url"]
            assert httpx.get(url, trust_env=False).status_code == 200
            process.stdin.write("\n")
            process.stdin.flush()
            while "Step 1" not in (line := process.stdout.readline()):
                assert line
        finally:
            process.terminate()


both_ends = pytest.mark.parametrize("articles", [ARTICLES, LAST], ids=["first", "last"])


# --- the articles themselves -------------------------------------------------------------------------------------


@both_ends
def test_texts_are_distinct_and_copies_are_copies(articles: list[Article]) -> None:
    by_id = {article.id: article for article in articles}
    grams = {article.id: shingles(article) for article in articles}
    family = {article.id: article.copy_of or article.id for article in articles}
    for index, first in enumerate(articles):
        for second in articles[index + 1 :]:
            if (first.language == "ja") is not (second.language == "ja"):
                continue
            share = containment(grams[first.id], grams[second.id])
            if family[first.id] == family[second.id]:
                assert share > 0.5, (first.id, second.id, share)
            else:
                assert share < 0.3, (first.id, second.id, share)
    for article in articles:
        assert (article.copy_of is None) is (article.copy_kind is None), article.id
        if article.copy_of:
            original = by_id[article.copy_of]
            assert article.copy_kind in COPY_KINDS
            assert article.publisher != original.publisher
            assert article.event == original.event is not None, article.id  # a copy is of the same story
            assert article.published_at > original.published_at
            assert (article.title != original.title) or article.copy_kind != "new-headline", article.id
            assert (len(article.text) < len(original.text)) or article.copy_kind != "shortened", article.id
            assert (article.text == original.text) or article.copy_kind not in ("whole", "new-headline"), article.id


@both_ends
def test_languages_are_as_declared(articles: list[Article]) -> None:
    for article in articles:
        assert py3langid.classify(article.text)[0] == article.language, article.id


@both_ends
def test_no_article_is_too_short(articles: list[Article]) -> None:
    for article in articles:
        size, least = (len(article.text), 200) if article.language in ("ja", "ko") else (len(article.text.split()), 80)
        assert size >= least, (article.id, size)
        assert article.summary and article.title and article.authors, article.id
        assert article.summary not in article.text, article.id


@both_ends
def test_topics_are_those_of_the_notes(articles: list[Article]) -> None:
    for article in articles:
        assert set(article.topics) <= TOPICS, article.id
        assert len(set(article.topics)) == len(article.topics)
    assert {topic for article in articles for topic in article.topics} == TOPICS
    assert sum("indo-pacific-partnership" in article.topics for article in articles) >= 20


@both_ends
def test_events_are_covered_by_several_publishers(articles: list[Article]) -> None:
    events = defaultdict(set)
    for article in articles:
        if article.event:
            events[article.event].add(article.publisher)
    assert sum(len(publishers) >= 3 for publishers in events.values()) >= 7
    assert all(len(publishers) >= 2 for publishers in events.values()), events


def test_offsets_and_texts_are_parsed() -> None:
    assert parse_offset("-2d3h20m") == -timedelta(days=2, hours=3, minutes=20)
    for wrong in ("-", "", "3h", "-5m", "-1w"):
        with pytest.raises(ValueError):
            parse_offset(wrong)
    blocks = (("p", "one two"), ("h2", "Three"), ("quote", "four five"))
    assert parse_text("one\ntwo\n\n## Three\n\n> four\nfive", "en") == blocks
    assert parse_text("一\n二", "ja") == (("p", "一二"),)
