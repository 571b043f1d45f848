"""Counting the 1-, 2- and 3-grams of a pool's responses, once per pool.

Most n-grams occur in one response only. Such an n-gram never loses weight before its own response is picked,
and all of them share one idf, so that all it takes to weigh them is two sums per response, of tf and of tf
squared. They get no column: that is what lets a million responses fit into memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from backend.config import Words
from backend.diversity.groups import Groups, group_ngrams
from backend.diversity.numbering import ONCE, number_longer, number_words
from backend.diversity.word_numbers import tokenize

NGRAM = 3  # words in the longest n-gram
SHOWN = 5  # n-grams kept to say what earned a pick


@dataclass(frozen=True)
class NgramCounts:
    """How often each n-gram occurs in each of n responses.

    indptr, indices, tf : CSR of n rows: (n + 1,) int64, (nnz,) int32, (nnz,) int32, over the T *shared* n-grams,
        those of two or more responses, numbered from the most to the least frequent (so that those that are read
        most lie together in memory); within a row 1-grams come first, then 2-, then 3-grams, as in the text.
    groups : the same n-grams, those of the very same responses as one.
    terms : (T, 3) int32, the words of each shared n-gram, -1 padded.
    solo_sum, solo_squares : (n,) float64, sum of tf and of tf squared over a row's n-grams that no other row has.
    solo_terms, solo_tf : (n, 5, 3) and (n, 5) int32, the most frequent of these, -1 and 0 padded.
    vocabulary : the words as an Arrow string array.
    suffix : text that was added to every response before counting.
    words : how the responses were cut into words.
    """

    indptr: np.ndarray
    indices: np.ndarray
    tf: np.ndarray
    groups: Groups
    terms: np.ndarray
    solo_sum: np.ndarray
    solo_squares: np.ndarray
    solo_terms: np.ndarray
    solo_tf: np.ndarray
    vocabulary: pa.Array
    suffix: str = ""
    words: Words = "paper"

    def __len__(self) -> int:
        return len(self.solo_sum)

    @property
    def has_vector(self) -> np.ndarray:
        """(n,) bool: the response has at least one word, so that its TF-IDF row is not zero."""
        return (np.diff(self.indptr) > 0) | (self.solo_sum > 0)


def count_ngrams(
    responses: Sequence[str] | pa.Array | pa.ChunkedArray, *, suffix: str = "", words: Words = "paper"
) -> NgramCounts:
    """Count the 1-, 2- and 3-grams of every response followed by `suffix` (once per pool; a second per 50,000).

    With `paper` the same words and n-grams as scikit-learn's ``TfidfVectorizer(ngram_range=(1, 3))``: lower case, words
    of two or more word characters. With `unicode` those of `breaks`. A missing response counts as empty.
    """
    tokens = tokenize(responses, suffix=suffix, words=words)
    singles = number_words(tokens.words, tokens.indptr, len(tokens.vocabulary))
    pairs = number_longer(singles, tokens.indptr, 2)
    triples = number_longer(pairs, tokens.indptr, 3)
    columns = _columns([singles.df, pairs.df, triples.df])
    terms = np.full((sum(int((c >= 0).sum()) for c in columns), NGRAM), -1, dtype=np.int32)
    for size, (ngrams, column) in enumerate(zip((singles, pairs, triples), columns), start=1):
        shared = np.flatnonzero(column >= 0)
        for k in range(size):
            terms[column[shared], k] = tokens.words[ngrams.first[shared] + k]
    entries = sum(int(ngrams.total[ngrams.df > 1].sum()) for ngrams in (singles, pairs, triples))
    # made here and not in compiled code, because NumPy asks for large pages
    indices, tf = np.empty(entries, dtype=np.int32), np.empty(entries, dtype=np.int32)
    indptr, solo_sum, solo_squares, solo_terms, solo_tf = _count_rows(
        tokens.words,
        tokens.indptr,
        (singles.numbers, pairs.numbers, triples.numbers),
        (singles.total, pairs.total, triples.total),
        columns,
        np.full(len(terms), -1, dtype=np.int64),
        indices,
        tf,
    )
    indices, tf = indices[: indptr[-1]], tf[: indptr[-1]]
    return NgramCounts(
        indptr,
        indices,
        tf,
        group_ngrams(indptr, indices, tf, len(terms)),
        terms,
        solo_sum,
        solo_squares,
        solo_terms,
        solo_tf,
        vocabulary=tokens.vocabulary,
        suffix=suffix,
        words=words,
    )


def term_texts(counts: NgramCounts, terms: np.ndarray) -> np.ndarray:
    """N-grams as text: (..., 3) int32 word numbers, -1 padded -> (...) object of str ("" where all are -1)."""
    flat = terms.reshape(-1, NGRAM)
    texts = np.full(len(flat), "", dtype=object)
    present = flat[:, 0] >= 0
    columns = [counts.vocabulary.take(pa.array(words, mask=words < 0)) for words in flat[present].T.copy()]
    joined = pc.binary_join_element_wise(*columns, pa.scalar(" ", pa.large_string()), null_handling="skip")
    texts[present] = joined.to_numpy(zero_copy_only=False)
    return texts.reshape(terms.shape[:-1])


def _columns(df: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """By size, each n-gram's column, -1 where it is in one response only; the most frequent first."""
    together = np.concatenate(df)
    shared = np.flatnonzero(together > 1)
    columns = np.full(len(together), -1, dtype=np.int32)
    columns[shared[np.argsort(-together[shared], kind="stable")]] = np.arange(len(shared), dtype=np.int32)
    bounds = np.cumsum([0, *map(len, df)])
    return tuple(columns[a:b] for a, b in itertools.pairwise(bounds))


@njit(cache=True, nogil=True)
def _count_rows(
    words: np.ndarray,
    indptr: np.ndarray,
    numbers_of: tuple[np.ndarray, ...],
    totals: tuple[np.ndarray, ...],
    columns: tuple[np.ndarray, ...],
    place: np.ndarray,
    indices: np.ndarray,
    tf: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows of (column, tf) for shared n-grams, sums for the others; `totals` of the others are used up.

    place : (T,) int64 of -1, becomes where the current row has each column.
    indices, tf : to be filled; as long as there are places with a shared n-gram, which is too long where a row
        repeats one.
    """
    rows = len(indptr) - 1
    out = np.zeros(rows + 1, dtype=np.int64)
    solo_sum = np.zeros(rows)
    solo_squares = np.zeros(rows)
    solo_terms = np.full((rows, SHOWN, NGRAM), -1, dtype=np.int32)
    solo_tf = np.zeros((rows, SHOWN), dtype=np.int32)
    used = 0
    for row in range(rows):
        begin = used
        for size in range(1, NGRAM + 1):
            numbers, total, column_of = numbers_of[size - 1], totals[size - 1], columns[size - 1]
            for at in range(indptr[row], indptr[row + 1] - size + 1):
                number = numbers[at]
                count = 1
                if number != ONCE:
                    column = column_of[number]
                    if column >= 0:
                        if place[column] >= begin:
                            tf[place[column]] += 1
                        else:
                            place[column] = used
                            indices[used] = column
                            tf[used] = 1
                            used += 1
                        continue
                    # in this row only: all its places are counted at the first, and then it is done with
                    count = total[number]
                    if count == 0:
                        continue
                    total[number] = 0
                solo_sum[row] += count
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
    return out, solo_sum, solo_squares, solo_terms, solo_tf
