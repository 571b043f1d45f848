"""Each strategy does what its name says, and the order in which the next epoch's top stands."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.config import STRATEGY_HELP, Ranking, SelectionSettings
from backend.diversity import count_ngrams
from backend.errors import ConfigError
from backend.records import Scores, Selection, Status
from backend.selection import (
    keeps_selection,
    rank_for_next_epoch,
    scores_needed,
    select,
    top_rows,
)

WORDS = ["red", "blue", "green", "grey", "pink", "gold", "cyan", "lime", "navy", "teal"]
N = len(WORDS)
TOKENS = np.array([4, 9, 2, 9, 7, 1, 3, 8, 0, 5], dtype=np.int32)
COMPLEXITY = np.array([0.9, 0.2, 1.3, 0.4, 0.6, 1.0, 0.3, 0.8, np.nan, 0.6], dtype=np.float32)


def pick(
    strategy: str, *, budget: int = 4, epoch: int = 0, counted: bool = True, **settings: Any
) -> Selection:
    scores = Scores.unknown(N, TOKENS)
    scores.complexity[:] = COMPLEXITY
    responses = [f"{word} {word}ish" for word in WORDS]
    return select(
        count_ngrams(responses) if counted else None,
        scores,
        SelectionSettings(strategy=strategy, **settings),  # type: ignore[arg-type]
        budget=budget,
        ids=np.array(WORDS, dtype=object),
        source_codes=(np.arange(N) % 2).astype(np.int32),
        sources=("even", "odd"),
        epoch=epoch,
    )


@pytest.mark.parametrize("strategy", ["complexity", "superfiltering"])
def test_complexity_alone(strategy: str) -> None:
    ours = pick(strategy, counted=False, complexity_weight=0.0)  # the exponents are those of IterIT only
    assert ours.rows.tolist() == [0, 7, 4, 9]
    np.testing.assert_allclose(ours.gain, COMPLEXITY[ours.rows])
    assert np.isnan(ours.diversity).all()
    assert not ours.terms.any()


def test_source_weights_move_complexity() -> None:
    assert pick("complexity", source_weights={"odd": 2.0}).rows.tolist() == [7, 9, 0, 3]


def test_diversity_weight_0_is_complexity_alone() -> None:
    ours = pick("iterit", diversity_weight=0.0, complexity_weight=2.0, counted=False)
    assert ours.rows.tolist() == [0, 7, 4, 9]
    np.testing.assert_allclose(ours.gain, COMPLEXITY[ours.rows].astype(float) ** 2)


def test_diversity_needs_counts_but_no_complexity() -> None:
    with pytest.raises(ConfigError, match="needs the pool's n-gram counts"):
        pick("diversity", counted=False)
    ours = pick("diversity", budget=N)
    assert ours.rows.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 9]  # all but the one without a response token
    assert ours.status[8] == Status.UNSCORABLE


def test_longest_is_by_tokens_ties_to_the_smaller_row() -> None:
    ours = pick("longest")
    assert ours.rows.tolist() == [1, 3, 7, 4]
    assert np.isnan(ours.gain).all()


def test_full_takes_everything_that_can_be_trained_on() -> None:
    ours = pick("full", budget=2, excluded=("red",), pinned=("teal",))
    assert ours.rows.tolist() == [9, 1, 2, 3, 4, 5, 6, 7]
    assert ours.status[0] == Status.EXCLUDED


def test_random_draws() -> None:
    kept = [pick("random", seed=3, epoch=epoch).rows.tolist() for epoch in range(3)]
    assert kept[0] == kept[1] == kept[2]
    fresh = [pick("random-each-epoch", seed=3, epoch=epoch).rows.tolist() for epoch in range(3)]
    assert fresh[0] == kept[0]
    assert len({tuple(rows) for rows in fresh}) == 3
    assert fresh == [pick("random-each-epoch", seed=3, epoch=epoch).rows.tolist() for epoch in range(3)]
    assert pick("random", seed=4).rows.tolist() != kept[0]
    everything = pick("random", budget=N)
    assert sorted(everything.rows.tolist()) == [0, 1, 2, 3, 4, 5, 6, 7, 9]


def test_random_draws_are_fair() -> None:
    drawn = np.zeros(N)
    for seed in range(600):
        drawn[pick("random", seed=seed, counted=False).rows] += 1
    assert drawn[8] == 0
    np.testing.assert_allclose(np.delete(drawn, 8), 600 * 4 / 9, rtol=0.2)


@pytest.mark.parametrize("strategy", STRATEGY_HELP)
def test_every_strategy_honours_pins_and_exclusions(strategy: str) -> None:
    ours = pick(strategy, pinned=("green", "gold"), excluded=("red",))
    assert ours.rows[:2].tolist() == [2, 5]
    assert 0 not in ours.rows
    assert (ours.status[[2, 5]] == Status.PINNED).all()
    assert sorted(np.flatnonzero(ours.status <= Status.PINNED)) == sorted(ours.rows)


def test_what_each_strategy_needs_scored() -> None:
    assert {strategy: [scores_needed(strategy, epoch) for epoch in (0, 1)] for strategy in STRATEGY_HELP} == {  # type: ignore[arg-type]
        "iterit": ["pool", "top"],
        "iterit-cumulative": ["pool", "top"],
        "iterit-static": ["pool", "none"],
        "complexity": ["pool", "top"],
        "superfiltering": ["pool", "none"],
        "diversity": ["none", "none"],
        "longest": ["none", "none"],
        "random": ["none", "none"],
        "random-each-epoch": ["none", "none"],
        "full": ["none", "none"],
    }
    assert [s for s in STRATEGY_HELP if not keeps_selection(s)] == [
        "iterit",
        "iterit-cumulative",
        "complexity",
        "random-each-epoch",
    ]  # type: ignore[arg-type]


def test_ranking() -> None:
    scores = Scores.unknown(N, TOKENS)
    scores.complexity[:] = COMPLEXITY
    first = pick("iterit", budget=2, excluded=("grey",))
    orders = {
        name: rank_for_next_epoch(first, scores, settings=SelectionSettings(ranking=name))  # type: ignore[arg-type]
        for name in ("paper", "authors")
    }
    # picks, runners-up by complexity, too complex, unscorable, excluded
    assert orders["paper"].tolist() == [0, 7, 4, 9, 6, 1, 2, 5, 8, 3]
    assert orders["authors"].tolist() == [0, 7, 2, 5, 4, 9, 6, 1, 8, 3]
    assert orders["paper"].dtype == np.int64


def test_what_was_rejected_never_takes_the_place_of_what_was_not() -> None:
    scores = Scores.unknown(N, TOKENS)
    scores.complexity[:] = COMPLEXITY
    selection = select(
        count_ngrams(WORDS),
        scores,
        SelectionSettings(),
        budget=2,
        ids=np.array(WORDS, dtype=object),
        source_codes=np.zeros(N, dtype=np.int32),
        sources=("",),
        rows=np.array([0, 7, 2, 4]),
        epoch=1,
    )
    former = np.array([7, 0, 4, 9, 1, 6, 2, 5, 8, 3])

    def order(ranking: Ranking) -> list[int]:
        settings = SelectionSettings(ranking=ranking)
        return rank_for_next_epoch(selection, scores, settings=settings, previous_order=former).tolist()

    # 2 was rescored and is too complex, 8 is unscorable; 9, 1, 6, 5 and 3 were not rescored, 5 is too complex
    assert order("paper") == [0, 7, 4, 9, 1, 6, 3, 2, 5, 8]
    assert order("authors") == [0, 7, 2, 4, 8, 9, 1, 6, 5, 3]


def test_top_rows() -> None:
    order = np.arange(100)[::-1]
    assert top_rows(order, update_ratio=3, budget=10).tolist() == list(range(99, 69, -1))
    assert len(top_rows(order, update_ratio=2.3, budget=10)) == 23
    assert len(top_rows(order, update_ratio=1.1, budget=10)) == 11
    assert len(top_rows(order, update_ratio=1, budget=10)) == 100  # the whole pool
    assert len(top_rows(order, update_ratio=50, budget=10)) == 100
    assert top_rows(order, update_ratio=2, budget=1, always=np.array([5, 99])).tolist() == [99, 98, 5]


AFTER_WARM_UP = """
from importlib import import_module

