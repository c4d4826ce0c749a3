"""Files read as one stream, packed or not, damaged or not."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.packed import Packed


def read_all(data: bytes) -> tuple[bytes, int]:
    """What is in a file, and how often it was damaged."""
    stream, found, damaged = Packed(io.BytesIO(data)), b"", 0
    while True:
        piece = stream.read(70_000)
        found += piece
        if len(piece) < 70_000:
            if not stream.resume():
                return found, damaged
            damaged += 1


@given(st.lists(st.binary(max_size=300), max_size=4), st.booleans())
@settings(deadline=None, max_examples=100)
def test_what_was_packed_in_members_comes_out_whole(parts: list[bytes], padded: bool) -> None:
    data = b"".join(gzip.compress(part) for part in parts) + b"\0" * 100 * (padded and bool(parts))
    assert read_all(data) == (b"".join(parts), 0)


@given(st.binary(max_size=500).filter(lambda data: not data.startswith(b"\x1f\x8b\x08")))
@settings(deadline=None, max_examples=100)
def test_what_is_not_packed_comes_as_it_is(data: bytes) -> None:
    assert read_all(data) == (data, 0)


@pytest.mark.parametrize("size", [10, 100_000, 3_000_000])
def test_lines_of_any_length(size: int) -> None:
    lines = [b"a" * size + b"\n", b"\n", b"b" * size]
    for data in (b"".join(lines), gzip.compress(b"".join(lines))):
        stream = Packed(io.BytesIO(data))
        assert [stream.readline(size + 1) for _ in range(4)] == [*lines, b""]
        stream = Packed(io.BytesIO(data))
        assert stream.readline(7) == b"a" * 7 and stream.readline(size) == b"a" * (size - 7) + b"\n"
        assert stream.taken <= len(data)


def test_what_is_put_back_is_read_next() -> None:
    stream = Packed(io.BytesIO(b"one\ntwo\n"))
    line = stream.readline(100)
    stream.unread(line)
    assert stream.peek(5) == b"one\nt" and stream.read(100) == b"one\ntwo\n"


@pytest.mark.parametrize("size", [200, 100_000])
@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_reading_goes_on_behind_a_member_that_is_cut(cut: float, size: int) -> None:
    whole = [bytes((number * 7 + place * place) % 251 for place in range(size)) for number in range(3)]
    packed = [gzip.compress(part) for part in whole]
    short = packed[1][: int(len(packed[1]) * cut)]
    found, damaged = read_all(packed[0] + short + packed[2])
    assert damaged == 1 and found.startswith(whole[0]) and found.endswith(whole[2])


def test_a_file_that_ends_within_a_member_is_damaged_once() -> None:
    data = gzip.compress(bytes(range(256)) * 50)
    found, damaged = read_all(data[:-20])
    assert damaged == 1 and (bytes(range(256)) * 50).startswith(found)
    assert read_all(data[:5]) == (b"", 1)


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_any_bytes_behind_the_magic_end(data: bytes) -> None:
    read_all(b"\x1f\x8b\x08" + data)
    read_all(gzip.compress(b"good" * 50) + data)
