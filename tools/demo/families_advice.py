"""Task families of advice and talk: guides, pros and cons, opinions, stories, puzzles."""

from random import Random

from tools.demo.items import Item
from tools.demo.tables import World
from tools.demo.words import (
    FIRST_NAMES,
    PLACES,
    THINGS,
    TOWNS,
    TRAITS,
    WEATHER_REPORTS,
    bulleted,
    capitalise,
    join_words,
    numbered,
    with_article,
)

COMPARISONS = [
    ("taller", "tallest", "shortest"),
    ("older", "oldest", "youngest"),
    ("faster", "fastest", "slowest"),
    ("richer", "richest", "poorest"),
]


def howto(rng: Random, world: World) -> Item:
    """The steps of a task, or its first three."""
    guide = rng.choice(world.guides)
    task, steps = guide.task, guide.steps
    if rng.random() < 0.75:
        shown = steps
        opening = f"Here is how to {task}:"
        instruction = rng.choice(
            [
                f"Explain how to {task}.",
                f"Give step by step instructions to {task}.",
                f"How do I {task}?",
                f"Write a guide for beginners: how to {task}.",
            ]
        )
    else:
        shown = steps[:3]
        opening = f"To {task}, begin like this:"
        instruction = rng.choice(
            [
                f"What are the first three steps to {task}?",
                f"I want to {task}. How should I begin? Give three steps.",
            ]
        )
    return Item(
        instruction=instruction,
        output=f"{opening}\n{numbered(shown)}",
        prose=f"How to {task}. First {steps[0]}. Then {'. Then '.join(steps[1:-1])}. Finally {steps[-1]}.",
        question=f"How can one {task}?",
        answer=capitalise(", then ".join(shown)) + ".",
    )


