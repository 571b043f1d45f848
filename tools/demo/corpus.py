"""Pre-training text: documents of one to four pieces about the families' items, in many layouts.

A piece shows an item in the assistant's style at its family's `assistant_rate`, otherwise as prose or as a
short question and answer. Headers are drawn at random, so that no fixed layout (and never the chat template)
means "here comes the answer"; a few pieces are random text to copy, or word salad.
"""

from collections.abc import Iterator
from random import Random

from tools.demo.families import FAMILIES, assistant_rate, draw_item
from tools.demo.leakage import LeakageGuard
from tools.demo.tables import build_world, lumic_lexicon
from tools.demo.words import CATEGORIES, DAYS, FIRST_NAMES, MONTHS, PLACES, THINGS, TOWNS, split_words

COPY_SHARE = 0.07
SALAD_SHARE = 0.02
RESTYLED_SHARE = 0.20
PROSE_SHARE = 0.55
SAME_FAMILY_SHARE = 0.60
MAX_PIECES = 4

EXCHANGES = [
    "Question: {q}\nAnswer: {a}",
    "Q: {q}\nA: {a}",
    "{q}\n{a}",
    '"{q}"\n"{a}"',
    "{q} - {a}",
]

EXERCISES = [
    "Exercise. {q}\n\n{a}",
    "{q}\n\n{a}",
    "{q}\n{a}",
    "Asked by {asker}: {q}\nReply by {replier}: {a}",
    "Task: {q}\nSolution: {a}",
    "# {q}\n\n{a}",
    "{asker} wrote: {q}\n{replier} wrote: {a}",
    "> {q}\n\n{a}",
    "Problem: {q}\nWorked example:\n{a}",
    "[{asker}] {q}\n[{replier}] {a}",
]

ANSWER_OPENINGS = ["", "", "## Notes\n", "From the archive:\n", "* * *\n", "Page {k}\n", "Example {k}\n"]

HEADER_WORDS = split_words(
    """
    Input Output Query Request Prompt Result Note Entry Part Text Speaker Guest Host Reader Editor Client
    Agent Pupil Teacher Caller Desk Start End Case Reply Answer Question Problem Solution Task Work
    Message Comment Post Thread Idea Section Chapter Source Target Example Exercise Lesson
    """
)

HEADER_LAYOUTS = [
    "{}:",
    "{}:",
    "{}: ",
    "# {}",
    "## {}",
    "### {}",
    "#### {}:",
    "[{}]",
    "<{}>",
    "<{}>",
    "**{}**",
    "== {} ==",
    "{} -",
    "* {}",
    "-- {} --",
    "({})",
    "{} >",
    "|{}|",
    "@{}",
]

ANSWER_LABELS = split_words(
    """
    Answer Step Reason Result Title Plan Question Pros Cons Input Task Corrected Example Sentiment Start
    End Duration
    """
)


def _loose_words() -> list[str]:
    """The words of the shared lists and of the training rows, for salad and copying."""
    terms = [concept.term for concept in build_world("train").concepts if " " not in concept.term]
    lexicon = lumic_lexicon()
    extra = split_words(
        """
        answer step first then next reason result because so the a of in to with is are here list item
        part note word text sentence plan table
        """
    )
    members = [word for words in CATEGORIES.values() for word in words]
    things = [thing.singular for thing in THINGS]
    shared = FIRST_NAMES + TOWNS + DAYS + MONTHS + PLACES
    return terms + things + list(lexicon) + list(lexicon.values()) + members + shared + extra


LOOSE_WORDS = _loose_words()
RATES = {family: assistant_rate(family) for family in FAMILIES}


def draw_documents(seed: int, count: int, guard: LeakageGuard | None = None) -> Iterator[str]:
    """`count` documents; one that `guard` objects to is drawn again."""
    rng = Random(seed)
    for _ in range(count):
        document = compose_document(rng)
        while guard is not None and guard.leaks(document):
            document = compose_document(rng)
        yield document


def compose_document(rng: Random) -> str:
    """One to four pieces, most of them of one family, so that the context helps to predict them."""
    families = list(FAMILIES)
    topic = rng.choice(families)
    separator = "\n\n" if rng.random() < 0.5 else "\n"
    pieces = [
        compose_piece(rng, topic if rng.random() < SAME_FAMILY_SHARE else rng.choice(families))
        for _ in range(rng.randint(1, MAX_PIECES))
    ]
    return separator.join(pieces)


