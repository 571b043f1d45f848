"""N-gram counts and TF-IDF against scikit-learn's."""

import itertools
import pickle
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from plain_twins import plain_tfidf, random_texts, shared_json
from scipy import sparse

from backend.diversity import (
    NgramCounts,
    Tfidf,
    count_ngrams,
    initial_diversity,
    load_counts,
    matrix,
    save_counts,
    term_texts,
    tfidf,
)
from backend.diversity import groups as groups_module
from backend.diversity.groups import Groups
from backend.diversity.word_numbers import tokenize
from backend.errors import PoolError

ODD = [
    "",
    " ",
    "a",
    "one",
    "One ONE one two One one two",
    "snake_case __init__ _ __ x_ 1_000",
    "ΟΔΟΣ ΟΔΟΣ. σίγμα ς",  # a final sigma lower-cases by what follows it
    "İstanbul ẞ straße STRASSE",  # one character becomes two
    "日本語 の テキスト 日本",
    "e\u0301te\u0301 été naïve",  # combining marks are no word characters
    "½ ² ٣٤ x² ⅷ 𝔘𝔫𝔦 😀 a😀b ab😀cd",
    "tab\tnew\nline\r\nnull\x00char\u2028sep",
    "one",
    "İ",
    "don't e-mail 3,14 C++ C#",
    "the cat the cat the cat the cat",
]


def compare(texts: list[str], rows: list[int] | None = None, suffix: str = "") -> None:
    counts = count_ngrams(texts, suffix=suffix)
    ours = tfidf(counts, None if rows is None else np.array(rows))
    theirs, names = plain_tfidf(
        [texts[row] + suffix for row in (range(len(texts)) if rows is None else rows)]
    )
    np.testing.assert_allclose(
        initial_diversity(ours), np.asarray(theirs.sum(axis=1)).ravel(), rtol=0, atol=1e-12
    )

    shared = matrix(ours)
    column = {name: k for k, name in enumerate(names)}
    texts_of = term_texts(counts, counts.terms)
    assert len(set(texts_of)) == len(texts_of)
    known = [k for k, name in enumerate(texts_of) if name in column]  # the others are in no candidate
    assert abs(shared).sum() == abs(shared[:, known]).sum()
    twin = theirs[:, [column[texts_of[k]] for k in known]]
    assert abs(shared[:, known] - twin).max() < 1e-12 if known else shared.nnz == 0
    # the rest of each row, which has no column here
    rest = np.asarray(theirs.sum(axis=1)).ravel() - np.asarray(twin.sum(axis=1)).ravel()
    np.testing.assert_allclose(ours.solo * ours.scale, rest, rtol=0, atol=1e-12)


def test_words_are_those_of_sklearn() -> None:
    found = tokenize(ODD)
    vocabulary = found.vocabulary.to_pylist()
    for row, text in enumerate(ODD):
        words = [vocabulary[k] for k in found.words[found.indptr[row] : found.indptr[row + 1]]]
        assert words == re.findall(r"(?u)\b\w\w+\b", text.lower())


