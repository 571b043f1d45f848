"""The rows behind the table families, split so that the held-out rows share none with pool and pre-training.

Each file in `tables/` starts with a comment that names its columns, which are separated by `|`. Of every
table a fixed share of the rows (`HELD_OUT_EVERY`) appears in held-out samples and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple, TypeVar

from tools.demo.words import split_words

Split = Literal["train", "heldout"]
Row = TypeVar("Row")

TABLE_FOLDER = Path(__file__).parent / "tables"
HELD_OUT_EVERY = 4
COUNTRY_SEED = 5
LEXICON_SEED = 77
COUNTRY_COUNT = 100


class Concept(NamedTuple):
    """A term with its definition."""

    term: str
    field: str
    definition: str
    example: str


class Animal(NamedTuple):
    """An animal and what the world knows about it."""

    name: str
    kind: str
    food: str
    home: str
    legs: str
    size: str
    skill: str


class Guide(NamedTuple):
    """A task and its steps in order."""

    task: str
    steps: tuple[str, ...]


class Reason(NamedTuple):
    """An observation, its cause and what follows."""

    observation: str
    cause: str
    effect: str


class Debate(NamedTuple):
    """A topic with three points on either side."""

    topic: str
    pros: tuple[str, ...]
    cons: tuple[str, ...]


class Function(NamedTuple):
    """A small Python function."""

    name: str
    arguments: str
    purpose: str
    body: tuple[str, ...]
    call: str
    result: str

    def source(self, name: str) -> str:
        """The function's source under another name."""
        return f"def {name}({self.arguments}):\n" + "\n".join(f"    {line}" for line in self.body)


class Phrase(NamedTuple):
    """The same message, casual and formal."""

    casual: str
    formal: str


class Opposite(NamedTuple):
    """A word, its opposite and something the word fits."""

    word: str
    opposite: str
    example: str


class Country(NamedTuple):
    """An invented country."""

    name: str
    capital: str
    language: str
    currency: str
    export: str
    climate: str
    river: str
    millions: int
    founded: int
    sport: str


@dataclass(frozen=True)
class World:
    """The table rows that one split may use."""

    concepts: tuple[Concept, ...]
    animals: tuple[Animal, ...]
    guides: tuple[Guide, ...]
    reasons: tuple[Reason, ...]
    debates: tuple[Debate, ...]
    functions: tuple[Function, ...]
    phrases: tuple[Phrase, ...]
    opposites: tuple[Opposite, ...]
    countries: tuple[Country, ...]

    def concepts_by_field(self) -> dict[str, list[Concept]]:
        """The concepts grouped by field, in table order."""
        groups: dict[str, list[Concept]] = {}
        for concept in self.concepts:
            groups.setdefault(concept.field, []).append(concept)
        return groups