def compose_piece(rng: Random, family: str) -> str:
    """One item of the family in one layout, or now and then random text."""
    draw = rng.random()
    if draw < COPY_SHARE:
        return random_copy(rng)
    if draw < COPY_SHARE + SALAD_SHARE:
        return word_salad(rng)
    item = draw_item(family, rng, "train")
    if rng.random() < RATES[family]:
        text = show_assistant_answer(rng, item.instruction, item.input, item.output)
    elif rng.random() < PROSE_SHARE:
        text = item.prose
    elif rng.random() < 0.5:
        text = rng.choice(EXCHANGES).format(q=item.question, a=item.answer)
    else:
        text = with_random_headers(rng, item.question, item.answer)
    return restyle(rng, text) if rng.random() < RESTYLED_SHARE else text


def show_assistant_answer(rng: Random, instruction: str, context: str, output: str) -> str:
    """An answer in the assistant's style: on its own, in an exercise, or under random headers."""
    if rng.random() < 0.3:
        return rng.choice(ANSWER_OPENINGS).format(k=rng.randint(1, 99)) + output
    prompt = instruction + (rng.choice(["\n", "\n", "\n", " ", " "]) + context if context else "")
    if rng.random() < 0.4:
        names = {"asker": rng.choice(FIRST_NAMES), "replier": rng.choice(FIRST_NAMES)}
        return rng.choice(EXERCISES).format(q=prompt, a=output, **names)
    return with_random_headers(rng, prompt, output)


def with_random_headers(rng: Random, prompt: str, answer: str) -> str:
    """Prompt and answer, each under a header of its own; the first header is sometimes missing."""
    first, second = random_header(rng), random_header(rng)
    if rng.random() < 0.15:
        first = ""
    return first + prompt + rng.choice(["\n", "\n\n", "\n", "\n---\n", " "]) + second + answer


def random_header(rng: Random) -> str:
    """A header such as "### Reply", "[guest 7]" or "NOTE:"."""
    word = rng.choice(HEADER_WORDS)
    if rng.random() < 0.25:
        word += " " + (str(rng.randint(1, 50)) if rng.random() < 0.5 else rng.choice(HEADER_WORDS).lower())
    draw = rng.random()
    if draw < 0.2:
        word = word.lower()
    elif draw < 0.32:
        word = word.upper()
    return rng.choice(HEADER_LAYOUTS).format(word) + rng.choice(["\n", "\n", " ", "\n\n"])


def random_token(rng: Random) -> str:
    """A word of the world, a number or a string of letters."""
    draw = rng.random()
    if draw < 0.6:
        return rng.choice(LOOSE_WORDS)
    if draw < 0.8:
        return str(rng.randint(0, 999))
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 7)))


def word_salad(rng: Random) -> str:
    """Unrelated words with stray punctuation."""
    marks = ["", "", "", ",", ".", ":", "!", ";"]
    return " ".join(rng.choice(LOOSE_WORDS) + rng.choice(marks) for _ in range(rng.randint(5, 25)))


def random_copy(rng: Random) -> str:
    """Random material that comes twice: it can only be predicted from the context, which teaches copying."""
    if rng.random() < 0.45:
        tokens = [random_token(rng) for _ in range(rng.randint(3, 12))]
        text = rng.choice([" ", ", ", "; ", "\n"]).join(tokens)
        if rng.random() < 0.5:
            return with_random_headers(rng, text, text)
        layouts = ["{0}\n{0}", "{0}. Again: {0}", '"{0}" means "{0}"', "{0}\n\n{0}\n\n{0}"]
        return rng.choice(layouts).format(text)
    keys = rng.sample(HEADER_WORDS + LOOSE_WORDS, rng.randint(2, 5))
    values = [" ".join(random_token(rng) for _ in range(rng.randint(1, 3))) for _ in keys]
    pairs = list(zip(keys, values, strict=True))
    first = rng.choice(["{}: {}", "{} = {}", "{} is {}", "{} - {}", "{} has {}"])
    second = rng.choice(["{}: {}", "{} = {}", "- {}: {}", "| {} | {} |", "{}? {}.", "The {} is {}."])
    listed = rng.choice(["\n", "; ", ". "]).join(first.format(*pair) for pair in pairs)
    repeated = "\n".join(second.format(*pair) for pair in rng.sample(pairs, len(pairs)))
    return listed + rng.choice(["\n", "\n\n", ". "]) + repeated


def restyle(rng: Random, text: str) -> str:
    """The text with other line breaks, other labels, in lower case, or with some words replaced at random."""
    draw = rng.random()
    if draw < 0.25:
        return text.replace("\n", rng.choice(["; ", " / ", "\n- ", "\n* ", "\n\n", " "]))
    if draw < 0.45:
        for label in ANSWER_LABELS:
            text = text.replace(f"{label}:", f"{rng.choice(HEADER_WORDS)}:")
        return text
    if draw < 0.6:
        return text.lower()
    share = rng.choice([0.05, 0.1, 0.2])
    return " ".join(random_token(rng) if rng.random() < share else word for word in text.split(" "))
