"""Full-text search in a pool: SQLite's FTS5, one file per pool, written once and then only read. Of an edited pool the
file is that of the pool that was read, and its few edited samples are indexed when somebody searches.

A query is words ("all of them occur"), "phrases", -words and -"phrases" that must not occur, and beginnings of words
(bio*). Case and accents make no difference. The characters of scripts that put no spaces between words are words of
their own, so any run of them is found.
"""

from __future__ import annotations

import dataclasses
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.errors import SearchError
from backend.findings.texts import prompt_texts, response_texts, spaced
from backend.records import Pool
from backend.store.files import replacing
from backend.store.paths import pool_folder, root_of
from backend.store.pools import load_pool_from_store
from backend.store.shelf import keep_last

VERSION = 1
MOST_CHARACTERS = 1000
MOST_TERMS = 50
BATCH = 2000
# the texts are in the pool: only the index is kept here
_TABLE = (
    "CREATE VIRTUAL TABLE samples USING fts5(prompt, response, content = '', columnsize = 0,"
    " tokenize = 'unicode61 remove_diacritics 2')"
)
# a "-" before the term, a phrase (to the end where nobody closed it) or a word up to the next space, a "*" behind it
_TERM = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)(?:"|$)(?P<star>\*?)|(?P<word>[^\s"]+))')


@dataclass(frozen=True)
class Term:
    """One part of a query: words that stand one after another; `prefix`: the last may go on; `wanted`: or not."""

    words: str
    prefix: bool
    wanted: bool


