"""Task families about words and sentences: lists, spelling, grammar, tone, translation."""

from random import Random

from tools.demo.items import Item
from tools.demo.tables import World, lumic_lexicon
from tools.demo.words import (
    CATEGORIES,
    DAYS,
    FIRST_NAMES,
    PLACES,
    THINGS,
    capitalise,
    join_words,
    lower_first,
    split_words,
    with_article,
)

PRESENT_VERBS = [
    ("goes", "go"),
    ("likes", "like"),
    ("plays", "play"),
    ("reads", "read"),
    ("works", "work"),
    ("walks", "walk"),
    ("writes", "write"),
    ("sings", "sing"),
]
PLACE_VERBS = split_words("walk/walked visit/visited paint/painted clean/cleaned open/opened watch/watched")
THING_VERBS = split_words("count/counted carry/carried collect/collected order/ordered")

LUMIC_SUBJECTS = split_words("i you he she we they")
LUMIC_VERBS = split_words("see eat drink love want give take find make open close read write carry buy sell")
LUMIC_ADJECTIVES = split_words("big small red blue old new good cold warm happy quiet")
LUMIC_OBJECTS = split_words(
    """
    dog cat bird fish house tree river road door table bread water milk apple book letter song stone hand
    """
)
LUMIC_PEOPLE = split_words("child mother father friend teacher king farmer doctor")
LUMIC_PLACES = split_words("market garden school forest mountain sea")
LUMIC_SKY = split_words("sun moon star rain day night")


def list_task(rng: Random, world: World) -> Item:
    """An operation on a list of numbers or words."""
    if rng.random() < 0.6:
        values: list = [rng.randint(1, 99) for _ in range(rng.randint(4, 8))]
        operations = _shared_list_operations(
            values, ("the smallest to the largest", "the largest to the smallest")
        )
        even = [value for value in values if value % 2 == 0]
        operations += [
            ("keep only the even numbers of the list", _comma(even), "that can be divided by two"),
            ("add up the list", str(sum(values)), " + ".join(map(str, values))),
            ("find the maximum of the list", str(max(values)), "that no other number exceeds"),
        ]
    else:
        values = rng.sample(rng.choice(list(CATEGORIES.values())), rng.randint(4, 6))
        operations = _shared_list_operations(values, ("a to z", "z to a"))
        longest = max(values, key=len)
        entries = "; ".join(f"{number} {value}" for number, value in enumerate(values, start=1))
        operations += [
            ("number the items of the list", entries, "with numbers"),
            ("find the longest word of the list", longest, f"with {len(longest)} letters"),
        ]
    task, result, remark = rng.choice(operations)
    shown = _comma(values)
    instruction = rng.choice([f"{capitalise(task)}.", f"Please {task}.", f"Take these items and {task}."])
    return Item(
        instruction=instruction,
        input=shown,
        output=f"Input list: {shown}\nTask: {task}\nResult: {result}",
        prose=f"Take the list {shown}. If we {task}, we get {result}, {remark}.",
        question=f"The list is {shown}. {capitalise(task)}.",
        answer=f"{result}, {remark}.",
    )


def _shared_list_operations(values: list, directions: tuple[str, str]) -> list[tuple[str, str, str]]:
    upward, downward = directions
    return [
        ("sort the list in ascending order", _comma(sorted(values)), f"from {upward}"),
        ("sort the list in descending order", _comma(sorted(values, reverse=True)), f"from {downward}"),
        ("reverse the list", _comma(values[::-1]), "from the last to the first"),
        ("remove the first item of the list", _comma(values[1:]), f"without {values[0]}"),
    ]


def _comma(values: list) -> str:
    return ", ".join(map(str, values)) if values else "empty"


def spelling(rng: Random, world: World) -> Item:
    """A task about the letters of one word."""
    things = [thing.singular for thing in THINGS] + [word for words in CATEGORIES.values() for word in words]
    terms = [concept.term for concept in world.concepts if " " not in concept.term]
    word = rng.choice(terms + things + PLACES)
    vowels = ", ".join(letter for letter in word if letter in "aeiou")
    task, result, letters = rng.choice(
        [
            (f"count the letters in the word {word}", str(len(word)), word),
            (f"write the word {word} backwards", word[::-1], word[::-1]),
            (f"list the vowels in the word {word}", vowels, word),
            (f"write the word {word} in capital letters", word.upper(), word.upper()),
            (f"give the first and the last letter of the word {word}", f"{word[0]} and {word[-1]}", word),
        ]
    )
    spelled = "-".join(letters)
    instruction = rng.choice([f"{capitalise(task)}.", f"Can you {task}?", f"Your task is to {task}."])
    return Item(
        instruction=instruction,
        output=f"Spelled out: {spelled}\nThe answer is {result}.",
        prose=f"To {task}, spell it: {spelled}. This gives {result}.",
        question=f"How do you {task}?",
        answer=f"{spelled}, so {result}.",
    )


