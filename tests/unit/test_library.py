"""`import iterit`: pools from what a notebook has, selections as the engine makes them, and nothing heavy before it is needed."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest

import iterit
from backend import diversity, selection, store
from backend.config import SelectionSettings
from backend.errors import ConfigError, PoolError, RunError
from backend.records import Pool, Scores, Status
from iterit import notebook, pool_input

sys.path.append(str(Path(__file__).parents[1] / "ui"))
from run_folders import make_run

ROOT = Path(__file__).resolve().parents[2]
WORDS = "red green blue river city sea cold rain week day answer list".split()


def rows(n: int = 40) -> list[dict[str, str]]:
    draw = np.random.default_rng(0)
    return [
        {"instruction": f"question {i}", "output": " ".join(draw.choice(WORDS, draw.integers(3, 9)))}
        for i in range(n)
    ]


def known(pool: Pool) -> Scores:
    complexity = np.random.default_rng(1).uniform(0.4, 1.2, len(pool)).astype(np.float32)
    loss = np.ones(len(pool), dtype=np.float32)
    return Scores(
        loss, loss, complexity, np.full(len(pool), 9, np.int32), np.full(len(pool), "", dtype=object)
    )


@pytest.fixture(scope="module")
def pool() -> Pool:
    return iterit.load_pool(datasets.Dataset.from_list(rows()), name="questions")


def test_importing_it_and_selecting_imports_no_torch() -> None:
    script = (
        "import sys, iterit; light = set(sys.modules); iterit.load_pool, iterit.select, iterit.export, iterit.launch;"
        "print([m for m in ('torch', 'transformers', 'gradio') if m in sys.modules],"
        " [m for m in ('numpy', 'pyarrow', 'pandas') if m in light], sorted(iterit.__all__) == sorted(set(iterit.__all__) & set(dir(iterit))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[] [] True"
    with pytest.raises(AttributeError, match=r"no attribute 'scores' \(there are: DEMO_MODEL"):
        _ = iterit.scores


def test_every_name_is_where_it_is_said_to_be() -> None:
    light = [
        name for name in iterit.__all__ if name not in ("IterITCallback", "Reselection", "SelectionSampler")
    ]
    assert all(getattr(iterit, name).__doc__ for name in light)
    assert set(iterit._WHERE) == {*iterit.__all__} - {"__version__"}


def test_a_pool_is_the_same_from_file_dataset_frame_and_table(tmp_path: Path, pool: Pool) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows()))
    data = datasets.Dataset.from_list(rows())
    frame = pd.DataFrame(rows())
    for source in (file, [str(file)], frame, data.data.table, data.with_format("numpy")):
        assert list(iterit.load_pool(source).ids) == list(pool.ids)
    assert list(iterit.load_pool(data.select([7, 3])).ids) == [pool.ids[7], pool.ids[3]]
    renamed = frame.rename(columns={"instruction": "q", "output": "a"})
    assert list(iterit.load_pool(renamed, mapping={"prompt": "q", "response": "a"}).ids) == list(pool.ids)


def test_what_is_no_pool_is_said(pool: Pool) -> None:
    data = datasets.Dataset.from_list(rows(2))
    for words, source, more in (
        (
            "several datasets; give one of them \\(found: train, test\\)",
            datasets.DatasetDict(train=data, test=data),
            {},
        ),
        ("int is no pool; expected files", 3, {}),
        ("the DataFrame cannot be read", pd.DataFrame({"a": [1, "x", b"y"]}), {}),
        ("Found: columns a", pd.DataFrame({"a": [1]}), {}),
        ("revision 'main' is of a hub dataset, and this is a Dataset", data, {"revision": "main"}),
        ("revision 'main' is of a hub dataset, and pool.jsonl is none", "pool.jsonl", {"revision": "main"}),
    ):
        with pytest.raises(PoolError, match=words):
            iterit.load_pool(source, **more)
    assert pool_input._at_revision("owner/name:train", "v1") == "owner/name@v1:train"
    with pytest.raises(PoolError, match="was not loaded from this dataset of 2 rows"):
        iterit.with_ids(data, pool)


def test_ids_follow_their_rows_where_some_are_no_samples() -> None:
    given = rows(6)
    given[2]["output"] = None  # type: ignore[assignment]
    data = datasets.Dataset.from_list(given).add_column("id", range(6))
    loaded = iterit.load_pool(data)
    named = iterit.with_ids(data, loaded)
    assert named["instruction"][:] == [f"question {i}" for i in (0, 1, 3, 4, 5)] and named["id"][:] == list(
        loaded.ids
    )


def test_a_dataset_for_a_trainer_has_prompt_completion_and_id(pool: Pool) -> None:
    data = iterit.to_dataset(pool, system_prompt="Be brief.")
    first = data[0]
    assert [turn["role"] for turn in first["prompt"]] == ["system", "user"] and first["id"] == pool.ids[0]
    assert first["completion"] == [{"role": "assistant", "content": pool.response(0)}]
    assert [len(iterit.to_dataset(pool, system_prompt="")[0]["prompt"]), len(data)] == [1, len(pool)]
    tools = [{"type": "function", "function": {"name": "now", "parameters": {}}}]
    own = [
        {"role": "system", "content": "Own."},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a"},
    ]
    mixed = iterit.load_pool(pd.DataFrame({"messages": [own, own[1:]], "tools": [json.dumps(tools), None]}))
    lines = iterit.to_dataset(mixed, system_prompt="Be brief.")
    assert [line["prompt"][0]["content"] for line in lines] == ["Own.", "Be brief."]
    assert json.loads(lines[0]["tools"]) == tools


def test_a_selection_is_the_engines(pool: Pool) -> None:
    scores = known(pool)
    picks = iterit.select(pool, scores, budget=8, decay=0.5)
    counts = diversity.count_ngrams(pool.responses())
    settings = SelectionSettings(budget=8, decay=0.5)
    made = selection.select_of_pool(pool, counts, scores, settings, budget=8)
    assert (
        list(picks.rows) == list(made.rows)
        and list(picks.ids) == list(pool.ids[made.rows])
        and len(picks) == 8
    )
    table = picks.table()
    assert list(table["rank"]) == list(range(1, 9)) and list(table["id"]) == list(picks.ids)
    assert len(iterit.select(pool, strategy="diversity", budget=0.1)) == 4

    assert iterit.why(picks, picks.ids[2]).headline.startswith("Selected as pick 3 of 8")
    out = int(np.flatnonzero(made.status == Status.OUTRANKED)[0])
    told = iterit.why(picks, out)
    assert told.headline.startswith("Not selected: its gain at the end was") and told.covered


def test_what_does_not_fit_is_said(pool: Pool) -> None:
    picks = iterit.select(pool, known(pool), budget=4)
    with pytest.raises(
        ConfigError, match=r"setting 'epochs' is unknown here \(known: budget, complexity_weight"
    ):
        iterit.select(pool, known(pool), epochs=3)
    with pytest.raises(ConfigError, match="decay is 2; the largest allowed value is 1"):
        iterit.select(pool, known(pool), decay=2)
    with pytest.raises(PoolError, match="3 scores do not belong to the 40 samples of questions"):
        iterit.select(pool, Scores.unknown(3))
    for sample in ("none", 40, -1):
        with pytest.raises(
            PoolError, match=r"no sample .* in questions: expected an id, or a row from 0 to 39"
        ):
            iterit.why(picks, sample)


def test_an_export_loads_as_the_same_samples(tmp_path: Path, pool: Pool) -> None:
    picks = iterit.select(pool, known(pool), budget=5)
    out = iterit.export(picks, tmp_path / "picked.jsonl", format="alpaca", with_scores=True)
    again = iterit.load_pool(out)
    assert list(again.ids) == list(picks.ids)
    assert [json.loads(line)["rank"] for line in out.read_text().splitlines()] == [1, 2, 3, 4, 5]


def test_a_runs_selection_is_exported_by_its_name(tmp_path: Path) -> None:
    made = make_run(tmp_path, epochs=2, planned=2)
    for epoch in (None, 0):
        out = iterit.export(
            "last", tmp_path / "picked.jsonl", epoch=epoch, runs_dir=tmp_path, with_scores=True
        )
        record = store.read_epoch(tmp_path, made, 1 if epoch is None else 0)
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        assert [line["row"] for line in lines] == list(record.selection.rows)
    with pytest.raises(RunError, match="run 'nowhere' not found"):
        iterit.export("nowhere", tmp_path / "picked.jsonl", runs_dir=tmp_path)


def test_an_app_is_launched_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def script(words: list[str]) -> list[str]:
        asked[:] = words
        text = (
            "import time; print('warming up'); print('IterIT Studio: http://127.0.0.1:7/<'); time.sleep(60)"
        )
        return [sys.executable, "-S", "-c", text]

    monkeypatch.setattr(notebook, "app_command", script)
    app = iterit.launch(port=7, runs_dir=tmp_path, data_roots=[tmp_path])
    assert app.url == "http://127.0.0.1:7/<" and "7/&lt;" in app._repr_html_() and app.process.poll() is None
    assert asked == ["--no-browser", "--runs-dir", str(tmp_path), "--port", "7", "--data-root", str(tmp_path)]
    app.close()
    assert app.process.poll() is not None and app.shared == ""
    printed = "IterIT Studio: http://127.0.0.1:7/"
    for said, shared in (
        ("for others: https://x.gradio.live", "https://x.gradio.live"),
        ("--share: no link", ""),
    ):
        text = f"import time; print('{printed}'); time.sleep(0.5); print('{said}'); time.sleep(60)"
        monkeypatch.setattr(
            notebook,
            "app_command",
            lambda words, text=text: (asked.extend(words), [sys.executable, "-c", text])[1],
        )
        asked.clear()
        app = iterit.launch(
            runs_dir=tmp_path,
            auth_file=tmp_path / "who",
            allowed_hosts=["*.googleusercontent.com"],
            share=True,
        )
        app.close()
        assert (app.url, app.shared) == ("http://127.0.0.1:7/", shared)
        assert asked[3:] == [
            "--auth-file", str(tmp_path / "who"), "--allowed-host", "*.googleusercontent.com", "--share"
        ]  # fmt: skip
    monkeypatch.setattr(
        notebook, "app_command", lambda words: [sys.executable, "-S", "-c", "print('no port'); exit(2)"]
    )
    with pytest.raises(ConfigError, match="the app exited: no port"):
        iterit.launch()


def test_examples_in_the_docstrings_run() -> None:
    found = doctest.testmod(pool_input)
    assert found.attempted == 2 and found.failed == 0
