"""Why a sample was not picked: what covered its n-grams, and the numbers in the words."""

from typing import Any

import numpy as np
import pytest
from plain_twins import plain_tfidf
from small_pools import Case, random_case

from backend import analysis
from backend.records import Scores, Status

TREES = ["red apple tree", "red apple", "blue plum", "red apple", "green pear", "grey fig cake"]


def plain_remains(case: Case, made: Any, row: int) -> dict[str, tuple[float, float, int]]:
    """(part, left, first pick) of every n-gram of a row, from scikit-learn's matrix and a loop over the picks."""
    candidates = case.tfidf().rows
    matrix, names = plain_tfidf([case.texts[k] for k in candidates])
    at = candidates.tolist().index(row)
    mine = matrix[[at]]
    found = {}
    for column, part in zip(mine.indices.tolist(), mine.data.tolist()):
        left, first = part, 0
        for pick, other in enumerate(made.rows.tolist(), start=1):
            if other == row:
                break
            if matrix[candidates.tolist().index(other), column]:
                left *= case.settings.decay
                first = first or pick
        found[names[column]] = (part, left, first)
    return found


@pytest.mark.parametrize("decay", [0.0, 0.1, 0.7, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_agrees_with_a_plain_count(seed: int, decay: float) -> None:
    case = random_case(seed, n=40, decay=decay, budget=12, pinned=("s5",))
    made, tfidf = case.selection(), case.tfidf()
    for row in tfidf.rows.tolist():
        expected = plain_remains(case, made, row)
        found = analysis.remains(tfidf, made, row, decay=decay, top=5)
        assert found is not None
        assert found.before == pytest.approx(sum(part for part, _, _ in expected.values()), rel=1e-12)
        assert found.after == pytest.approx(
            sum(left for _, left, _ in expected.values()), rel=1e-9, abs=1e-12
        )
        assert sum(term.left for term in found.covered) + found.rest == pytest.approx(found.after, rel=1e-12)
        lost = sorted((part - left for part, left, _ in expected.values() if part > left), reverse=True)[:5]
        np.testing.assert_allclose([c.part - c.left for c in found.covered], lost, rtol=1e-9)
        for term in found.covered:
            assert expected[term.term] == (pytest.approx(term.part), pytest.approx(term.left), term.pick)
            assert made.rows[term.pick - 1] == term.row
        assert analysis.covered_by(tfidf, made, row, decay=decay, top=5) == list(found.covered)


@pytest.mark.parametrize("decay", [0.0, 0.1, 0.5])
def test_of_a_pick_it_is_the_moment_of_the_pick(decay: float) -> None:
    case = random_case(7, decay=decay, budget=25)
    made = case.selection()
    for place, row in enumerate(made.rows.tolist()):
        found = analysis.remains(case.tfidf(), made, row, decay=decay)
        assert found is not None and found.after == pytest.approx(made.diversity[place], rel=1e-9, abs=1e-12)


def test_the_very_same_response_is_found_among_the_picks() -> None:
    case = Case(TREES, [0.9, 0.9, 0.5, 0.4, 0.5, 0.5], budget=5)
    made = case.selection()
    assert 1 in made.rows and 3 not in made.rows
    found = analysis.remains(case.tfidf(), made, 3, decay=0.1)
    assert found is not None and found.same == (made.rows.tolist().index(1) + 1, 1, None)
    assert f"is pick {found.same[0]}." in case.why(3).headline
    other = analysis.remains(case.tfidf(), made, 5, decay=0.1)
    assert other is not None and other.same is None and other.covered == () and other.after == other.before


def test_a_row_that_is_no_candidate_has_no_diversity() -> None:
    case = Case(TREES, [0.9, 0.9, 0.5, 1.4, 0.5, 0.5], budget=3)
    assert analysis.remains(case.tfidf(), case.selection(), 3, decay=0.1) is None
    assert analysis.covered_by(case.tfidf(), case.selection(), 3, decay=0.1) == []


def gains_in(headline: str) -> tuple[float, float]:
    words = headline.replace(";", "").replace("almost 0", "0").split()
    return float(words[words.index("was") + 1]), float(words[words.index("had") + 1].rstrip("."))


def test_an_outranked_sample_is_held_against_the_last_pick() -> None:
    case = random_case(1, budget=8, complexity_weight=1.5, diversity_weight=0.5, source_weights={"b": 2.0})
    made, tfidf = case.selection(), case.tfidf()
    checked = 0
    for row in np.flatnonzero(made.status == Status.OUTRANKED).tolist():
        why = case.why(row)
        found = analysis.remains(tfidf, made, row, decay=0.1)
        assert found is not None and why.covered == found.covered
        if "the last pick had" not in why.headline:
            continue
        weight = 2.0 if case.pool.sources[case.pool.source_codes[row]] == "b" else 1.0
        gain = float(case.scores.complexity[row]) ** 1.5 * found.after**0.5 * weight
        assert gains_in(why.headline.split(" A response")[0]) == (
            pytest.approx(gain, rel=0.01, abs=1e-4), pytest.approx(made.gain[-1], rel=0.01)
        )  # fmt: skip
        assert gain <= made.gain[-1]
        checked += 1
    assert checked > 5


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"strategy": "longest"}, "its response has 4 tokens; the last pick's has 6"),
        ({"strategy": "random", "seed": 1}, "not among those drawn at random"),
        ({"strategy": "superfiltering"}, "its gain at the end was 0.3; the last pick had 0.6"),
        ({"budget": 2, "pinned": ("s0", "s1")}, "the pinned samples fill the budget"),
    ],
)
def test_what_decides_is_the_strategys(settings: dict[str, Any], words: str) -> None:
    tokens = np.array([9, 6, 8, 4, 3, 2], dtype=np.int32)
    case = Case(TREES, [0.9, 0.8, 0.6, 0.3, 0.2, 0.1], tokens=tokens, **{"budget": 3, **settings})
    row = (
        3
        if settings.get("strategy") != "random"
        else int(np.setdiff1d(np.arange(6), case.selection().rows)[0])
    )
    assert words in case.why(row).headline