def next_step(rng: Random, world: World) -> Item:
    """The step that follows another."""
    guide = rng.choice(world.guides)
    index = rng.randrange(len(guide.steps) - 1)
    done, following = guide.steps[index], guide.steps[index + 1]
    instruction = rng.choice(
        [
            f"When you {guide.task}, what comes right after this step: {done}?",
            f"I want to {guide.task} and I just did this: {done}. What is next?",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"The next step is: {following}. It follows after you {done}.",
        prose=f"To {guide.task}, {done} and then {following}.",
        question=f"To {guide.task}, what follows after you {done}?",
        answer=f"{capitalise(following)}.",
    )


def order(rng: Random, world: World) -> Item:
    """Shuffled steps put into the right order."""
    guide = rng.choice(world.guides)
    steps = list(guide.steps[:5])
    mixed = rng.sample(steps, len(steps))
    instruction = rng.choice(
        [
            f"Put these steps to {guide.task} into the right order.",
            f"Sort the steps of this guide ({guide.task}).",
        ]
    )
    lines = [f"{number}. {capitalise(step)}" for number, step in enumerate(steps, start=1)]
    return Item(
        instruction=instruction,
        input="; ".join(mixed),
        output="\n".join(["Correct order:", *lines]),
        prose=f"Steps to {guide.task}: {'; '.join(steps)}.",
        question=f"In which order do the steps to {guide.task} come?",
        answer=capitalise("; ".join(steps)) + ".",
    )


def pros_and_cons(rng: Random, world: World) -> Item:
    """Points for and against a topic."""
    topic, pros, cons = rng.choice(world.debates)
    count = rng.randint(2, 3)
    some_pros, some_cons = rng.sample(pros, count), rng.sample(cons, count)
    instruction = rng.choice(
        [
            f"List pros and cons of {topic}.",
            f"What speaks for and against {topic}?",
            f"Name advantages and disadvantages of {topic}.",
        ]
    )
    pro_lines, con_lines = (
        bulleted([capitalise(point) for point in side]) for side in (some_pros, some_cons)
    )
    return Item(
        instruction=instruction,
        output=f"Pros:\n{pro_lines}\nCons:\n{con_lines}",
        prose=f"People who like {topic} mention {join_words(pros)}. Critics mention {join_words(cons)}.",
        question=f"What is good about {topic}?",
        answer=capitalise(join_words(some_pros)) + ".",
    )


def opinion(rng: Random, world: World) -> Item:
    """A short argument for one side."""
    topic, pros, cons = rng.choice(world.debates)
    name, is_for = rng.choice(FIRST_NAMES), rng.random() < 0.5
    side, verdict = ("for", "good") if is_for else ("against", "bad")
    points, counterpoints = (pros, cons) if is_for else (cons, pros)
    first, second = rng.sample(points, 2)
    counter = rng.choice(counterpoints)
    instruction = rng.choice(
        [f"Write a short argument {side} {topic}.", f"Convince {name} that {topic} is a {verdict} idea."]
    )
    output = f"There are good reasons {side} {topic}. It means {first}, and it also brings {second}. "
    output += f"Some people point to {counter}, but this matters less."
    return Item(
        instruction=instruction,
        output=output,
        prose=f"{name} is {side} {topic}: {first} and {second}, though others mention {counter}.",
        question=f"What does {name} say about {topic}?",
        answer=f"{capitalise(first)} and {second}.",
    )


def story(rng: Random, world: World) -> Item:
    """A tale in five sentences."""
    name, beast, thing = rng.choice(FIRST_NAMES), rng.choice(world.animals).name, rng.choice(THINGS).singular
    place, trait, town = rng.choice(PLACES), rng.choice(TRAITS), rng.choice(TOWNS)
    weather = rng.choice(WEATHER_REPORTS)
    trouble = rng.choice(
        [
            "a locked door blocked the way",
            f"a storm broke over {town}",
            f"the {thing} fell into the river",
            f"nobody believed {name}",
        ]
    )
    rescue = rng.choice(
        [
            f"the {beast} showed a hidden path",
            f"an old friend from the {place} offered help",
            f"{name} waited until the morning and tried again",
            f"a stranger shared a secret about the {thing}",
        ]
    )
    ending = rng.choice(
        [
            f"Since then, people in {town} tell the story every winter.",
            f"{name} kept the {thing} on a shelf for the rest of the year.",
            f"In the end, {name} learned that help comes from unexpected places.",
        ]
    )
    instruction = rng.choice(
        [
            f"Write a short story about a {trait} {beast} and {with_article(thing)}.",
            f"Tell a story with {name}, {with_article(thing)} and {with_article(beast)}.",
            f"Create a tiny tale set at the {place} of {town} with {with_article(beast)}.",
            f"Invent a story in five sentences. Use the words {beast}, {thing} and {place}.",
        ]
    )
    find = f"{name} found {with_article(thing)}"
    output = f"In {town} there lived a {trait} {beast}. One day {find} near the {place}. {weather} "
    output += f"Suddenly {trouble}, but {rescue}. {ending}"
    prose = f"{name} lived in {town} with a {trait} {beast}. {find} at the {place}. "
    prose += f"Then {trouble}. Luckily {rescue}. {ending}"
    return Item(
        instruction=instruction,
        output=output,
        prose=prose,
        question=f"What did {name} find at the {place}?",
        answer=capitalise(with_article(thing)) + ".",
    )


def logic(rng: Random, world: World) -> Item:
    """An order of three people from two comparisons."""
    first, second, third = rng.sample(FIRST_NAMES, 3)
    relation, top, bottom = rng.choice(COMPARISONS)
    asked, result = rng.choice([(top, first), (bottom, third)])
    premises = [f"{first} is {relation} than {second}.", f"{second} is {relation} than {third}."]
    rng.shuffle(premises)
    riddle = f"{' '.join(premises)} Who is the {asked}?"
    task = rng.choice(["Solve the puzzle.", "Use logic to answer.", "Think step by step and answer."])
    ranking = f"{first}, {second}, {third}"
    extremes = f"{first} is the {top} and {third} is the {bottom}"
    return Item(
        instruction=f"{task} {riddle}",
        output=f"{first} is {relation} than {second}, and {second} is {relation} than {third}. "
        f"So the order is {ranking}. The {asked} is {result}.",
        prose=f"{' '.join(premises)} The order is {ranking}, so {extremes}.",
        question=riddle,
        answer=f"{result}. The order is {ranking}.",
    )
