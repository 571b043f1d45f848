"""Text files that are no such files, or hold rows that are none: encodings, line ends, bombs, structure, types, names."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import random
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import zstandard

from tools.soak.good_files import FLAT, Row, as_csv, as_json, as_lines, rows_of, said
from tools.soak.inputs import Input
from tools.soak.odd_tables import TABLE_KINDS

Draw = Callable[[random.Random], Input]

_ENCODINGS = (
    "utf-16-le utf-16-be utf-32-le utf-32-be utf-16 utf-32 latin-1 cp1252 cp500 shift_jis gb18030 koi8-r utf-8-sig cp437"
).split()
# what may stand where something else is expected
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, -0.0, float("nan"), float("inf"), "", " ", "\x00", "\ufeff", "null", "[]",
    [], {}, [None], [[]], [{}], [1, 2], ["a", "b"], {"a": {"b": [{"c": None}]}}, [["user", "x"]], {"role": "user"},
    [{"role": "user"}], [{"role": 5, "content": []}], [{"from": None, "value": {"text": 1}}], "x" * 5000, "\ud800",
    [{"role": "assistant", "content": [{"type": "image_url"}]}], {"$ref": "#"}, "{\"a\":", "1e999", "٣",
)  # fmt: skip
_FIELDS = (
    "instruction input output system history messages conversations role content from value prompt completion chosen "
    "rejected source label tools tool_calls kto_tag reasoning_content thinking images text question answer context"
).split()


def malformed_files(count: int, seed: int, *, kinds: Sequence[str] = ()) -> Iterator[Input]:
    """As many malformed inputs, one kind after the other; all kinds where none are named."""
    for number in range(count):
        names = kinds or list(KINDS)
        yield KINDS[names[number % len(names)]](random.Random(f"malformed-{seed}-{number}"))


def _text(rng: random.Random) -> tuple[str, bytes]:
    """A good text file: its ending and its bytes."""
    ending = rng.choice((".json", ".jsonl", ".ndjson", ".csv", ".tsv"))
    rows = rows_of(rng, layout=rng.choice(FLAT) if ending in (".csv", ".tsv") else "")
    if ending == ".json":
        return ending, as_json(rows)
    if ending in (".csv", ".tsv"):
        return ending, as_csv(rows, "\t" if ending == ".tsv" else ",")
    return ending, as_lines(rows)


def encoding(rng: random.Random) -> Input:
    ending, data = _text(rng)
    name = rng.choice(_ENCODINGS)
    return Input("encoding", f"{name}{ending}", data.decode().encode(name, "replace"))


def utf_7(rng: random.Random) -> Input:
    ending, data = _text(rng)
    raw = data.decode().encode("utf-7")
    if rng.random() < 0.5:  # as strict writers have it, whose brackets and quotes are encoded too
        for sign in '{["':
            raw = raw.replace(sign.encode(), b"+" + b64encode(sign.encode("utf-16-be")).rstrip(b"=") + b"-")
    mark = rng.choice((b"", b"+/v8-"))
    return Input("UTF-7", f"seven{ending}", mark + raw)


def line_ends(rng: random.Random) -> Input:
    ending, data = _text(rng)
    end = rng.choice((b"\r", b"\r", b"\n\r", b"\r\r\n", b"\x0b", b"\xe2\x80\xa8", b"\x1e"))
    return Input("line ends", f"ends{ending}", data.replace(b"\r\n", b"\n").replace(b"\n", end))


def truncated(rng: random.Random) -> Input:
    ending, data = _text(rng)
    return Input("truncated text", f"cut{ending}", data[: rng.randrange(1, len(data))])


def truncated_packed(rng: random.Random) -> Input:
    ending, data = _text(rng)
    packed, suffix = rng.choice(
        ((gzip.compress(data), ".gz"), (zstandard.ZstdCompressor().compress(data), ".zst"))
    )
    return Input("truncated gz, zst", f"cut{ending}{suffix}", packed[: rng.randrange(1, len(packed))])


def nesting(rng: random.Random) -> Input:
    levels = rng.choice((150, 201, 990, 5000, 100_000))
    opened, closed = rng.choice((("[", "]"), ('{"a":', "}")))
    value = (
        opened * levels + rng.choice(("1", "", '"x"')) + closed * rng.choice((levels, levels, 0, levels + 1))
    )
    name = rng.choice(_FIELDS)
    whole = rng.choice((value, f'{{"prompt": "a", "completion": "b", "{name}": {value}}}\n', f"[{value}]"))
    return Input("deep nesting", f"deep{rng.choice(('.json', '.jsonl'))}", whole.encode())


def numbers(rng: random.Random) -> Input:
    number = rng.choice(("9" * 5000, "-" + "1" * 4301, "1e999", "-1e-999", "0" * 50, "1." + "3" * 9000, "0x1F", "1_000", "+1", ".5", "1e", "NaN", "Infinity", "-Infinity", "nan"))  # fmt: skip
    name = rng.choice(_FIELDS)
    row = f'{{"prompt": "a", "completion": "b", "{name}": {number}}}'
    shape = rng.choice((f"{row}\n" * 3, f"[{row}, {row}]", f'{{"prompt": [{number}], "completion": ["b"]}}'))
    return Input("numbers, NaN", f"number{rng.choice(('.json', '.jsonl'))}", shape.encode())


def surrogates(rng: random.Random) -> Input:
    rows = rows_of(rng, layout=rng.choice(("alpaca", "messages", "prompt")))
    half = rng.choice((r"\ud800", r"\udfff", r"\ude00\ud83d", r"\ud83d"))
    text = as_lines(rows).decode().replace("apple", half).replace("tea", half)
    if rng.random() < 0.5:
        text = text.replace('"prompt"', f'"{half}": 1, "prompt"').replace(
            '"instruction"', f'"{half}": 1, "instruction"'
        )
    if rng.random() < 0.3:  # as bytes, which no UTF-8 has
        return Input(
            "lone surrogates", "half.jsonl", text.replace(half, "@@").encode().replace(b"@@", b"\xed\xa0\x80")
        )
    return Input("lone surrogates", "half.jsonl", text.encode())


def types(rng: random.Random) -> Input:
    rows = rows_of(rng, 6)
    for row in rows:
        for _ in range(rng.choice((1, 1, 3))):
            _put(row, rng.choice(ODD), rng)
    return Input("wrong types", f"types{rng.choice(('.json', '.jsonl'))}", _escaped(rows, rng))


def _escaped(rows: list[Row], rng: random.Random) -> bytes:
    """Rows in ASCII: half a surrogate pair has no UTF-8."""
    if rng.random() < 0.5:
        return json.dumps(rows).encode()
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _put(value: Any, odd: Any, rng: random.Random) -> None:
    """Put something odd into one place of nested values, or under a name that means something."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if isinstance(value, dict) and (not keys or rng.random() < 0.4):
            value[rng.choice(_FIELDS)] = odd
            return
        if not keys:
            return
        key = rng.choice(keys)
        if not isinstance(value[key], (dict, list)) or rng.random() < 0.3:
            value[key] = odd
            return
        value = value[key]


