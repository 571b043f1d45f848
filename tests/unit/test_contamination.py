"""Overlaps with evaluation data: planted cases and look-alikes, against comparing all with all, kept, listed and warned of."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend import data, store
from backend import findings as look
from backend.cli.commands import app
from backend.config import RunConfig
from backend.data import load_against
from backend.errors import ConfigError, PoolError, Stopped
from backend.findings.contamination import LEAST_WORDS, Overlaps, contamination
from backend.findings.near_between import nearest
from backend.findings.shared_runs import COMMON, RUN, shared_runs
from backend.findings.texts import words_of
from backend.jobs.overlap_checks import overlap_problems
from backend.records import Pool
from tests.planted_overlaps import EVALUATION, PHRASES, POOL, PUMP, PUMPED, ROWS, SHEEP, write_files


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def sides(pairs) -> tuple[list[str], list[str]]:
    return [ask for ask, _ in pairs], [reply for _, reply in pairs]


def planted(pairs=POOL, others=EVALUATION) -> Overlaps:
    return contamination(*sides(pairs), *sides(others))


def test_each_planted_case_is_found_and_no_look_alike() -> None:
    found = planted()
    assert {kind: found.rows_of(kind).tolist() for kind in ROWS} == ROWS
    assert found.all_rows.tolist() == [0, 1, 2, 3, 4]


def test_each_is_listed_beside_what_it_overlaps_with() -> None:
    found = planted()
    assert found.told("overlap_exact", "eval.json") == {
        0: f"eval.json row 0 (prompt): {PUMP}",
        1: f"eval.json row 0 (response): {PUMPED}",
    }
    near = found.told("overlap_near")
    assert near[2].startswith("row 2 (prompt, 9") and near[2].endswith(f"% alike): {SHEEP}")
    assert near[3].startswith("row 0 (response, 9") and near[3].endswith(PUMPED)
    run = "seventeen sheep and all but nine of them run away over the hill"
    assert found.told("overlap_run")[4] == f"row 2 (13 words): {run}"


def test_a_phrase_of_more_than_ten_samples_is_left_alone_and_said() -> None:
    assert len(PHRASES) == COMMON + 1
    assert planted().common.tolist() == list(range(8, 19))
    # one fewer, and it counts; copies of a sample count once
    fewer = POOL[:-1] + [POOL[-2]] * 3
    found = planted(fewer)
    assert found.rows_of("overlap_run").tolist() == ROWS["overlap_run"] + list(range(8, len(fewer)))
    assert not len(found.common)


def test_a_short_response_overlaps_by_chance_and_a_longer_one_does_not() -> None:
    reply = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
    assert len(reply) == LEAST_WORDS
    for many, rows in ((8, [0]), (7, [])):
        text = " ".join(reply[:many])
        found = contamination(["Why?"], [text], ["Who?"], [text])
        assert found.rows_of("overlap_exact").tolist() == rows


def test_keys_and_passwords_are_masked() -> None:
    secret = "ghp_9fKq2LmZx81RtYbVc3NwEj7HsUo4Pd5AgXi6"
    ask = f"Why is the token {secret} refused?"
    told = contamination([ask], ["It is old."], [ask], [""]).told("overlap_exact")[0]
    assert "ghp_" in told and secret not in told


def varied(n: int, seed: int) -> list[tuple[str, str]]:
    """Samples of which many are others with some words changed, few words in all, so that overlaps of all kinds occur."""
    rng = random.Random(seed)
    words = [f"word{k}" for k in range(40)] + ["日本語", "Été,", "x", "7", "it’s"]
    made: list[tuple[str, str]] = []
    for _ in range(n):
        if made and rng.random() < 0.7:
            texts = [text.split(" ") for text in rng.choice(made)]
            for _ in range(rng.randrange(4)):
                text = rng.choice(texts)
                text[rng.randrange(len(text))] = rng.choice(words)
        else:
            texts = [rng.choices(words, k=rng.randrange(1, 40)) for _ in range(2)]
        made.append((" ".join(texts[0]), " ".join(texts[1])))
    return made


def plain_set(text: str) -> set[str]:
    return {text[i : i + 5] for i in range(max(1, len(text) - 4)) if text}


@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_the_nearest_is_that_of_comparing_all_with_all(threshold: float) -> None:
    together = varied(260, 3)
    texts = [" ".join(ask.lower().split()) for ask, _ in together[:200]] + ["", "ab"]
    others = [" ".join(ask.lower().split()) for ask, _ in together[200:]] + ["", "ab"]
    found, similarity = nearest(texts, others, threshold=threshold)
    sets = [plain_set(text) for text in others]
    alike = 0
    for row, text in enumerate(texts):
        own = plain_set(text)
        truth = [
            np.float32(len(own & other) / len(own | other)) if own and other else np.float32(0)
            for other in sets
        ]
        best = max(truth)
        if best >= np.float32(threshold):
            alike += 1
            assert (found[row], similarity[row]) == (truth.index(best), best)
        else:
            assert found[row] == -1 and np.isnan(similarity[row])
    assert 20 < alike < 200 or (threshold == 1.0 and alike > 5)


def plain_runs(
    texts: list[str], others: list[str]
) -> tuple[dict[int, tuple[int, tuple[str, ...]]], list[int]]:
    """The definition, by sets of tuples."""

    def runs(text: str) -> list[tuple[str, ...]]:
        words = words_of(text)
        return [tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)]

    of_others = [set(runs(text)) for text in others]
    any_other = set().union(*of_others)
    counts = Counter(one for text in dict.fromkeys(texts) for one in set(runs(text)))
    common = {one for one, count in counts.items() if count > COMMON}
    found, too_common = {}, []
    for row, text in enumerate(texts):
        shared = {one for one in runs(text) if one in any_other}
        kept = shared - common
        if not kept:
            too_common += [row] if shared else []
            continue
        most = [len(kept & other) for other in of_others]
        other = most.index(max(most))
        best: tuple[str, ...] = ()
        for begin in range(len(runs(text))):
            end = begin
            while end < len(runs(text)) and runs(text)[end] in kept & of_others[other]:
                end += 1
            words = words_of(text)[begin : end + RUN - 1] if end > begin else []
            best = tuple(words) if len(words) > len(best) else best
        found[row] = other, best
    return found, too_common


def test_shared_runs_are_those_of_the_plain_twin() -> None:
    together = [f"{ask} {reply}" for ask, reply in varied(130, 5)]
    texts, others = together[:100] + together[:9], [*together[100:], "", "too short"]
    copies = np.array([text in texts[:row] for row, text in enumerate(texts)])
    found, common = shared_runs(texts, others, copies=copies)
    truth, too_common = plain_runs(texts, others)
    assert {row: (one.other, one.words) for row, one in found.items()} == truth
    assert common.tolist() == too_common
    assert len(truth) > 20 and len(texts) - len(truth) > 5


def test_nothing_overlaps_with_nothing() -> None:
    for own, others in (([], EVALUATION), (POOL, []), (POOL, [("", "")])):
        assert not len(planted(own, others).all_rows)


def test_progress_may_stop_it_and_a_threshold_has_its_range() -> None:
    steps: list[tuple[int, int]] = []
    contamination(*sides(POOL), *sides(EVALUATION), on_progress=lambda *step: steps.append(step))
    assert steps == sorted(steps) and steps[-1] == (3 * len(POOL), 3 * len(POOL))

    def stop(done: int, total: int) -> None:
        raise Stopped("enough")

    with pytest.raises(Stopped):
        contamination(*sides(POOL), *sides(EVALUATION), on_progress=stop)
    with pytest.raises(ConfigError, match="alike is 0"):
        contamination(*sides(POOL), *sides(EVALUATION), alike=0)


# ---------------------------------------------------------------- files, store, command, launch


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write_files(tmp_path)


def test_prompts_alone_are_enough_of_an_evaluation_file(tmp_path: Path, files: tuple[Path, Path]) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(
        "\n".join(json.dumps({"task": i, "Question": ask}) for i, (ask, _) in enumerate(EVALUATION))
    )
    rows, column = load_against(path)
    assert column == "Question" and len(rows) == 4
    assert look.prompt_texts(rows) == sides(EVALUATION)[0] and set(look.response_texts(rows)) == {""}
    assert load_against(files[1])[1] == ""
    (tmp_path / "odd.json").write_text('[{"alpha": "a", "beta": "b"}]')
    with pytest.raises(PoolError, match=r"no column holds prompts \(found: alpha, beta; known: prompt"):
        load_against(tmp_path / "odd.json")


def test_health_counts_lists_and_keeps(tmp_path: Path, files: tuple[Path, Path]) -> None:
    home = tmp_path / "runs"
    pool = data.load_pool([str(files[0])])
    store.save_pool(home, pool)
    unknown = {
        one["key"]: one
        for one in json.loads(run("health", pool.id, "--json", "--runs-dir", home).stdout)["findings"]
    }
    assert not unknown["overlap_run"]["known"] and "Not compared" in unknown["overlap_run"]["why_unknown"]
    result = run("health", pool.id, "--against", files[1], "--json", "--runs-dir", home)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    counts = {one["key"]: one["count"] for one in said["findings"]}
    assert {kind: counts[kind] for kind in ROWS} == {kind: len(rows) for kind, rows in ROWS.items()}
    assert [(one["name"], one["rows"], one["samples"], one["common_runs"]) for one in said["against"]] == [("evaluation.json", 4, 5, 11)]  # fmt: skip
    # known without the file from now on
    files[1].unlink()
    text = run("health", pool.id, "--runs-dir", home).stdout
    assert "5 samples overlap with evaluation.json (4 rows); 11 more share only set phrases" in text
    listed = json.loads(run("health", pool.id, "--list", "overlap_run", "--json", "--runs-dir", home).stdout)
    assert [one["row"] for one in listed["samples"]] == ROWS["overlap_run"]
    assert listed["samples"][-1]["found"].startswith("evaluation.json row 2 (13 words): seventeen sheep")
    ids = run(
        "health", pool.id, "--list", "overlap", "--ids", "--limit", 1, "--runs-dir", home
    ).stdout.split()
    assert ids == pool.ids[:5].tolist()


def test_files_are_only_read_where_the_pool_is_not_stored(tmp_path: Path, files: tuple[Path, Path]) -> None:
    home = tmp_path / "runs"
    result = run(
        "health", files[0], "--against", files[1], "--list", "overlap_near", "--json", "--runs-dir", home
    )
    assert json.loads(result.stdout)["count"] == 2
    assert not home.exists()
    assert run("health", files[0], "--list", "overlap", "--runs-dir", home).exit_code == 1


def test_the_same_data_are_one_and_others_are_added(tmp_path: Path, files: tuple[Path, Path]) -> None:
    home = tmp_path / "runs"
    pool = data.load_pool([str(files[0])])
    store.save_pool(home, pool)
    renamed = tmp_path / "again.json"
    renamed.write_bytes(files[1].read_bytes())
    other = tmp_path / "other.json"
    other.write_text(json.dumps([{"question": "Is ice cold?"}]))
    for path in (files[1], renamed, other):
        assert run("overlaps", pool.id, "--against", path, "--runs-dir", home).exit_code == 0
    known = store.load_overlaps(home, pool.id)
    assert [(against.name, against.prompts_only, len(found.all_rows)) for against, found in known] == [
        ("again.json", "", 5),
        ("other.json", "question", 1),
    ]
    rows = look.rows_of_finding(pool, "overlap_exact", overlaps=[found for _, found in known])
    assert rows.tolist() == [0, 1, 6]
    before = planted()
    for name in ("rows", "kinds", "parts", "others", "similarity", "words", "beside", "common"):
        np.testing.assert_array_equal(getattr(known[0][1], name), getattr(before, name))
    store.set_pool_words(home, pool.id, "unicode")
    assert store.load_overlaps(home, pool.id) == []  # near ones were found under another cutting
    store.set_pool_words(home, pool.id, "paper")
    for against, _ in known:
        store.forget_overlaps(home, pool.id, against.id)
    assert store.load_overlaps(home, pool.id) == []


def compared(home: Path, pool: Pool) -> None:
    store.save_pool(home, pool)
    store.save_overlaps(home, pool.id, store.Against("0" * 16, "eval.jsonl", "eval.jsonl", 4), planted())


def test_a_launch_warns_of_what_is_not_excluded(tmp_path: Path, files: tuple[Path, Path]) -> None:
    pool = data.load_pool([str(files[0])])
    config = RunConfig(pool=(str(files[0]),), model="demo")
    assert overlap_problems(tmp_path, config, pool) == []
    compared(tmp_path, pool)
    (one,) = overlap_problems(tmp_path, config, pool)
    assert one.field == "excluded" and not one.fatal
    assert one.text.startswith("5 samples overlap with the evaluation data in eval.jsonl: ")
    some = replace(config, excluded=tuple(pool.ids[:3]))
    assert "overlap with the evaluation data in eval.jsonl, and 2 of them are not excluded" in overlap_problems(tmp_path, some, pool)[0].text  # fmt: skip
    assert overlap_problems(tmp_path, replace(config, excluded=tuple(pool.ids[:5])), pool) == []


def test_a_held_out_file_is_compared_too(tmp_path: Path, files: tuple[Path, Path]) -> None:
    pool = data.load_pool([str(files[0])])
    config = RunConfig(pool=(str(files[0]),), model="demo", held_out=str(files[1]))
    (one,) = overlap_problems(tmp_path, config, pool)
    assert one.field == "held_out" and one.text.startswith("2 samples have the same prompt or response as the held-out data in evaluation.json")  # fmt: skip
    assert overlap_problems(tmp_path, replace(config, excluded=tuple(pool.ids[:2])), pool) == []
    for held_out in ("0.05", "demo", str(tmp_path / "none.json")):
        assert overlap_problems(tmp_path, replace(config, held_out=held_out), pool) == []


def test_a_dry_run_says_it(tmp_path: Path, files: tuple[Path, Path]) -> None:
    home = tmp_path / "runs"
    compared(home, data.load_pool([str(files[0])]))
    result = run("tune", files[0], "--model", "demo", "--preset", "demo", "--dry-run", "--held-out", "0.1", "--runs-dir", home)  # fmt: skip
    assert "note: 5 samples overlap with the evaluation data in eval.jsonl" in result.stdout, result.output
