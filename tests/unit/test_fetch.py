"""Fetching, over real HTTP on loopback addresses."""

from __future__ import annotations

import gzip
import pickle
import socket
import ssl
import subprocess
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.errors import FetchError
from newsbeam.fetch import Fetcher, check_url, read_body, redact, route_of
from newsbeam.settings import FetchSettings
from tests.unit.loopback import Answer, Site, redirect

LOOPBACK = ("127.0.0.0/8",)


def limits(**changes: Any) -> FetchSettings:
    return FetchSettings(**({"allow_networks": LOOPBACK, "timeout": 10.0} | changes))


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    made = Fetcher(limits())
    yield made
    made.close()


def reason(fetcher: Fetcher, url: str, **arguments: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetcher.fetch(url, **({"kind": "page"} | arguments))
    return caught.value


# --- answers ------------------------------------------------------------------------------------------------------


def test_an_answer(fetcher: Fetcher) -> None:
    with Site({"/feed": Answer(b"<rss/>", 200, {"ETag": '"1"', "X-A": "b"})}) as site:
        got = fetcher.fetch(site.url("/feed#top"), kind="feed")
        (request,) = site.requests
    assert (got.url, got.status, got.body, got.not_modified) == (site.url("/feed"), 200, b"<rss/>", False)
    assert got.headers["etag"] == '"1"' and got.headers["x-a"] == "b"
    assert request.headers["host"] == f"{site.host}:{site.port}"
    assert request.headers["user-agent"].startswith("newsbeam/")
    assert request.headers["accept-encoding"] == "gzip"
    assert "application/rss+xml" in request.headers["accept"]
    assert "authorization" not in request.headers and "cookie" not in request.headers


def test_conditional_requests(fetcher: Fetcher) -> None:
    def conditional(handler: Any) -> Answer:
        known = handler.headers.get("If-None-Match") == 'W/"x"' and handler.headers.get("If-Modified-Since") == "then"
        return Answer(b"", 304, {"ETag": 'W/"x"'}) if known else Answer(b"whole")

    with Site({"/feed": conditional, "/lies": 304}) as site:
        got = fetcher.fetch(site.url("/feed"), kind="feed", etag='W/"x"', last_modified="then")
        assert (got.status, got.not_modified, got.body) == (304, True, b"")
        assert fetcher.fetch(site.url("/feed"), kind="feed").body == b"whole"
        assert reason(fetcher, site.url("/lies")).reason == "http_304"  # nothing was asked for on condition
        for etag in ('"a"\r\nX-Evil: 1', "x" * 1_025, "é"):
            fetcher.fetch(site.url("/feed"), kind="feed", etag=etag)
            assert "if-none-match" not in site.requests[-1].headers and "x-evil" not in site.requests[-1].headers


def test_cookies_are_not_kept(fetcher: Fetcher) -> None:
    with Site({"/": Answer(b"x", 200, {"Set-Cookie": "id=1"})}) as site:
        fetcher.fetch(site.url(), kind="page")
        fetcher.fetch(site.url(), kind="page")
        assert all("cookie" not in request.headers for request in site.requests)


def test_connections_are_reused_and_shared_by_threads(fetcher: Fetcher) -> None:
    ports = set()

    def note(handler: Any) -> str:
        ports.add(handler.client_address[1])
        return handler.path

    with Site({f"/{number}": note for number in range(20)}) as site:
        for number in range(5):
            fetcher.fetch(site.url(f"/{number}"), kind="page")
        assert len(ports) == 1
        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(lambda n: fetcher.fetch(site.url(f"/{n}"), kind="page").body, range(20)))
        assert got == [f"/{number}".encode() for number in range(20)]


# --- failures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 500, 502, 503])
def test_a_status_is_a_reason(fetcher: Fetcher, status: int) -> None:
    with Site({"/x": status}) as site:
        error = reason(fetcher, site.url("/x?key=secret"))
    assert error.reason == f"http_{status}"
    assert "secret" not in str(error) and site.host in error.detail
    assert pickle.loads(pickle.dumps(error)).reason == error.reason


