"""A file read from its start as one stream of bytes, unpacked where it is gzip; damage costs what it hits.

Every gzip member stands alone (RFC 1952, section 2.2), so reading goes on at the next one behind a broken one. That
is how WARC files are packed, one record a member (WARC 1.1, annex D).
"""

from __future__ import annotations

import zlib
from typing import BinaryIO, Optional

_CHUNK = 1 << 16
_MAGIC = b"\x1f\x8b\x08"  # gzip, deflate


class Packed:
    """Reads a binary file, packed or not, told apart by its first bytes. Holds little more than was asked for.

    At damage and where the file ends, reads come back short; `resume` then tells which, and goes on behind damage.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.taken = 0  # bytes of the file read so far, as they are there
        self._buffer = bytearray()
        self._chunk = b""  # of the file, read last
        self._at = 0  # what is used up of it
        self._member_at = 0  # where the member that is being unpacked begins in it
        self._unpacker: Optional[zlib._Decompress] = None
        self._damaged = False
        self._more()
        self._packed = self._chunk.startswith(_MAGIC)

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer only at damage or the end; they are read again."""
        while len(self._buffer) < size and self._fill():
            pass
        return bytes(self._buffer[:size])

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at damage or the end."""
        data = self.peek(size)
        del self._buffer[: len(data)]
        return data

    def readline(self, limit: int) -> bytes:
        """The rest of the line with its line feed, or the first `limit` bytes of it."""
        start = 0
        while (end := self._buffer.find(b"\n", start, limit)) < 0:
            start = len(self._buffer)
            if start >= limit or not self._fill():
                return self.read(min(start, limit))
        return self.read(end + 1)

    def unread(self, data: bytes) -> None:
        """Puts bytes back, to be read next."""
        self._buffer[:0] = data

    def resume(self) -> bool:
        """After a short read: whether that was damage; reading then goes on at the next gzip member behind it."""
        if not self._damaged:
            return False
        self._damaged, self._unpacker = False, None
        self._at = self._member_at + 1
        while True:
            self._at = self._chunk.find(_MAGIC, self._at)
            if self._at < 0:
                kept = self._chunk[-len(_MAGIC) + 1 :]  # it may begin there
                if not self._more(kept):
                    return True
            elif _unpacks(self._chunk[self._at : self._at + _CHUNK]):
                return True
            else:
                self._at += 1

    def _more(self, kept: bytes = b"") -> bool:
        """The next chunk of the file, behind what is kept of the one before."""
        data = self._file.read(_CHUNK) or b""
        self.taken += len(data)
        self._chunk, self._at, self._member_at = kept + data if data else b"", 0, -1
        return bool(data)

    def _fill(self) -> bool:
        """More bytes in the buffer; False at damage or the end."""
        while not self._damaged:
            if self._at >= len(self._chunk) and not self._more():
                self._damaged = self._unpacker is not None  # ends within a member
                return False
            if not self._packed:
                self._buffer += self._chunk[self._at :]
                self._at = len(self._chunk)
                return True
            if self._unpacker is None:
                if self._chunk[self._at] == 0:  # padding between members, as of tapes
                    self._at += 1
                    continue
                self._unpacker, self._member_at = zlib.decompressobj(wbits=31), self._at
            try:
                data = self._unpacker.decompress(self._chunk[self._at :], _CHUNK)
            except zlib.error:
                self._damaged = True
                return False
            unused = self._unpacker.unused_data if self._unpacker.eof else self._unpacker.unconsumed_tail
            self._at = len(self._chunk) - len(unused)
            if self._unpacker.eof:
                self._unpacker = None
            if data:
                self._buffer += data
                return True
        return False


def _unpacks(start: bytes) -> bool:
    """Whether this is the start of a gzip member, and not three bytes that look like one."""
    try:
        return bool(zlib.decompressobj(wbits=31).decompress(start, 64))
    except zlib.error:
        return False
