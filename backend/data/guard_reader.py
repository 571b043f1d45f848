"""The process that reads files from outside: python -m backend.data.guard_reader BYTES.

It takes requests as lines of JSON on its standard input, and answers on its standard output with messages: two lengths,
JSON, and for a batch of samples that batch as an Arrow stream. It ends when its input does, when nobody asks for a
minute, and when it takes more memory than BYTES.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from backend.data.guard_process import HEADER
from backend.data.pool import Part, read_parts
from backend.data.preview import preview
from backend.errors import StudioError

_IDLE_SECONDS = 60.0
_Send = Callable[..., None]


def main() -> None:
    """Answer requests until there are no more."""
    _limit(int(sys.argv[1]))
    # a library that prints must not print into the answers
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()

    def send(message: dict[str, Any], payload: Any = b"") -> None:
        text = json.dumps(message, default=str).encode("utf-8", "surrogatepass")
        out.write(HEADER.pack(len(text), len(payload)))
        out.write(text)
        out.write(payload)
        out.flush()

    with contextlib.suppress(queue.Empty, BrokenPipeError):
        while True:
            answer(json.loads(requests.get(timeout=_IDLE_SECONDS)), send)
    os._exit(0)  # the thread that listens holds the input


def answer(request: dict[str, Any], send: _Send) -> None:
    """Do what is asked and say how it went."""
    send({"begun": True})
    try:
        os.chdir(request["folder"])
        roots = None if request["roots"] is None else [Path(root) for root in request["roots"]]
        if request["job"] == "preview":
            mapping = request["mapping"] or None
            found = preview(request["path"], mapping=mapping, limit=request["limit"], roots=roots)
            send(dataclasses.asdict(found))
        else:
            _load(request, roots, send)
    except StudioError as error:
        send({"error": str(error)})
    except MemoryError:
        send({"memory": True})
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - a process's end of the line: told with its traceback to who asked
        send({"broken": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()})
    else:
        send({"finished": True})


def _load(request: dict[str, Any], roots: list[Path] | None, send: _Send) -> None:
    plan, parts = read_parts(
        request["inputs"],
        mapping=request["mapping"],
        mappings=request["mappings"],
        roots=roots,
        on_source=lambda number: send({"at": number}),
    )
    send({"name": plan.name, "sources": plan.sources, "mapping": plan.mapping})
    for part in parts:
        _send_part(part, send)


def _send_part(part: Part, send: _Send) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, part.batch.schema) as stream:
        stream.write_batch(part.batch)
    said = {
        "source": part.source,
        "chosen": part.chosen,
        "bad": part.bad,
        "rejected": part.rejected,
        "done": part.done,
        "note": part.note,
    }
    send(said, memoryview(sink.getvalue()))


def _listen(requests: queue.Queue[bytes]) -> None:
    """Take requests; the end of the input is the end of this process, whatever it is doing."""
    with open(0, "rb") as stream:
        for line in stream:
            requests.put(line)
    os._exit(0)


def _limit(memory: int) -> None:
    """Limit what this process may take, where the platform lets it, and be the first to go where the machine has none."""
    try:
        import resource
    except ImportError:  # Windows
        return
    # of data, not of addresses: a file that is mapped takes no memory that others need
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main()
