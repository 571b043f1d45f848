"""Task families about what the world knows: concepts, animals, countries, causes, opposites."""

from random import Random

from tools.demo.items import Item
from tools.demo.tables import Animal, World
from tools.demo.words import bulleted, capitalise, join_words, with_article

OPTION_LETTERS = "ABC"


def define(rng: Random, world: World) -> Item:
    """A term explained with an example."""
    term, field, definition, example = rng.choice(world.concepts)
    instruction = rng.choice(
        [
            f"Define the term {term}.",
            f"What does {term} mean?",
            f"Explain {term} in simple words.",
            f"Give a short definition of {term} with an example.",
            f"A pupil asks about {term}. Answer in two sentences.",
        ]
    )
    output = rng.choice(
        [
            f"{capitalise(term)} is {definition}. An example is {example}.",
            f"In {field}, {term} means {definition}. For example, think of {example}.",
            f"**{capitalise(term)}** ({field}): {definition}.\nExample: {example}.",
        ]
    )
    prose = rng.choice(
        [
            f"{capitalise(term)} is {definition}. It belongs to {field}. A typical case is {example}.",
            f"{capitalise(term)}. {capitalise(definition)}, for instance {example}. See also: {field}.",
        ]
    )
    return Item(
        instruction=instruction,
        output=output,
        prose=prose,
        question=f"What is {term}?",
        answer=f"{capitalise(definition)}, such as {example}.",
    )


