"""Words by Unicode's rules: the compiled cutting against a plain twin made of the `regex` package's word boundaries."""

from __future__ import annotations

import json
import random
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import regex
from plain_twins import SHARED
from typer.testing import CliRunner

from backend import store
from backend.cli.commands import app
from backend.config import SelectionSettings
from backend.data import load_pool
from backend.data.scripts import fitting_words, is_letter, is_unspaced, unspaced_share
from backend.diversity import count_ngrams, prepare
from backend.diversity.breaks import ALONE, EMOJI, FLAG, MARK, kind_of
from backend.diversity.word_numbers import tokenize
from backend.errors import PoolError
from backend.findings import near_groups, near_pairs, opening_rows, openings, prompt_texts, response_texts
from backend.findings.shingles import shingle_sets
from backend.records import Pool, Scores
from backend.selection import select_of_pool

# marks and joiners that follow a space, and what was put around characters
LOOSE = "\n \u200d\u200c\u0301\u3099\uff9e\u20e3\ufe0f\U0001f3fd"
BOUNDARY = regex.compile(r"(?wV1)\b")
ALPHABETS = (
    "abcXYZ 019_.,;:'’\"-!?()\n",
    "aéßÆłñçøΩσςжЯ ё.'2",
    "中文字，。、々 ab1",
    "ひらがなカタカナー・ｶﾞ a1",
    "ภาษาไทยก ่้ ລາວ ខ្មែរ မြန်မာ a",
    "한국어 조선말 a1.",
    "हिन्दी भाषा தமிழ் x",
    "שלום\"'״ה a",
    "عربي،٠١ ‌ـ a",
    "👩‍👧👍🏽❤️🇩🇪🇫🇷☀1️⃣ a\u200d\u0301",
    "İIıẞǅﬁ ΑΣ Σ.Σ a",
    "x²½Ⅷ①% m",
)


def words_of(text: str) -> list[str]:
    """The words that the compiled cutting finds."""
    tokens = tokenize([text], words="unicode")
    return tokens.vocabulary.take(pa.array(tokens.words)).to_pylist()


def plain_words(text: str) -> list[str]:
    """The twin: UAX 29 as `regex` has it, with line breaks put around the characters that stand by themselves."""
    parts, alone = [], False
    for character in text.lower():
        kind = kind_of(character)
        mark = kind == MARK or character == "\u200d"
        if alone and not mark:
            parts.append("\n")
            alone = False
        if kind == ALONE:
            parts.append("\n")
            alone = True
        parts.append(character)
    found = (word.lstrip(LOOSE) for word in BOUNDARY.split("".join(parts)))
    return [word for word in found if any(counts(character) for character in word)]


def counts(character: str) -> bool:
    """Whether what holds this character is a word."""
    kind = kind_of(character)
    return kind != MARK and (unicodedata.category(character)[0] in "LN" or kind in (EMOJI, FLAG))


@pytest.mark.parametrize("alphabet", ALPHABETS, ids=range(len(ALPHABETS)))
def test_words_are_those_of_the_plain_twin(alphabet: str) -> None:
    draw = random.Random(alphabet)
    texts = ["".join(draw.choices(alphabet, k=draw.randint(0, 14))) for _ in range(1500)]
    tokens = tokenize(texts, words="unicode")
    spelt = tokens.vocabulary.take(pa.array(tokens.words)).to_pylist()
    for text, begin, end in zip(texts, tokens.indptr, tokens.indptr[1:]):
        assert spelt[begin:end] == plain_words(text), repr(text)


def test_what_is_a_word() -> None:
    text = "Don't pay 1,000.50: C is a_b. 中文hello世界 ภาษาไทย น้ำ 👨‍👩‍👧👍🏽 🇩🇪🇫🇷 e\u0301t\u00e9 ١٫٥ 한국어 조선말 -- __ '"
    assert words_of(text) == [
        *("don't", "pay", "1,000.50", "c", "is", "a_b", "中", "文", "hello", "世", "界"),
        *("ภ", "า", "ษ", "า", "ไ", "ท", "ย", "น้ำ", "👨‍👩‍👧", "👍🏽", "🇩🇪", "🇫🇷"),
        *("e\u0301t\u00e9", "١٫٥", "한국어", "조선말"),
    ]
    assert words_of("") == words_of("，。 ...") == []


def test_as_many_words_as_bytes_allow() -> None:
    texts = ["a©" * 500, "", "b ©c" * 300]  # two words in three bytes
    tokens = tokenize(texts, words="unicode")
    assert tokens.indptr.tolist() == [0, 1000, 1000, 1601]


def test_numbers_of_many_words_are_those_of_their_first_appearance() -> None:
    draw = random.Random(1)
    texts = ["".join(chr(draw.randint(0x4E00, 0x9FFF)) for _ in range(400)) for _ in range(300)]
    tokens = tokenize(pa.chunked_array([texts[:100], texts[100:]]), words="unicode")
    assert tokens.vocabulary.to_pylist() == list(dict.fromkeys("".join(texts)))


def test_share_of_scripts_without_spaces() -> None:
    draw = random.Random(2)
    texts = ["".join(draw.choices("abc d,é中日ひカไ่한अ€😀𠀀", k=40)) for _ in range(50)] + [None, ""]
    letters = [ord(c) for c in "".join(text or "" for text in texts) if is_letter(ord(c))]
    plain = sum(map(is_unspaced, letters)) / len(letters)
    assert unspaced_share(pa.array(texts)) == pytest.approx(plain)
    assert unspaced_share(pa.chunked_array([texts[3:9], texts[20:]])) > 0
    assert unspaced_share(pa.array(["12 !", None])) == unspaced_share(pa.array([], pa.string())) == 0
    assert unspaced_share(pa.array(["xx中文", "ab"]).slice(1)) == 0


