"""Files that end a process which reads them without looking."""

import struct
from pathlib import Path

import pyarrow as pa


def damaged_arrow(path: Path) -> Path:
    """An Arrow file whose text offsets point far outside it: whoever follows them gets SIGBUS or SIGSEGV."""
    table = pa.table({"instruction": ["what is it?"] * 50, "output": ["it is this."] * 50})
    with pa.ipc.new_file(path, table.schema) as file:
        file.write_table(table)
    raw = bytearray(path.read_bytes())
    at = raw.index(struct.pack("<3i", 0, 11, 22))
    for row in range(1, 51):
        struct.pack_into("<i", raw, at + 4 * row, 0x70000000 + row)
    path.write_bytes(raw)
    return path
