"""Ids, inputs, roots, the hub, preview, health: what a pool is made from and what it says of itself."""

import json
import os
import random
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from backend.data import health, load_pool, preview, rows_of
from backend.data.hub import is_id
from backend.data.identity import occurrences
from backend.errors import PoolError

SHARED = Path(os.environ.get("ITERIT_SHARED", Path(__file__).parents[2] / ".." / "shared")) / "data"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="no folder of real data: set ITERIT_SHARED")

Row = dict[str, str]


def write(path: Path, rows: list[Row]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def rows(n: int, word: str = "w") -> list[Row]:
    return [{"instruction": f"{word} {i % 7}", "output": f"{word} {i % 5}"} for i in range(n)]


@pytest.mark.parametrize("seed", range(5))
def test_ids_survive_shuffling_and_renaming(tmp_path: Path, seed: int) -> None:
    given = rows(100) + rows(3, "{{7*7}}")
    mixed = list(given)
    random.Random(seed).shuffle(mixed)
    a = load_pool([write(tmp_path / "a.jsonl", given)])
    b = load_pool([write(tmp_path / "b.jsonl", mixed)])
    assert set(a.ids) == set(b.ids) and len(set(a.ids)) == 103 and a.id != b.id
    for sample in a.ids:
        i, j = a.row_of[sample], b.row_of[sample]
        assert (a.turns(i), a.response(i)) == (b.turns(j), b.response(j))
    digest, count = a.ids[0].split("-")
    assert len(digest) == 16 and int(digest, 16) >= 0 and count == "0"


def test_ids_tell_apart_what_differs_in_content_only(tmp_path: Path) -> None:
    same = [
        {"prompt": "ab", "completion": "c", "source": "s"},
        {"prompt": "ab", "completion": "c", "source": "t"},
    ]
    other = [
        {"prompt": "a", "completion": "bc"},
        {"prompt": "ab1:", "completion": ""},
        {"prompt": "ab", "completion": "1:c"},
    ]
    pool = load_pool([write(tmp_path / "a.jsonl", same + other)])
    assert [sample.split("-")[1] for sample in pool.ids] == ["0", "1", "0", "0", "0"]
    assert len({sample.split("-")[0] for sample in pool.ids}) == 4
    # the pool's id takes the source in, and neither file nor label
    one, two = (
        [{**row, "source": "s"} for row in other],
        [{**row, "source": "t", "label": "l"} for row in other],
    )
    ids = [
        load_pool([write(tmp_path / name, data)]).id
        for name, data in (("x.jsonl", one), ("y.jsonl", one), ("z.jsonl", two))
    ]
    assert ids[0] == ids[1] != ids[2] and len(ids[0]) == 16


def test_occurrences_against_counting() -> None:
    values = np.random.default_rng(0).integers(0, 9, 200).astype(np.uint64)
    slow = [int((values[:i] == value).sum()) for i, value in enumerate(values)]
    assert occurrences(values).tolist() == slow and len(occurrences(values[:0])) == 0


def test_several_files_and_folders(tmp_path: Path) -> None:
    a = write(tmp_path / "one" / "train-00000-of-00002.jsonl", rows(2, "a"))
    write(tmp_path / "one" / "deep" / "train-00000-of-00002.jsonl", rows(3, "b"))
    write(tmp_path / "one" / ".hidden.jsonl", rows(1))
    (tmp_path / "one" / "dataset_info.json").write_text("{}")
    (tmp_path / "one" / "notes.txt").write_text("no data")
    pool = load_pool([str(tmp_path / "one")])
    assert len(pool) == 5 and pool.name == "one" and pool.sources == ("train",)
    assert set(pool.table["file"].to_pylist()) == {
        "train-00000-of-00002.jsonl",
        "deep/train-00000-of-00002.jsonl",
    }
    c = write(tmp_path / "two" / "train-00000-of-00002.jsonl", rows(1, "c"))
    pool = load_pool([a, c, str(tmp_path / "one")])  # a once, though it is in the folder too
    assert len(pool) == 6 and pool.name == "train-00000-of-00002.jsonl and 2 more"
    assert {a, c} < set(pool.table["file"].to_pylist())
    assert load_pool([a], name="mine").name == "mine"
    assert pool.table["source"].type == pool.table["file"].type == pa.dictionary(pa.int32(), pa.string())


def test_a_file_without_samples_among_others_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", rows(2))
    write(tmp_path / "b.jsonl", [{"x": "y"}])
    with pytest.raises(PoolError, match=r"b.jsonl: no sample could be read"):
        load_pool([str(tmp_path)])


@pytest.mark.parametrize("roots", [False, True])
def test_missing_inputs(tmp_path: Path, roots: bool) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("x")
    inside = [tmp_path] if roots else None
    for given, message in (
        ([], "no input"),
        ([""], "an input is empty"),
        (["a\0b"], "an input is empty"),
        ([str(tmp_path / "none.json")], "no such file or folder.*not a hub dataset id"),
        ([str(tmp_path / "empty")], "holds no file that can be read"),
        ([str(tmp_path / "a.txt")], r'the name ends in ".txt"; files that can be read: JSON'),
        (["data/pool.json"], "data/pool.json: no such file or folder .*owner/name"),
        (["x" * 5000], "not a path|no such file"),
    ):
        with pytest.raises(PoolError, match=message):
            load_pool(given, roots=inside)


def test_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    good = write(inside / "a.jsonl", rows(2))
    secret = write(outside / "secret.jsonl", [{"password": "hunter2"}])
    assert len(load_pool([good], roots=[inside])) == 2
    assert len(load_pool(["a.jsonl"], roots=[inside])) == 2  # relative to a root
    (inside / "link.jsonl").symlink_to(secret)
    (inside / "loop.jsonl").symlink_to(inside / "loop.jsonl")
    for given in (secret, str(inside / ".." / "out" / "secret.jsonl"), str(inside / "link.jsonl"), "/etc/passwd", "../out/secret.jsonl", "/etc/none.json"):  # fmt: skip
        with pytest.raises(PoolError) as caught:
            load_pool([given], roots=[inside])
        assert "hunter2" not in str(caught.value) and "password" not in str(caught.value)
        assert "outside the folders that may be read" in str(caught.value) or "no such file" in str(
            caught.value
        )
    with pytest.raises(PoolError, match=r"link.jsonl: outside"):
        load_pool([str(inside)], roots=[inside])
    with pytest.raises(PoolError, match="outside"):
        preview(secret, roots=[inside])
    with pytest.raises(PoolError, match=r"may be read \(none\)"):
        load_pool([good], roots=[])
    # a folder that looks like a hub id is not handed to the hub's library, which would open it
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PoolError, match="outside"):
        load_pool(["out/data"] if (outside / "data").mkdir() is None else [], roots=[inside])