def odd_one_out(rng: Random, world: World) -> Item:
    """Words of two groups: find the stranger or sort them."""
    main, other = rng.sample(list(CATEGORIES), 2)
    members = rng.sample(CATEGORIES[main], 4)
    strangers = rng.sample([word for word in CATEGORIES[other] if word not in CATEGORIES[main]], 3)
    stranger = strangers[0]
    if rng.random() < 0.5:
        words = [*members, stranger]
        rng.shuffle(words)
        instruction = rng.choice(
            [
                "Find the odd one out.",
                "Which word does not belong? Explain.",
                "One item is different. Name it.",
            ]
        )
        output = f"The odd one out is {stranger}. It belongs to the group {other}, "
        output += f"while the others belong to the group {main}."
    else:
        words = members[:3] + strangers
        rng.shuffle(words)
        instruction = rng.choice(["Sort the words into two groups.", "Group the items by category."])
        first = ", ".join(word for word in words if word in members)
        second = ", ".join(word for word in words if word in strangers)
        output = f"{capitalise(main)}: {first}\n{capitalise(other)}: {second}"
    return Item(
        instruction=instruction,
        input=", ".join(words),
        output=output,
        prose=f"{capitalise(join_words(members))} belong to the group {main}, "
        f"but {stranger} belongs to {other}.",
        question=f"Which does not fit: {', '.join(words)}?",
        answer=f"{capitalise(stranger)} is {other}; the rest is {main}.",
    )


def grammar(rng: Random, world: World) -> Item:
    """A sentence with one mistake, corrected and explained."""
    name, place, day = rng.choice(FIRST_NAMES), rng.choice(PLACES), rng.choice(DAYS)
    kind = rng.choice(["verb", "article", "capitals", "plural"])
    if kind == "verb":
        right, wrong = rng.choice(PRESENT_VERBS)
        bad, good = (
            f"{name} {wrong} to the {place} every {day}.",
            f"{name} {right} to the {place} every {day}.",
        )
        reason = f"the subject {name} is singular, so the verb is {right}"
    elif kind == "article":
        noun = rng.choice(THINGS).singular
        right = with_article(noun)
        letter, wrong = ("a vowel", f"a {noun}") if noun[0] in "aeiou" else ("a consonant", f"an {noun}")
        bad, good = (f"{name} found {text} near the {place} on {day}." for text in (wrong, right))
        reason = f"{noun} starts with {letter}, so the article is {right.split()[0]}"
    elif kind == "capitals":
        bad, good = (
            f"last {day.lower()} {name.lower()} saw the {place}.",
            f"Last {day} {name} saw the {place}.",
        )
        reason = "names, days and the first word need capital letters"
    else:
        count, thing = rng.randint(2, 9), rng.choice(THINGS)
        bad, good = (f"{name} bought {count} {noun} at the {place} on {day}." for noun in thing)
        reason = f"after {count} we need the plural {thing.plural}"
    instruction = rng.choice(
        [
            "Correct the grammar of the sentence.",
            "Fix the mistake and explain it.",
            "Proofread this sentence.",
            "Find the error in the sentence below.",
        ]
    )
    return Item(
        instruction=instruction,
        input=bad,
        output=f"Corrected: {good}\nReason: {reason}.",
        prose=f"Wrong: {bad} Right: {good} Here {reason}.",
        question=f"Is this right? {bad}",
        answer=f"No. {good}",
    )


