"""Marks, notes, undo and redo from a terminal, and the map that is laid out there."""

import json
import sys

import fake_umap
import numpy as np
import pytest
from small_runs import small_pool
from typer.testing import CliRunner

from backend import projection, store
from backend.cli.commands import app
from backend.cli.options import ids_of
from backend.data import load_pool
from backend.data.response_edits import with_edits
from backend.errors import PoolError
from backend.jobs import pool_work


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def home(tmp_path):
    store.save_pool(tmp_path / "runs", small_pool())
    return tmp_path / "runs"


POOL = small_pool().id
IDS = [str(sample) for sample in small_pool().ids]


def test_samples_are_marked_by_name_and_by_file(tmp_path, home):
    listed = tmp_path / "ids.txt"
    listed.write_text(f"{IDS[1]}\n\n  {IDS[2]}\n{IDS[0]}\n")
    result = run("mark", POOL, "--pin", IDS[0], "--pin", f"@{listed}", "--exclude", IDS[3], "--who", "anna", "--runs-dir", home)  # fmt: skip
    assert result.exit_code == 0 and result.stderr == "3 pinned; 1 excluded\n"
    assert store.marks(home, POOL) == {
        IDS[0]: "pinned",
        IDS[1]: "pinned",
        IDS[2]: "pinned",
        IDS[3]: "excluded",
    }
    assert store.marked_by(home, POOL)[IDS[3]][0] == "anna"
    result = run("mark", POOL, "--clear", IDS[0], "--clear", IDS[5], "--runs-dir", home)
    assert result.stderr == "1 cleared\n" and IDS[0] not in store.marks(home, POOL)


def test_a_mistake_marks_nothing(tmp_path, home):
    for words, error in [
        (("--pin", IDS[0], "--exclude", "nobody"), "error: sample 'nobody' is not in pool"),
        (("--pin", IDS[0], "--clear", IDS[0]), f"error: sample {IDS[0]!r} is in --pin and in --clear"),
        (("--pin", f"@{tmp_path}/none.txt"), "none.txt cannot be read"),
    ]:
        result = run("mark", POOL, *words, "--runs-dir", home)
        assert result.exit_code == 1 and error in result.stderr
    assert run("mark", POOL, "--runs-dir", home).exit_code == 2
    assert store.marks(home, POOL) == {}


def test_notes_and_marks_are_shown_with_who_and_when(home):
    run("mark", POOL, "--exclude", IDS[1], "--who", "ben", "--runs-dir", home)
    run("mark", POOL, "--pin", IDS[2], "--pin", IDS[0], "--who", "anna", "--runs-dir", home)
    assert run("note", POOL, IDS[2], "[red]check", "--who", "carl", "--runs-dir", home).stderr == "1 noted\n"
    run("note", POOL, IDS[4], "gone soon", "--runs-dir", home)
    result = run("marks", POOL, "--json", "--runs-dir", home)
    shown = json.loads(result.stdout)
    assert (shown["pinned"], shown["excluded"]) == ([IDS[2], IDS[0]], [IDS[1]])
    assert [(m["id"], m["mark"], m["who"]) for m in shown["marks"]] == [
        (IDS[1], "excluded", "ben"), (IDS[2], "pinned", "anna"), (IDS[0], "pinned", "anna"),
    ]  # fmt: skip
    assert all(m["at"] > 1e9 for m in shown["marks"] + shown["notes"])
    assert [(n["id"], n["text"]) for n in shown["notes"]] == [(IDS[2], "[red]check"), (IDS[4], "gone soon")]
    assert shown["notes"][0]["who"] == "carl"
    assert run("note", POOL, IDS[4], "", "--runs-dir", home).stderr == "1 without a note now\n"
    table = run("marks", POOL, "--runs-dir", home).stdout
    assert "[red]check" in table and "anna" in table and "gone soon" not in table


