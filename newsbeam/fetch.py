"""Fetching over HTTP: redirects followed by hand, sizes and time capped, failures with short stable reasons."""

from __future__ import annotations

import base64
import ssl
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Optional, Protocol
from urllib.parse import urljoin

import httpx

from newsbeam.errors import FetchError
from newsbeam.network import Guard, GuardedTransport, deadline, remaining
from newsbeam.records import now_ms
from newsbeam.schedule import parse_retry_after

Kind = Literal["feed", "page", "robots"]
Route = Literal["never", "later", "busy"]
Auth = tuple[str, str] | str | None

MAX_ROBOTS_BYTES = 512_000  # RFC 9309, section 2.5: at least 500 KiB are to be read
_MAX_URL, _MAX_VALIDATOR = 2_048, 1_024
_MAX_RATIO, _RATIO_FROM = 100, 1 << 20  # decoded to received bytes, judged from 1 MiB on
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_ACCEPT = {
    "feed": "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5",
    "page": "text/html, application/xhtml+xml;q=0.9, */*;q=0.5",
    "robots": "text/plain, */*;q=0.5",
}


class FetchLimits(Protocol):
    """What a fetcher needs of the settings; sizes in bytes, times in seconds."""

    @property
    def user_agent(self) -> str: ...
    @property
    def timeout(self) -> float: ...
    @property
    def connect_timeout(self) -> float: ...
    @property
    def max_feed_bytes(self) -> int: ...
    @property
    def max_page_bytes(self) -> int: ...
    @property
    def max_redirects(self) -> int: ...
    @property
    def allow_networks(self) -> Sequence[str]: ...
    @property
    def concurrency(self) -> int: ...


