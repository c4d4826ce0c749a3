"""The newsroom itself: starts and stops the publishers' servers, and moves them from step to step.

with Newsroom() as newsroom:
    Path("feeds.yaml").write_text(newsroom.feeds_yaml())
    ...                       # newsbeam ingest --feeds feeds.yaml
    newsroom.publish(1)       # corrections appear, new articles too
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import yaml

from examples.newsroom.content import Article, Publisher, load_articles, load_files, load_publishers
from examples.newsroom.site import Answer, http_date, place, render_site

_QUERY_THAT_COUNTS = ("id", "idxno")
_BIND_TRIES = 20


class Newsroom:
    """The sample publishers, each on a loopback address of its own, all on one port.

    Args:
        start: what the articles' dates are relative to; now by default. The same start, step and port give the
            same bytes.
        publishers: ids of those to run, all by default; copies of a wire text stay even where the wire is left out.
        port: 0 takes a free one.

    Attributes:
        port: the port, known once started.
        requests: how often each address was asked for, keyed `publisher/path`, tracking parameters left out.
    """

    def __init__(self, start: datetime | None = None, publishers: Sequence[str] | None = None, port: int = 0) -> None:
        known, self._labels = load_publishers()
        unknown = set(publishers or ()) - set(known)
        if unknown:
            raise ValueError(f"no such publisher: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        chosen = known if publishers is None else publishers
        self.publishers: dict[str, Publisher] = {name: known[name] for name in known if name in chosen}
        self.start_at = (start or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
        self.port = port
        self.step = 0
        self.requests: Counter[str] = Counter()
        self._articles: list[Article] = []
        self._sites: dict[str, Mapping[str, Answer]] = {}
        self._servers: list[ThreadingHTTPServer] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self) -> Newsroom:
        """Binds every publisher's address and serves step 0. Raises OSError where an address can't be bound."""
        self._servers = self._bind()
        self.port = self._servers[0].server_port
        self.publish(self.step)
        for server in self._servers:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self) -> None:
        """Ends the servers; the newsroom may be started again and keeps its port."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()
        self._servers, self._threads = [], []

    def __enter__(self) -> Newsroom:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def publish(self, step: int) -> None:
        """Moves all publishers to a step: corrections and new articles appear in pages and feeds."""
        if not self.port:
            raise RuntimeError("the newsroom is not started, so its addresses are not known")
        everything = load_articles(self.start_at, step)
        articles: list[Article] = []
        sites: dict[str, Mapping[str, Answer]] = {}
        for publisher in self.publishers.values():
            base = f"http://{publisher.host}:{self.port}"
            own = place([article for article in everything if article.publisher == publisher.id], base)
            sites[publisher.id] = render_site(publisher, own, base, self._labels)
            articles += own
        order = {article.id: index for index, article in enumerate(everything)}
        self.step, self._sites = step, sites
        self._articles = sorted(articles, key=lambda article: order[article.id])

    @property
    def articles(self) -> list[Article]:
        """What is published at the current step, newest first, with the truth about each."""
        return list(self._articles)

    @property
    def steps(self) -> int:
        """The last step at which something changes."""
        return max(int(step) for item in load_files() for step in (item.get("appears", 0), *_afters(item)))

    def feeds_yaml(self) -> str:
        """The text of a feeds.yaml with every feed of the newsroom."""
        feeds = []
        for publisher in self.publishers.values():
            for number, spec in enumerate(publisher.feeds):
                feed: dict[str, Any] = {
                    "url": f"http://{publisher.host}:{self.port}{spec.path}",
                    "id": publisher.id if number == 0 else f"{publisher.id}-{number + 1}",
                    "name": spec.name,
                    "source": {"name": publisher.name, "domain": publisher.domain, "country": publisher.country},
                    "language": publisher.language,
                    "tags": list(publisher.tags),
                }
                feeds.append(feed)
        return yaml.safe_dump({"feeds": feeds}, sort_keys=False, allow_unicode=True, width=120)

    def answer(self, publisher: str, target: str) -> Answer | None:
        """What a publisher answers at a request target now, None where there is nothing; counts the request."""
        parts = urlsplit(target)
        query = [(key, value) for key, value in parse_qsl(parts.query) if key in _QUERY_THAT_COUNTS]
        path = parts.path + (f"?{urlencode(query)}" if query else "")
        with self._lock:
            self.requests[publisher + path] += 1
        return self._sites[publisher].get(path)

    def _bind(self) -> list[ThreadingHTTPServer]:
        """One server for each publisher, all on the same port."""
        for attempt in range(_BIND_TRIES):
            servers: list[ThreadingHTTPServer] = []
            port = self.port
            try:
                for publisher in self.publishers.values():
                    servers.append(_server(self, publisher, port))
                    port = servers[0].server_port
                return servers
            except OSError:
                for server in servers:
                    server.server_close()
                if self.port or not servers or attempt == _BIND_TRIES - 1:
                    raise  # a port that was asked for, or an address this machine doesn't have
        raise AssertionError("unreachable")


def _afters(item: Mapping[str, Any]) -> list[int]:
    return [correction["after"] for correction in item.get("corrections", ())]


class _Server(ThreadingHTTPServer):
    """Ends its open connections with itself, so that nobody goes on talking to a newsroom that was stopped."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _server(newsroom: Newsroom, publisher: Publisher, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        wbufsize = -1  # head and body in one segment; two of them would wait for each other (Nagle, delayed ACK)
        server_version = "newsroom"
        sys_version = ""

        def do_GET(self) -> None:
            answer = newsroom.answer(publisher.id, self.path)
            if answer is None:
                body = f"<!DOCTYPE html><title>404</title><h1>{publisher.name}: 404</h1>".encode()
                self._send(404, {"Content-Type": "text/html; charset=utf-8"}, body)
            elif answer.location:
                self._send(301, {"Location": answer.location}, b"")
            else:
                self._send_answer(answer)

        def do_HEAD(self) -> None:
            self.do_GET()

        def _send_answer(self, answer: Answer) -> None:
            headers = {
                "ETag": answer.etag,
                "Last-Modified": http_date(answer.modified),
                "Cache-Control": "max-age=0, must-revalidate",
                "Vary": "Accept-Encoding",
            }
            if _is_current(answer, self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")):
                self._send(304, headers, None)
                return
            headers["Content-Type"] = answer.content_type
            body = answer.body
            if "gzip" in self.headers.get("Accept-Encoding", "") and not answer.content_type.startswith("image/"):
                body = gzip.compress(body, mtime=0)
                headers["Content-Encoding"] = "gzip"
            self._send(200, headers, body)

        def _send(self, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if body is not None:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if body and self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged; `Newsroom.requests` counts."""

    return _Server((publisher.host, port), Handler)


def _is_current(answer: Answer, none_match: str | None, modified_since: str | None) -> bool:
    """Whether the client has this already; If-None-Match goes before If-Modified-Since (RFC 9110, 13.2.2)."""
    if none_match is not None:
        return none_match.strip() == "*" or answer.etag in [tag.strip() for tag in none_match.split(",")]
    if modified_since is None:
        return False
    try:
        return answer.modified <= parsedate_to_datetime(modified_since)
    except (TypeError, ValueError):
        return False