def test_equal_gains_and_gains_that_are_used_up() -> None:
    equal = Case(["red apple", "blue plum"], [0.5, 0.5], budget=0.5)
    assert "as was the last pick's; ties go to the earlier row" in equal.why(1).headline
    used = Case(["red apple"] * 3, [0.5, 0.4, 0.3], budget=2, decay=0.0)
    assert (
        "no candidate had any gain left" in used.why(2).headline and "by complexity" in used.why(2).headline
    )


def test_what_many_picks_have_covered_is_almost_nothing() -> None:
    case = Case(["red apple"] * 9, [0.9] * 8 + [0.1], budget=2, decay=1e-3)
    assert (
        "its gain at the end was almost 0 (0.173 before any pick); the last pick had" in case.why(8).headline
    )
    none = Case(["red apple", "?"], [0.9, 0.8], budget=0.5)
    assert "its gain at the end was 0; the last pick had" in none.why(1).headline


def test_a_close_race_is_told_with_enough_digits() -> None:
    case = Case(["red apple", "blue plum"], [0.500002, 0.5], budget=0.5)
    own, last = gains_in(case.why(1).headline)
    assert own < last


@pytest.mark.parametrize(
    ("row", "settings", "words"),
    [
        (0, {"max_complexity": 0.85}, "its complexity is 0.900, not below the limit of 0.85; it would need a limit above 0.9."),
        (1, {}, "above 1.027. The prompt does not help"),
        (2, {}, "its complexity is not defined: non-finite loss"),
        (3, {"min_response_tokens": 5}, "its response has 4 tokens, the limit is at least 5"),
        (0, {"max_response_tokens": 8}, "its response has 9 tokens, the limit is at most 8"),
        (4, {"excluded": ("s4",)}, "Ada excluded it"),
        (5, {"source_weights": {"y": 0.0}}, "its source, y, has the weight 0"),
    ],
)  # fmt: skip
def test_what_keeps_a_sample_from_being_a_candidate(row: int, settings: dict[str, Any], words: str) -> None:
    tokens = np.array([9, 6, 8, 4, 6, 6], dtype=np.int32)
    case = Case(
        TREES,
        [0.9, 1.0264, np.nan, 0.3, 0.2, 0.1],
        tokens=tokens,
        sources=list("xxxxxy"),
        budget=1,
        **settings,
    )
    why = case.why(row, excluded_by="Ada")
    assert words in why.headline and not why.picked and why.covered == ()
    reach = case.reach(row)
    assert reach.budget is None and reach.complexity_weight is None
    assert set(reach.notes) >= {"budget", "complexity_weight", "diversity_weight"}
    assert words.partition(". The")[0].rstrip(".").replace("Ada", "a person") in reach.notes["budget"]


def test_a_mismatch_is_only_said_where_it_is_one() -> None:
    case = Case(TREES, [0.9, 0.5, 0.5, 0.5, 0.5, 0.5], budget=1, max_complexity=0.8)
    assert "does not help" not in case.why(0).headline


def test_what_a_run_held_out_is_not_called_unscorable() -> None:
    case = Case(TREES, [0.9, np.nan, 0.5, np.nan, 0.5, 0.5], budget=2)
    case.scores.reason[1] = "held out"
    made = case.selection()
    assert analysis.status_text(case.scores, made, 1) == "not scored: held out"
    assert analysis.status_text(case.scores, made, 3) == "unscorable: non-finite loss"
    assert "held it out to measure the held-out loss" in case.why(1).headline
    unread = Scores.unknown(6)
    assert analysis.why(case.pool, unread, made, 3).headline == "Not selected: no model has scored it."