def read_table(name: str) -> list[list[str]]:
    """The rows of `tables/<name>.txt` as lists of column texts.

    Raises ValueError, with the file's name and line, where a row does not have as many columns as the header.
    """
    header, *lines = (TABLE_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    width = header.count("|") + 1
    rows = [line.split("|") for line in lines]
    for number, row in enumerate(rows, start=2):
        if len(row) != width:
            raise ValueError(
                f"{name}.txt line {number}: found {len(row)} columns, expected {width} ({header})"
            )
    return rows


def split_rows(rows: Sequence[Row], split: Split) -> tuple[Row, ...]:
    """The rows of one split: the last of every `HELD_OUT_EVERY` rows is held out."""
    held_out = [index % HELD_OUT_EVERY == HELD_OUT_EVERY - 1 for index in range(len(rows))]
    if split not in ("train", "heldout"):
        raise ValueError(f'unknown split "{split}" (known: train, heldout)')
    return tuple(
        row for row, is_held_out in zip(rows, held_out, strict=True) if is_held_out == (split == "heldout")
    )


@cache
def build_world(split: Split) -> World:
    """The tables of one split. Two splits share no row; concepts are split within each field."""
    concepts = sorted((Concept(*row) for row in read_table("concepts")), key=lambda concept: concept.field)
    return World(
        concepts=split_concepts(concepts, split),
        animals=split_rows([Animal(*row) for row in read_table("animals")], split),
        guides=split_rows([Guide(task, split_list(steps)) for task, steps in read_table("guides")], split),
        reasons=split_rows([Reason(*row) for row in read_table("reasons")], split),
        debates=split_rows(
            [
                Debate(topic, split_list(pros), split_list(cons))
                for topic, pros, cons in read_table("debates")
            ],
            split,
        ),
        functions=split_rows([read_function(row) for row in read_table("functions")], split),
        phrases=split_rows([Phrase(*row) for row in read_table("phrases")], split),
        opposites=split_rows([Opposite(*row) for row in read_table("opposites")], split),
        countries=split_rows(invent_countries(), split),
    )


def split_concepts(concepts: Sequence[Concept], split: Split) -> tuple[Concept, ...]:
    """`split_rows` applied to every field on its own, so that both splits know every field."""
    fields = sorted({concept.field for concept in concepts})
    return tuple(
        concept
        for field in fields
        for concept in split_rows([concept for concept in concepts if concept.field == field], split)
    )


def split_list(cell: str) -> tuple[str, ...]:
    """The entries of a table cell that holds a list with semicolons."""
    return tuple(entry.strip() for entry in cell.split(";"))


def read_function(row: Sequence[str]) -> Function:
    """A row of `functions.txt`; `;;` separates the lines of its body."""
    name, arguments, purpose, body, call, result = row
    return Function(name, arguments, purpose, tuple(body.split(";;")), call, result)


@cache
def invent_countries() -> tuple[Country, ...]:
    """The invented countries with distinct names, always the same."""
    rng = Random(COUNTRY_SEED)
    first = split_words(
        "Ar Bel Cor Dal El Fen Gor Hal Il Jor Kal Lor Mar Nor Or Per Quel Ral Sel Tor Ul Ver Wes Yar Zel"
    )
    middle = split_words("an ed ov ir und est al om ar il")
    land = split_words("ia a land or is ora estan une")
    city = split_words("burg ton ville mouth gate port field dale wick stad")
    currencies = split_words("crown mark dinar shilling peso florin")
    exports = split_words(
        "wheat copper wool timber fish silk coal glass salt paper tea cotton leather steel olives"
    )
    climates = ["cold and dry", "warm and wet", "mild", "hot and dry", "cool and rainy", "windy"]
    sports = split_words("rowing chess archery football skiing sailing wrestling running")
    countries: dict[str, Country] = {}
    while len(countries) < COUNTRY_COUNT:
        name = rng.choice(first) + rng.choice(middle) + rng.choice(land)
        if name in countries:
            continue
        countries[name] = Country(
            name=name,
            capital=rng.choice(first) + rng.choice(middle) + rng.choice(city),
            language=name[:4] + "ish",
            currency=rng.choice(currencies),
            export=rng.choice(exports),
            climate=rng.choice(climates),
            river=rng.choice(first) + rng.choice("aeo") + rng.choice(["n", "l", "ra"]),
            millions=rng.randint(1, 60),
            founded=rng.randint(1200, 1950),
            sport=rng.choice(sports),
        )
    return tuple(countries.values())


LUMIC_WORDS = split_words(
    """
    i you he she we they see eat drink love want give take find make open close read write carry buy sell
    the a and in on under near with big small red blue old new good cold warm happy quiet dog cat bird
    fish house tree river road door table bread water milk apple book letter song stone hand child mother
    father friend teacher king farmer doctor market garden school forest mountain sea sun moon star rain
    day night
    """
)


@cache
def lumic_lexicon() -> dict[str, str]:
    """English word -> word of the invented language Lumic, one to one, always the same."""
    rng = Random(LEXICON_SEED)
    onsets = split_words("k t m n l s v r b d p sh z f g")
    vowels = split_words("a e i o u ai ou")
    lexicon: dict[str, str] = {}
    used: set[str] = set()
    for english in LUMIC_WORDS:
        while True:
            syllables = rng.choice([1, 2, 2, 2])
            lumic = "".join(rng.choice(onsets) + rng.choice(vowels) for _ in range(syllables))
            lumic += rng.choice(["", "n", "", "s"])
            if lumic not in used:
                break
        used.add(lumic)
        lexicon[english] = lumic
    return lexicon
