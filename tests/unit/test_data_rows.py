"""Preference data, rows marked as bad, media, rounds, speakers by hand, and what is said about a pool's rows."""

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.data import load_pool, normal
from backend.data.account import kind_of_reason
from backend.data.formats import detect
from backend.data.mapping import by_source, flat, from_mapping
from backend.errors import PoolError
from backend.records import Pool

CASES = Path(os.environ.get("ITERIT_SHARED", Path(__file__).parents[2].parent / "shared")) / "cases"
cases = pytest.mark.skipif(not CASES.is_dir(), reason="no small cases here (set ITERIT_SHARED)")
USER, GOOD, POOR = (
    {"role": "user", "content": "Name a fruit"},
    {"role": "assistant", "content": "An apple."},
    {"role": "assistant", "content": "A car."},
)
EARLIER = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
FRUIT = [("user", "Name a fruit")]


def pool_of(folder: Path, *rows: object, **options: Any) -> Pool:
    path = folder / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_pool([str(path)], **options)


def talk(pool: Pool, row: int = 0) -> list[tuple[str, str]]:
    return [(turn["role"], turn["content"]) for turn in pool.turns(row)]


def sentence(pool: Pool) -> str:
    assert pool.about is not None
    return pool.about.sentence


LAYOUTS: list[dict[str, Any]] = [
    {"prompt": "Name a fruit", "chosen": "An apple.", "rejected": "A car."},
    {"question": "Name a fruit", "chosen": "An apple.", "rejected": "A car."},
    {"instruction": "Name a fruit", "input": "", "chosen": "An apple.", "rejected": "A car."},
    {"instruction": "Name a fruit", "input": "", "output": ["An apple.", "A car."]},
    {"instruction": "Name a fruit", "chosen_response": "An apple.", "rejected_response": "A car."},
    {"question": "Name a fruit", "response_j": "An apple.", "response_k": "A car."},
    {"prompt": [USER], "chosen": [GOOD], "rejected": [POOR]},
    {"prompt": "Name a fruit", "chosen": [USER, GOOD], "rejected": [USER, POOR], "score_chosen": 8.5},
    {"prompt": [USER], "chosen": json.dumps([USER, GOOD]), "rejected": json.dumps([USER, POOR])},
    {"chosen": [USER, GOOD], "rejected": [USER, POOR]},
    {"chosen_messages": [USER, GOOD], "rejected_messages": [USER, POOR], "prompt": "Name a fruit"},
    {"messages": [USER], "chosen": GOOD, "rejected": POOR},
    {"messages": [USER, GOOD], "chosen": [USER, GOOD], "rejected": [USER, POOR], "prompt": "Name a fruit"},
    {"messages": [USER, GOOD], "chosen": "An apple.", "rejected": "A car."},
    {"messages": [USER, POOR], "chosen": "An apple.", "rejected": "A car."},
    {"conversations": [{"from": "human", "value": "Name a fruit"}], "chosen": {"from": "gpt", "value": "An apple."}, "rejected": {"from": "gpt", "value": "A car."}},
    {"chosen": "\n\nHuman: Name a fruit\n\nAssistant: An apple.", "rejected": "\n\nHuman: Name a fruit\n\nAssistant: A car."},
    {"prompt": "\n\nHuman: Name a fruit\n\nAssistant:", "response": "A car.", "chosen": " An apple.", "rejected": "A car."},
    {"prompt": "Name a fruit", "response_0": "A car.", "response_1": "An apple.", "better_response_id": 1},
    {"conversation_a": [USER, GOOD], "conversation_b": [USER, POOR], "winner": "model_a"},
]  # fmt: skip


@pytest.mark.parametrize("row", LAYOUTS, ids=lambda row: "+".join(row))
def test_the_chosen_answer_is_the_response(tmp_path: Path, row: dict[str, Any]) -> None:
    pool = pool_of(tmp_path, row)
    assert talk(pool) == FRUIT and pool.response(0).strip() == "An apple."
    assert sentence(pool) == "1 row: all read, chosen answers used, rejected ones left out."


@pytest.mark.parametrize("row", LAYOUTS[6:11], ids=lambda row: "+".join(row))
def test_tables_of_preference_data(tmp_path: Path, row: dict[str, Any]) -> None:
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "pool.parquet")
    pool = load_pool([str(tmp_path / "pool.parquet")])
    assert talk(pool) == FRUIT and pool.response(0) == "An apple."