import numpy as np
import pyarrow as pa
from numba.core.dispatcher import Dispatcher

from backend.config import SelectionSettings
from backend.diversity import characters, count_ngrams, load_counts, ngrams, numbering, save_counts, word_numbers
from backend.records import Scores
from backend.selection import greedy, select, warm_up

tfidf = import_module("backend.diversity.tfidf")  # the package's `tfidf` is the function

def compiled():
    kernels = {f"{module.__name__}.{name}": kernel for module in (characters, ngrams, numbering, word_numbers, tfidf, greedy)
        for name, kernel in vars(module).items() if isinstance(kernel, Dispatcher)}
    return {name: len(kernel.signatures) for name, kernel in kernels.items()}

warm_up()
before = compiled()
texts = [f"a few words of été İx {k % 9} {k}" for k in range(60)]
for pool in (texts, pa.array(texts), pa.chunked_array([texts[:7], texts[7:]]), pa.array([*texts, None]).slice(1)):
    counts = count_ngrams(pool, suffix="end" if pool is texts else "")
save_counts(FILE, counts)
counts = load_counts(FILE)
scores = Scores.unknown(60, response_tokens=np.ones(60, dtype=np.int32))
scores.complexity[:] = np.linspace(0.1, 1.1, 60)
for settings in (SelectionSettings(), SelectionSettings(diversity_weight=2, decay=0, pinned=("3",))):
    made = select(counts, scores, settings, budget=40, ids=np.array([str(k) for k in range(60)], dtype=object),
        source_codes=np.zeros(60, dtype=np.int32), sources=("",))
assert len(made) == 40
assert compiled() == before, {name: count for name, count in compiled().items() if count != before[name]}
"""


def test_warm_up_leaves_nothing_to_compile(tmp_path: Path) -> None:
    """In a process of its own, in which nothing else has compiled anything."""
    script = f"FILE = {str(tmp_path / 'counts.npz')!r}\n{AFTER_WARM_UP}"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])