def test_every_character_is_a_word_character_or_not_as_for_re() -> None:
    every = " ".join(2 * chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    found = tokenize([every])
    expected = re.findall(r"(?u)\b\w\w+\b", every.lower())
    assert found.vocabulary.take(found.words).to_pylist() == expected


def test_equals_sklearn_on_odd_texts() -> None:
    compare(ODD)
    compare(ODD, suffix="<|im_end|>")
    compare(ODD, rows=[4, 5, 9, 12])


@pytest.mark.parametrize("seed", range(12))
def test_equals_sklearn_on_random_pools_and_subsets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = random_texts(rng, int(rng.integers(1, 60)))
    compare(texts)
    rows = np.flatnonzero(rng.random(len(texts)) < 0.5).tolist() or [0]
    compare(texts, rows=rows)


def test_equals_sklearn_on_the_small_pool() -> None:
    texts = [row["output"] for row in shared_json("data/pool_small.json")]
    compare(texts)
    compare(texts, rows=list(range(0, 1500, 7)), suffix="<|im_end|>")


def test_document_frequency_is_that_of_the_candidates() -> None:
    """An n-gram of two responses may be in one candidate, or in none."""
    texts = ["red apple", "red pear", "green pear", "blue plum"]
    compare(texts, rows=[0, 2])
    compare(texts, rows=[3])


def test_responses_in_many_pieces() -> None:
    texts = random_texts(np.random.default_rng(5), 50) + [f"word{k} other{k % 7}" for k in range(400)]
    pieces = pa.chunked_array([texts[at : at + 7] for at in range(0, len(texts), 7)], type=pa.string())
    same(count_ngrams(pieces), count_ngrams(texts))
    same(count_ngrams(pieces.slice(3, 40)), count_ngrams(texts[3:43]))


def test_long_words_that_begin_alike() -> None:
    texts = [
        f"{'é' * k}{'x' * j} {'xy' * 8}{k} {'x' * 8}\U0001d518\U0001d518{j}"
        for k in range(9)
        for j in range(9)
    ]
    found = tokenize(texts)
    expected = [re.findall(r"(?u)\b\w\w+\b", text) for text in texts]
    assert found.vocabulary.take(found.words).to_pylist() == [word for row in expected for word in row]
    assert len(found.vocabulary) == len({word for row in expected for word in row})


def test_lone_surrogates_part_words() -> None:
    assert tokenize(["one\ud800two İx\udfff"]).vocabulary.to_pylist() == ["one", "two"]
    compare(["one\ud800two three", "two three"])


def test_groups_are_the_ngrams_of_the_very_same_responses() -> None:
    rng = np.random.default_rng(11)
    for copies in (0.0, 0.3, 0.8):
        counts = count_ngrams([*random_texts(rng, 120, copies=copies), "one two one two", "one two"])
        whole = sparse.csr_array((counts.tf, counts.indices, counts.indptr)).toarray()
        present = [column.tobytes() for column in (whole > 0).T]
        of = counts.groups.of
        assert len(set(zip(present, of.tolist()))) == len(set(present)) == len(set(of.tolist()))
        merged = np.zeros((len(counts), of.max() + 1), dtype=int)
        squares = np.zeros_like(merged)
        for column, group in enumerate(of):
            merged[:, group] += whole[:, column]
            squares[:, group] += whole[:, column] ** 2
        groups = counts.groups
        for given, expected in ((groups.tf, merged), (groups.squares, squares)):
            found = np.ones(groups.indptr[-1], dtype=int)
            for row, (a, b) in enumerate(itertools.pairwise(groups.indptr)):
                middle = a + groups.ones[row + 1] - groups.ones[row]
                found[middle:b] = given[middle - groups.ones[row + 1] : b - groups.ones[row + 1]]
                assert (found[middle:b] > 1).all()
            whole_again = sparse.csr_array((found, groups.indices, groups.indptr), shape=merged.shape)
            np.testing.assert_array_equal(whole_again.toarray(), expected)


def test_a_collision_of_fingerprints_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = random_texts(np.random.default_rng(3), 80)
    expected = count_ngrams(texts)
    real = groups_module._sum_rows

    def colliding(indptr: np.ndarray, indices: np.ndarray, seed: np.uint64, sums: np.ndarray) -> None:
        if seed < 2:
            sums[:] = np.arange(len(sums)) % 3
        else:
            real(indptr, indices, np.uint64(0), sums)

    monkeypatch.setattr(groups_module, "_sum_rows", colliding)
    same(count_ngrams(texts), expected)


def test_columns_go_from_the_most_to_the_least_frequent() -> None:
    counts = count_ngrams(random_texts(np.random.default_rng(2), 200))
    df = np.bincount(counts.indices, minlength=len(counts.terms))
    assert (np.diff(df) <= 0).all()
    assert df.min() == 2


def test_a_vocabulary_larger_than_the_first_tables() -> None:
    texts = [" ".join(f"v{row}x{k}" for k in range(50)) for row in range(1200)]
    found = tokenize(texts)
    assert len(found.vocabulary) == 60_000
    assert found.words.tolist() == list(range(60_000))


def test_arrow_columns_and_missing_responses() -> None:
    texts = ["red apple", None, "red pear"]
    expected = count_ngrams(["red apple", "", "red pear"])
    same(count_ngrams(pa.chunked_array([texts[:1], texts[1:]], type=pa.string())), expected)
    same(count_ngrams(pa.array(texts, pa.large_string())), expected)
    with_suffix = count_ngrams(["red apple", "", "red pear"], suffix="<|end|>")
    for kind in (pa.string(), pa.large_string()):
        same(count_ngrams(pa.array(texts, kind), suffix="<|end|>"), with_suffix)
        same(count_ngrams(pa.array(["x", *texts, "y"], kind).slice(1, 3)), expected)


def test_identical_responses_have_bit_identical_diversity() -> None:
    texts = random_texts(np.random.default_rng(9), 300)
    diversity = initial_diversity(tfidf(count_ngrams(texts)))
    for text in set(texts):
        assert len({diversity[k] for k, other in enumerate(texts) if other == text}) == 1


def test_no_response_or_no_word() -> None:
    for texts in ([], [""], ["a b", "?"]):
        counts = count_ngrams(texts)
        assert len(counts) == len(texts)
        assert not counts.has_vector.any()
        assert initial_diversity(tfidf(counts)).tolist() == [0.0] * len(texts)
        assert matrix(tfidf(counts)).shape == (len(texts), 0)


def test_rows_are_checked() -> None:
    counts = count_ngrams(["red apple", "red pear"])
    with pytest.raises(IndexError, match="row 2 of a pool of 2"):
        tfidf(counts, np.array([0, 2]))


def test_saved_and_loaded(tmp_path: Path) -> None:
    for name, texts in (("odd", ODD), ("none", ["", ""])):
        counts = count_ngrams(texts, suffix="<|im_end|>" if name == "odd" else "")
        save_counts(tmp_path / "deep" / name, counts)
        same(load_counts(tmp_path / "deep" / name), counts)
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == [
        "none",
        "odd",
    ]  # nothing temporary is left


def test_a_file_that_holds_no_counts(tmp_path: Path) -> None:
    path = tmp_path / "ngrams.npz"
    with pytest.raises(PoolError, match="no n-gram counts here"):
        load_counts(path)
    path.write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(PoolError, match="not readable as n-gram counts"):
        load_counts(path)
    path.write_bytes(pickle.dumps([1]))
    with pytest.raises(PoolError, match="not readable as n-gram counts"):
        load_counts(path)
    with path.open("wb") as file:
        np.savez(file, format=np.array(0))
    with pytest.raises(PoolError, match="another version"):
        load_counts(path)


def same(a: NgramCounts | Groups, b: NgramCounts | Groups) -> None:
    for name, value in vars(b).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(a, name), value, err_msg=name)
            assert getattr(a, name).dtype == value.dtype
        elif isinstance(value, Groups):
            same(getattr(a, name), value)
        elif isinstance(value, pa.Array):
            assert getattr(a, name).to_pylist() == value.to_pylist()
        else:
            assert getattr(a, name) == value


def test_prepared_for_all_rows_is_the_default() -> None:
    counts = count_ngrams(ODD)
    a, b = tfidf(counts), tfidf(counts, np.arange(len(ODD)))
    assert isinstance(a, Tfidf)
    np.testing.assert_array_equal(a.diversity, b.diversity)
