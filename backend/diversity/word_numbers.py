"""Responses -> word numbers, cut as scikit-learn's vectorizers cut by default (`paper`), or by Unicode's rules (`unicode`).

`paper`: a word is a match of ``(?u)\\b\\w\\w+\\b`` in the lower-cased text. That is the same as: a run of two or more word
characters that cannot be made longer, where a word character is one that `str.isalnum` accepts, or "_".
`unicode`: see `breaks`. The text is read as Arrow holds it, in UTF-8: no Python string is made of it, and each character
is looked up in two tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from backend.config import Words
from backend.diversity.breaks import kind_of
from backend.diversity.characters import WORD, Characters, decode, joined, kind_by_pattern, spell
from backend.diversity.unicode_tokens import number_unicode_words
from backend.diversity.vocabulary import Vocabulary, mark_of, number_of


@dataclass(frozen=True)
class Tokens:
    """The words of n responses, as numbers.

    words : (total words,) int32, numbers into `vocabulary`, responses one after another.
    indptr : (n + 1,) int64, response i has words[indptr[i]:indptr[i + 1]].
    vocabulary : the distinct words, in the order of their first appearance.
    """

    words: np.ndarray
    indptr: np.ndarray
    vocabulary: pa.Array


def tokenize(
    responses: Sequence[str] | pa.Array | pa.ChunkedArray, *, suffix: str = "", words: Words = "paper"
) -> Tokens:
    """The words of every response (followed by `suffix`), numbered by first appearance.

    words : how the text is cut into words.
    """
    by_pattern = words == "paper"
    number = _number_words if by_pattern else number_unicode_words
    characters = Characters(kind_by_pattern if by_pattern else kind_of)
    known = Vocabulary()
    parts: list[np.ndarray] = []
    ends: list[np.ndarray] = [np.zeros(1, dtype=np.int64)]
    total = 0
    for data, offsets in _texts(responses, suffix):
        data, offsets = characters.learn(data, offsets)
        numbers = np.empty(most_words(int(offsets[-1] - offsets[0]), words), dtype=np.int32)
        word_ends = np.empty(len(offsets) - 1, dtype=np.int64)
        row = count = 0
        while row < len(word_ends):
            length = int(offsets[row + 1] - offsets[row])
            known.make_room(length, most_words(length, words))
            row, count, known.size = number(
                data,
                offsets,
                row,
                characters.lower,
                characters.kinds,
                known.table,
                known.marks,
                known.letters,
                known.bounds,
                known.size,
                numbers,
                word_ends,
                count,
            )
        parts.append(numbers[:count].copy())
        ends.append(word_ends + total)
        total += count
    return Tokens(
        words=np.concatenate(parts) if parts else np.empty(0, dtype=np.int32),
        indptr=np.concatenate(ends),
        vocabulary=known.texts(),
    )


def most_words(length: int, words: Words) -> int:
    """As many words as a text of so many bytes can have: of two characters and what divides them, or of one."""
    return length // 2 + 1 if words == "paper" else length + 1


def _texts(
    responses: Sequence[str] | pa.Array | pa.ChunkedArray, suffix: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """UTF-8 bytes and (n + 1,) int64 offsets into them, piece by piece; a missing text is empty."""
    if isinstance(responses, pa.ChunkedArray):
        for chunk in responses.chunks:
            yield from _texts(chunk, suffix)
    elif not len(responses):
        return
    elif isinstance(responses, pa.Array):
        texts = responses.cast(pa.large_string())
        if texts.null_count:
            texts = texts.fill_null("")
        if suffix:
            texts = pc.binary_join_element_wise(
                texts, *(pa.scalar(text, pa.large_string()) for text in (suffix, ""))
            )
        _, bounds, letters = texts.buffers()
        offsets = np.frombuffer(bounds, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
        data = np.frombuffer(letters or b"", dtype=np.uint8)
        # code is compiled once for arrays that can be written to and once for others: always give it the same
        data.setflags(write=False)
        yield data, offsets.copy()
    else:
        yield joined([((text or "") + suffix).encode("utf-8", "surrogatepass") for text in responses])


@njit(cache=True, nogil=True)
def _number_words(
    data: np.ndarray,
    offsets: np.ndarray,
    row: int,
    lower: np.ndarray,
    kinds: np.ndarray,
    table: np.ndarray,
    marks: np.ndarray,
    letters: np.ndarray,
    bounds: np.ndarray,
    known: int,
    words: np.ndarray,
    word_ends: np.ndarray,
    count: int,
) -> tuple[int, int, int]:
    """Number the words of one text after another, from `row` on and as long as there is room for new words.

    A word is spelt out behind the known ones; where it is new it stays there. Returns the row that comes next, the
    words numbered and the words known.
    """
    while row < len(offsets) - 1:
        at, end = offsets[row], offsets[row + 1]
        most = known + (end - at) // 2 + 1
        if 2 * most > len(table) or most >= len(bounds) or bounds[known] + 2 * (end - at) > len(letters):
            break
        spelt = start = bounds[known]
        characters = 0
        mark = block = np.uint64(0)
        while at <= end:
            code = np.int64(0)  # the end of a text ends its last word
            if at < end:
                code, at = decode(data, at)
                code = np.int64(lower[code])
            else:
                at += 1
            if kinds[code] == WORD:
                before = spelt
                spelt = spell(code, letters, spelt)
                characters += 1
                for k in range(before, spelt):
                    if (k - start) & 7 == 0:
                        mark, block = mark_of(block, mark), np.uint64(0)
                    block = block << np.uint64(8) | np.uint64(letters[k])
                continue
            if characters >= 2:
                mark = mark_of(block, mark)
                word = number_of(mark, start, spelt, table, marks, letters, bounds, known)
                if word == known:
                    start = spelt
                    known += 1
                words[count] = word
                count += 1
            if characters > 0:
                spelt = start
                characters = 0
                mark = block = np.uint64(0)
        word_ends[row] = count
        row += 1
    return row, count, known