def test_preference_of_longer_talks(tmp_path: Path) -> None:
    system = {"role": "system", "content": "Be brief."}
    rows = [
        {"messages": [system, *EARLIER, USER, POOR], "chosen": [*EARLIER, USER, GOOD], "rejected": [USER, POOR]},
        {"system": "Be brief.", "messages": [*EARLIER, USER], "chosen": "An apple.", "rejected": "A car."},
        {"prompt": [system, *EARLIER, USER], "chosen": [USER, GOOD], "rejected": [USER, POOR]},
    ]  # fmt: skip
    pool = pool_of(tmp_path, *rows)
    expected = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), *FRUIT]
    assert len(pool) == 3 and [talk(pool, row) for row in range(3)] == [expected] * 3


def test_preference_by_hand_says_nothing_twice(tmp_path: Path) -> None:
    row = {"ask": "Name a fruit", "chosen": [USER, GOOD], "rejected": [USER, POOR]}
    pool = pool_of(tmp_path, row, mapping={"prompt": "ask", "response": "chosen"})
    assert talk(pool) == FRUIT and "chosen answers used" in sentence(pool)
    pool = pool_of(
        tmp_path, {"talk": [USER], "best": "An apple."}, mapping={"messages": "talk", "response": "best"}
    )
    assert talk(pool) == FRUIT and pool.response(0) == "An apple." and "chosen" not in sentence(pool)
    row = {"prompt": [USER], "completion": [USER, GOOD]}
    assert talk(pool_of(tmp_path, row)) == FRUIT


def test_preference_that_cannot_be_read(tmp_path: Path) -> None:
    tie = {"conversation_a": [USER, GOOD], "conversation_b": [USER, POOR], "winner": "tie"}
    lone = {"chosen": "An apple.", "rejected": "A car."}
    pool = pool_of(tmp_path, LAYOUTS[0], tie, lone, {**LAYOUTS[0], "chosen": 5})
    assert [bad.reason for bad in pool.rejected] == [
        'neither answer is the better one ("winner" is tie)',
        '"chosen" is an answer without a prompt',
        '"chosen" is a number (5), not text or a list of turns',
    ]
    assert detect(["prompt", "completion", "chosen"]).format == "prompt-completion"  # type: ignore[union-attr]


BAD: list[dict[str, Any]] = [
    {"messages": [USER, GOOD], "label": False},
    {"messages": [USER, GOOD], "kto_tag": False},
    {"prompt": "Name a fruit", "completion": "An apple.", "label": False},
    {"prompt": [USER], "completion": [GOOD], "label": False},
    {"instruction": "Name a fruit", "output": "An apple.", "kto_tag": "false"},
]


@pytest.mark.parametrize("row", BAD, ids=lambda row: "+".join(row))
def test_rows_marked_as_bad(tmp_path: Path, row: dict[str, Any]) -> None:
    mark = "label" if "label" in row else "kto_tag"
    pool = pool_of(tmp_path, {**row, mark: True}, row)
    assert [bad.reason for bad in pool.rejected] == [f'is marked as bad ("{mark}" is false)']
    assert sentence(pool) == f'2 rows: 1 read, 1 left out because it is marked as bad ("{mark}" is false).'
    kept = pool_of(tmp_path, {**row, mark: True}, row, mapping={"bad": "keep"})
    assert (
        len(kept) == 2
        and sentence(kept) == "2 rows: all read, 1 kept that is marked as bad. Read as bad=keep."
    )


def test_a_label_of_another_kind_marks_nothing(tmp_path: Path) -> None:
    rows = [{"instruction": "a", "output": "b", "label": label} for label in (0, "false", None, "bad", True)]
    assert len(pool_of(tmp_path, *rows)) == 5


