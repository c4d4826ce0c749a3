"""What publishers ask of crawlers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from newsbeam.errors import FetchError
from newsbeam.fetch import Fetcher
from newsbeam.robots import Robots
from newsbeam.settings import FetchSettings
from tests.unit.loopback import Answer, Site, redirect

RULES = """
User-agent: *
Disallow: /private/
Allow: /private/open

User-agent: newsbeam
Disallow: /no-beams/
"""


@pytest.fixture
def robots() -> Iterator[Robots]:
    fetcher = Fetcher(FetchSettings(allow_networks=("127.0.0.0/8",), timeout=5))
    yield Robots(fetcher)
    fetcher.close()


def test_rules_are_kept(robots: Robots) -> None:
    with Site({"/robots.txt": "User-agent: *\nDisallow: /private/\nAllow: /private/open"}) as site:
        assert robots.allowed(site.url("/news/1"))
        assert not robots.allowed(site.url("/private/1?x=y"))
        assert robots.allowed(site.url("/private/open/1"))
        assert len(site.asked("/robots.txt")) == 1


def test_rules_for_us_go_before_rules_for_all(robots: Robots) -> None:
    with Site({"/robots.txt": RULES}) as site:
        assert not robots.allowed(site.url("/no-beams/1"))
        assert robots.allowed(site.url("/private/1"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_no_rules(robots: Robots, status: int) -> None:
    with Site({"/robots.txt": status}) as site:
        assert robots.allowed(site.url("/private/1"))
        assert robots.allowed(site.url("/private/2"))
        assert len(site.requests) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
def test_rules_that_cannot_be_had_allow_nothing(robots: Robots, status: int) -> None:
    with Site({"/robots.txt": Answer(b"", status, {"Retry-After": "90"})}) as site:
        for _ in range(2):
            with pytest.raises(FetchError) as caught:
                robots.allowed(site.url("/news"))
            assert caught.value.reason == f"http_{status}" and "robots.txt" in caught.value.detail
        assert len(site.requests) == 1  # nor is the host asked again for every page


def test_no_connection_allows_nothing(robots: Robots) -> None:
    with Site() as site:
        url = site.url("/news")
    with pytest.raises(FetchError) as caught:
        robots.allowed(url)
    assert caught.value.reason == "refused"


def test_redirects_of_rules(robots: Robots) -> None:
    with Site({"/robots.txt": redirect("/rules"), "/rules": "User-agent: *\nDisallow: /"}) as site:
        assert not robots.allowed(site.url("/news"))
    with Site({"/robots.txt": redirect("/robots.txt")}) as site:
        assert robots.allowed(site.url("/news"))  # RFC 9309, section 2.3.1.2: as if there were none


def test_hosts_and_ports_have_their_own(robots: Robots) -> None:
    rules = "User-agent: *\nDisallow: /"
    with Site({"/robots.txt": rules}, host="127.94.0.1") as closed, Site(host="127.94.0.1") as open_:
        assert not robots.allowed(closed.url("/news"))
        assert robots.allowed(open_.url("/news"))


def test_redirects_of_pages_keep_to_the_rules_of_each_host() -> None:
    fetcher = Fetcher(FetchSettings(allow_networks=("127.0.0.0/8",), timeout=5))
    robots = Robots(fetcher)
    with Site({"/robots.txt": "User-agent: *\nDisallow: /no", "/yes": "text"}) as other, Site() as site:
        site.routes |= {"/a": redirect(other.url("/yes")), "/b": redirect(other.url("/no"))}
        assert fetcher.fetch(site.url("/a"), kind="page", allowed=robots.allowed).body == b"text"
        with pytest.raises(FetchError) as caught:
            fetcher.fetch(site.url("/b"), kind="page", allowed=robots.allowed)
        assert caught.value.reason == "robots" and other.url("/no") in caught.value.detail
        assert [request.path for request in other.requests] == ["/robots.txt", "/yes"]
    fetcher.close()


def test_what_is_past_the_cap_is_not_read(robots: Robots) -> None:
    body = "User-agent: *\nDisallow: /a\n" + "# padding\n" * 60_000 + "Disallow: /b\n"
    with Site({"/robots.txt": body}) as site:
        assert not robots.allowed(site.url("/a"))
        assert robots.allowed(site.url("/b"))


@pytest.mark.parametrize("body", [b"\xff\xfe\0\0", b"<html>none</html>", b"\0" * 99, b"Disallow: /", b"\xef\xbb\xbf"])
def test_nonsense_is_no_rule(robots: Robots, body: bytes) -> None:
    with Site({"/robots.txt": body}) as site:
        assert robots.allowed(site.url("/news"))


def test_threads_ask_once(robots: Robots) -> None:
    started = threading.Barrier(8)

    def ask(url: str) -> bool:
        started.wait(10)
        return robots.allowed(url)

    with Site({"/robots.txt": "User-agent: *\nDisallow: /private"}) as site, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, [site.url("/private")] * 4 + [site.url("/news")] * 4))
        assert answers == [False] * 4 + [True] * 4
        assert len(site.requests) == 1


def test_memory_is_bounded_by_the_sizes_of_the_rules(monkeypatch: pytest.MonkeyPatch, robots: Robots) -> None:
    monkeypatch.setattr("newsbeam.robots._MAX_BYTES", 1_000)
    sites: list[Any] = [Site({"/robots.txt": "#" * size}) for size in (600, 400, 300, 1_001)]
    asked = (0, 1, 0, 2, 0, 1, 3, 3, 2)  # 2 puts 1 out, 1 puts 2 out; 3 is too large to be kept, and puts all out
    for number in asked:
        assert robots.allowed(sites[number].url("/"))
    assert [len(site.requests) for site in sites] == [1, 2, 2, 2]
    for site in sites:
        site.close()


def test_rules_that_are_asked_again_count_once(monkeypatch: pytest.MonkeyPatch, robots: Robots) -> None:
    monkeypatch.setattr("newsbeam.robots._MAX_BYTES", 1_000)
    with Site({"/robots.txt": "#" * 400}) as other, Site({"/robots.txt": "#" * 400}) as site:
        assert robots.allowed(other.url("/"))
        monkeypatch.setattr("newsbeam.robots.KEEP", -1)
        for _ in range(3):
            assert robots.allowed(site.url("/"))
        assert robots.allowed(other.url("/"))
        assert [len(other.requests), len(site.requests)] == [1, 3]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, robots: Robots) -> None:
    monkeypatch.setattr("newsbeam.robots._MAX_HOSTS", 2)
    sites: list[Any] = [Site({"/robots.txt": ""}) for _ in range(3)]
    for site in sites:
        assert robots.allowed(site.url("/"))
    robots.allowed(sites[2].url("/"))
    robots.allowed(sites[0].url("/"))  # was dropped
    assert [len(site.requests) for site in sites] == [2, 1, 1]
    for site in sites:
        site.close()
