"""Reading an article: the page, else the feed's text, else a failure with its route."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from newsbeam import identity
from newsbeam.errors import ExtractError, FetchError
from newsbeam.extract import clean_text, extract_page
from newsbeam.fetch import Fetched
from newsbeam.pool import PoolError
from newsbeam.reading import MAX_BUSY, MAX_TRIES, Tools, read_article
from newsbeam.records import Draft, Entry, EntryRow, Failure, Feed, Source

NOW = 1_790_000_000_000
FEED = Feed("f", "http://a.example/feed", "F", Source("a", "A", "a.example", "jp"), language="en")
LINK = "http://a.example/news/radar-pact?utm_source=rss"
ENTRY = Entry("k", guid="k", link=LINK, title="Radar pact signed in Manila", summary="What the feed says.")
PAGE = """<!doctype html><html lang="en"><head><title>Radar pact signed in Manila | A</title>
<link rel="canonical" href="http://a.example/news/radar-pact"></head><body><article>
<h1>Radar pact signed in Manila</h1><p>The ministers of three countries met on Monday and signed a radar pact.</p>
<p>They will meet again in spring, when the pact is to be reviewed by all sides together.</p></article></body></html>"""


def row(entry: Entry = ENTRY, **fields: Any) -> EntryRow:
    return EntryRow("r", fields.pop("feed", FEED), 1, fields.pop("kind", "entry"), 0, "h", entry, NOW, NOW, **fields)


def tools(page: str | Exception = PAGE, *, url: str = LINK) -> Tools:
    def fetch_page(_: str) -> Fetched:
        if isinstance(page, Exception):
            raise page
        return Fetched(url, 200, {"content-type": "text/html"}, page.encode(), False)

    return Tools(
        fetch_page,
        lambda body, url, content_type, title: extract_page(body, url=url, content_type=content_type, title_hint=title),
        lambda text, title: clean_text(text, title=title),
    )


def draft(result: Draft | Failure) -> Draft:
    assert isinstance(result, Draft), result
    return result


def failure(result: Draft | Failure) -> Failure:
    assert isinstance(result, Failure), result
    return result


def test_the_pages_text_under_its_canonical_address() -> None:
    article = draft(read_article(row(), tools(), read_at=NOW)).article
    assert article.text_from == "page" and article.body.startswith("The ministers of three")
    assert article.canonical_url == "http://a.example/news/radar-pact"
    assert article.id == identity.url_id("http://a.example/news/radar-pact")
    assert article.url == "http://a.example/news/radar-pact"  # tracking is gone
    assert article.summary == "What the feed says." and article.source.country == "jp"


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (FetchError("http_404"), "http_404"),
        (FetchError("dns"), "dns"),
        (PAGE.replace("adar", "X").replace("Manila", "Y").replace("pact", "Z").replace("igned", "Q"), "other_page"),
        ("<html><body></body></html>", "no_text"),
        ("", "empty"),
    ],
)
def test_without_the_page_the_feeds_text_and_the_reason(page: str | Exception, reason: str) -> None:
    result = draft(read_article(row(), tools(page), read_at=NOW))
    assert result.article.text_from == "feed" and result.article.extraction.reason == reason
    assert result.article.id == identity.url_id(LINK)


def test_robots_and_full_text_off_leave_the_feeds_text() -> None:
    assert draft(read_article(row(), tools(FetchError("robots")), read_at=NOW)).article.extraction.reason == "robots"
    off = row(feed=FEED._replace(full_text=False))
    assert draft(read_article(off, tools(RuntimeError("fetched")), read_at=NOW)).article.text_from == "feed"


def test_a_consent_page_does_not_lend_its_address() -> None:
    consent = "<html><head><link rel=canonical href='http://a.example/consent'></head><body><p>"
    consent += "We value your privacy and use cookies to make our site work for you. " * 5 + "</p></body></html>"
    article = draft(read_article(row(), tools(consent, url="http://a.example/consent"), read_at=NOW)).article
    assert article.id == identity.url_id(LINK) and article.url == identity.canonicalize_url(LINK)


@pytest.mark.parametrize(
    ("error", "fields", "route"),
    [
        (FetchError("http_429", "", 30.0), {}, "busy"),
        (FetchError("http_429", "", 30.0), {"busy": MAX_BUSY}, None),
    ],
)
def test_busy_hosts_are_asked_again_and_then_left(
    error: FetchError, fields: dict[str, int], route: Optional[str]
) -> None:
    result = read_article(row(**fields), tools(error), read_at=NOW)
    if route:
        assert (failure(result).route, failure(result).retry_after) == (route, 30.0)
    else:
        assert draft(result).article.text_from == "feed"


@pytest.mark.parametrize(
    ("error", "tries", "route"),
    [
        (FetchError("timeout"), 0, "later"),
        (FetchError("timeout"), MAX_TRIES, "never"),
        (FetchError("http_404"), 0, "never"),
        (FetchError("http_429"), 0, "busy"),
    ],
)
def test_an_entry_without_text_depends_on_its_page(error: FetchError, tries: int, route: str) -> None:
    bare = Entry("k", link=LINK)
    assert failure(read_article(row(bare, tries=tries), tools(error), read_at=NOW)).route == route


def test_nothing_at_all_is_a_failure() -> None:
    found = failure(read_article(row(Entry("k")), tools(), read_at=NOW))
    assert (found.route, found.reason) == ("never", "no_link")


@pytest.mark.parametrize(("overran", "reason"), [(True, "extract_timeout"), (False, "extract_died")])
def test_a_death_in_extraction_is_a_failure(overran: bool, reason: str) -> None:
    def die(*_: Any) -> Any:
        raise PoolError(overran, "x")

    found = failure(read_article(row(), tools()._replace(extract=die), read_at=NOW))
    assert (found.route, found.reason) == ("never", reason)


def test_backfilled_text_is_cleaned_and_no_host_is_asked() -> None:
    text = "Radar pact signed in Manila\n\nThe ministers met on Monday and signed a radar pact, officials said.\n"
    entry = Entry("k", link=LINK, text=text + "\nThey meet again in spring to review it all together.")
    article = draft(read_article(row(entry, kind="backfill"), tools(RuntimeError("fetched")), read_at=NOW)).article
    assert article.title == "Radar pact signed in Manila" and article.text_from == "page"
    assert article.body.startswith("The ministers met")


@pytest.mark.parametrize(
    ("published", "link", "expected"),
    [
        ("2026-01-02T03:04:05.000Z", "http://a.example/2025/12/31/x", ("2026-01-02T03:04:05.000Z", "feed")),
        (None, "http://a.example/2025/12/31/x", ("2025-12-31T00:00:00.000Z", "url")),
        (None, "http://a.example/x", (None, "none")),
        ("2099-01-01T00:00:00.000Z", "http://a.example/x", (None, "none")),
    ],
)
def test_when_it_was_published_and_who_says_so(
    published: Optional[str], link: str, expected: tuple[Optional[str], str]
) -> None:
    entry = Entry("k", link=link, title="A title of some words", published_at=published)
    article = draft(read_article(row(entry), tools(ExtractError("empty")), read_at=NOW)).article
    assert (article.published_at, article.published_from) == expected
    assert article.timestamp == (expected[0] or "2026-09-21T14:13:20.000Z")