def field(rng: Random, world: World) -> Item:
    """A small glossary of one field."""
    groups = world.concepts_by_field()
    name = rng.choice(sorted(groups))
    concepts = rng.sample(groups[name], min(len(groups[name]), rng.randint(2, 4)))
    entries = [f"{capitalise(concept.term)}: {concept.definition}." for concept in concepts]
    instruction = rng.choice(
        [
            f"List {len(concepts)} terms from {name} and explain each.",
            f"Give me a mini glossary of {name} with {len(concepts)} entries.",
            f"Name {len(concepts)} basic ideas of {name}.",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"Here are {len(concepts)} terms from {name}:\n{bulleted(entries)}",
        prose=f"Glossary of {name}. {' '.join(entries)}",
        question=f"Which terms belong to {name}?",
        answer=join_words([concept.term for concept in concepts]) + ".",
    )


def quiz(rng: Random, world: World) -> Item:
    """A multiple choice question to be written."""
    options = rng.sample(world.concepts, 3)
    right = rng.randrange(3)
    term, definition = options[right].term, options[right].definition
    instruction = rng.choice(
        [
            f"Create a multiple choice question about {term}.",
            f"Write a quiz item on the term {term} with three options.",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"Question: {_choice_question(definition, options)}\nAnswer: {OPTION_LETTERS[right]}",
        prose=f"{capitalise(definition)}: this is called {term}.",
        question=f"Which word means {definition}?",
        answer=f"{capitalise(term)}.",
    )


def multiple_choice(rng: Random, world: World) -> Item:
    """A multiple choice question to be answered."""
    options = rng.sample(world.concepts, 3)
    right = rng.randrange(3)
    term, name, definition, _ = options[right]
    terms = join_words([concept.term for concept in options])
    return Item(
        instruction=rng.choice(
            ["Answer the multiple choice question.", "Choose the right option and explain."]
        ),
        input=_choice_question(definition, options),
        output=f"The correct option is {OPTION_LETTERS[right]}) {term}. In {name}, it is {definition}.",
        prose=f"Among {terms}, only {term} means {definition}.",
        question=f"Which of {terms} means {definition}?",
        answer=f"{capitalise(term)}.",
    )


def _choice_question(definition: str, options: list) -> str:
    lines = [f"{letter}) {concept.term}" for letter, concept in zip(OPTION_LETTERS, options, strict=True)]
    return "\n".join([f"Which term means {definition}?", *lines])


def country(rng: Random, world: World) -> Item:
    """One fact or three about an invented country."""
    place = rng.choice(world.countries)
    name = place.name
    facts = [
        (f"the capital of {name}", place.capital, f"The capital of {name} is {place.capital}."),
        (f"the main export of {name}", place.export, f"{name} mainly exports {place.export}."),
        (f"the official language of {name}", place.language, f"The people of {name} speak {place.language}."),
        (f"the currency of {name}", place.currency, f"People in {name} pay with the {place.currency}."),
        (f"the longest river of {name}", place.river, f"The longest river of {name} is the {place.river}."),
        (f"the climate of {name}", place.climate, f"The climate of {name} is {place.climate}."),
    ]
    chosen = rng.sample(facts, 3 if rng.random() < 0.6 else 1)
    topic, value, sentence = chosen[0]
    if len(chosen) == 1:
        instruction = rng.choice([f"What is {topic}?", f"Tell me {topic}.", f"Name {topic} in one sentence."])
        output = sentence
    else:
        instruction = rng.choice(
            [
                f"Give three facts about {name}.",
                f"Write a short profile of {name}.",
                f"What should a traveller know about {name}?",
            ]
        )
        output = f"{name} at a glance:\n{bulleted([fact[2] for fact in chosen])}"
    prose = f"{name} is a country with {place.millions} million people. "
    prose += (
        f"Its capital is {place.capital}, on the river {place.river}. It was founded in {place.founded}. "
    )
    prose += f"The climate of {name} is {place.climate}. The people speak {place.language}, "
    prose += f"pay with the {place.currency} and export {place.export}. The national sport is {place.sport}."
    return Item(
        instruction=instruction,
        output=output,
        prose=prose,
        question=f"What do you know about {topic}?",
        answer=f"{capitalise(value)}.",
    )


def why(rng: Random, world: World) -> Item:
    """The cause of an observation."""
    observation, cause, effect = rng.choice(world.reasons)
    instruction = rng.choice(
        [
            f"Why is it that {observation}?",
            f"Explain why {observation}.",
            f"A child asks why {observation}. Give a clear answer.",
            f"Give the reason for this: {observation}.",
        ]
    )
    output = rng.choice(
        [
            f"The main reason is that {cause}. As a result, {effect}.",
            f"{capitalise(observation)} because {cause}. This means that {effect}.",
        ]
    )
    prose = rng.choice(
        [
            f"{capitalise(cause)}; {effect}. That is why {observation}.",
            f"It is known that {observation}. {capitalise(cause)}, and so {effect}.",
        ]
    )
    return Item(
        instruction=instruction,
        output=output,
        prose=prose,
        question=f"Why {observation}?",
        answer=f"{capitalise(cause)}; {effect}.",
    )


def compare(rng: Random, world: World) -> Item:
    """Two animals set against each other."""
    first, second = rng.sample(world.animals, 2)
    one, other = with_article(first.name), with_article(second.name)
    kinds = with_article(first.kind), with_article(second.kind)
    instruction = rng.choice(
        [
            f"Compare {one} and {other}.",
            f"What are the differences between {one} and {other}?",
            f"Describe how {one} differs from {other}.",
        ]
    )
    points = [
        f"Class: the {first.name} is {kinds[0]}, the {second.name} is {kinds[1]}.",
        f"Food: the {first.name} eats {first.food}, the {second.name} eats {second.food}.",
        f"Home: {first.home} versus {second.home}.",
        f"Skill: {first.skill} versus {second.skill}.",
    ]
    return Item(
        instruction=instruction,
        output=bulleted(points),
        prose=f"{_animal_portrait(first)} {_animal_portrait(second)}",
        question=f"Where does the {first.name} live and what does it eat?",
        answer=f"It lives in {first.home} and eats {first.food}.",
    )


def animal(rng: Random, world: World) -> Item:
    """One animal described."""
    beast = rng.choice(world.animals)
    instruction = rng.choice(
        [
            f"Describe the {beast.name}.",
            f"Write two sentences about the {beast.name}.",
            f"Where does the {beast.name} live and what is it good at?",
        ]
    )
    output = f"The {beast.name} is {with_article(beast.size)} {beast.kind} with {beast.legs} legs. "
    output += f"It lives in {beast.home}, feeds on {beast.food} and is good at {beast.skill}."
    return Item(
        instruction=instruction,
        output=output,
        prose=_animal_portrait(beast),
        question=f"What is the {beast.name} known for?",
        answer=f"{capitalise(beast.skill)}.",
    )


def _animal_portrait(beast: Animal) -> str:
    portrait = f"The {beast.name} is {with_article(beast.size)} {beast.kind} that lives in {beast.home}. "
    return portrait + f"It eats {beast.food}, has {beast.legs} legs and is known for {beast.skill}."


def opposite(rng: Random, world: World) -> Item:
    """A word, its opposite and an example."""
    word, contrary, example = rng.choice(world.opposites)
    instruction = rng.choice(
        [
            f"What is the opposite of {word}?",
            f"Give an antonym of the word {word} and an example.",
            f"Which word means the contrary of {word}? Add something that is {word}.",
        ]
    )
    output = rng.choice(
        [
            f"The opposite of {word} is {contrary}. Something {word}: {example}.",
            f"{capitalise(word)} and {contrary} are opposites. For example, {example} would be {word}.",
        ]
    )
    return Item(
        instruction=instruction,
        output=output,
        prose=f"We call {example} {word}. If it were the other way round, we would say {contrary}.",
        question=f"What is not {word}?",
        answer=f"{capitalise(contrary)}. But {example} is {word}.",
    )