def test_undo_and_redo(home):
    for words, done in (("undo", "undo"), ("redo", "redo")):
        result = run(words, POOL, "--runs-dir", home)
        assert result.exit_code == 1 and result.stderr == f"error: there is nothing to {done}\n"
    run("mark", POOL, *[word for sample in IDS[:5] for word in ("--pin", sample)], "--who", "anna", "--runs-dir", home)  # fmt: skip
    few = ", ".join(IDS[:3])
    assert run("undo", POOL, "--runs-dir", home).stderr == f"taken back: 5 pinned by anna ({few}, ...)\n"
    assert store.marks(home, POOL) == {}
    assert run("redo", POOL, "--runs-dir", home).stderr == f"done again: 5 pinned by anna ({few}, ...)\n"
    run("note", POOL, IDS[0], "pinned", "--who", "ben", "--runs-dir", home)
    assert run("undo", POOL, "--runs-dir", home).stderr == f"taken back: 1 noted by ben ({IDS[0]})\n"


def test_a_pool_that_is_not_stored_yet_is_read(tmp_path):
    home, path = tmp_path / "runs", tmp_path / "pool.json"
    path.write_text(json.dumps([{"instruction": f"q {i}", "output": f"a {i}"} for i in range(3)]))
    pool = load_pool([path])
    assert json.loads(run("marks", path, "--json", "--runs-dir", home).stdout)["pinned"] == []
    assert not home.exists()
    assert run("mark", path, "--pin", pool.ids[1], "--runs-dir", home).exit_code == 0
    assert store.marks(home, pool.id) == {pool.ids[1]: "pinned"}
    assert json.loads(run("marks", path, "--json", "--runs-dir", home).stdout)["pinned"] == [pool.ids[1]]
    assert run("undo", path, "--runs-dir", home).exit_code == 0


def test_what_was_marked_is_what_select_takes(tmp_path, home):
    path = tmp_path / "pool.json"
    path.write_text(json.dumps([{"instruction": f"q {i}", "output": f"a {i} b"} for i in range(6)]))
    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps([{"row": i, "complexity": 0.5 + i / 100} for i in range(6)]))
    ids = load_pool([path]).ids
    run("mark", path, "--pin", ids[4], "--exclude", ids[5], "--runs-dir", home)
    marks = json.loads(run("marks", path, "--json", "--runs-dir", home).stdout)
    words = []
    for name in ("pinned", "excluded"):
        (tmp_path / name).write_text("\n".join(marks[name]))
        words += [f"--{name}", f"@{tmp_path / name}"]
    result = run("select", path, "--scores", scores, "--budget", 3, *words)
    selected = json.loads(result.stdout)["selected"]
    assert selected[0] == 4 and 5 not in selected and len(selected) == 3


def test_ids_are_named_once():
    assert ids_of(["b", "a", "b"]) == ["b", "a"] and ids_of([]) == []
    with pytest.raises(PoolError, match="nowhere cannot be read"):
        ids_of(["@nowhere"])


def test_a_map_has_a_first_picture_then_the_map_then_clusters(tmp_path, monkeypatch):
    home = tmp_path / "runs"
    words = [
        "red",
        "green",
        "ripe",
        "sweet",
        "sour",
        "small",
        "large",
        "round",
        "old",
        "new",
        "fresh",
        "dried",
    ]
    pairs = [(a, b) for a in words for b in words if a < b]
    texts = [f"{a} apples and {b} pears from the garden" for a, b in pairs]
    path = tmp_path / "pool.json"
    path.write_text(json.dumps([{"instruction": f"q {i}", "output": text} for i, text in enumerate(texts)]))
    pool = load_pool([path])
    monkeypatch.setitem(sys.modules, "umap", fake_umap)
    seen = []
    for name in ("project", "clusters"):
        work = getattr(projection, name)

        def watched(*given, name=name, work=work, **more):
            stored = store.load_map(home, pool.id)
            info = pool_work.work_info(home, pool.id, "map")
            seen.append((name, stored.final, stored.method[:4], info.state))
            return work(*given, **more)

        monkeypatch.setattr(projection, name, watched)
    assert run("map", path, "--runs-dir", home).exit_code == 0
    assert seen == [("project", False, "svd:", "running"), ("clusters", True, "umap", "running")]
    assert pool_work.work_info(home, pool.id, "map").state == "done"
    xy = store.load_map(home, pool.id).xy
    assert len(store.load_clusters(home, pool.id).codes) == len(pool)

    assert run("map", path, "--runs-dir", home).exit_code == 0 and len(seen) == 2
    (store.pool_folder(home, pool.id) / "clusters.parquet").unlink()
    assert run("map", path, "--runs-dir", home).exit_code == 0
    assert seen[2:] == [("clusters", True, "umap", "running")]
    assert np.array_equal(store.load_map(home, pool.id).xy, xy)


