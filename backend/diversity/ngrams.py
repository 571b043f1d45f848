"""Counting the 1-, 2- and 3-grams of a pool's responses, once per pool.

Most n-grams occur in one response only. Such an n-gram never loses weight before its own response is picked,
and all of them share one idf, so that all it takes to weigh them is two sums per response, of tf and of tf
squared. They get no column: that is what lets a million responses fit into memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from backend.diversity.tokens import tokenize

NGRAM = 3  # words in the longest n-gram
SHOWN = 5  # n-grams kept to say what earned a pick

# what `owner` says of an n-gram: a response's row (it occurs there only so far), or
NOBODY, SHARED = -1, -2


@dataclass(frozen=True)
class NgramCounts:
    """How often each n-gram occurs in each of n responses.

    indptr, indices, tf : CSR of n rows: (n + 1,) int64, (nnz,) int32, (nnz,) int32, over the T *shared* n-grams,
        those of two or more responses; within a row 1-grams come first, then 2-, then 3-grams, as in the text.
    terms : (T, 3) int32, the words of each shared n-gram, -1 padded.
    solo_sum, solo_squares : (n,) float64, sum of tf and of tf squared over a row's n-grams that no other row has.
    solo_terms, solo_tf : (n, 5, 3) and (n, 5) int32, the most frequent of these, -1 and 0 padded.
    vocabulary : the words as an Arrow string array.
    suffix : text that was added to every response before counting.
    """

    indptr: np.ndarray
    indices: np.ndarray
    tf: np.ndarray
    terms: np.ndarray
    solo_sum: np.ndarray
    solo_squares: np.ndarray
    solo_terms: np.ndarray
    solo_tf: np.ndarray
    vocabulary: pa.Array
    suffix: str = ""

    def __len__(self) -> int:
        return len(self.solo_sum)

    @property
    def has_vector(self) -> np.ndarray:
        """(n,) bool: the response has at least one word, so that its TF-IDF row is not zero."""
        return (np.diff(self.indptr) > 0) | (self.solo_sum > 0)


def count_ngrams(responses: Sequence[str] | pa.Array | pa.ChunkedArray, *, suffix: str = "") -> NgramCounts:
    """Count the 1-, 2- and 3-grams of every response followed by `suffix` (once per pool; a second per 50,000).

    The same words and n-grams as scikit-learn's ``TfidfVectorizer(ngram_range=(1, 3))``: lower case, words of two
    or more word characters. A missing response counts as empty.
    """
    tokens = tokenize(responses, suffix=suffix)
    pairs, pair_owner, pair_mark = _number_ngrams(tokens.words, tokens.words, tokens.indptr, 2)
    triples, triple_owner, triple_mark = _number_ngrams(pairs, tokens.words, tokens.indptr, 3)
    word_owner = np.full(len(tokens.vocabulary), NOBODY, dtype=np.int32)
    _find_owners(tokens.words, tokens.indptr, word_owner)
    counted = _count_rows(
        tokens.words,
        pairs,
        triples,
        tokens.indptr,
        word_owner,
        pair_owner,
        triple_owner,
        np.zeros(len(tokens.vocabulary), dtype=np.int64),
        pair_mark,
        triple_mark,
    )
    return NgramCounts(*counted, vocabulary=tokens.vocabulary, suffix=suffix)


def term_texts(counts: NgramCounts, terms: np.ndarray) -> np.ndarray:
    """N-grams as text: (..., 3) int32 word numbers, -1 padded -> (...) object of str ("" where all are -1)."""
    flat = terms.reshape(-1, NGRAM)
    texts = np.full(len(flat), "", dtype=object)
    present = flat[:, 0] >= 0
    columns = [counts.vocabulary.take(pa.array(words, mask=words < 0)) for words in flat[present].T.copy()]
    joined = pc.binary_join_element_wise(*columns, pa.scalar(" ", pa.large_string()), null_handling="skip")
    texts[present] = joined.to_numpy(zero_copy_only=False)
    return texts.reshape(terms.shape[:-1])


def _number_ngrams(
    left: np.ndarray, words: np.ndarray, indptr: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the n-grams of `size` words: an (n-1)-gram's number and the word that follows it.

    Returns the number at each n-gram's first word (a slot of the hash table), and by number the owner and a mark.
    The table is made for all n-grams being different, so it never grows; its keys are not needed afterwards and
    serve as the marks of `_count_rows`.
    """
    capacity = 1 << max(4, (len(words) + len(words) // 2).bit_length())
    keys = np.full(capacity, -1, dtype=np.int64)
    owner = np.full(capacity, NOBODY, dtype=np.int32)
    numbers = np.empty(len(words), dtype=np.int32)
    _enter_ngrams(left, words, indptr, size, keys, owner, numbers)
    keys.fill(0)
    return numbers, owner, keys


@njit(cache=True)
def _enter_ngrams(
    left: np.ndarray,
    words: np.ndarray,
    indptr: np.ndarray,
    size: int,
    keys: np.ndarray,
    owner: np.ndarray,
    numbers: np.ndarray,
) -> None:
    mask = len(keys) - 1
    for row in range(len(indptr) - 1):
        for at in range(indptr[row], indptr[row + 1] - size + 1):
            key = (np.int64(left[at]) << 32) | np.int64(words[at + size - 1])
            mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
            slot = np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(mask))
            while keys[slot] != key and keys[slot] != -1:
                slot = (slot + 1) & mask
            if keys[slot] == -1:
                keys[slot] = key
                owner[slot] = row
            elif owner[slot] != row:
                owner[slot] = SHARED
            numbers[at] = slot


@njit(cache=True)
def _find_owners(words: np.ndarray, indptr: np.ndarray, owner: np.ndarray) -> None:
    for row in range(len(indptr) - 1):
        for at in range(indptr[row], indptr[row + 1]):
            if owner[words[at]] == NOBODY:
                owner[words[at]] = row
            elif owner[words[at]] != row:
                owner[words[at]] = SHARED


@njit(cache=True)
def _count_rows(
    words: np.ndarray,
    pairs: np.ndarray,
    triples: np.ndarray,
    indptr: np.ndarray,
    word_owner: np.ndarray,
    pair_owner: np.ndarray,
    triple_owner: np.ndarray,
    word_mark: np.ndarray,
    pair_mark: np.ndarray,
    triple_mark: np.ndarray,
) -> tuple[
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
    np.ndarray,
]:
    """Rows of (column, tf) for shared n-grams, sums for the others.

    A mark (0 at first) is a shared n-gram's column + 1, or the tf so far of one that its row alone has.
    """
    rows = len(indptr) - 1
    columns = 0
    for owner in (word_owner, pair_owner, triple_owner):
        for number in range(len(owner)):
            columns += owner[number] == SHARED
    entries = 0
    for row in range(rows):
        for at in range(indptr[row], indptr[row + 1]):
            entries += word_owner[words[at]] == SHARED
            entries += at + 1 < indptr[row + 1] and pair_owner[pairs[at]] == SHARED
            entries += at + 2 < indptr[row + 1] and triple_owner[triples[at]] == SHARED

    out = np.zeros(rows + 1, dtype=np.int64)
    indices = np.empty(entries, dtype=np.int32)  # too many where a row repeats an n-gram; cut at the end
    tf = np.empty(entries, dtype=np.int32)
    terms = np.full((columns, NGRAM), -1, dtype=np.int32)
    place = np.full(columns, -1, dtype=np.int64)  # where the current row has this column
    solo_sum = np.zeros(rows)
    solo_squares = np.zeros(rows)
    solo_terms = np.full((rows, SHOWN, NGRAM), -1, dtype=np.int32)
    solo_tf = np.zeros((rows, SHOWN), dtype=np.int32)
    used = 0
    known = 0
    for row in range(rows):
        begin = used
        for size in range(1, NGRAM + 1):
            numbers = words if size == 1 else (pairs if size == 2 else triples)
            owner = word_owner if size == 1 else (pair_owner if size == 2 else triple_owner)
            mark = word_mark if size == 1 else (pair_mark if size == 2 else triple_mark)
            for at in range(indptr[row], indptr[row + 1] - size + 1):
                number = numbers[at]
                if owner[number] != SHARED:
                    mark[number] += 1
                    solo_sum[row] += 1
                    continue
                if mark[number] == 0:
                    terms[known, :size] = words[at : at + size]
                    known += 1
                    mark[number] = known
                column = mark[number] - 1
                if place[column] >= begin:
                    tf[place[column]] += 1
                else:
                    place[column] = used
                    indices[used] = column
                    tf[used] = 1
                    used += 1
        for size in range(1, NGRAM + 1):
            numbers = words if size == 1 else (pairs if size == 2 else triples)
            owner = word_owner if size == 1 else (pair_owner if size == 2 else triple_owner)
            mark = word_mark if size == 1 else (pair_mark if size == 2 else triple_mark)
            for at in range(indptr[row], indptr[row + 1] - size + 1):
                number = numbers[at]
                if owner[number] == SHARED or mark[number] == 0:
                    continue
                count = mark[number]
                mark[number] = 0
                solo_squares[row] += count * count
                if count <= solo_tf[row, SHOWN - 1]:
                    continue
                k = SHOWN - 1  # insert behind those that are as frequent
                while k > 0 and solo_tf[row, k - 1] < count:
                    solo_tf[row, k] = solo_tf[row, k - 1]
                    solo_terms[row, k] = solo_terms[row, k - 1]
                    k -= 1
                solo_tf[row, k] = count
                solo_terms[row, k] = -1
                solo_terms[row, k, :size] = words[at : at + size]
        out[row + 1] = used
    return (
        out,
        indices[:used].copy(),
        tf[:used].copy(),
        terms,
        solo_sum,
        solo_squares,
        solo_terms,
        solo_tf,
    )