class Fetched(NamedTuple):
    """An answer: `url` is the final one, header names are in lower case, `body` is decoded."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    not_modified: bool = False


class Fetcher:
    """Fetches addresses; thread-safe, connections are reused. It belongs to one process: make it in `setup`.

    Args:
        settings: limits, user agent and allowed networks.
        verify: for TLS, instead of the usual certificates.
    """

    def __init__(self, settings: FetchLimits, *, verify: Optional[ssl.SSLContext] = None) -> None:
        self._settings = settings
        guard = Guard(allow=tuple(settings.allow_networks))
        self._transport = GuardedTransport(guard, keep=settings.concurrency, verify=verify)

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def fetch(
        self,
        url: str,
        *,
        kind: Kind,
        etag: Optional[str] = None,
        last_modified: Optional[str] = None,
        auth: Auth = None,
        allowed: Optional[Callable[[str], bool]] = None,
    ) -> Fetched:
        """The answer for an address, after redirects, within the total time.

        Args:
            kind: what is asked for; decides the cap and the Accept header.
            etag, last_modified: of an earlier answer, sent back as they came.
            auth: name and password (Basic), or the value of an Authorization header; sent to the address's own origin
                alone.
            allowed: whether an address may be fetched, asked of each, also of those redirected to, before it is. May
                raise FetchError. Its own requests have a time of their own, which counts here too.

        Raises FetchError: robots (not allowed), timeout, dns, refused, connection, tls, private_network, bad_port,
        bad_url, http_STATUS, blocked, redirect_loop, too_many_redirects, too_large, truncated, bad_encoding.
        """
        headers = {
            "User-Agent": self._settings.user_agent,
            "Accept": _ACCEPT[kind],
            "Accept-Encoding": "gzip",
        }
        validators = {"If-None-Match": _validator(etag), "If-Modified-Since": _validator(last_modified)}
        headers |= {name: value for name, value in validators.items() if value}
        if auth:
            headers["Authorization"] = _authorization(auth)
        target, visited = check_url(url), set[str]()
        with deadline(self._settings.timeout):
            while True:
                if str(target) in visited:
                    raise FetchError("redirect_loop", redact(str(target)))
                if len(visited) > self._settings.max_redirects:
                    raise FetchError("too_many_redirects", f"more than {self._settings.max_redirects}")
                visited.add(str(target))
                if allowed and not allowed(str(target)):
                    raise FetchError("robots", f"refused by robots.txt: {redact(str(target))}")
                answer = self._ask(target, headers, kind)
                if isinstance(answer, Fetched):
                    return answer
                if _origin(answer) != _origin(target):
                    headers.pop("Authorization", None)
                target = answer

    def _ask(self, url: httpx.URL, headers: Mapping[str, str], kind: Kind) -> Fetched | httpx.URL:
        """One request: the answer, or the address that it redirects to."""
        shown = redact(str(url))
        timeouts = {"connect": self._settings.connect_timeout}
        try:
            request = httpx.Request("GET", url, headers=headers, extensions={"timeout": timeouts})
            response = self._transport.handle_request(request)
            try:
                return self._read(response, url, headers, kind)
            finally:
                response.close()
        except FetchError as error:
            detail = error.detail if shown in error.detail else f"{shown} {error.detail}".strip()
            raise FetchError(error.reason, detail, error.retry_after) from None
        except httpx.TimeoutException:
            raise FetchError("timeout", shown) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError) as error:
            raise FetchError("bad_url", f"{shown}: {type(error).__name__}") from None
        except (httpx.TransportError, OSError) as error:
            remaining()  # a connection that the deadline closed is a timeout
            raise FetchError("connection", f"{shown}: {error}"[:300]) from None

    def _read(
        self, response: httpx.Response, url: httpx.URL, sent: Mapping[str, str], kind: Kind
    ) -> Fetched | httpx.URL:
        status, answered = response.status_code, dict(response.headers)
        if status in _REDIRECTS and answered.get("location"):
            return check_url(urljoin(str(url), answered["location"].strip()))
        if status == 304 and ("If-None-Match" in sent or "If-Modified-Since" in sent):
            return Fetched(str(url), status, answered, b"", not_modified=True)
        if not 200 <= status < 300:
            raise _status_error(status, answered, redact(str(url)))
        chunks: Iterable[bytes] = response.stream  # type: ignore[assignment]  # a sync transport's stream is sync
        body = read_body(chunks, answered, limit=self._limit(kind), cut=kind == "robots")
        return Fetched(str(url), status, answered, body)

    def _limit(self, kind: Kind) -> int:
        limits = {"feed": self._settings.max_feed_bytes, "page": self._settings.max_page_bytes}
        return limits.get(kind, MAX_ROBOTS_BYTES)


def route_of(error: FetchError) -> Route:
    """What to do after a failure: try `later`, `busy` (the server asked for patience), or `never`."""
    reason = error.reason
    if reason == "http_429" or (reason == "http_503" and error.retry_after is not None):
        return "busy"
    if reason in ("timeout", "dns", "refused", "connection", "http_408", "http_425") or reason.startswith("http_5"):
        return "later"
    return "never"


def check_url(url: str) -> httpx.URL:
    """An address that may be fetched, without its fragment. Raises FetchError `bad_url`."""
    if len(url) > _MAX_URL:
        raise FetchError("bad_url", f"longer than {_MAX_URL} characters")
    if any(char <= " " or char in "\\\x7f" or 0x80 <= ord(char) < 0xA0 for char in url):
        raise FetchError("bad_url", "control characters, spaces or backslashes")
    try:
        parsed = httpx.URL(url).copy_with(fragment=None)
        host, userinfo = parsed.host, parsed.userinfo
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise FetchError("bad_url", f"{redact(url)}: {type(error).__name__}") from None
    if parsed.scheme not in ("http", "https") or not host:
        raise FetchError("bad_url", f"not http or https: {redact(url)}")
    if parsed.port is not None and not 0 < parsed.port < 65_536:
        raise FetchError("bad_url", f"port {parsed.port}")
    if userinfo:
        raise FetchError("bad_url", "a user name or password within")
    return parsed


def redact(url: str) -> str:
    """An address for people to read: without user name, password and query, which may hold secrets."""
    path, query, _ = url.partition("?")
    scheme, slashes, rest = path.partition("#")[0].partition("://")
    host, slash, tail = rest.partition("/")
    shown = f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{tail}{'?...' if query else ''}"
    return "".join(char for char in shown if char.isprintable())[:300]


def read_body(chunks: Iterable[bytes], headers: Mapping[str, str], *, limit: int, cut: bool = False) -> bytes:
    """A body, decoded, of at most `limit` bytes.

    Args:
        headers: with names in lower case; Content-Encoding may be gzip, or none.
        cut: give the first `limit` bytes of a longer body instead of raising.

    Raises FetchError: too_large (also for bodies that unpack to more than 100 times their size), truncated,
    bad_encoding. What it holds in memory never exceeds the limit by more than a chunk.
    """
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise FetchError("bad_encoding", f"Content-Encoding {coding[:50]}")
    declared = headers.get("content-length", "").strip()
    if declared.isdigit() and int(declared[:20]) > limit and not cut:
        raise FetchError("too_large", f"{declared[:20]} bytes, more than {limit}")
    body = bytearray()
    pieces = _gunzip(chunks, limit) if coding.endswith("gzip") else chunks
    for piece in pieces:
        body += piece
        if len(body) > limit:
            if cut:
                break
            raise FetchError("too_large", f"more than {limit} bytes")
    return bytes(body[:limit])


def _gunzip(chunks: Iterable[bytes], limit: int) -> Iterable[bytes]:
    """Unpacks gzip, also of several members, a bounded piece at a time."""
    unpacker = zlib.decompressobj(wbits=31)
    received = unpacked = 0
    for chunk in chunks:
        received += len(chunk)
        if received > limit:
            raise FetchError("too_large", f"more than {limit} bytes, packed")
        data = chunk
        while data:
            if unpacker.eof:
                if not data.startswith(b"\x1f"):  # padding after the end, which servers do add
                    break
                unpacker = zlib.decompressobj(wbits=31)
            try:
                piece = unpacker.decompress(data, 65_536)
            except zlib.error as error:
                raise FetchError("bad_encoding", f"gzip: {error}") from None
            unpacked += len(piece)
            if unpacked > _RATIO_FROM and unpacked > received * _MAX_RATIO:
                raise FetchError("too_large", f"unpacks to more than {_MAX_RATIO} times its size")
            yield piece
            data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if received and not unpacker.eof:
        raise FetchError("truncated", "gzip ends early")


def _validator(value: Optional[str]) -> Optional[str]:
    """An ETag or Last-Modified as it may be sent back: of sensible length, and one header line."""
    usable = value and len(value) <= _MAX_VALIDATOR and value.isascii() and value.isprintable()
    return value if usable else None


def _authorization(auth: tuple[str, str] | str) -> str:
    if isinstance(auth, str):
        return auth
    return "Basic " + base64.b64encode(":".join(auth).encode()).decode()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _status_error(status: int, headers: Mapping[str, str], shown: str) -> FetchError:
    if status == 403 and headers.get("cf-mitigated", "").lower() == "challenge":
        return FetchError("blocked", f"a challenge for browsers at {shown}")
    retry_after = parse_retry_after(headers.get("retry-after"), now_ms()) if status in (429, 503) else None
    return FetchError(f"http_{status}", shown, retry_after)