def test_responses_are_edited_replaced_listed_and_taken_back(tmp_path, home):
    there = ("--runs-dir", home)
    new = tmp_path / "new.txt"
    new.write_text("from a file")
    assert run("edit", POOL, IDS[0], "--response", "by hand", "--who", "anna", *there).exit_code == 0
    assert run("edit", POOL, IDS[1], "--file", new, *there).exit_code == 0
    (first, second) = json.loads(run("edits", POOL, "--json", *there).stdout)["edits"]
    assert (first["id"], first["response"], first["who"]) == (IDS[0], "by hand", "anna")
    assert second["response"] == "from a file" and second["original"] == small_pool().response(1)
    find = ("edit", POOL, "--find", r"answer (\d)", "--replace", r"no. \1", "--regex", "--json", *there)
    looked = json.loads(run(*find, "--dry-run").stdout)
    assert (looked["samples"], looked["places"], looked["changed"]) == (3, 3, 0)
    assert len(store.edits(home, POOL)) == 2
    assert json.loads(run(*find).stdout)["changed"] == 3
    assert store.edited_pool(home, POOL).response(3) == "no. 3 to a question about apples"
    assert "3 edited by" in run("undo", POOL, *there).stderr and len(store.edits(home, POOL)) == 2
    assert "done again: 3 edited" in run("redo", POOL, *there).stderr
    assert run("edit", POOL, IDS[0], "--original", *there).exit_code == 0
    assert IDS[0] not in store.edits(home, POOL)


def test_edits_that_cannot_be_made_say_why(home):
    there = ("--runs-dir", home)
    for words, told in {
        ("edit", POOL, IDS[0], "--response", " "): "cannot be empty",
        ("edit", POOL, "nobody", "--response", "x"): "'nobody' is not in pool",
        ("edit", POOL, "--find", "(", "--replace", "x", "--regex"): "is not a regular expression",
        ("edit", POOL, "--find", "pears", "--replace", "x"): "changes none of these 6 responses",
        ("edit", POOL, "--find", "apples", "--replace", "x", "--only", "nobody"): "'nobody' is not in pool",
        ("edit", POOL, IDS[0]): "give one of --response",
        ("edit", POOL, "--find", "x"): "--find needs --replace",
        ("edit", POOL, IDS[0], "--find", "x", "--replace", "y"): "--find needs no ID",
    }.items():
        result = run(*words, *there)
        assert result.exit_code != 0 and told in " ".join(result.stderr.replace("│", " ").split()), (
            result.stderr
        )
    assert store.edits(home, POOL) == {}


def test_scores_of_a_file_are_not_those_of_what_was_edited_since(tmp_path, home):
    from backend.records import EDITED, Scores
    from backend.store import scores_file

    pool, n = small_pool(), len(small_pool())
    known = Scores(
        *(np.full(n, 1, np.float32) for _ in range(3)), np.full(n, 5, np.int32), np.full(n, "", object)
    )
    for ending in scores_file.ENDINGS:
        plain, edited = tmp_path / f"plain{ending}", tmp_path / f"edited{ending}"
        scores_file.write_scores(plain, pool, known)
        made = with_edits(pool, {IDS[1]: "one"})
        scores_file.write_scores(edited, made, known)
        other = with_edits(pool, {IDS[1]: "one", IDS[2]: "two"})
        for path, of, stale in (
            (plain, pool, []),
            (plain, made, [1]),
            (edited, made, []),
            (edited, other, [2]),
            (edited, pool, [1]),
        ):
            found = scores_file.read_scores(path, of).scores
            assert (
                np.flatnonzero(found.reason == EDITED).tolist()
                == stale
                == np.flatnonzero(np.isnan(found.complexity)).tolist()
            )