def near_cases() -> Pool:
    """65 Chinese samples, of which the first 15 are nearly the same."""
    path = SHARED / "cases" / "chinese_near.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not here (set ITERIT_SHARED)")
    return load_pool([path])


def test_diversity_of_chinese() -> None:
    pool = near_cases()
    kinds, picks = {}, {}
    for words in ("paper", "unicode"):
        counts = count_ngrams(pool.responses(), words=words)
        kinds[words] = len(np.unique(prepare(counts).diversity.round(9)))
        settings = SelectionSettings(strategy="diversity", words=words)
        picks[words] = select_of_pool(pool, counts, Scores.unknown(len(pool)), settings, budget=12).rows
    assert kinds["paper"] == 3 and kinds["unicode"] > 50
    assert picks["paper"].tolist() == list(range(15, 27))  # the file's order
    assert (picks["unicode"] < 15).sum() <= 1 and picks["unicode"].tolist() != sorted(picks["unicode"])


def test_near_duplicates_in_chinese() -> None:
    pool = near_cases()
    texts = prompt_texts(pool, system=False), response_texts(pool)
    by_words = {words: near_groups(near_pairs(*texts, words=words), len(pool), threshold=0.7) for words in ("paper", "unicode")}  # fmt: skip
    assert (by_words["paper"] == -1).all()
    assert by_words["unicode"].tolist() == [0] * 15 + [-1] * 50


def test_shingles_of_other_scripts_stay_as_they_are() -> None:
    texts = ["plain words, ümläut 123 한국어", "", "abc", "日本語ab テスト", "ก่อน่่"]
    empty = [""] * len(texts)
    paper, unicode = (shingle_sets(empty, texts, words=words) for words in ("paper", "unicode"))
    runs = [np.diff(offsets).tolist() for _, offsets in (paper, unicode)]
    assert runs[0][:3] == runs[1][:3] and set(paper[0][: paper[1][3]]) == set(unicode[0][: unicode[1][3]])
    # 日本語, 本語ab, 語ab_テ, ab_テス (two Latin letters, a space, kana), b_テス, _テス, テスト
    assert runs[1][3] == 7
    assert runs[1][4] == 1  # three consonants with their marks


def test_openings_are_cut_as_ngrams_are() -> None:
    texts = ["A 中文字 x", "a， 中。文字", "Don’t do it, now", "don't do it now!", "I", "", "x" * 200 + " b c d", "x" * 200 + " b c d e"]  # fmt: skip
    found = openings(texts, cut="unicode")
    assert [(one.text, one.count) for one in found] == [("a 中 文 字", 2), ("don't do it now", 2), ("x" * 200 + " b c d", 2)]  # fmt: skip
    assert opening_rows(texts, "a 中 文 字", cut="unicode").tolist() == [0, 1]


def test_counts_of_either_cutting_are_stored_apart(tmp_path: Path) -> None:
    pool = near_cases()
    plain, by_character = (
        store.ngram_counts(tmp_path, pool),
        store.ngram_counts(tmp_path, pool, words="unicode"),
    )
    assert (plain.words, by_character.words) == ("paper", "unicode")
    assert len(plain.vocabulary) != len(by_character.vocabulary)
    assert store.ngram_counts(tmp_path, pool).vocabulary == plain.vocabulary
    paths = {store.ngrams_path(tmp_path, pool.id, suffix=s, words=w) for s in ("", "x") for w in ("paper", "unicode")}  # fmt: skip
    assert len(paths) == 4


def test_the_choice_for_a_pool(tmp_path: Path) -> None:
    pool = near_cases()
    store.save_pool(tmp_path, pool)
    assert store.pool_words(tmp_path, pool.id) == "paper"
    store.set_pool_words(tmp_path, pool.id, "unicode")
    assert store.pool_words(tmp_path, pool.id) == "unicode"
    assert store.curation_revision(tmp_path, pool.id) == 1
    with pytest.raises(PoolError, match="allowed: paper, unicode"):
        store.set_pool_words(tmp_path, pool.id, "letters")
    assert fitting_words(store.pool_unspaced_share(tmp_path, pool)) == "unicode"
    assert (store.pool_folder(tmp_path, pool.id) / "scripts.json").exists()
    assert store.pool_unspaced_share(tmp_path, pool) == unspaced_share(pool.responses())


def test_the_command_line_says_what_fits(tmp_path: Path) -> None:
    near_cases()
    path, scores = SHARED / "cases" / "chinese_near.jsonl", tmp_path / "scores.json"
    scores.write_text(json.dumps([{"row": row, "complexity": 0.5} for row in range(65)]))
    for command in (["health", path], ["select", path, "--scores", scores, "--budget", "10"]):
        told, quiet = (CliRunner().invoke(app, [*map(str, command), *more]) for more in ([], ["--words", "unicode"]))  # fmt: skip
        assert told.exit_code == quiet.exit_code == 0
        assert "--words unicode fits better" in told.stderr and "fits better" not in quiet.stderr
    selected = json.loads(quiet.stdout)
    assert selected["settings"]["words"] == "unicode" and selected["selected"] != sorted(selected["selected"])


def test_a_pool_of_words_between_spaces_is_left_alone() -> None:
    assert fitting_words(unspaced_share(pa.array(["plain English and한국어 Ελληνικά", "中"]))) == "paper"
