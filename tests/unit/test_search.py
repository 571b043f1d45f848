"""Full-text search: held against a plain search of every text, and nothing that can be typed breaks it."""

import functools
import json
import random
import unicodedata

import numpy as np
import pytest

from backend import data, store
from backend.errors import SearchError, Stopped
from backend.records import Pool

WORDS = ["apple", "Apple's", "apples", "red", "RED", "x1", "7", "Äpfel", "apfel", "café", "CAFÉ", "cafe\u0301", "naïve", "Ωmega",
         "日本語", "日本", "学校", "สวัสดี", "слово", "СЛОВО", "e-mail", "don't", "C++", "a_b", "—", "🙂", "<b>"]  # fmt: skip
UNSPACED = [(0x0E00, 0x0EFF), (0x3040, 0x30FF), (0x4E00, 0x9FFF)]


@functools.cache
def plain_words(text: str) -> list[str]:
    """Lower case, no accents, runs of letters and digits; one word a character in scripts without spaces."""
    words, word = [], ""
    for character in unicodedata.normalize("NFC", text):
        unspaced = any(low <= ord(character) <= high for low, high in UNSPACED)
        if unicodedata.category(character)[0] in "LN" and not unspaced:
            base = unicodedata.normalize("NFD", character.lower())
            word += "".join(part for part in base if not unicodedata.combining(part))
            continue
        words.append(word)
        word = ""
        if unspaced and unicodedata.category(character)[0] in "LN":
            words.append(character)
    return [word for word in [*words, word] if word]


def holds(text: str, phrase: str, *, prefix: bool = False) -> bool:
    have, want = plain_words(text), plain_words(phrase)
    for i in range(len(have) - len(want) + 1):
        end = have[i + len(want) - 1]
        if have[i : i + len(want) - 1] == want[:-1] and (
            end == want[-1] or (prefix and end.startswith(want[-1]))
        ):
            return True
    return False


def pool_of(tmp_path, rows: list[tuple[str, str]]) -> Pool:
    path = tmp_path / "pool.json"
    path.write_text(json.dumps([{"instruction": prompt, "output": response} for prompt, response in rows]))
    return data.load_pool([path])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("search")
    rng = random.Random(0)
    rows = [tuple(" ".join(rng.choices(WORDS, k=rng.randrange(1, 7))) for _ in range(2)) for _ in range(300)]
    rows[7] = ("", "")
    pool = pool_of(tmp_path, rows)
    store.save_pool(tmp_path, pool)
    store.build_search(tmp_path, pool)
    return tmp_path, pool.id, rows


def test_words_phrases_beginnings_and_without_are_those_of_a_plain_search(built):
    home, pool_id, rows = built
    rng = random.Random(1)
    hits = 0
    for _ in range(250):
        terms = []
        for _ in range(rng.randrange(1, 4)):
            phrase = " ".join(rng.choices(WORDS, k=rng.choice([1, 1, 2])))
            if not plain_words(phrase):
                continue
            prefix = rng.random() < 0.3 and plain_words(phrase[-1]) != []
            terms.append((phrase, prefix, rng.random() < 0.7))
        if not terms:
            continue
        query = " ".join(
            ("" if wanted else "-") + (f'"{phrase}"' if " " in phrase else phrase) + ("*" if prefix else "")
            for phrase, prefix, wanted in terms
        )
        expected = [
            row
            for row, texts in enumerate(rows)
            if all(
                any(holds(text, phrase, prefix=prefix) for text in texts) == wanted
                for phrase, prefix, wanted in terms
            )
        ]
        found = store.search(home, pool_id, query)
        assert found.tolist() == expected, query
        assert found.dtype == np.int64
        hits += bool(expected)
    assert hits > 75


def test_nothing_that_can_be_typed_breaks_it(built):
    home, pool_id, _ = built
    rng = random.Random(2)
    pieces = ['"', "-", "*", "(", ")", "AND", "OR", "NOT", "NEAR(", "^", "{", "}", "prompt:", "+", "\\", "\0", "\ud800", "é", "e\u0301",
              "日本", "हिन्दी", "🙂", "İ", "\U0001e900", "\U00010ec0", "\ue000", "ﬁ", "²", "'", ";", "--", "%", "apple", '""', "\n", "\u200b"]  # fmt: skip
    answered = refused = 0
    for _ in range(1500):
        query = "".join(rng.choice(pieces) + rng.choice(["", " "]) for _ in range(rng.randrange(8)))
        try:
            rows = store.search(home, pool_id, query)
        except SearchError as error:
            assert "cannot be read" not in str(error), query  # an error of SQLite's
            refused += 1
        else:
            assert rows.dtype == np.int64 and (np.diff(rows) > 0).all() and (rows < 300).all()
            answered += 1
    assert answered > 250 and refused > 250


