"""WARC files: pages out of records of every kind, sound and broken."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from newsbeam.packed import Packed
from newsbeam.warc import WarcBroken, WarcPage, WarcSkipped, read_warc

LIMIT = 100_000
HTML = b"<html><body><p>Radar pact signed.</p></body></html>"
Found = Any


class Writer(WARCWriter):  # type: ignore[misc]
    """warcio's, without the temporary files that it leaves open."""

    @staticmethod
    def _create_temp_file() -> io.BytesIO:
        return io.BytesIO()


class Archive:
    """A WARC file in the making, written by warcio; `records` has each one's bytes."""

    def __init__(self, *, packed: bool = True) -> None:
        self.records: list[bytes] = []
        self._packed = packed

    def add(
        self,
        url: str,
        body: bytes = HTML,
        *,
        status: str = "200 OK",
        content_type: Optional[str] = "text/html; charset=utf-8",
        kind: str = "response",
        date: str = "2024-05-06T07:08:09Z",
        **headers: str,
    ) -> Archive:
        file = io.BytesIO()
        writer = Writer(file, gzip=self._packed)
        http = None
        if kind in ("response", "revisit"):
            fields = [("Content-Type", content_type)] if content_type else []
            fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
            http = StatusAndHeaders(status, fields, protocol="HTTP/1.1")
        if kind == "revisit":
            record = writer.create_revisit_record(url, "sha1:x", url, date, http_headers=http)
        else:
            record = writer.create_warc_record(
                url, kind, payload=io.BytesIO(body), http_headers=http, warc_headers_dict={"WARC-Date": date}
            )
        writer.write_record(record)
        self.records.append(file.getvalue())
        return self

    def bytes(self) -> bytes:
        return b"".join(self.records)


def read(data: bytes, limit: int = LIMIT) -> list[Found]:
    return list(read_warc(Packed(io.BytesIO(data)), limit=limit))


def said(found: list[Found]) -> list[str]:
    return [item.url if isinstance(item, WarcPage) else item.reason for item in found]


@pytest.mark.parametrize("packed", [True, False])
def test_pages_and_what_is_none(packed: bool) -> None:
    archive = Archive(packed=packed)
    archive.add("http://a.example/info", b"software: x", kind="warcinfo")
    archive.add("http://a.example/1", b"GET /1 HTTP/1.1\r\n\r\n", kind="request")
    archive.add("http://a.example/1")
    archive.add("http://a.example/gone", status="404 Not Found")
    archive.add("http://a.example/moved", b"", status="301 Moved Permanently", Location="/1")
    archive.add("http://a.example/pic", b"\x89PNG", content_type="image/png")
    archive.add("http://a.example/what", content_type=None)
    archive.add("http://a.example/2", kind="revisit")
    archive.add("dns:a.example", b"a.example. 300 IN A 1.2.3.4", content_type="text/dns")
    archive.add("http://a.example/blank", b"  \n")
    archive.add("http://a.example/3", content_type="application/xhtml+xml")
    found = read(archive.bytes())
    assert said(found) == [
        "not a response", "not a response", "http://a.example/1", "http 404", "http 301", "not html", "not html",
        "revisit", "not http", "empty", "http://a.example/3",
    ]  # fmt: skip
    assert found[2] == WarcPage("http://a.example/1", "2024-05-06T07:08:09Z", HTML, "text/html; charset=utf-8")


def test_bodies_as_they_went_over_the_wire() -> None:
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(HTML), HTML)
    archive = Archive()
    archive.add("http://a.example/1", gzip.compress(HTML), Content_Encoding="gzip")
    archive.add("http://a.example/2", chunked, Transfer_Encoding="chunked")
    archive.add("http://a.example/3", HTML, Content_Encoding="gzip")  # unpacked by its archiver
    archive.add("http://a.example/4", b"\x0b\x02\x80", Content_Encoding="br")
    archive.add("http://a.example/5", gzip.compress(HTML)[:-9], Content_Encoding="gzip")
    found = read(archive.bytes())
    assert [item.html for item in found[:3]] == [HTML] * 3
    assert said(found[3:]) == ["bad_encoding", "truncated"]


def test_large_records_cost_no_memory_and_the_next_is_read() -> None:
    archive = Archive()
    archive.add("http://a.example/large", b"x" * 5_000_000)
    archive.add("http://a.example/over", b"x" * (LIMIT + 1))
    archive.add("http://a.example/bomb", gzip.compress(b"x" * 5_000_000), Content_Encoding="gzip")
    archive.add("http://a.example/1")
    found = read(archive.bytes())
    assert said(found) == ["too_large", "too_large", "too_large", "http://a.example/1"]
    assert all(len(item.data) < 2_000 for item in found[:3])


@pytest.mark.parametrize("cut", [5, 40, 150, 200])
def test_a_truncated_member_costs_itself_alone(cut: int) -> None:
    archive = Archive()
    for number in range(3):
        archive.add(f"http://a.example/{number}", HTML * 20)
    first, second, third = archive.records
    assert cut < len(second)
    assert said(read(first + second[:cut] + third)) == ["http://a.example/0", "truncated", "http://a.example/2"]
    assert said(read(first + second[:cut])) == ["http://a.example/0", "truncated"]


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_record_cut_short_in_a_plain_file_costs_itself_alone(cut: float) -> None:
    archive = Archive(packed=False)
    for number in range(4):
        archive.add(f"http://a.example/{number}", HTML * 20)
    first, second, third, fourth = archive.records
    short = second[: int(len(second) * cut)] + b"\r\n\r\n"
    found = said(read(first + short + third + fourth))
    assert found == ["http://a.example/0", "truncated", "http://a.example/2", "http://a.example/3"]
    assert said(read(first + short)) == ["http://a.example/0", "truncated"]


def test_a_file_packed_as_one_member_is_read_too() -> None:
    archive = Archive(packed=False).add("http://a.example/1").add("http://a.example/2")
    assert said(read(gzip.compress(archive.bytes()))) == ["http://a.example/1", "http://a.example/2"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"WARC/1.0\r\nWARC-Type: response\r\n\r\nbody\r\n\r\n", "bad_record"),
        (b"WARC/1.0\r\nContent-Length: 2\r\n\r\nxx\r\n\r\n", "not a response"),
        (b"WARC/9.9\r\nContent-Length: 2\r\n\r\nxx\r\n\r\n", "bad_record"),
        (b"rubbish between\r\n", "bad_record"),
        (b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 99999999999\r\n\r\nxx", "truncated"),
    ],
)
def test_records_that_are_none(record: bytes, reason: str) -> None:
    good = Archive(packed=False).add("http://a.example/1").bytes()
    found = said(read(good + record + good))
    assert found[:2] == ["http://a.example/1", reason]
    if reason != "truncated":
        assert found[-1] == "http://a.example/1"


@given(st.binary(max_size=400), st.integers(0, 600))
@settings(deadline=None, max_examples=100)
def test_any_damage_is_counted_and_reading_ends(noise: bytes, place: int) -> None:
    for packed in (True, False):
        archive = Archive(packed=packed).add("http://a.example/1").add("http://a.example/2")
        data = archive.bytes()
        found = read(data[:place] + noise + data[place + len(noise) :])
        kinds = Counter(type(item) for item in found)
        assert sum(kinds.values()) >= 1
        assert set(kinds) <= {WarcPage, WarcSkipped, WarcBroken}
