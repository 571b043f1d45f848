"""The process that reads files from outside, seen from the process that asks it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
HEADER = struct.Struct("<II")  # bytes of the JSON, bytes of what follows it
_MOST_BYTES = 1 << 31
MOST_USES = 100  # requests before a reader makes room for a new one
_LAST_BYTES = 4096


class Gone(Exception):
    """A reader ended before it had said everything.

    signal : name of the signal that ended it, "" where it left by itself. last : what it printed last.
    """

    def __init__(self, code: int, last: str) -> None:
        self.signal = signal.Signals(-code).name if code < 0 else ""
        self.last = last
        how = f"was ended by {self.signal}" if self.signal else f"ended with exit code {code}"
        super().__init__(how)

    @property
    def out_of_memory(self) -> bool:
        """Whether it gave up because it got no more memory."""
        return "bad_alloc" in self.last or "MemoryError" in self.last or "Cannot allocate memory" in self.last


class ReaderProcess:
    """One reader (see `guard_reader`). It takes a request at a time, and another one once it has said all to that.

    memory : bytes that it may take.
    """

    _idle: ReaderProcess | None = None
    _lock = threading.Lock()

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.is_free = True
        self._uses = 0
        self._environment = dict(os.environ)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it has no name: nothing to clear away, whoever is killed
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        # -P: no module of the folder that this process happens to be in stands in for one of Python's
        command = [sys.executable, "-P", "-m", "backend.data.guard_reader", str(memory)]
        self._process = subprocess.Popen(
            command,
            # Arrow's other allocators take address space in advance, which the limit counts
            env={**os.environ, "PYTHONPATH": path, "ARROW_DEFAULT_MEMORY_POOL": "system"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl+C is for whoever asks; a reader ends when nobody asks any more
        )

    @classmethod
    def kept(cls, memory: int) -> ReaderProcess | None:
        """The reader that waits for a request, where there is one with this limit and environment."""
        with cls._lock:
            process, cls._idle = cls._idle, None
        if process is None:
            return None
        if process.memory == memory and process._environment == os.environ:
            return process
        process.end()
        return None

    def keep(self) -> None:
        """Let it wait for the next request; it ends by itself where none comes for a minute."""
        if self._uses < MOST_USES:
            with ReaderProcess._lock:
                if ReaderProcess._idle is None:
                    ReaderProcess._idle = self
                    return
        self.end()

    def ask(self, request: dict[str, Any]) -> None:
        """Give it something to do.

        Raises
        ------
        Gone : it has ended.
        """
        assert self._process.stdin is not None
        self._uses += 1
        self.is_free = False
        # whether it was taken shows in the answer; Windows has an error of its own for a broken pipe
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        said, _ = self._next()
        if "begun" not in said:
            raise self._gone()

    def answers(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """What it says to the request, up to {"finished": true}.

        Raises
        ------
        Gone : it has ended before.
        """
        while True:
            said, payload = self._next()
            self.is_free = "finished" in said
            yield said, payload
            if self.is_free:
                return

    def kill(self) -> None:
        """End it at once, from another thread; whoever listens gets Gone."""
        self._process.kill()

    def end(self) -> None:
        """End it, and let go of all that belongs to it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._log.close()

    def _next(self) -> tuple[dict[str, Any], bytes]:
        header = self._read(HEADER.size)
        size, more = HEADER.unpack(header)
        if max(size, more) > _MOST_BYTES:
            raise self._gone()
        return json.loads(self._read(size)), self._read(more)

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None
        found = self._process.stdout.read(size)
        if len(found) < size:
            raise self._gone()
        return found

    def _gone(self) -> Gone:
        self._process.kill()  # where it talks nonsense; one that has ended does not mind
        code = self._process.wait()
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - _LAST_BYTES))
        return Gone(code, self._log.read().decode(errors="replace").strip())


@atexit.register
def _end_the_idle() -> None:
    with ReaderProcess._lock:
        process, ReaderProcess._idle = ReaderProcess._idle, None
    if process is not None:
        process.end()