def test_without_alone_gives_all_the_others(built):
    home, pool_id, rows = built
    found = store.search(home, pool_id, "-apple -日本").tolist()
    assert found == [
        i for i, texts in enumerate(rows) if not any(holds(t, w) for t in texts for w in ("apple", "日本"))
    ]
    assert 7 in found


def test_operators_are_words(built, tmp_path):
    pool = pool_of(tmp_path, [("this and that", "or not"), ("that", "this")])
    store.build_search(tmp_path, pool)
    assert store.search(tmp_path, pool.id, "this AND that").tolist() == [0]
    assert store.search(tmp_path, pool.id, "this OR").tolist() == [0]


def test_a_query_is_read_as_it_is_typed():
    def read(query):
        return [(term.words, term.prefix, term.wanted) for term in store.parse_query(query)]

    assert read('one "two three" -four fi* -"six seven"*') == [
        ("one", False, True),
        ("two three", False, True),
        ("four", False, False),
        ("fi", True, True),
        ("six seven", True, False),
    ]
    assert read('cats & dogs - "not closed') == [
        ("cats", False, True),
        ("dogs", False, True),
        ("not closed", False, True),
    ]
    assert read("c++* 日本") == [("c++", False, True), ("日 本", False, True)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "the search is empty"),
        (" \n", "the search is empty"),
        ('"" -', "no letter or digit"),
        ("*", "no letter or digit"),
        ("x" * 1001, "1,001 characters long; the limit is 1,000"),
        ("x " * 60, "60 words and phrases; the limit is 50"),
    ],
)
def test_what_cannot_be_searched_for_says_so(built, query, message):
    home, pool_id, _ = built
    with pytest.raises(SearchError, match=message):
        store.search(home, pool_id, query)


def test_a_pool_without_an_index_says_so(tmp_path):
    pool = pool_of(tmp_path, [("a", "b")])
    assert not store.has_search(tmp_path, pool.id)
    with pytest.raises(SearchError, match="not built yet"):
        store.search(tmp_path, pool.id, "a")


def test_an_index_appears_whole_or_not_at_all_and_once(tmp_path):
    pool = pool_of(tmp_path, [("a", "b")])

    def stop(done, total):
        raise Stopped("stop")

    with pytest.raises(Stopped):
        store.build_search(tmp_path, pool, on_progress=stop)
    folder = store.pool_folder(tmp_path, pool.id)
    assert list(folder.iterdir()) == []
    store.build_search(tmp_path, pool)
    assert [path.name for path in folder.iterdir()] == ["search.sqlite"]
    before = (folder / "search.sqlite").stat().st_mtime_ns
    store.build_search(tmp_path, pool)
    assert (folder / "search.sqlite").stat().st_mtime_ns == before


def test_a_broken_index_says_which_file_to_delete(tmp_path):
    pool = pool_of(tmp_path, [("a", "b")])
    store.build_search(tmp_path, pool)
    path = store.pool_folder(tmp_path, pool.id) / "search.sqlite"
    path.write_bytes(b"not a database, and long enough to be looked at" * 10)
    with pytest.raises(SearchError, match=r"search\.sqlite cannot be read .* delete it"):
        store.search(tmp_path, pool.id, "a")


def test_every_turn_is_searched_and_an_empty_pool_too(tmp_path):
    path = tmp_path / "chat.json"
    turns = [
        ("system", "be kind"),
        ("user", "first question"),
        ("assistant", "first answer"),
        ("user", "second"),
    ]
    messages = [{"role": role, "content": text} for role, text in [*turns, ("assistant", "last answer")]]
    path.write_text(json.dumps([{"messages": messages}]))
    pool = data.load_pool([path])
    store.build_search(tmp_path, pool)
    for query in ("kind", "question second", '"first answer"', '"last answer"'):
        assert store.search(tmp_path, pool.id, query).tolist() == [0]
    empty = Pool("0" * 16, "empty", pool.table.slice(0, 0))
    store.build_search(tmp_path, empty)
    assert (
        store.search(tmp_path, empty.id, "-a").tolist()
        == store.search(tmp_path, empty.id, "a").tolist()
        == []
    )


def test_a_folder_with_an_odd_name_is_no_matter(tmp_path):
    home = tmp_path / "what? 100% #1 é"
    pool = pool_of(tmp_path, [("a", "b")])
    store.build_search(home, pool)
    assert store.search(home, pool.id, "b").tolist() == [0]