ASKED = {"role": "user", "content": "<image>What is it?"}
PLAIN = {"role": "user", "content": "What is it?"}
MEDIA: list[tuple[dict[str, Any], str]] = [
    ({"messages": [ASKED, GOOD], "images": ["a.png"]}, 'holds an image ("images"); only text can be read'),
    ({"messages": [PLAIN, GOOD], "images": ["a.png"]}, 'holds an image ("images"); only text can be read'),
    ({"messages": [ASKED, GOOD], "image": "coco/17"}, 'holds an image ("image"); only text can be read'),
    ({"instruction": "<video>?", "output": "x", "videos": ["v"]}, 'holds a video ("videos"); only text can be read'),
    ({"question": "Hear?", "answer": "x", "audio": {"path": "a.wav", "bytes": None}}, 'holds audio ("audio"); only text can be read'),
    ({"messages": [{**PLAIN, "images": ["a.png"]}, GOOD]}, '"messages" turn 1 holds an image ("images"); only text can be read'),
    ({"messages": [{"role": "user", "content": [{"image": "a.png"}, {"text": "?"}]}, GOOD]}, "\"messages\" turn 1 holds a part of type 'image'; only text can be read"),
    ({"prompt": "See", "chosen": "x", "rejected": "y", "Image_Path": "a.jpg"}, 'holds an image ("Image_Path"); only text can be read'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason"), MEDIA, ids=lambda value: "" if isinstance(value, str) else "+".join(value)
)
def test_media_are_named_wherever_they_hide(tmp_path: Path, row: dict[str, Any], reason: str) -> None:
    pool = pool_of(tmp_path, {"instruction": "a", "output": "b"}, row)
    assert len(pool) == 1 and [bad.reason for bad in pool.rejected] == [reason]


def test_media_in_tables(tmp_path: Path) -> None:
    png = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table(
        {
            "question": ["a", "b", "c"],
            "answer": ["x", "y", "z"],
            "image": pa.array([{"bytes": b"\x89PNG", "path": None}, None, None], png),
            "images": pa.array([[], [b"\xff"], []], pa.list_(pa.binary())),
        }
    )
    pq.write_table(table, tmp_path / "pool.parquet")
    pool = load_pool([str(tmp_path / "pool.parquet")])
    assert pool.table["row"].to_pylist() == [2]
    assert [bad.reason.split(";")[0] for bad in pool.rejected] == [
        'holds an image ("image")',
        'holds an image ("images")',
    ]


def test_text_about_images_is_text(tmp_path: Path) -> None:
    rows = [
        {"instruction": "What does <image> do?", "output": "x"},
        {"instruction": "a", "output": "b", "image": None, "images": []},
        {"instruction": "a", "output": "b", "image": "none"},
    ]
    assert len(pool_of(tmp_path, *rows)) == 3


def test_rounds_of_two_are_turns(tmp_path: Path) -> None:
    rounds = [{"human": "Hi", "assistant": "Hello"}, {"human": "Name a fruit", "assistant": "An apple."}]
    pool = pool_of(
        tmp_path,
        {"conversation": rounds},
        {"conversations": [{"question": "q", "answer": "a", "system": "s"}]},
    )
    assert talk(pool) == [("user", "Hi"), ("assistant", "Hello"), *FRUIT] and pool.response(0) == "An apple."
    assert talk(pool, 1) == [("system", "s"), ("user", "q")] and pool.response(1) == "a"


def test_a_round_as_columns(tmp_path: Path) -> None:
    assert talk(pool_of(tmp_path, {"human": "Name a fruit", "assistant": "An apple."})) == FRUIT


def test_speakers_by_hand(tmp_path: Path) -> None:
    row = {"messages": [{"role": "Customer", "content": "q"}, {"role": "agent", "content": "a"}]}
    mapping = {"role.customer": "user", "role.Agent": "assistant"}
    pool = pool_of(tmp_path, row, mapping=mapping)
    assert talk(pool) == [("user", "q")] and pool.response(0) == "a"
    assert sentence(pool) == "1 row: all read. Read as role.Agent=assistant, role.customer=user."
    assert talk(pool_of(tmp_path, {"t": row["messages"]}, mapping={"messages": "t", **mapping})) == [
        ("user", "q")
    ]
    with pytest.raises(PoolError, match=r"role 'Customer' is unknown .*role.NAME=user"):
        pool_of(tmp_path, row)
    with pytest.raises(PoolError, match=r"role.agent=bot: a role is one of system, user, assistant, tool"):
        from_mapping({"role.agent": "bot"})
    with pytest.raises(PoolError, match="only bad=keep is known"):
        from_mapping({"bad": "drop"})


def test_sources_with_mappings_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"q": "qa", "r": "ra"}\n')
    (tmp_path / "b.jsonl").write_text(
        '{"t": [{"role": "client", "content": "qb"}, {"role": "ai", "content": "rb"}]}\n'
    )
    (tmp_path / "c.jsonl").write_text('{"instruction": "qc", "output": "rc"}\n')
    paths = [str(tmp_path / f"{name}.jsonl") for name in "abc"]
    mapping = {
        "a.jsonl:prompt": "q",
        "a.jsonl:response": "r",
        f"{paths[1]}:messages": "t",
        f"{paths[1]}:role.client": "user",
    }
    pool = load_pool(paths, mapping=mapping)
    assert pool.responses().to_pylist() == ["ra", "rb", "rc"] and pool.about is not None
    assert pool.about.mapping == mapping and flat(*by_source(mapping)) == mapping
    again = load_pool(
        paths,
        mappings={
            paths[0]: {"prompt": "q", "response": "r"},
            "b.jsonl": {"messages": "t", "role.client": "user"},
        },
    )
    assert again.id == pool.id
    alone = load_pool(paths[:1], mapping={"a.jsonl:prompt": "q", "a.jsonl:response": "r"})
    assert alone.about is not None and alone.about.mapping == {"prompt": "q", "response": "r"}
    assert by_source({"owner/name:test:prompt": "q"}) == ({}, {"owner/name:test": {"prompt": "q"}})
    with pytest.raises(PoolError, match=r"mapping d.jsonl:...: no source has this name"):
        load_pool(paths, mapping={"d.jsonl:prompt": "q"})


