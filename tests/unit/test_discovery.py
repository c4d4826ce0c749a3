"""The feed of a site."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from newsbeam.discovery import find_feed, named_feeds
from newsbeam.errors import FeedError, ReadError
from newsbeam.feeds import ParsedFeed, parse_feed
from newsbeam.fetch import Fetcher
from newsbeam.settings import FetchSettings
from tests.unit.loopback import Route, Site, redirect

RSS = "<rss version='2.0'><channel><title>T</title><item><title>One</title><link>/1</link></item></channel></rss>"
EMPTY = "<rss version='2.0'><channel><title>T</title></channel></rss>"
PAGE = "<!doctype html><html><head>{}</head><body><p>News</p></body></html>"


def link(href: str, kind: str = "application/rss+xml", **more: str) -> str:
    rest = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<link rel="alternate" type="{kind}" href="{href}"{rest}>'


@pytest.fixture(scope="module")
def fetcher() -> Iterator[Fetcher]:
    fetcher = Fetcher(FetchSettings(allow_networks=("127.0.0.0/8",), timeout=5))
    yield fetcher
    fetcher.close()


def parse(body: bytes, url: str, content_type: str) -> ParsedFeed:
    return parse_feed(body, url=url, content_type=content_type, now=1_800_000_000_000)


@pytest.mark.parametrize(
    ("routes", "path", "found"),
    [
        ({"/f": RSS}, "/f", "/f"),
        ({"/f": EMPTY}, "/f", "/f"),
        ({"/": PAGE.format(link("/f")), "/f": RSS}, "/", "/f"),
        ({"/": PAGE.format(link("/gone") + link("/e") + link("/f")), "/e": EMPTY, "/f": RSS}, "/", "/f"),
        ({"/": PAGE.format(link("/comments/feed") + link("/f")), "/comments/feed": RSS, "/f": RSS}, "/", "/f"),
        ({"/": PAGE.format(link("/f", "application/feed+json")), "/f": '{"version": "https://jsonfeed.org/version/1",'
          '"items": [{"id": "1"}]}'}, "/", "/f"),
        ({"/": PAGE.format(""), "/rss.xml": RSS}, "/", "/rss.xml"),
        ({"/a/b": PAGE.format(""), "/feed": RSS}, "/a/b", "/feed"),
        ({"/": 403, "/feed": RSS}, "/", "/feed"),
        ({"/": PAGE.format(link("/e")), "/e": EMPTY}, "/", "/e"),
        ({"/": redirect("/de/"), "/de/": PAGE.format(link("feed")), "/de/feed": RSS}, "/", "/de/feed"),
    ],
)  # fmt: skip
def test_a_feed_is_found(fetcher: Fetcher, routes: dict[str, Route], path: str, found: str) -> None:
    with Site(routes) as site:
        feed = find_feed(site.url(path), fetch=lambda url: fetcher.fetch(url, kind="feed"), parse=parse)
        assert feed.url == site.url(found) and feed.parsed.version


@pytest.mark.parametrize(
    ("routes", "reason"),
    [
        ({"/": PAGE.format("")}, "no_feed"),
        ({"/": 404}, "no_feed"),
        ({"/": PAGE.format(link("http://192.168.0.1/feed"))}, "no_feed"),
        ({"/": '<!DOCTYPE r [<!ENTITY a "b">]><rss version="2.0"><channel/></rss>'}, "xml_entities"),
        ({"/": ""}, "empty"),
    ],
)
def test_no_feed_is_found(fetcher: Fetcher, routes: dict[str, Route], reason: str) -> None:
    with Site(routes) as site, pytest.raises(FeedError) as caught:
        find_feed(site.url("/"), fetch=lambda url: fetcher.fetch(url, kind="feed"), parse=parse)
    assert caught.value.reason == reason and len(site.requests) < 15


@pytest.mark.parametrize(
    ("address", "reason"),
    [("http://127.77.200.1:9/", "refused"), ("10.0.0.1", "private_network"), ("http://", "bad_url")],
)
def test_a_host_that_is_not_there_is_asked_once(fetcher: Fetcher, address: str, reason: str) -> None:
    asked = []

    def fetch(url: str) -> object:
        asked.append(url)
        return fetcher.fetch(url, kind="feed")

    with pytest.raises(ReadError) as caught:
        find_feed(address, fetch=fetch, parse=parse)  # type: ignore[arg-type]
    assert caught.value.reason == reason and len(asked) == 1


def test_what_a_page_names() -> None:
    page = PAGE.format(
        '<base href="https://b.example/x/">'
        + link("comments.xml", title="Comments") + link("a", "APPLICATION/ATOM+XML; charset=utf-8")
        + link("//c.example/r", "application/rdf+xml") + link("javascript:alert(1)") + link("a")
        + link("/p", "text/html")
        + link("/wp-json/wp/v2/posts/1", "application/json")
        + '<link rel="stylesheet" type="application/rss+xml" href="/s"><link rel="alternate" href="/t">'
    )  # fmt: skip
    assert named_feeds(page.encode(), "https://a.example/") == [
        "https://b.example/x/a", "https://c.example/r", "https://b.example/x/comments.xml",
    ]  # fmt: skip
    for odd in (b"", b"\0\0", b"<", b"no page at all", b"<html>" * 5_000):
        assert named_feeds(odd, "https://a.example/") == []