def fake_hub(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    """A `datasets` library whose load_dataset answers, or raises, as told; the hub itself is reachable."""

    class DatasetsError(Exception):
        pass

    def load_dataset(name: str, config: str | None, **at: str) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer(name, **at) if callable(answer) else answer

    fake = types.ModuleType("datasets")
    fake.load_dataset = load_dataset  # type: ignore[attr-defined]
    fake.exceptions = types.SimpleNamespace(DatasetsError=DatasetsError)  # type: ignore[attr-defined]
    fake.config = types.SimpleNamespace(HF_DATASETS_CACHE="/nowhere")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", fake)
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda self, name, timeout, **at: None)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def test_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = pa.Table.from_pylist(rows(3))
    split = types.SimpleNamespace(data=types.SimpleNamespace(table=table))
    fake_hub(monkeypatch, {"train": split, "test": split})
    pool = load_pool(["owner/name"])
    assert len(pool) == 3 and pool.sources == ("name",) and pool.table["file"][0].as_py() == "owner/name"
    assert load_pool(["owner/name:test"]).id == load_pool(["owner/name:main:test"]).id == pool.id
    assert preview("owner/name", limit=2).samples[1]["response"] == "w 1"
    with pytest.raises(PoolError, match=r"split 'dev' is not there .found: train, test"):
        load_pool(["owner/name:dev"])
    fake_hub(monkeypatch, {"a": split, "b": split})
    with pytest.raises(PoolError, match=r"which split.*found: a, b"):
        load_pool(["owner/name"])


