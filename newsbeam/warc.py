"""WARC files (https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/): the pages in them.

The records are told apart here, so that a broken one costs itself alone and a large one no memory; what is in a record
is warcio's to read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Union

from newsbeam.errors import FetchError, ReadError
from newsbeam.packed import Packed

_LINE = 64 * 1024
_HEADERS = 1024 * 1024  # bytes of a record's headers
_PIECE = 64 * 1024
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,15})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_NEXT = re.compile(rb"\r?\n\r?\nWARC/[01]\.[0-9]{1,2}\r?\n")


class WarcPage(NamedTuple):
    """A page: its address, the WARC-Date as written, its HTML as it came, and its Content-Type."""

    url: str
    date: str
    html: bytes
    content_type: str


class WarcSkipped(NamedTuple):
    """A record that holds no page, and why."""

    reason: str


class WarcBroken(NamedTuple):
    """A record that can't be read: the start of it, and why not."""

    data: bytes
    reason: str
    detail: str


def read_warc(stream: Packed, *, limit: int) -> Iterator[Union[WarcPage, WarcSkipped, WarcBroken]]:
    """Each record of a WARC file as what it gives.

    Args:
        limit: of a page, in bytes; larger records are broken, `too_large`.

    Pages are the responses over HTTP with status 200 and a type of HTML. Skipped: `not a response` (requests,
    metadata ...), `revisit` (the page is in another record), `http STATUS`, `not http`, `not html`. Broken:
    truncated, bad_record, too_large, bad_encoding (a Content-Encoding other than gzip).
    """
    while True:
        line = stream.readline(_LINE)
        if not line:
            if not stream.resume():
                return
            yield WarcBroken(b"", "truncated", "a gzip member ends early")
        elif line.startswith(b"WARC/"):
            yield _read_record(line, stream, limit)
        elif line.strip():
            yield WarcBroken(line, "bad_record", "no WARC record begins here")
            while (line := stream.readline(_LINE)) and not line.startswith(b"WARC/"):
                pass
            stream.unread(line)


def _read_record(line: bytes, stream: Packed, limit: int) -> Union[WarcPage, WarcSkipped, WarcBroken]:
    head = line
    while line.strip():
        line = stream.readline(_LINE)
        head += line
        if not line or len(head) > _HEADERS:
            return _broken(stream, head, "its headers have no end")
    found = _LENGTH.search(head)
    if not found:
        return WarcBroken(head, "bad_record", "no Content-Length")
    length = int(found[1])
    kept = bytearray()
    left = length
    while left and (piece := stream.read(min(left, _PIECE))):
        left -= len(piece)
        if len(kept) <= limit + _HEADERS:
            kept += piece
    if left:
        return _broken(stream, head, f"{left} of {length} bytes are missing")
    end = stream.peek(4)
    if end and not end.startswith((b"\r\n", b"\n", b"WARC")):
        if cut := _NEXT.search(kept):  # it was cut short, and what follows was taken for a part of it
            stream.unread(bytes(kept[cut.start() :]))
        return WarcBroken(head, "truncated", f"its {length} bytes reach into the next record")
    try:
        return _page(head, bytes(kept), limit, length)
    except ReadError as error:
        return WarcBroken(head, error.reason, error.detail)
    except Exception as error:  # warcio raises what it happens to meet
        return WarcBroken(head, "bad_record", f"{type(error).__name__}: {error}"[:300])


def _broken(stream: Packed, head: bytes, detail: str) -> WarcBroken:
    stream.resume()
    return WarcBroken(head, "truncated", detail)


def _page(head: bytes, block: bytes, limit: int, length: int) -> Union[WarcPage, WarcSkipped]:
    from warcio.bufferedreaders import BufferedReader, ChunkedDataReader  # type: ignore[import-untyped]
    from warcio.recordloader import ArcWarcRecordLoader  # type: ignore[import-untyped]

    from newsbeam.fetch import read_body

    record: Any = ArcWarcRecordLoader().parse_record_stream(BufferedReader(io.BytesIO(head + block)), None, "warc")
    if record.rec_type == "revisit":
        return WarcSkipped("revisit")
    if record.rec_type != "response":
        return WarcSkipped("not a response")
    url = (record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")
    if not record.http_headers or not url.lower().startswith(("http://", "https://")):
        return WarcSkipped("not http")
    status, header = record.http_headers.get_statuscode(), record.http_headers.get_header
    if status != "200":
        return WarcSkipped(f"http {status}" if re.fullmatch("[1-5][0-9][0-9]", status) else "bad status")
    content_type = header("Content-Type") or ""
    if content_type.split(";")[0].strip().lower() not in ("text/html", "application/xhtml+xml"):
        return WarcSkipped("not html")
    if length > limit + _HEADERS:
        raise FetchError("too_large", f"{length} bytes, more than {limit}")
    body = record.raw_stream
    if (header("Transfer-Encoding") or "").lower() == "chunked":
        body = ChunkedDataReader(body)
    coding = header("Content-Encoding") or ""
    chunks = list(iter(lambda: body.read(_PIECE), b""))
    if coding.strip().lower() in ("gzip", "x-gzip") and not b"".join(chunks[:1]).startswith(b"\x1f\x8b"):
        coding = ""  # unpacked by who wrote the file, as many do
    html = read_body(chunks, {"content-encoding": coding}, limit=limit)
    if not html.strip():
        return WarcSkipped("empty")
    return WarcPage(url, record.rec_headers.get_header("WARC-Date") or "", html, content_type)
