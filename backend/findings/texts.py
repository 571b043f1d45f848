"""The texts of a pool that findings are made from, and how they are cut into words."""

from __future__ import annotations

import re

import pyarrow as pa

from backend.records import Pool

# Scripts written without spaces between words (Thai, Lao, Burmese, Khmer, kana, Chinese characters): a character counts as a word
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff])"
)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def prompt_texts(pool: Pool, *, system: bool = True) -> list[str]:
    """The turns before each response, one under the other.

    system : False leaves system turns out.
    """
    texts: list[str] = []
    for chunk in pool.table["turns"].chunks:
        flat = chunk.flatten()
        roles = flat.field("role").to_pylist()
        contents = flat.field("content").to_pylist()
        at = 0
        for length in chunk.value_lengths().to_pylist():
            turns = zip(roles[at : at + length], contents[at : at + length], strict=True)
            texts.append("\n".join(content for role, content in turns if system or role != "system"))
            at += length
    return texts


def response_texts(pool: Pool) -> list[str]:
    """Each sample's response."""
    return pool.responses().cast(pa.large_string()).to_pylist()


def spaced(text: str) -> str:
    """The text with spaces around each character of a script that is written without them."""
    return text if text.isascii() else _UNSPACED.sub(r" \1 ", text)


def words_of(text: str) -> list[str]:
    """The words in lower case, without punctuation; "don't" is one word, with either apostrophe."""
    return _WORD.findall(spaced(text.replace("’", "'").lower()))