def tense(rng: Random, world: World) -> Item:
    """A sentence about the future, put into the past or negated."""
    name, place, day, thing = (
        rng.choice(FIRST_NAMES),
        rng.choice(PLACES),
        rng.choice(DAYS),
        rng.choice(THINGS).plural,
    )
    first, first_past = rng.choice(PLACE_VERBS).split("/")
    second, second_past = rng.choice(THING_VERBS).split("/")
    future = f"{name} will {first} the {place} on {day} and {second} {thing}."
    past = f"{name} {first_past} the {place} on {day} and {second_past} {thing}."
    negative = f"{name} will not {first} the {place} on {day} and will not {second} {thing}."
    if rng.random() < 0.5:
        instruction = rng.choice(["Change the sentence to the past tense.", "Rewrite in the past."])
        verbs = f"{first} becomes {first_past}, {second} becomes {second_past}"
        output = f"Past tense: {past}\nVerbs: {verbs}."
    else:
        instruction = rng.choice(["Make the sentence negative.", "Rewrite the sentence as a negation."])
        output = f"Negative: {negative}"
    return Item(
        instruction=instruction,
        input=future,
        output=output,
        prose=f"Future: {future} Past: {past} Negative: {negative}",
        question=f"{future} What is the past?",
        answer=past,
    )


def formal(rng: Random, world: World) -> Item:
    """A short message, rewritten in a formal or a casual tone."""
    main, close = rng.sample(world.phrases, 2)
    day, name = rng.choice(DAYS), rng.choice(FIRST_NAMES)
    formal_main = main.formal if main.formal.startswith("I ") else lower_first(main.formal)
    casual_note = f"Hi {name}! {main.casual} on {day}. {close.casual}."
    formal_note = f"Dear {name}, {formal_main} on {day}. {close.formal}."
    if rng.random() < 0.7:
        instruction = rng.choice(
            [
                "Rewrite the message in a formal tone.",
                "Make this text more polite.",
                "Turn the note into a formal letter.",
            ]
        )
        context, output = casual_note, f"Formal version: {formal_note}"
    else:
        instruction = rng.choice(["Rewrite the message in a casual tone.", "Make this text sound relaxed."])
        context, output = formal_note, f"Casual version: {casual_note}"
    return Item(
        instruction=instruction,
        input=context,
        output=output,
        prose=f"Casual: {casual_note} Formal: {formal_note}",
        question=f"How do you say politely: {main.casual}?",
        answer=f"{main.formal}.",
    )


def translate(rng: Random, world: World) -> Item:
    """A phrase between English and Lumic, with a gloss."""
    lexicon = lumic_lexicon()
    english = _lumic_phrase(rng)
    words = english.split()
    lumic = " ".join(lexicon[word] for word in words)
    if rng.random() < 0.7:
        instruction = rng.choice(
            ["Translate into Lumic.", "Give the Lumic translation.", "How do you say this in Lumic?"]
        )
        context, output = english, f"Lumic: {lumic}"
    else:
        instruction = rng.choice(
            ["Translate from Lumic into English.", "What does this Lumic sentence mean?"]
        )
        context, output = lumic, f"English: {english}"
    glosses = [f"{word} = {lexicon[word]}" for word in dict.fromkeys(words) if word not in ("the", "a")]
    return Item(
        instruction=instruction,
        input=context,
        output=f"{output}\nGloss: {', '.join(glosses)}",
        prose=f'In Lumic, "{english}" is "{lumic}". '
        + " ".join(f"{word}: {lexicon[word]}." for word in words),
        question=f'How is "{english}" said in Lumic?',
        answer=f"{lumic}.",
    )


def _lumic_phrase(rng: Random) -> str:
    kind = rng.choice(["action", "scene", "place"])
    if kind == "action":
        subject, verb = rng.choice(LUMIC_SUBJECTS), rng.choice(LUMIC_VERBS)
        return f"{subject} {verb} the {rng.choice(LUMIC_ADJECTIVES)} {rng.choice(LUMIC_OBJECTS)}"
    if kind == "scene":
        people, verb = rng.sample(LUMIC_PEOPLE, 2), rng.choice(LUMIC_VERBS)
        scene = f"{verb} a {rng.choice(LUMIC_OBJECTS)} in the {rng.choice(LUMIC_PLACES)}"
        return f"the {people[0]} and the {people[1]} {scene}"
    preposition = rng.choice(["in", "on", "under", "near", "with"])
    thing = f"the {rng.choice(LUMIC_ADJECTIVES)} {rng.choice(LUMIC_OBJECTS)}"
    return f"{thing} {preposition} the {rng.choice(LUMIC_ADJECTIVES)} {rng.choice(LUMIC_SKY + LUMIC_PLACES)}"