def test_retry_after_is_handed_on(fetcher: Fetcher) -> None:
    answers = {f"/{status}": Answer(b"", status, {"Retry-After": "120"}) for status in (429, 503, 404)}
    with Site(answers) as site:
        assert reason(fetcher, site.url("/429")).retry_after == 120
        assert reason(fetcher, site.url("/503")).retry_after == 120
        assert reason(fetcher, site.url("/404")).retry_after is None


def test_a_challenge_for_browsers_is_blocked(fetcher: Fetcher) -> None:
    with Site({"/": Answer(b"", 403, {"cf-mitigated": "challenge"})}) as site:
        assert reason(fetcher, site.url()).reason == "blocked"


def test_a_refused_connection(fetcher: Fetcher) -> None:
    with Site() as site:
        url = site.url()
    assert reason(fetcher, url).reason == "refused"


def test_an_unknown_name(fetcher: Fetcher) -> None:
    assert reason(fetcher, "http://no-such-host.invalid/").reason == "dns"


@pytest.mark.parametrize(
    "said",
    [
        b"",  # closed without a word
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    ],
)
def test_a_connection_that_is_lost_or_nonsense(fetcher: Fetcher, said: bytes) -> None:
    def raw(handler: Any) -> None:
        handler.wfile.write(said)

    with Site({"/": raw}) as site:
        assert reason(fetcher, site.url()).reason == "connection"


def test_time_is_up_whatever_the_server_does() -> None:
    stop = threading.Event()

    def silent(handler: Any) -> None:
        stop.wait(20)

    def slow_headers(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not stop.wait(0.02):
            handler.wfile.write(b"X-A: b\r\n")

    def dribble(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while not stop.wait(0.02):
            handler.wfile.write(b".")

    def interim(handler: Any) -> None:
        while not stop.wait(0.02):
            handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")

    fetcher = Fetcher(limits(timeout=0.4))
    with Site({"/silent": silent, "/slow": slow_headers, "/dribble": dribble, "/interim": interim}) as site:
        for path in ("/silent", "/slow", "/dribble", "/interim"):
            assert reason(fetcher, site.url(path)).reason == "timeout", path
        stop.set()
    fetcher.close()


def test_the_time_is_for_all_redirects_together() -> None:
    stop = threading.Event()

    def hop(handler: Any) -> Answer:
        stop.wait(0.15)
        return redirect(f"/hop?{len(site.requests)}")

    fetcher = Fetcher(limits(timeout=0.4, max_redirects=20))
    with Site({"/hop": hop}) as site:
        assert reason(fetcher, site.url("/hop")).reason == "timeout"
        assert len(site.requests) < 10
        stop.set()
    fetcher.close()


# --- addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "//example.org/", "ftp://example.org/", "file:///etc/passwd", "javascript:alert(1)",
        "data:text/html,x", "http://", "http:///path", "http://user@example.org/", "http://user:word@example.org/",
        "http://example.org\\@127.0.0.1/", "http://example.org/a b", "http://example.org/\r\nX: y",
        "http://example.org/\0", "http://example.org:99999/", "http://example.org:port/", "http://[::1/",
        "http://example.org:0/", "http://example.org/" + "a" * 2_048, "http://xn--a.org\u2100/",
    ],
)  # fmt: skip
def test_addresses_that_are_not_fetched(fetcher: Fetcher, url: str) -> None:
    assert reason(fetcher, url).reason == "bad_url"


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://a.example/", "http://a.example:80"]))
def test_an_address_is_usable_or_refused(tail: str, head: str) -> None:
    try:
        url = check_url(head + tail)
    except FetchError as error:
        assert error.reason == "bad_url"
    else:
        assert url.scheme in ("http", "https") and url.host and not url.userinfo


def test_private_addresses_are_refused_at_every_hop() -> None:
    with Site({"/": "secret"}) as inner:
        guarded = Fetcher(limits(allow_networks=()))
        hosts = (
            "localhost", "2130706433", "0x7f.1", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254",
            "[64:ff9b::7f00:1]",
        )  # fmt: skip
        for url in (inner.url(), *(f"http://{host}/" for host in hosts)):
            assert reason(guarded, url).reason == "private_network", url
        guarded.close()
        with Site({"/": redirect(inner.url("/"))}, host="127.99.0.1") as outer:
            half = Fetcher(limits(allow_networks=("127.99.0.0/16",)))
            assert reason(half, outer.url()).reason == "private_network"
            half.close()
        assert not inner.requests


