"""Word lists that pre-training, pool and held-out rows share, and a few helpers for English phrases.

What must not be shared (concepts, guides, countries, ...) lives in `tables`.
"""

from collections.abc import Sequence
from typing import NamedTuple


def split_words(text: str) -> list[str]:
    """The words of a list that is written as text."""
    return text.split()


class Thing(NamedTuple):
    """A countable object."""

    singular: str
    plural: str


class Event(NamedTuple):
    """A public event of a town."""

    name: str
    guests: str
    deed: str


FIRST_NAMES = split_words(
    """
    Ada Ben Clara Dina Elio Farid Greta Hugo Ines Jonas Kira Leo Mara Nils Olga Pavel Quinn Rosa Sam Tara
    Umar Vera Wim Xenia Yuri Zoe Amir Bela Carlo Dora Emil Fay Gus Hana Ivo Juna Karl Lena Milo Nora Otto
    Pia Ravi Sena Tom Ula Vito Willa Yara Zane
    """
)

SURNAMES = split_words(
    """
    Abbot Barlow Castell Dorn Ekman Fenwick Grove Halder Ingram Jansen Keller Lund Marsh Norling Osman
    Pryce Quade Rowan Stell Thorne Ulrich Vance Weller Yates Zeller
    """
)

THINGS = [
    Thing(*pair.split("/"))
    for pair in split_words(
        """
        apple/apples pear/pears book/books pencil/pencils coin/coins shell/shells stamp/stamps
        marble/marbles ticket/tickets button/buttons candle/candles card/cards egg/eggs flower/flowers
        cup/cups brick/bricks lamp/lamps orange/oranges stone/stones badge/badges bottle/bottles
        cookie/cookies ribbon/ribbons melon/melons basket/baskets chair/chairs key/keys kite/kites
        map/maps plate/plates
        """
    )
]

PLACES = split_words(
    """
    market library school station garden museum harbour bakery farm workshop park theatre office clinic
    stadium bridge mill square hall gallery
    """
)

TOWNS = split_words(
    """
    Ashford Brindle Calder Dunmore Eastvale Fernhill Glenrock Hartwick Ironbay Kelstow Larkmoor Millbrook
    Northam Oakley Pinecrest Quarry Redmoor Southgate Thistle Westbury
    """
)

JOBS = split_words("baker teacher farmer nurse painter clerk driver tailor pilot cook")
DAYS = split_words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
MONTHS = split_words("January February March April May June July August September October November December")
MONTH_LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
TRAITS = split_words("brave curious lazy shy clever stubborn gentle greedy")

CATEGORIES = {
    "fruit": split_words("apple pear plum cherry mango lemon grape banana"),
    "tool": split_words("hammer saw drill wrench chisel pliers axe rake"),
    "vehicle": split_words("car bus train tram bicycle truck boat tractor"),
    "animal": split_words(
        "frog owl wolf eagle spider ant whale salmon camel goat duck snake turtle bee bat horse"
    ),
    "furniture": split_words("table chair sofa desk shelf bed stool bench"),
    "clothing": split_words("coat hat scarf glove shirt sock boot dress"),
    "instrument": split_words("piano violin flute drum guitar trumpet harp cello"),
    "metal": split_words("iron copper gold silver tin zinc lead nickel"),
    "weather": split_words("rain snow fog wind hail storm thunder frost"),
    "drink": split_words("tea coffee milk juice water cocoa lemonade cider"),
    "room": split_words("kitchen bathroom cellar attic hallway bedroom pantry lounge"),
    "body part": split_words("arm knee shoulder finger ankle elbow neck wrist"),
}

PRODUCTS = {
    "phone": split_words("screen battery camera sound"),
    "hotel": split_words("room breakfast staff bed"),
    "restaurant": split_words("soup service menu dessert"),
    "novel": split_words("plot ending style hero"),
    "film": split_words("acting music story pace"),
    "laptop": split_words("keyboard display fan price"),
    "jacket": split_words("zip fabric colour fit"),
    "course": split_words("teacher pace notes exercises"),
}

OPINION_WORDS = {
    "positive": split_words("excellent wonderful reliable pleasant great superb solid lovely"),
    "negative": split_words("terrible disappointing poor awful weak unpleasant broken dull"),
    "neutral": split_words("average ordinary acceptable fine"),
}

VERDICTS = {
    "positive": [
        "I would gladly buy it again.",
        "It made my week.",
        "I recommend it to everyone.",
        "I smiled the whole time.",
        "It was worth every coin.",
    ],
    "negative": [
        "I want my money back.",
        "I will not come back.",
        "Please avoid it.",
        "I felt cheated.",
        "It was a waste of time.",
    ],
    "neutral": [
        "It does the job.",
        "Nothing special, nothing bad.",
        "I have no strong opinion.",
        "It was what I expected.",
    ],
}

EVENTS = [
    Event("flower show", "visitors", "admired the roses"),
    Event("book fair", "readers", "met local authors"),
    Event("boat race", "spectators", "cheered from the bank"),
    Event("science day", "pupils", "built small robots"),
    Event("food festival", "guests", "tasted regional dishes"),
    Event("charity run", "runners", "collected money for the hospital"),
    Event("music evening", "listeners", "heard a young choir"),
    Event("craft market", "shoppers", "bought handmade pots"),
    Event("chess contest", "players", "fought for the silver cup"),
    Event("kite day", "families", "filled the sky with colour"),
    Event("film night", "fans", "watched old comedies"),
    Event("repair cafe", "neighbours", "fixed broken radios"),
    Event("harvest fair", "farmers", "showed their largest pumpkins"),
    Event("open studio", "artists", "painted the old harbour"),
    Event("lantern walk", "children", "carried paper lights to the lake"),
]

WEATHER_REPORTS = [
    "The morning was cloudy, but the sun came out later.",
    "Light rain fell in the afternoon.",
    "It was a warm and windy day.",
    "The weather stayed cold and clear.",
    "Thick fog delayed the start by an hour.",
    "A short storm passed at noon.",
]

EVENT_PROBLEMS = [
    "There were too few parking places.",
    "The loudspeakers failed twice.",
    "The queue for tickets was long.",
    "One tent was blown over.",
    "The drinks sold out early.",
    "The last bus left half empty.",
]

EVENT_PLANS = [
    "The mayor wants to repeat it next year.",
    "The money will be used for a new playground.",
    "A second event is planned for the autumn.",
    "The organisers thanked all the volunteers.",
    "The local school will publish the photos.",
]


def capitalise(text: str) -> str:
    """`text` with its first character in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """`text` with its first character in lower case and the rest as it is."""
    return text[:1].lower() + text[1:]


def with_article(noun: str) -> str:
    """`noun` behind its indefinite article: "an owl", "a fox"."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def join_words(words: Sequence[str]) -> str:
    """The words as an English list: "a, b and c"."""
    if len(words) == 1:
        return words[0]
    return ", ".join(words[:-1]) + " and " + words[-1]


def numbered(lines: Sequence[str]) -> str:
    """The lines as a numbered list, one to a line, each with a capital and a full stop."""
    return "\n".join(f"{number}. {capitalise(line)}." for number, line in enumerate(lines, start=1))


def bulleted(lines: Sequence[str]) -> str:
    """The lines as a dashed list, one to a line."""
    return "\n".join(f"- {line}" for line in lines)