def build_search(home: Path, pool: Pool, *, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Index a pool's prompts and responses; nothing happens where that has been done.

    on_progress : called with samples done and in all; may raise to stop.
    """
    if has_search(home, pool.id):
        return
    if pool.base:
        pool = load_pool_from_store(home, pool.base)
    prompts, responses = prompt_texts(pool), response_texts(pool)
    with (
        replacing(search_path(home, pool.id)) as temporary,
        closing(sqlite3.connect(temporary)) as connection,
    ):
        # a file that is not whole is thrown away, so nothing need be safe while it is written
        connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 8192"
        )
        connection.execute(_TABLE)
        for begin in range(0, len(pool), BATCH):
            if on_progress is not None:
                on_progress(begin, len(pool))
            _index(
                connection,
                range(begin, min(begin + BATCH, len(pool))),
                prompts[begin : begin + BATCH],
                responses[begin : begin + BATCH],
            )
        connection.execute("INSERT INTO samples (samples) VALUES ('optimize')")
        connection.execute("CREATE TABLE about (version INTEGER, rows INTEGER)")
        connection.execute("INSERT INTO about VALUES (?, ?)", (VERSION, len(pool)))
        connection.commit()


def has_search(home: Path, pool_id: str) -> bool:
    """Whether a pool has been indexed, by this version."""
    path = search_path(home, pool_id)
    return path.is_file() and _about(path)[0] == VERSION


def search_path(home: Path, pool_id: str) -> Path:
    """The file of a pool's index."""
    return pool_folder(home, root_of(home, pool_id)) / "search.sqlite"


def search(home: Path, pool_id: str, query: str) -> np.ndarray:
    """(m,) int64: the rows that a query finds, ascending: 1 to 17 ms of 52,002 samples, 90 ms for a*.

    Raises
    ------
    SearchError : the query holds nothing to search for or is too long, or the pool has not been indexed.
    """
    terms = parse_query(query)
    path = search_path(home, pool_id)
    if not path.is_file():
        raise SearchError("this pool's search index is not built yet")
    version, n = _about(path)
    if version != VERSION:
        raise SearchError("this pool's search index is of another version; it has to be built again")
    try:
        with closing(_open(path)) as connection:
            found = _matching(connection, terms, np.arange(n, dtype=np.int64))
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error
    if root_of(home, pool_id) == pool_id:
        return found
    rows, prompts, responses = _edited(home, pool_id)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(_TABLE)
        _index(connection, rows.tolist(), prompts, responses)
        own = _matching(connection, terms, rows)
    return np.union1d(np.setdiff1d(found, rows, assume_unique=True), own)


def _matching(connection: sqlite3.Connection, terms: list[Term], rows: np.ndarray) -> np.ndarray:
    """(m,) int64, ascending: those of the indexed rows that all terms hold for."""
    wanted = " AND ".join(_spelt(term) for term in terms if term.wanted)
    unwanted = " OR ".join(_spelt(term) for term in terms if not term.wanted)
    if wanted:
        return _rows(connection, f"({wanted}) NOT ({unwanted})" if unwanted else wanted)
    return np.setdiff1d(rows, _rows(connection, unwanted), assume_unique=True)


def _index(
    connection: sqlite3.Connection, rows: Sequence[int], prompts: Sequence[str], responses: Sequence[str]
) -> None:
    """Add samples under their row numbers."""
    connection.executemany(
        "INSERT INTO samples (rowid, prompt, response) VALUES (?, ?, ?)",
        (
            (row, _readable(prompt), _readable(response))
            for row, prompt, response in zip(rows, prompts, responses)
        ),
    )


@keep_last(4)
def _edited(home: Path, pool_id: str) -> tuple[np.ndarray, list[str], list[str]]:
    """The edited samples of an edited pool: (k,) int64 rows ascending, prompts, responses."""
    pool = load_pool_from_store(home, pool_id)
    rows = np.array(sorted(pool.row_of[sample] for sample in pool.edits), dtype=np.int64)
    part = dataclasses.replace(pool, table=pool.take(rows, ["turns", "response"]))
    return rows, prompt_texts(part), response_texts(part)


def parse_query(query: str) -> list[Term]:
    """The terms of a query. What holds no letter or digit ("&", a "-" alone) is ignored.

    Raises
    ------
    SearchError : nothing is left to search for, or the query is too long.
    """
    if len(query) > MOST_CHARACTERS:
        raise SearchError(f"the search is {len(query):,} characters long; the limit is {MOST_CHARACTERS:,}")
    terms = []
    for match in _TERM.finditer(query):
        minus, phrase, star, word = match.group("minus", "phrase", "star", "word")
        if phrase is None:
            stripped = word.rstrip("*")
            phrase, star = stripped, word[len(stripped) :]
        words = " ".join(_readable(phrase).split())
        if any(map(_in_word, words)):
            # a beginning ends with a letter: in "c++*" there is no word that could go on
            terms.append(Term(words, bool(star) and _in_word(words[-1]), not minus))
    if not terms:
        what = "the search is empty" if not query.strip() else f"{query.strip()!r} holds no letter or digit"
        raise SearchError(f'{what}; type words, "a phrase", -without or begin*')
    if len(terms) > MOST_TERMS:
        raise SearchError(f"the search has {len(terms)} words and phrases; the limit is {MOST_TERMS}")
    return terms


class _Blanks(dict[int, str | None]):
    """For `str.translate`: a character that is part of no word becomes a space, the others stay."""

    def __missing__(self, code: int) -> str:
        kept = chr(code) if code < 128 or _in_word(chr(code)) else " "
        self[code] = kept
        return kept


_BLANKS = _Blanks()


def _readable(text: str) -> str:
    """Text as it is indexed and searched. Which characters are part of a word is decided here for all but ASCII:
    SQLite's table is of an old Unicode, in which an emoji is a letter."""
    text = text.replace("\0", " ")
    return text if text.isascii() else spaced(unicodedata.normalize("NFC", text)).translate(_BLANKS)


def _in_word(character: str) -> bool:
    """Letters, marks on them, numbers, and what a font defines for itself."""
    category = unicodedata.category(character)
    return category[0] in "LMN" or category == "Co"


def _spelt(term: Term) -> str:
    """A term in FTS5's language: always a quoted string, so nothing in it is an operator."""
    quoted = term.words.replace('"', " ")
    return f'"{quoted}"' + (" *" if term.prefix else "")


def _rows(connection: sqlite3.Connection, expression: str) -> np.ndarray:
    found = connection.execute(
        "SELECT rowid FROM samples WHERE samples MATCH ? ORDER BY rowid", (expression,)
    )
    return np.array([row for (row,) in found.fetchall()], dtype=np.int64)


def _about(path: Path) -> tuple[int, int]:
    """The version of an index and the samples in it."""
    try:
        with closing(_open(path)) as connection:
            version, rows = connection.execute("SELECT version, rows FROM about").fetchone()
            return int(version), int(rows)
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> SearchError:
    return SearchError(f"{path} cannot be read as a search index ({error}); delete it to build it again")


def _open(path: Path) -> sqlite3.Connection:
    """A connection for reading. The file never changes (a new one takes its place), so no lock is needed."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