def test_a_revision_of_a_dataset_is_a_part_of_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = []

    def answer(name: str, **at: str) -> object:
        asked.append((name, at))
        return {
            "train": types.SimpleNamespace(data=types.SimpleNamespace(table=pa.Table.from_pylist(rows(3))))
        }

    fake_hub(monkeypatch, answer)
    pool = load_pool(["owner/name@refs/pr/1:train"])
    assert asked == [("owner/name", {"revision": "refs/pr/1"})] and pool.sources == ("name",)


def test_hub_offline_names_both_readings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fake_hub(monkeypatch, ConnectionError("no route"))
    with pytest.raises(PoolError) as caught:
        load_pool(["owner/name"])
    text = str(caught.value)
    for part in (
        "no such file or folder",
        "dataset id",
        "needs a network",
        "download the dataset's files",
        "path",
    ):
        assert part in text
    fake_hub(monkeypatch, ValueError("Config name is missing.\nmore"))
    with pytest.raises(PoolError, match=r"no such file or folder.*The hub says: Config name is missing\.$"):
        load_pool(["owner/name"])
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(PoolError, match="could not be reached"):
        load_pool(["owner/name"])


def test_what_is_a_hub_id() -> None:
    assert all(
        map(
            is_id,
            (
                "owner/name",
                "o-w.n/na_me",
                "owner/name:train",
                "owner/name:config:train",
                "a/b@v1.0",
                "a/b@main:c",
            ),
        )
    )
    assert not any(
        map(is_id, ("name", "/a/b", "./a/b", "../b", "a/b/c", "a/b:c:d:e", "a/b@", "a@b/c", "a/b ", "~/b"))
    )


def test_preview(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write(
        path,
        [
            {"instruction": "<img src=x onerror=alert(1)>", "output": "o", "n": "1"},
            {"instruction": "x"},
            *rows(40),
        ],
    )
    path.write_text("{broken\n" + path.read_text())
    seen = preview(path, limit=5)
    assert seen.format == "alpaca" and seen.mapping == {"prompt": "instruction", "response": "output"}
    assert seen.columns == ("instruction", "output", "n") and len(seen.rows) == 5 and len(seen.samples) == 4
    assert seen.rows[0] == {"instruction": "<img src=x onerror=alert(1)>", "output": "o", "n": "1"}
    assert seen.samples[0] == {
        "turns": [{"role": "user", "content": "<img src=x onerror=alert(1)>"}],
        "response": "o",
        "source": "a",
        "label": None,
        "row": 1,
        "structure": None,
    }
    assert len(seen.problems) == 2 and seen.problems[0].startswith("row 0: line 1, column 2: malformed JSON")
    assert seen.problems[1] == 'row 2: "output" is missing (found: instruction)'
    folder = preview(tmp_path)
    assert folder.format == "alpaca"


def test_preview_of_an_unknown_format_shows_the_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"q": "x", "a": "y"}] * 3)
    seen = preview(path)
    assert (
        seen.format == "unknown" and seen.columns == ("q", "a") and seen.samples == [] and len(seen.rows) == 3
    )
    assert "no sample could be read" in seen.problems[0]
    mapped = preview(path, mapping={"prompt": "q", "response": "a"})
    assert mapped.format == "mapping" and mapped.samples[2]["response"] == "y" and mapped.problems == []
    csv = tmp_path / "a.csv"
    csv.write_text("q,a\nx,y\n")
    assert preview(csv).rows == [{"q": "x", "a": "y"}]