def test_other_ports_are_refused_on_public_addresses(fetcher: Fetcher) -> None:
    assert reason(fetcher, "http://8.8.8.8:22/").reason == "bad_port"


def test_secrets_stay_out_of_what_is_shown() -> None:
    assert redact("https://user:word@a.example/b/c?token=1#d") == "https://a.example/b/c?..."
    assert redact("https://a.example/b#c") == "https://a.example/b"
    assert "\n" not in redact("https://a.example/\n")


# --- redirects ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(fetcher: Fetcher, status: int) -> None:
    with Site({"/b": "here"}) as target, Site() as site:
        site.routes |= {"/a": redirect("sub/../c", status), "/c": redirect(target.url("/b"), status)}
        got = fetcher.fetch(site.url("/a"), kind="page")
    assert (got.url, got.body) == (target.url("/b"), b"here")


def test_redirects_have_an_end(fetcher: Fetcher) -> None:
    with Site() as site:
        site.routes |= {
            "/a": redirect("/b"),
            "/b": redirect("/a#elsewhere"),
            "/self": redirect("/self"),
            "/nowhere": Answer(b"", 302),
            "/file": redirect("file:///etc/passwd"),
            "/user": redirect("http://u:p@example.org/"),
        } | {f"/n{number}": redirect(f"/n{number + 1}") for number in range(6)}
        site.routes["/n6"] = "end"
        assert reason(fetcher, site.url("/a")).reason == "redirect_loop"
        assert reason(fetcher, site.url("/self")).reason == "redirect_loop"
        assert reason(fetcher, site.url("/nowhere")).reason == "http_302"
        assert reason(fetcher, site.url("/file")).reason == "bad_url"
        assert reason(fetcher, site.url("/user")).reason == "bad_url"
        assert reason(fetcher, site.url("/n0")).reason == "too_many_redirects"
        assert fetcher.fetch(site.url("/n1"), kind="page").body == b"end"


def test_each_hop_must_be_allowed(fetcher: Fetcher) -> None:
    with Site({"/b": "here"}) as target, Site() as site:
        site.routes |= {"/a": redirect("/c"), "/c": redirect(target.url("/b?token=1"))}
        hops = [site.url("/a"), site.url("/c"), target.url("/b?token=1")]
        asked: list[str] = []

        def allowed(url: str) -> bool:
            assert len(site.requests) + len(target.requests) == hops.index(url)  # before the hop is asked
            asked.append(url)
            return url not in refused

        refused: list[str] = []
        assert fetcher.fetch(site.url("/a#top"), kind="page", allowed=allowed).body == b"here"
        assert asked == hops
        for number, hop in enumerate(hops):
            del site.requests[:], target.requests[:]
            refused[:] = [hop]
            error = reason(fetcher, site.url("/a"), allowed=allowed)
            assert error.reason == "robots" and route_of(error) == "never" and "token" not in error.detail
            assert len(site.requests) + len(target.requests) == number


def test_a_hop_whose_rules_cannot_be_had_is_not_asked(fetcher: Fetcher) -> None:
    def allowed(url: str) -> bool:
        raise FetchError("http_503", "robots.txt", 60)

    with Site({"/": "x"}) as site:
        error = reason(fetcher, site.url(), allowed=allowed)
        assert (error.reason, error.retry_after) == ("http_503", 60) and not site.requests


def test_credentials_go_to_their_own_origin_alone(fetcher: Fetcher) -> None:
    with Site({"/end": "x"}) as other, Site({"/end": "x"}) as site:
        site.routes |= {"/here": redirect("/end"), "/away": redirect(other.url("/end"))}
        other.routes["/back"] = redirect(site.url("/end"))
        site.routes["/round"] = redirect(other.url("/back"))
        fetcher.fetch(site.url("/here"), kind="feed", auth=("name", "word"))
        assert [request.headers.get("authorization") for request in site.requests] == ["Basic bmFtZTp3b3Jk"] * 2
        fetcher.fetch(site.url("/away"), kind="feed", auth="Bearer token")
        assert site.requests[-1].headers["authorization"] == "Bearer token"
        fetcher.fetch(site.url("/round"), kind="feed", auth="token")
        assert "authorization" not in site.asked("/end")[-1].headers
        assert all("authorization" not in request.headers for request in other.requests)


