"""Thousands of documents through the whole path, each a publisher of its own on loopback, their pages missing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml

from newsbeam.errors import FeedError
from newsbeam.feeds import ParsedFeed, parse_feed
from newsbeam.records import now_ms
from tests.integration.conftest import Newsbeam, balances
from tests.integration.test_real_feeds import _ADDRESS
from tests.quality.test_feedparser_suite import read_case

TYPES = {".json": "application/json", ".html": "text/html", ".atom": "application/atom+xml"}


class Document(NamedTuple):
    """A feed as it is served: its headers, and its body with every address it gives leading back to its own host."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    def read(self) -> ParsedFeed | FeedError:
        try:
            return parse_feed(self.body, url=self.url, content_type=self.headers["content-type"], now=now_ms())
        except FeedError as error:
            return error


@contextmanager
def publishers(documents: Mapping[str, tuple[bytes, Mapping[str, str]]]) -> Iterator[dict[str, Document]]:
    """Serves each document at /feed of a loopback address of its own, all from one socket; other paths are 404."""
    served: dict[str, Document] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            document = served.get(self.headers.get("Host", "")) if self.path == "/feed" else None
            body = document.body if document else b""
            self.send_response(200 if document else 404)
            for name, value in (document.headers if document else {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")  # thousands of hosts: none needs its connection twice
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 128

        def verify_request(self, request: Any, client_address: Any) -> bool:
            return str(client_address[0]).startswith("127.")

    server = Server(("0.0.0.0", 0), Handler)
    by_name = {}
    for number, (name, (body, headers)) in enumerate(documents.items()):
        host = f"127.99.{number // 250}.{number % 250 + 1}:{server.server_port}"
        base = f"http://{host}/".encode()
        local = _ADDRESS.sub(lambda found, base=base: found[0] if found[1] else base + found[2], body)
        by_name[name] = served[host] = Document(f"http://{host}/feed", headers, local)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield by_name
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def leads_away(document: Document, read: ParsedFeed | FeedError) -> bool:
    """Whether a link of it, in an encoding that could not be rewritten, leads to a real publisher: no test asks one."""
    host = urlsplit(document.url).netloc
    links = () if isinstance(read, FeedError) else (entry.link for entry in read.entries)
    return any(link and urlsplit(link).netloc != host for link in links)


def run_all(documents: Mapping[str, Document], newsbeam: Newsbeam, directory: Path) -> dict[str, Any]:
    """Ingests all documents, then again: every entry is accounted for, and the second time there is nothing to do."""
    read = {name: document.read() for name, document in documents.items()}
    file = directory / "feeds.yaml"
    feeds = [
        {"url": document.url, "id": name, "full_text": not leads_away(document, read[name])}
        for name, document in documents.items()
    ]
    file.write_text(yaml.safe_dump({"feeds": feeds}))

    ran = newsbeam("ingest", "--feeds", file, "--json")
    assert ran.code in (0, 1) and "Traceback" not in ran.err, ran.err[-3000:]
    line = ran.document
    assert balances(line) and line["inbox"] == 0 and line["feeds"] == len(documents)
    failures = Counter(result.reason for result in read.values() if isinstance(result, FeedError))
    parsed = {name: result for name, result in read.items() if isinstance(result, ParsedFeed)}
    assert line["feed_failures"] == failures
    assert line["seen"] == sum(len(feed.entries) + feed.truncated + feed.unreadable for feed in parsed.values())
    assert not {"internal_error", "extract_died", "annotate_died"} & set(line["outcomes"]["failed"])

    stored = newsbeam("export").documents
    assert len(stored) == line["outcomes"]["new"]
    titles = {name: {entry.title for entry in feed.entries} for name, feed in parsed.items()}
    assert all(document["title"] in titles[document["feeds"][0]["id"]] for document in stored)
    assert newsbeam("store", "check").code == 0

    again = newsbeam("ingest", "--feeds", file, "--now", "--json").document
    outcomes = again["outcomes"]
    assert balances(again) and (outcomes["new"], outcomes["revised"], outcomes["failed"]) == (0, 0, {}), again
    assert again["feed_failures"] == failures
    assert newsbeam("store", "check").code == 0
    print(line, again, sep="\n")
    print(f"{sum(not feed['full_text'] for feed in feeds)} of {len(feeds)} with links that could not be rewritten")
    return line


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_feedparsers_suite_each_document_a_source(shared_data: Path, newsbeam: Newsbeam, tmp_path: Path) -> None:
    root = shared_data / "suites" / "feedparser"
    paths = sorted(path for path in root.rglob("*") if path.suffix in (".xml", ".json"))
    cases = [read_case(path, path.relative_to(root)) for path in paths]
    documents = {case.name.replace("/", "."): (case.body, case.headers) for case in cases}
    with publishers(documents) as served:
        line = run_all(served, newsbeam, tmp_path)
    assert line["feeds"] >= 2_000
    assert sum(line["feed_failures"].values()) <= 20


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_captured_file_a_source(shared_data: Path, newsbeam: Newsbeam, tmp_path: Path) -> None:
    """Feeds in every state of repair, and files that are none."""
    root = shared_data / "feeds"
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    documents = {
        f"{number}.{path.stem}"[:120]: (path.read_bytes(), {"content-type": TYPES.get(path.suffix, "text/xml")})
        for number, path in enumerate(paths)
    }
    with publishers(documents) as served:
        line = run_all(served, newsbeam, tmp_path)
    assert line["feeds"] >= 300
    assert line["seen"] >= 4_000
