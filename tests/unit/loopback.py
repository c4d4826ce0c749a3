"""Publishers for tests: real HTTP on 127.x.y.z, answered by functions.

    with Site({"/feed": "<rss/>", "/gone": 404, "/slow": dribble}) as site:
        fetcher.fetch(site.url("/feed"), kind="feed")

What stands for a path is a text or bytes (status 200), a status, an `Answer`, or a function of the request handler
that gives one of these, or that writes to `handler.wfile` itself and gives None. Other paths are 404.
"""

from __future__ import annotations

import itertools
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Optional, Union

_hosts = itertools.count(2)


class Answer(NamedTuple):
    """A response. Content-Length is added unless `headers` has one, or a Transfer-Encoding."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {}


class Request(NamedTuple):
    """What a site was asked; header names in lower case."""

    path: str
    headers: Mapping[str, str]


Handler = Callable[[BaseHTTPRequestHandler], Any]
Route = Union[str, bytes, int, Answer, Handler]


class Site:
    """A publisher on a loopback address and a free port of its own.

    Args:
        routes: by path without query; may be changed while it runs.
        host: another 127.x.y.z where none is given.
        tls: to serve https.
    """

    def __init__(
        self, routes: Optional[Mapping[str, Route]] = None, *, host: str = "", tls: Optional[ssl.SSLContext] = None
    ) -> None:
        number = next(_hosts)
        self.host = host or f"127.77.{number // 250}.{number % 250 + 1}"
        self.routes: dict[str, Route] = dict(routes or {})
        self.requests: list[Request] = []
        site = self

        class _Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requests.append(Request(self.path, {name.lower(): value for name, value in self.headers.items()}))
                route: Any = site.routes.get(self.path.partition("?")[0], 404)
                _send(self, route(self) if callable(route) else route)

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:  # the other side went away, which is what many tests are about
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        class _Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = _Server((self.host, 0), _Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._scheme = "https" if tls else "http"
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def url(self, path: str = "/") -> str:
        """The address of a path here."""
        return f"{self._scheme}://{self.host}:{self.port}{path}"

    def asked(self, path: str) -> list[Request]:
        """The requests for a path, queries left aside."""
        return [request for request in self.requests if request.path.partition("?")[0] == path]

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Site:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


def redirect(to: str, status: int = 302) -> Answer:
    """A redirect."""
    return Answer(b"", status, {"Location": to})


def _send(handler: BaseHTTPRequestHandler, said: Any) -> None:
    if said is None:
        handler.close_connection = True
        return
    if isinstance(said, int):
        said = Answer(b"", said)
    elif isinstance(said, (str, bytes)):
        said = Answer(said.encode() if isinstance(said, str) else said)
    handler.send_response(said.status)
    for name, value in said.headers.items():
        handler.send_header(name, value)
    names = {name.lower() for name in said.headers}
    if said.status != 304 and not names & {"content-length", "transfer-encoding"}:
        handler.send_header("Content-Length", str(len(said.body)))
    handler.end_headers()
    handler.wfile.write(said.body)
