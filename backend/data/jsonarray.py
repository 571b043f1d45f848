"""The elements of a JSON array, one after the other, without the array ever being in memory."""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Iterator
from typing import Any, NoReturn

from backend.data import limits, streams

_CHUNK = 1 << 20
_SPACE = " \t\r\n"
# a value that is cut off at the buffer's end fails within its last characters, except for an open string
_NEAR_END = 16


class Malformed(ValueError):
    """Not JSON; the message begins with line and column."""


TOO_DEEP = f"nested too deeply, at most {limits.NESTING} levels are read"


def is_too_deep(value: Any, text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether a parsed value has more levels than are read; text[start:end] is what it was parsed from."""
    if not isinstance(value, (dict, list)):
        return False
    if text.count("[", start, end) + text.count("{", start, end) <= limits.NESTING:
        return False
    level = [value]
    for _ in range(limits.NESTING):
        inner = [item.values() if isinstance(item, dict) else item for item in level]
        level = [value for items in inner for value in items if isinstance(value, (dict, list))]
        if not level:
            return False
    return True


class JsonArray:
    """Iterates over (element, number of characters) of the array that a stream of UTF-8 bytes holds."""

    def __init__(self, stream: io.BufferedReader, *, chunk: int = _CHUNK) -> None:
        self._stream, self._chunk = stream, chunk
        self._bytes = codecs.getincrementaldecoder("utf-8")()
        self._decode = json.JSONDecoder().raw_decode
        self._text, self._at, self._end = "", 0, False
        self._line, self._column = 1, 1  # of _text[0]

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        self._next_mark()
        self._at += 1  # the opening bracket, which the caller has seen
        if self._next_mark() == "]":
            self._finish()
            return
        while True:
            self._next_mark()
            yield self._value()
            mark = self._next_mark()
            if mark == "]":
                self._finish()
                return
            if mark != ",":
                self._fail("expected , or ] after an element", self._at)
            self._at += 1

    def _finish(self) -> None:
        self._at += 1
        if self._next_mark():
            self._fail("more text after the closing ]", self._at)

    def _value(self) -> tuple[Any, int]:
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut_off = error.msg.startswith("Unterminated string")
                if len(self._text) - self._at > limits.LINE_BYTES:
                    most = f"{limits.LINE_BYTES:,} characters"
                    self._fail(f"the element that begins here is not closed within {most}", self._at)
                if (cut_off or len(self._text) - error.pos <= _NEAR_END) and self._fill():
                    continue
                self._fail(error.msg, error.pos)
            except RecursionError:
                self._fail(TOO_DEEP, self._at)
            except ValueError as error:  # a number of thousands of digits
                self._fail(str(error), self._at)
            else:
                # a number may go on in the next chunk, where "1.5e" shows as 1.5 and a rest
                cut_off = not isinstance(value, (dict, list, str)) and len(self._text) - end <= _NEAR_END
                if cut_off and self._fill():
                    continue
                if is_too_deep(value, self._text, self._at, end):
                    self._fail(TOO_DEEP, self._at)
                size, self._at = end - self._at, end
                return value, size

    def _next_mark(self) -> str:
        """The next character that is not space, "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def _fill(self) -> bool:
        """Drop what was read, append as much again: an element of any length is parsed in linear time."""
        if self._end:
            return False
        self._line, self._column = self._position(self._at)
        rest = self._text[self._at :]
        raw = self._stream.read(max(self._chunk, min(len(rest), limits.LINE_BYTES)))
        try:
            more = self._bytes.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            self._text, self._at = rest + error.object[: error.start].decode("utf-8"), 0
            line, column = self._position(len(self._text))
            raise Malformed(streams.not_utf8(error.object[error.start], line, column)) from error
        self._end = not raw
        self._text, self._at = rest + more, 0
        return True

    def _position(self, at: int) -> tuple[int, int]:
        newlines = self._text.count("\n", 0, at)
        if not newlines:
            return self._line, self._column + at
        return self._line + newlines, at - self._text.rfind("\n", 0, at)

    def _fail(self, why: str, at: int) -> NoReturn:
        line, column = self._position(at)
        raise Malformed(f"line {line}, column {column}: malformed JSON ({why})")