@pytest.mark.parametrize("auth", ["Bearer a\r\nX-Evil: 1", "Bearer \u20ac"])
def test_credentials_that_cannot_be_sent(fetcher: Fetcher, auth: str) -> None:
    with Site({"/": "x"}) as site:
        error = reason(fetcher, site.url(), auth=auth)
        assert error.reason == "bad_url" and "Bearer" not in str(error)
        assert not site.requests


def test_another_port_is_another_origin(fetcher: Fetcher) -> None:
    with Site({"/end": "x"}, host="127.98.0.1") as other, Site(host="127.98.0.1") as site:
        site.routes["/a"] = redirect(other.url("/end"))
        fetcher.fetch(site.url("/a"), kind="feed", auth="token")
        assert "authorization" not in other.requests[0].headers


# --- sizes and codings --------------------------------------------------------------------------------------------


def gzipped(body: bytes, **headers: str) -> Answer:
    return Answer(gzip.compress(body), 200, {"Content-Encoding": "gzip"} | headers)


def test_gzip(fetcher: Fetcher) -> None:
    body = b"".join(b"%d " % number for number in range(50_000))
    with Site({"/": gzipped(body)}) as site:
        assert fetcher.fetch(site.url(), kind="page").body == body
        site.routes["/"] = Answer(
            gzip.compress(b"a") + gzip.compress(b"b") + b"\0\0", 200, {"Content-Encoding": "gzip"}
        )
        assert fetcher.fetch(site.url(), kind="page").body == b"ab"
        site.routes["/"] = Answer(b"", 200, {"Content-Encoding": "gzip"})
        assert fetcher.fetch(site.url(), kind="page").body == b""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(gzip.compress(b"abc" * 99)[:-9], 200, {"Content-Encoding": "gzip"}), "truncated"),
        (Answer(b"plain", 200, {"Content-Encoding": "gzip"}), "bad_encoding"),
        (Answer(b"plain", 200, {"Content-Encoding": "br"}), "bad_encoding"),
        (Answer(zlib.compress(b"x"), 200, {"Content-Encoding": "deflate"}), "bad_encoding"),
        (Answer(gzip.compress(gzip.compress(b"x")), 200, {"Content-Encoding": "gzip, gzip"}), "bad_encoding"),
        (Answer(b"x" * 2_000, 200, {}), "too_large"),
        (gzipped(b"x" * 2_000), "too_large"),
    ],
)
def test_bodies_that_are_not_taken(answer: Answer, expected: str) -> None:
    fetcher = Fetcher(limits(max_page_bytes=1_000))
    with Site({"/": answer}) as site:
        assert reason(fetcher, site.url()).reason == expected
    fetcher.close()


def test_caps_are_by_kind_and_exact() -> None:
    fetcher = Fetcher(limits(max_page_bytes=1_000, max_feed_bytes=2_000))
    with Site({"/": b"x" * 2_000}) as site:
        assert len(fetcher.fetch(site.url(), kind="feed").body) == 2_000
        assert reason(fetcher, site.url(), kind="page").reason == "too_large"
        site.routes["/"] = b"x" * 600_000
        assert len(fetcher.fetch(site.url(), kind="robots").body) == 512_000  # the rest is not read
    fetcher.close()


def test_a_declared_length_over_the_cap_is_not_waited_for(fetcher: Fetcher) -> None:
    stop = threading.Event()

    def promise(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        handler.wfile.flush()
        stop.wait(20)

    with Site({"/": promise}) as site:
        assert reason(fetcher, site.url()).reason == "too_large"
        stop.set()


def test_an_endless_answer_ends(fetcher: Fetcher) -> None:
    def endless(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"x" * 65_536)

    with Site({"/": endless}) as site:
        assert reason(fetcher, site.url()).reason == "too_large"


def test_a_bomb_is_stopped_by_its_ratio() -> None:
    packed = gzip.compress(b"\0" * 50_000_000)
    read: list[int] = []

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(packed), 1_000):
            read.append(start)
            yield packed[start : start + 1_000]

    with pytest.raises(FetchError) as caught:
        read_body(chunks(), {"content-encoding": "gzip"}, limit=100_000_000)
    assert caught.value.reason == "too_large" and "times" in caught.value.detail
    assert len(read) < 5


