"""Pools and previews of files that somebody else made, read in a process of their own with a limit to its memory.

A damaged file can end the process that reads it, and one made for the purpose can take all memory. Here that is the end
of a reader and a sentence for a person; whoever asked lives. The samples come back batch by batch, each gone through
whole before it is used; this process opens none of the files. See `guard_reader` for the other side.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from backend.data import demo, limits
from backend.data.batch import TABLE_SUFFIXES, suffix_of
from backend.data.guard_process import Gone, ReaderProcess
from backend.data.normal import NORMAL
from backend.data.pool import Part, Plan, assembled, load_pool
from backend.data.preview import Preview, preview
from backend.errors import PoolError
from backend.records import Pool

_LOG = logging.getLogger(__name__)
_Mapping = Mapping[str, str]


def load_outside(
    inputs: Sequence[str | Path],
    *,
    mapping: _Mapping | None = None,
    mappings: Mapping[str, _Mapping] | None = None,
    roots: Sequence[Path] | None = None,
    name: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Pool:
    """`load_pool` for files from anywhere; the arguments are the same.

    Raises
    ------
    PoolError : as `load_pool`; and where a file is so damaged that it ended the reader ("damaged: NAME ..."), or needs
        more memory than reading may take (see `limits.memory`).
    """
    given = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    if _only_ours(given):
        return load_pool(
            given, mapping=mapping, mappings=mappings, roots=roots, name=name, on_progress=on_progress
        )
    request = {
        "job": "load",
        "inputs": [str(one) for one in given],
        "mapping": dict(mapping or {}),
        "mappings": {key: dict(own) for key, own in (mappings or {}).items()},
        "roots": None if roots is None else [str(root) for root in roots],
    }
    names = [Path(one).name for one in given[:1]]
    with _answers(request, names) as answers:
        said, _ = next(answers)
        plan = Plan(said["name"], tuple((name, size) for name, size in said["sources"]), said["mapping"])
        names[:] = [source for source, _ in plan.sources]
        return assembled(
            plan, _parts(answers), name=name, on_progress=on_progress, most_bytes=limits.memory()
        )


def preview_outside(
    path: str | Path, *, mapping: _Mapping | None = None, limit: int = 20, roots: Sequence[Path] | None = None
) -> Preview:
    """`preview` of a file from anywhere; the arguments are the same.

    Raises
    ------
    PoolError : as `preview` and `load_outside`; or the first rows took longer than PREVIEW_SECONDS.
    """
    if _only_ours([path]):
        return preview(path, mapping=mapping, limit=limit, roots=roots)
    request = {
        "job": "preview",
        "path": str(path),
        "mapping": dict(mapping or {}),
        "limit": limit,
        "roots": None if roots is None else [str(root) for root in roots],
    }
    with _answers(request, [Path(path).name], seconds=limits.PREVIEW_SECONDS) as answers:
        said, _ = next(answers)
        next(answers, None)  # its last word, so that it can be asked again
        return Preview(**{**said, "columns": tuple(said["columns"])})


def _only_ours(inputs: Sequence[str | Path]) -> bool:
    """Whether all that is read comes with the studio."""
    ours = ("demo", str(demo.POOL), str(demo.HELDOUT))
    return bool(inputs) and all(str(one) in ours for one in inputs)


def _parts(answers: Iterator[tuple[dict[str, Any], bytes]]) -> Iterator[Part]:
    for said, payload in answers:
        with pa.ipc.open_stream(pa.py_buffer(payload)) as stream:
            batch = stream.read_next_batch()
        batch.validate(full=True)
        if not batch.schema.equals(NORMAL):
            raise pa.ArrowInvalid(f"a batch of other columns: {batch.schema.names}")
        rejected = [(row, reason) for row, reason in said["rejected"]]
        yield Part(said["source"], batch, said["chosen"], said["bad"], rejected, said["done"], said["note"])


@contextmanager
def _answers(
    request: dict[str, Any], names: list[str], *, seconds: float | None = None
) -> Iterator[Iterator[tuple[dict[str, Any], bytes]]]:
    """What a reader says to a request; however it ends there is either all of it or a PoolError.

    names : of the sources, for the error; may be filled in meanwhile. seconds : that it may take.
    """
    at = [0]
    late = threading.Event()
    process = _begin(request)

    def too_late() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, too_late) if seconds else None

    def answers() -> Iterator[tuple[dict[str, Any], bytes]]:
        for said, payload in process.answers():
            if "at" in said:
                at[0] = said["at"]
            elif "error" in said:
                # what reads text is Python, and as sound as before; what Arrow's readers made of a bad file, who knows
                process.is_free = suffix_of(Path(name())) not in TABLE_SUFFIXES
                raise PoolError(said["error"])
            elif "memory" in said:
                raise PoolError(_too_much(name()))
            elif "broken" in said:
                _LOG.error("reading %s failed:\n%s", name(), said["traceback"])
                raise PoolError(f"{name()}: cannot be read ({limits.shortened(said['broken'])})")
            elif "finished" in said:
                return
            else:
                yield said, payload

    def name() -> str:
        return names[at[0]] if at[0] < len(names) else "the file"

    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield answers()
    except Gone as gone:
        if late.is_set():
            raise PoolError(f"{name()}: its first rows took longer than {seconds:.0f} s to read") from gone
        raise PoolError(describe_exit(name(), gone)) from gone
    except pa.ArrowException as error:
        raise PoolError(
            f"damaged: {name()} (its rows came out wrong: {str(error).splitlines()[0]})"
        ) from error
    finally:
        if timer:
            timer.cancel()
        # after an error, or when somebody stopped listening, it is in the middle of something
        if process.is_free:
            process.keep()
        else:
            process.end()


def _begin(request: dict[str, Any]) -> ReaderProcess:
    """A reader that has taken the request: one that waits, or where that has ended meanwhile, a new one."""
    request = {**request, "folder": os.getcwd()}
    kept = ReaderProcess.kept(limits.memory())
    if kept is not None:
        try:
            kept.ask(request)
        except Gone:
            kept.end()
        else:
            return kept
    process = ReaderProcess(limits.memory())
    try:
        process.ask(request)
    except Gone as gone:
        process.end()
        raise PoolError(f"the process that reads files could not be started ({gone.last or gone})") from gone
    return process


def _too_much(name: str) -> str:
    most = limits.in_words(limits.memory())
    # a damaged length in a table asks for as much memory as it happens to say
    perhaps = "; or it is damaged" if suffix_of(Path(name)) in TABLE_SUFFIXES else ""
    return f"{name}: needs more memory than reading a file may take here ({most}; {limits.MEMORY} sets it, in GB){perhaps}"


def describe_exit(name: str, gone: Gone) -> str:
    if gone.out_of_memory:
        return _too_much(name)
    if gone.signal == "SIGKILL":
        return f"{name}: needs more memory than there is, or its reader was killed (SIGKILL)"
    return f"damaged: {name} (its reader {gone})"