def empty(rng: random.Random) -> Input:
    data = rng.choice((b"", b" ", b"\n\n\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, b"[]", b"{}", b"null", b"[[]]", b"[{}]", b"\x00", b"instruction,output\n", b"\t", b'""', b"0", b"[null]"))  # fmt: skip
    ending = rng.choice((".json", ".jsonl", ".csv", ".tsv", ".parquet", ".arrow"))
    if ending not in (".parquet", ".arrow") and rng.random() < 0.3:
        return Input("empty", f"empty{ending}.gz", gzip.compress(data))
    return Input("empty", f"empty{ending}", data)


def marks(rng: random.Random) -> Input:
    ending, data = _text(rng)
    mark = rng.choice((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, b"\x0e\xfe\xff", b"\xf7\x64\x4c"))  # fmt: skip
    raw = rng.choice((mark + data, mark * 2 + data, data.replace(b"\n", b"\n" + mark), data + mark))
    return Input("byte order marks", f"mark{ending}", raw)


def keys_twice(rng: random.Random) -> Input:
    name, other = rng.choice((("prompt", "completion"), ("instruction", "output")))
    if rng.random() < 0.4:
        header = rng.choice((f"{name},{name},{other}", f"{name},{other},{other}", f"{name},{other},,", f" {name},{other},{name.upper()}"))  # fmt: skip
        return Input(
            "duplicated keys", "twice.csv", f"{header}\n{'a,b,c' + ',d' * (header.count(',') - 2)}\n".encode()
        )
    row = rng.choice((f'{{"{name}": "a", "{name}": 5, "{other}": "b"}}', f'{{"{name}": "a", "{other}": "b", "": 1, "": 2}}', '{"messages": [{"role": "user", "role": "assistant", "content": "a"}], "messages": 5}', f'{{"{name}": "a", "{other}": "b", "{"k" * 100_000}": 1}}'))  # fmt: skip
    return Input("duplicated keys", "twice.jsonl", f"{row}\n".encode() * 3)


def bomb(rng: random.Random) -> Input:
    """A few KiB that stand for more than a machine has."""
    inner = rng.choice((b"0" * (1 << 20), b" " * (1 << 20), b"[" * (1 << 20), b'{"a": 1}\n' * (1 << 17)))
    start = rng.choice((b"", b'{"prompt": "', b"[", b"prompt,completion\n", b'"'))
    ending = rng.choice((".json", ".jsonl", ".csv"))
    packer: Any = zlib.compressobj(1, zlib.DEFLATED, 31)
    suffix = ".gz"
    if rng.random() < 0.5:
        packer, suffix = zstandard.ZstdCompressor(1).compressobj(), ".zst"
    parts = [packer.compress(part) for part in (start, *[inner] * 700)]
    return Input("bomb", f"bomb{ending}{suffix}", b"".join([*parts, packer.flush()]))


def wrong_ending(rng: random.Random) -> Input:
    _, data = _text(rng)
    foreign = rng.choice((data, gzip.compress(data), b"%PDF-1.7\n" + rng.randbytes(200), b"PK\x03\x04" + rng.randbytes(300), b"PAR1" + rng.randbytes(40) + b"PAR1", rng.randbytes(500), b"\x89PNG\r\n\x1a\n" + rng.randbytes(90), b"SQLite format 3\x00" + bytes(100), b"ARROW1\x00\x00" + rng.randbytes(90)))  # fmt: skip
    ending = rng.choice(
        (
            ".json",
            ".jsonl",
            ".csv",
            ".tsv",
            ".parquet",
            ".arrow",
            ".feather",
            ".json.gz",
            ".csv.zst",
            ".txt",
            "",
        )
    )
    return Input("wrong ending", f"other{ending}", foreign)


def null_bytes(rng: random.Random) -> Input:
    ending, data = _text(rng)
    raw = bytearray(data)
    for _ in range(rng.choice((1, 5, 50))):
        raw.insert(rng.randrange(len(raw)), 0)
    return Input("null bytes", f"null{ending}", bytes(raw))


def quotes(rng: random.Random) -> Input:
    rows = rng.choice(('a,"b\nc,d\n', 'a,b"c"d\n', '"a""b,c\n', "a\n", "a,b,c,d\n", '"a"b,c\n', ",\n", "a,b\r\nc,d\re,f\n", '"' * 999 + "\n", "a,'b,c'\n", "a,b\\,c\n", "," * 5000 + "\n", '"a\x00b",c\n'))  # fmt: skip
    header = rng.choice(("prompt,completion\n", "prompt;completion\n", '"prompt","completion"\n', "prompt\n", 'prompt,"compl', "," * 3000 + "\n", "\n\nprompt,completion\n"))  # fmt: skip
    return Input(
        "CSV quotes, columns", rng.choice(("q.csv", "q.tsv")), (header + rows * rng.choice((1, 3))).encode()
    )


def signs(rng: random.Random) -> Input:
    sign = rng.choice(("\u202e", "\u200b", "\x1b[31m", "\x07", "\u2028", "\ufffe", "\U0010ffff", "a\u0301" * 50, "\x85", "\x7f", "<script>", "${7*7}", "{{7*7}}", "'; DROP TABLE runs;--", "=cmd|' /C calc'!A0"))  # fmt: skip
    rows = rows_of(rng, 4, rng.choice(("alpaca", "prompt")))
    rows = [{key: f"{sign}{value}{sign}" for key, value in row.items()} | {sign: sign} for row in rows]
    return Input("odd signs", "signs.jsonl", as_lines(rows))


def structure(rng: random.Random) -> Input:
    text = rng.choice(('"just text"', "[1, 2, 3]", '{"a": {"b": {"c": []}}}', '[["a", "b"], ["c"]]', '{"train": [], "test": 5}', '{"data": {"data": {"data": []}}}', '[{"prompt": "a", "completion": "b"}, 5, null, "x", [], {}]', '{"prompt": ["a"], "completion": ["b", "c"]}', '{"prompt": {"0": "a"}, "completion": {"1": "b"}}', "[[[[]]]]", '{"messages": []}', "[,]", "[1,]", "{'prompt': 'a'}", '[{"prompt": "a"} {"prompt": "b"}]', '{"prompt": "a", "completion": "b"}{"prompt": "a", "completion": "b"}', '[{"prompt": "a", "completion": "b"}]trailing', "// comment\n[]", '{"columns": ["prompt"], "index": [0], "data": [["a"]]}'))  # fmt: skip
    return Input("JSON of another shape", f"shape{rng.choice(('.json', '.jsonl'))}", text.encode())


def conversation(rng: random.Random) -> Input:
    roles = (
        "user",
        "assistant",
        "system",
        "tool",
        "",
        "USER ",
        "nobody",
        "human",
        "gpt",
        "function_call",
        "observation",
    )
    turns = [{rng.choice(("role", "from")): rng.choice(roles), rng.choice(("content", "value")): rng.choice((said(rng), "", None, [], [{"type": "text", "text": "a"}], {"a": 1}, 5))} for _ in range(rng.randrange(6))]  # fmt: skip
    rows = [
        {
            rng.choice(("messages", "conversations")): turns,
            **({"tools": rng.choice(ODD[:-6])} if rng.random() < 0.3 else {}),
        }
    ]
    return Input("conversations", "talk.jsonl", _escaped(rows, rng) + as_lines(rows_of(rng, 1, "messages")))


def mapped(rng: random.Random) -> Input:
    ending, data = _text(rng)
    places = ("instruction", "none", "messages.0.content", "messages.99999999999999999999.content", "a.b.c.d", "", ".", "..", "0", "messages", "prompt")  # fmt: skip
    roles = ("prompt", "response", "messages", "system", "source", "label", "good", "better", "rejected", "history", "tools", "input", "role.a", "bad", "nonsense")  # fmt: skip
    mapping = {rng.choice(roles): rng.choice(places) for _ in range(rng.randrange(1, 4))}
    return Input("mapping", f"map{ending}", data, mapping)


def names(rng: random.Random) -> Input:
    name = rng.choice(("a\nb.jsonl", "a" * 240 + ".jsonl", " .jsonl", "-rf.jsonl", "a:b.json", "a.json:train", "%s%n.csv", "a\u202egpj.jsonl", "a.jsonl.gz.gz", ".jsonl", "*.jsonl", "a b;$(id).jsonl", "ü̈.jsonl", "demo.jsonl", "~.jsonl"))  # fmt: skip
    return Input("odd names", name, as_lines(rows_of(rng, 3)))


def no_files(rng: random.Random) -> Input:
    def pipe(path: Path) -> None:
        os.mkfifo(path)

    def nowhere(path: Path) -> None:
        path.symlink_to(path.parent / "nothing")

    def circle(path: Path) -> None:
        path.symlink_to(path)

    def folder(path: Path) -> None:
        path.mkdir()

    def folder_of_itself(path: Path) -> None:
        path.mkdir()
        (path / "a.jsonl").write_bytes(b"")
        (path / "again").symlink_to(path)

    def device(path: Path) -> None:
        path.symlink_to("/dev/zero")

    ending = rng.choice((".jsonl", ".csv", ".parquet"))
    return Input(
        "no files",
        f"thing{ending}",
        make=rng.choice((pipe, nowhere, circle, folder, folder_of_itself, device)),
    )


KINDS: dict[str, Draw] = {
    "encoding": encoding,
    "UTF-7": utf_7,
    "line ends": line_ends,
    "truncated text": truncated,
    "truncated gz, zst": truncated_packed,
    "deep nesting": nesting,
    "numbers, NaN": numbers,
    "lone surrogates": surrogates,
    "wrong types": types,
    "empty": empty,
    "byte order marks": marks,
    "duplicated keys": keys_twice,
    "bomb": bomb,
    "wrong ending": wrong_ending,
    "null bytes": null_bytes,
    "CSV quotes, columns": quotes,
    "odd signs": signs,
    "JSON of another shape": structure,
    "conversations": conversation,
    "mapping": mapped,
    "odd names": names,
    "no files": no_files,
    **TABLE_KINDS,
}