def test_one_file_may_hold_several_formats(tmp_path: Path) -> None:
    pool = pool_of(
        tmp_path, {"messages": [USER, GOOD]}, {"instruction": "a", "output": "b"}, LAYOUTS[0], {"x": 1}
    )
    assert pool.responses().to_pylist() == ["An apple.", "b", "An apple."]
    assert pool.rejected[0].reason.startswith('"') and "is missing (found: x)" in pool.rejected[0].reason


def test_reasons_are_counted_by_kind(tmp_path: Path) -> None:
    talks = [[USER, {"role": "nobody", "content": str(i)}] for i in range(3)]
    rows = [{"messages": talk} for talk in ([USER, GOOD], *talks, [*EARLIER, *talks[0]], 5, 6)]
    assert sentence(pool_of(tmp_path, *rows)) == (
        "7 rows: 1 read, 6 left out (4 because a turn of \"messages\" role 'nobody' is unknown; "
        '2 because "messages" is a number, expected a list of turns).'
    )
    assert (
        kind_of_reason("line 17, column 3: malformed JSON (Expecting value)")
        == "malformed JSON (Expecting ...)"
    )
    assert kind_of_reason("holds text that is not UTF-8") == "it holds text that is not UTF-8"


def test_whatever_a_row_holds_is_its_own_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {"at": datetime(2026, 1, 2, tzinfo=UTC), "price": Decimal("1.50")}
    talk_ = [
        {"role": "user", "content": "q"},
        {"role": "tool", "value": seen},
        {"role": "assistant", "content": "a"},
    ]
    pq.write_table(pa.Table.from_pylist([{"messages": talk_}]), tmp_path / "pool.parquet")
    pool = load_pool([str(tmp_path / "pool.parquet")])
    assert pool.turns(0)[1]["content"] == '{"at": "2026-01-02 00:00:00+00:00", "price": "1.50"}'
    real = normal.sample_of

    def odd(record: Any, reading: Any) -> Any:
        return real(record, reading) if record["instruction"] == "a" else [].index(record)

    monkeypatch.setattr(normal, "sample_of", odd)
    pool = pool_of(tmp_path, {"instruction": "a", "output": "b"}, {"instruction": "c", "output": "d"})
    assert len(pool) == 1 and pool.rejected[0].reason.startswith("cannot be read (ValueError: ")


@cases
def test_the_small_cases() -> None:
    def load(name: str, **options: Any) -> Pool:
        return load_pool([str(CASES / name)], **options)

    assert load("preference.jsonl").responses().to_pylist() == ["An apple.", "An oak.", "A wren."]
    assert len(load("roles.jsonl")) == 9
    mapping = {
        "role.customer": "user", "role.agent": "assistant", "role.instruction": "user", "role.input": "user",
        "role.output": "assistant", "role.client": "user", "role.speaker1": "user", "role.speaker2": "assistant",
    }  # fmt: skip
    assert load("roles.jsonl", mapping=mapping).responses().to_pylist() == [
        f"Answer number {i}." for i in range(14)
    ]
    assert len(load("tools.jsonl")) == 2 and len(load("moss.jsonl")) == 1 and len(load("parts.jsonl")) == 2
    assert sentence(load("kto_lf.jsonl")).startswith("2 rows: 1 read, 1 left out because it is marked as bad")
    with pytest.raises(PoolError, match=r'holds an image \("images"\)'):
        load("image_only.jsonl")
