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
_CHUNK = 1 << 20


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
            magic = raw.peek(4)[:4]
            if not magic:
                raise PoolError(f"{name}: the file is empty")
            stream: io.BufferedReader = _buffered(_decompressed(raw, magic))
            head = stream.peek(4)[:4]
            if not head:
                raise PoolError(f"{name}: the file is empty once decompressed")
            for mark, encoding in _MARKS:
                if head.startswith(mark):
                    if encoding:
                        stream = _buffered(_Recoded(stream, encoding))
                    else:
                        stream.read(len(mark))
                    break
            yield stream, raw.tell
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise PoolError(f"{name}: the compressed file is damaged or incomplete ({error})") from error
    except UnicodeDecodeError as error:
        raise PoolError(f"{name}: not valid {error.encoding} ({error.reason})") from error
    except OSError as error:
        raise PoolError(f"{name}: cannot be read ({error.strerror or error})") from error


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
        self._started, self._left, self._ready = False, b"", b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            if self._frame.eof:
                self._left = self._frame.unused_data
                self._frame, self._started = zstandard.ZstdDecompressor().decompressobj(), False
            chunk = self._left or self._raw.read(1 << 16)
            self._left = b""
            if not chunk:
                if self._started:
                    raise EOFError("it ends in the middle of a frame")
                break
            self._started = True
            self._ready = self._frame.decompress(chunk)
        taken = self._ready[: len(buffer)]
        buffer[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)


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
