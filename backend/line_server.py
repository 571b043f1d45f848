"""A process that another one asks by JSON lines on stdin, and that says JSON lines on what was stdout.

It ends when stdin does, which happens too where its parent is killed, when nobody reads what it says any longer, and
when it has been idle. What libraries print goes to stderr. Nothing here imports torch: that takes seconds, and stdin
is watched before. The other side is `backend.line_process`.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

Say = Callable[[dict[str, Any]], None]

logger = logging.getLogger("backend.line_server")


def begin() -> Say:
    """Set this process up, once and at first; returns what writes a line, from any thread."""
    # ctrl-C in the app's terminal: the app ends, and this with it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else is printed goes there
    lock = threading.Lock()

    def say(values: dict[str, Any]) -> None:
        with lock:
            try:
                lines.write(json.dumps(values) + "\n")
                lines.flush()
            except BrokenPipeError:
                os._exit(0)  # nobody listens any more

    return say


def listen(take: Callable[[str], None]) -> None:
    """Have a thread of its own take each line of stdin, whose end ends the process, wherever it is."""

    def read() -> None:
        for line in sys.stdin:
            take(line)
        os._exit(0)

    threading.Thread(target=read, name="requests", daemon=True).start()


def end_idle(minutes: float) -> NoReturn:
    """End the process for want of requests."""
    logger.info("nothing was asked for %g minutes", minutes)
    os._exit(0)  # without waiting for the thread that waits for requests