def test_packed_bytes_count_too() -> None:
    """Empty blocks unpack to nothing, for ever."""
    packer = zlib.compressobj(wbits=31)
    start = packer.compress(b"") + packer.flush(zlib.Z_SYNC_FLUSH)
    block = packer.flush(zlib.Z_FULL_FLUSH) or b"\x00\x00\x00\xff\xff"

    def chunks() -> Iterator[bytes]:
        yield start
        while True:
            yield block * 100

    with pytest.raises(FetchError) as caught:
        read_body(chunks(), {"content-encoding": "gzip"}, limit=100_000)
    assert caught.value.reason == "too_large"


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=3_000), st.integers(1, 200), st.integers(0, 4_000), st.booleans())
def test_reading_gives_the_body_or_a_reason(body: bytes, size: int, limit: int, packed: bool) -> None:
    sent = gzip.compress(body) if packed else body
    chunks = [sent[start : start + size] for start in range(0, len(sent), size)]
    headers = {"content-encoding": "gzip"} if packed else {}
    fits = len(body) <= limit and (not packed or len(sent) <= limit)
    if fits:
        assert read_body(chunks, headers, limit=limit) == body
    else:
        with pytest.raises(FetchError):
            read_body(chunks, headers, limit=limit)
    if not packed:
        assert read_body(chunks, headers, limit=limit, cut=True) == body[:limit]


# --- TLS ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", str(key), "-out", str(cert), "-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.97.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def test_certificates_are_checked(certificate: tuple[Path, Path], fetcher: Fetcher) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)
    trusting = Fetcher(limits(), verify=ssl.create_default_context(cafile=str(certificate[0])))
    with Site({"/": "private"}, host="127.97.0.1", tls=server) as site:
        assert trusting.fetch(site.url(), kind="page").body == b"private"
        assert reason(fetcher, site.url()).reason == "tls"
    with Site({"/": "private"}, host="127.97.0.2", tls=server) as other:  # the certificate names another host
        assert reason(trusting, other.url()).reason == "tls"
    trusting.close()


def test_a_server_that_speaks_no_tls(fetcher: Fetcher) -> None:
    with Site({"/": "x"}) as site:
        assert reason(fetcher, site.url().replace("http:", "https:")).reason == "tls"


def test_a_handshake_without_end_ends() -> None:
    stop = threading.Event()

    def dribble(listener: socket.socket) -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KB, of which a byte comes now and then
            while not stop.wait(0.02):
                connection.sendall(b"\0")

    fetcher = Fetcher(limits(timeout=0.4))
    with socket.create_server(("127.96.0.1", 0)) as listener:
        thread = threading.Thread(target=dribble, args=(listener,), daemon=True)
        thread.start()
        assert reason(fetcher, f"https://127.96.0.1:{listener.getsockname()[1]}/").reason == "timeout"
        stop.set()
        thread.join()
    fetcher.close()


# --- routes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "route"),
    [
        (FetchError("http_429"), "busy"),
        (FetchError("http_503", retry_after=60), "busy"),
        (FetchError("http_503"), "later"),
        (FetchError("http_500"), "later"),
        (FetchError("timeout"), "later"),
        (FetchError("dns"), "later"),
        (FetchError("refused"), "later"),
        (FetchError("http_408"), "later"),
        (FetchError("connection"), "later"),
        (FetchError("http_404"), "never"),
        (FetchError("blocked"), "never"),
        (FetchError("private_network"), "never"),
        (FetchError("too_large"), "never"),
        (FetchError("tls"), "never"),
        (FetchError("redirect_loop"), "never"),
    ],
)
def test_routes(error: FetchError, route: str) -> None:
    assert route_of(error) == route


def test_nothing_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    fetcher = Fetcher(limits())
    with Site({"/": "direct"}) as site:
        assert fetcher.fetch(site.url(), kind="page").body == b"direct"
    fetcher.close()
