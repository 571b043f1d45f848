"""A file's bytes as plain UTF-8: decompressed, without a byte order mark, UTF-16 recoded."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zstandard

from backend.data import limits
from backend.errors import PoolError

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16
_MARKS = (
    (codecs.BOM_UTF8, ""),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# UTF-7 is ASCII throughout: its mark, or a bracket or quote that strict writers encode, at the very beginning
_UTF_7 = (b"+/v8", b"+/v9", b"+/v+", b"+/v/", b"+AHs", b"+AFs", b"+ACI")
_CHUNK = 1 << 20
# one byte of Zstandard can stand for 32 KiB: so many at a time unpack to 128 MiB at most
_ZSTD_STEP = 4096
_HEAD = 4096
_MANY_ZEROS = 0.1
_FOREIGN = (
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"%PDF", "a PDF document"),
)


class _Recoded(io.RawIOBase):
    """UTF-8 bytes of a stream in another encoding."""

    def __init__(self, stream: io.BufferedReader, encoding: str) -> None:
        self._stream, self._decoder = stream, codecs.getincrementaldecoder(encoding)()
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            chunk = self._stream.read(_CHUNK)
            self._ready = self._decoder.decode(chunk, final=not chunk).encode("utf-8", "surrogatepass")
            if not chunk:
                break
        taken = self._ready[: len(buffer)]
        buffer[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)


class _Bounded(io.RawIOBase):
    """What a compressed file unpacks to, no more of it than is allowed."""

    def __init__(self, stream: io.RawIOBase | io.BufferedIOBase, packed: int, name: str) -> None:
        self._stream, self._packed, self._name, self._count = stream, packed, name, 0
        self._most = max(limits.UNPACKED_FREE, limits.UNPACKED_RATIO * packed)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = self._stream.readinto(buffer) or 0
        self._count += count
        if self._count > self._most:
            raise PoolError(
                f"{self._name}: unpacks to more than {limits.in_words(self._most)}, from "
                f"{limits.in_words(self._packed)} (allowed: {limits.in_words(limits.UNPACKED_FREE)}, or "
                f"{limits.UNPACKED_RATIO} times its size); unpack it yourself if that is intended"
            )
        return count


@contextmanager
def open_text(path: Path, name: str) -> Iterator[tuple[io.BufferedReader, Callable[[], int]]]:
    """A stream of UTF-8 bytes, and a function that tells how many of the file's own bytes were read.

    What is compressed is known by its first bytes, not by its name.

    Raises
    ------
    PoolError : the file is empty, damaged, or cannot be opened.
    """
    try:
        with open(path, "rb") as raw:
            magic = raw.peek(8)[:8]
            if not magic:
                raise PoolError(f"{name}: the file is empty")
            for mark, kind in _FOREIGN:
                if magic.startswith(mark):
                    raise PoolError(f"{name}: its first bytes are those of {kind}, its name says text")
            unpacked = _decompressed(raw, magic)
            if unpacked is not raw:
                unpacked = _Bounded(unpacked, path.stat().st_size, name)
            stream: io.BufferedReader = _buffered(unpacked)
            head = stream.peek(_HEAD)[:_HEAD]
            if not head:
                raise PoolError(f"{name}: the file is empty once decompressed")
            for mark, encoding in _MARKS:
                if head.startswith(mark):
                    if encoding:
                        stream = _buffered(_Recoded(stream, encoding))
                    else:
                        stream.read(len(mark))
                    break
            else:
                encoding = "UTF-7" if head.lstrip().startswith(_UTF_7) else unmarked(head)
                if encoding:
                    how = "" if encoding == "UTF-7" else " without a byte order mark"
                    raise PoolError(
                        f"{name}: is {encoding}{how}; save it as UTF-8 "
                        f"(for example: iconv -f {encoding} -t UTF-8 old > new)"
                    )
            yield stream, raw.tell
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise PoolError(f"{name}: the compressed file is damaged or incomplete ({error})") from error
    except UnicodeDecodeError as error:
        raise PoolError(f"{name}: not valid {error.encoding} ({error.reason})") from error
    except OSError as error:
        raise PoolError(f"{name}: cannot be read ({error.strerror or error})") from error


def refuse_cr(head: bytes, name: str) -> None:
    """Refuse a text of lines that end with CR alone: it has such ends, and no LF.

    Raises
    ------
    PoolError : it is one; says how to change that.
    """
    if b"\r" in head.rstrip() and b"\n" not in head:
        raise PoolError(
            f"{name}: its lines end with CR alone, as on old Macs; save it with LF or CRLF "
            "(for example: tr '\\r' '\\n' < old > new)"
        )


def unmarked(head: bytes) -> str:
    """The encoding of text that holds zero bytes in every second or in three of four places; "" where it is another."""
    whole = len(head) // 4 * 4
    if not whole or head.count(0) < _MANY_ZEROS * len(head):
        return ""
    zeros = [head[at:whole:4].count(0) / (whole / 4) for at in range(4)]
    if min(zeros[2:]) > 0.9:
        return "UTF-32LE"
    if min(zeros[:2]) > 0.9:
        return "UTF-32BE"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if odd > 4 * even:
        return "UTF-16LE"
    return "UTF-16BE" if even > 4 * odd else ""


def _buffered(stream: Any) -> io.BufferedReader:
    return io.BufferedReader(stream, _CHUNK)


def _decompressed(raw: io.BufferedReader, magic: bytes) -> io.RawIOBase | io.BufferedIOBase:
    if magic.startswith(_GZIP):
        return gzip.GzipFile(fileobj=raw, mode="rb")
    if magic.startswith(_ZSTD):
        return _Zstd(raw)
    return raw


class _Zstd(io.RawIOBase):
    """Zstandard frames, with an error where the last one is cut off: the library's reader ends as if all were well."""

    def __init__(self, raw: io.BufferedReader) -> None:
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._started, self._left, self._ready = False, b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            if self._frame.eof:
                self._left = self._frame.unused_data + self._left
                self._frame, self._started = zstandard.ZstdDecompressor().decompressobj(), False
            given = self._left or self._raw.read(1 << 16)
            chunk, self._left = given[:_ZSTD_STEP], given[_ZSTD_STEP:]
            if not chunk:
                if self._started:
                    raise EOFError("it ends in the middle of a frame")
                break
            self._started = True
            self._ready = memoryview(self._frame.decompress(chunk))
        taken = self._ready[: len(buffer)]
        buffer[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)


def lines(stream: io.BufferedReader) -> Iterator[bytes | None]:
    """The stream's lines, line ends included; None in place of a line longer than LINE_BYTES, which is skipped."""
    while line := stream.readline(limits.LINE_BYTES + 1):
        if len(line) <= limits.LINE_BYTES:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(limits.LINE_BYTES)
        yield None


def too_long(number: int) -> str:
    """Why a line is not read."""
    return f"line {number}: longer than {limits.in_words(limits.LINE_BYTES)}, the longest that is read"


def decode(line: bytes, number: int) -> str:
    """One line as text.

    Raises
    ------
    ValueError : it is not UTF-8; the message says which byte, where, and what to do.
    """
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            not_utf8(line[error.start], number, len(line[: error.start].decode("utf-8")) + 1)
        ) from error


def not_utf8(byte: int, line: int, column: int) -> str:
    """Why bytes are not text, and what to do about it."""
    return (
        f"line {line}, column {column}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8 "
        "(for example: iconv -f WINDOWS-1252 -t UTF-8 old > new)"
    )