def test_health(tmp_path: Path) -> None:
    given = [
        {"prompt": "p", "completion": "c", "source": "s"},
        {"prompt": "p", "completion": "c", "source": "t"},
        {"prompt": "q", "completion": "c", "source": "s"},
        {"prompt": "p", "completion": "c", "source": "s"},
        {"prompt": "p", "completion": " \n", "source": "s"},
        {"prompt": "p"},
    ]
    pool = load_pool([write(tmp_path / "a.jsonl", given)])
    assert health(pool) == {
        "rows": 5,
        "rejected": 1,
        "empty_responses": 1,
        "duplicate_groups": 1,
        "duplicate_rows": 2,
        "duplicate_responses": 3,
        "sources": {"s": 4, "t": 1},
        "files": {"a.jsonl": 5},
        "rejected_by_file": {"a.jsonl": 1},
    }
    assert rows_of(pool, "duplicate_rows").tolist() == [1, 3]
    assert rows_of(pool, "duplicate_responses").tolist() == [1, 2, 3]
    assert rows_of(pool, "empty_responses").tolist() == [4]
    with pytest.raises(PoolError, match="known: empty_responses"):
        rows_of(pool, "other")  # type: ignore[arg-type]


def test_no_torch_and_nothing_slow_is_imported() -> None:
    code = "import sys, backend.data; print([m for m in ('torch', 'transformers', 'datasets', 'pandas') if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert found.stdout.strip() == "[]"


@shared
def test_real_small_pool() -> None:
    pool = load_pool([str(SHARED / "pool_small.json")])
    assert len(pool) == 1500 and not pool.rejected and len(pool.sources) == 3 and pool.name == "pool_small"
    raw = json.loads((SHARED / "pool_small.json").read_text(encoding="utf-8"))
    for i, row in enumerate(raw):
        lead = f"\nInput: {row['input']}" if row["input"] else ""
        assert pool.turns(i) == [{"role": "user", "content": row["instruction"] + lead}]
    assert pool.responses().to_pylist() == [row["output"] for row in raw]
    assert any("\nInput: No input" in pool.turns(i)[0]["content"] for i in range(10))


@shared
def test_real_large_pool() -> None:
    pool = load_pool([str(SHARED / "pool_52k.parquet")])
    assert len(pool) == 52_002 and not pool.rejected and len(pool.sources) == 4
    assert len(set(pool.ids)) == 52_002
    small = load_pool([str(SHARED / "pool_small.json")])
    assert len(set(small.ids) & set(pool.ids)) > 0  # ids know nothing of the file format


@shared
def test_real_conversations_with_tools() -> None:
    pool = load_pool([str(SHARED / "sharegpt_tools.json")])
    assert len(pool) == 300 and not pool.rejected
    roles = {turn["role"] for row in range(300) for turn in pool.turns(row)}
    assert roles == {"system", "user", "assistant", "tool"}
    assert pool.turns(0)[0]["content"].startswith('Tools:\n[{"name": "search_recipes"')


@shared
def test_real_seed_tasks_need_a_mapping() -> None:
    path = str(SHARED / "seed_tasks.jsonl")
    with pytest.raises(
        PoolError, match=r"Found: columns id, name, instruction, instances, is_classification\."
    ) as caught:
        load_pool([path])
    assert "prompt=COLUMN" in str(caught.value)
    mapping = {"prompt": "instruction", "input": "instances.0.input", "response": "instances.0.output"}
    pool = load_pool([path], mapping=mapping)
    assert len(pool) == 175 and not pool.rejected
    assert pool.turns(1)[0]["content"].endswith("pairs?\nInput: Night : Day :: Right : Left")
