"""Task families about numbers: word problems, expressions, units, dates, sequences."""

from random import Random

from tools.demo.items import Item
from tools.demo.tables import World
from tools.demo.words import DAYS, FIRST_NAMES, MONTH_LENGTHS, MONTHS, PLACES, THINGS, capitalise

UNITS = [
    ("kilometres", "metres", 1000),
    ("metres", "centimetres", 100),
    ("kilograms", "grams", 1000),
    ("hours", "minutes", 60),
    ("minutes", "seconds", 60),
    ("litres", "millilitres", 1000),
    ("weeks", "days", 7),
    ("days", "hours", 24),
    ("dozens", "pieces", 12),
    ("tonnes", "kilograms", 1000),
]


def word_problem(rng: Random, world: World) -> Item:
    """A story with a number question, solved in steps."""
    story, question, steps, result = rng.choice([_gift_story, _box_story, _share_story, _shop_story])(rng)
    task = rng.choice(
        [
            "Solve the word problem and show your work.",
            "Read the problem and answer the question step by step.",
            "Work out the answer. Explain each step.",
            "Here is a small maths problem. Solve it.",
        ]
    )
    if rng.random() < 0.5:
        instruction, context = task, f"{story} {question}"
    else:
        instruction, context = f"{story} {question} {task}", ""
    numbered_steps = "\n".join(f"Step {number}: {step}" for number, step in enumerate(steps, start=1))
    return Item(
        instruction=instruction,
        input=context,
        output=f"{numbered_steps}\nThe answer is {result}.",
        prose=f"{story} {' '.join(steps)} So the result is {result}.",
        question=f"{story} {question}",
        answer=f"{' '.join(steps)} So {result}.",
    )


def _gift_story(rng: Random) -> tuple[str, str, list[str], str]:
    name, giver = rng.sample(FIRST_NAMES, 2)
    thing, place = rng.choice(THINGS).plural, rng.choice(PLACES)
    start, gift = rng.randint(3, 60), rng.randint(2, 30)
    with_gift = start + gift
    lost = min(rng.randint(2, 20), with_gift - 1)
    left = with_gift - lost
    story = f"{name} has {start} {thing}. {giver} gives {name} {gift} more {thing} at the {place}. "
    story += f"Then {name} loses {lost} {thing}."
    question = rng.choice([f"How many {thing} does {name} have now?", f"How many {thing} are left?"])
    steps = [
        f"{name} starts with {start} {thing}.",
        f"After the gift: {start} + {gift} = {with_gift}.",
        f"After the loss: {with_gift} - {lost} = {left}.",
    ]
    return story, question, steps, f"{left} {thing}"


def _box_story(rng: Random) -> tuple[str, str, list[str], str]:
    name, thing, place = rng.choice(FIRST_NAMES), rng.choice(THINGS).plural, rng.choice(PLACES)
    boxes, each = rng.randint(2, 12), rng.randint(2, 12)
    story = f"{name} packs {boxes} boxes for the {place}. Each box holds {each} {thing}."
    question = rng.choice([f"How many {thing} does {name} pack?", f"How many {thing} are there in total?"])
    steps = [f"There are {boxes} boxes with {each} {thing} each.", f"{boxes} x {each} = {boxes * each}."]
    return story, question, steps, f"{boxes * each} {thing}"


def _share_story(rng: Random) -> tuple[str, str, list[str], str]:
    name, thing, place = rng.choice(FIRST_NAMES), rng.choice(THINGS).plural, rng.choice(PLACES)
    people, each = rng.randint(2, 9), rng.randint(2, 12)
    total = people * each
    story = f"{name} and friends share {total} {thing} equally at the {place}. There are {people} people."
    question = rng.choice([f"How many {thing} does each person get?", "What is the share of one person?"])
    steps = [f"We divide {total} {thing} among {people} people.", f"{total} / {people} = {each}."]
    return story, question, steps, f"{each} {thing}"


def _shop_story(rng: Random) -> tuple[str, str, list[str], str]:
    name, thing, place = rng.choice(FIRST_NAMES), rng.choice(THINGS), rng.choice(PLACES)
    price, count = rng.randint(2, 9), rng.randint(2, 9)
    cost = price * count
    paid = cost + rng.randint(1, 20)
    story = f"{name} buys {count} {thing.plural} at the {place}. One {thing.singular} costs {price} coins. "
    story += f"{name} pays with {paid} coins."
    question = rng.choice([f"How much change does {name} get?", "How many coins come back?"])
    steps = [
        f"The price is {count} x {price} = {cost} coins.",
        f"The change is {paid} - {cost} = {paid - cost}.",
    ]
    return story, question, steps, f"{paid - cost} coins"


def expression(rng: Random, world: World) -> Item:
    """An expression of two operations, evaluated in order."""
    first, second, third = rng.randint(2, 40), rng.randint(2, 30), rng.randint(2, 9)
    kind = rng.choice(["precedence", "brackets", "left to right"])
    if kind == "precedence":
        inner, result = second * third, first + second * third
        text = f"{first} + {second} x {third}"
        steps = (f"first multiply: {second} x {third} = {inner}", f"then add: {first} + {inner} = {result}")
    elif kind == "brackets":
        inner, result = first + second, (first + second) * third
        text = f"({first} + {second}) x {third}"
        steps = (
            f"first add inside the brackets: {first} + {second} = {inner}",
            f"then multiply: {inner} x {third} = {result}",
        )
    else:
        total, result = first + second, first + third
        text = f"{total} - {second} + {third}"
        steps = (f"first subtract: {total} - {second} = {first}", f"then add: {first} + {third} = {result}")
    instruction = rng.choice(
        [
            f"Calculate {text}.",
            f"What is {text}?",
            f"Evaluate the expression {text} and show the steps.",
            f"Compute the value of {text}.",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"To evaluate {text}, {steps[0]}, {steps[1]}. The answer is {result}.",
        prose=f"{text} = {result}, because {steps[0]} and {steps[1]}.",
        question=f"How much is {text}?",
        answer=f"{capitalise(steps[0])}; {steps[1]}. It is {result}.",
    )


def unit(rng: Random, world: World) -> Item:
    """A conversion between two units, in either direction."""
    large, small, factor = rng.choice(UNITS)
    count = rng.randint(2, 60)
    if rng.random() < 0.5:
        source, target, result = f"{count} {large}", small, count * factor
        rule, sum_text = f"one {large[:-1]} is {factor} {small}", f"{count} x {factor} = {count * factor}"
    else:
        source, target, result = f"{count * factor} {small}", large, count
        rule, sum_text = f"{factor} {small} make one {large[:-1]}", f"{count * factor} / {factor} = {count}"
    instruction = rng.choice(
        [
            f"Convert {source} to {target}.",
            f"How many {target} are {source}?",
            f"Express {source} in {target}.",
            f"Change the unit: {source} into {target}.",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"Since {rule}, we compute {sum_text}. So {source} equals {result} {target}.",
        prose=f"{capitalise(rule)}. Therefore {source} are {result} {target} ({sum_text}).",
        question=f"{source} is how many {target}?",
        answer=f"{capitalise(rule)}, so {sum_text}. It is {result} {target}.",
    )


def date(rng: Random, world: World) -> Item:
    """Counting days: a weekday or a date some days later."""
    return _weekday_later(rng) if rng.random() < 0.5 else _date_later(rng)


def _weekday_later(rng: Random) -> Item:
    start, days = rng.randint(0, 6), rng.randint(2, 60)
    weeks, rest = divmod(days, 7)
    today, result = DAYS[start], DAYS[(start + days) % 7]
    working = (
        f"{days} days are {weeks} weeks and {rest} days. Counting {rest} days from {today} gives {result}"
    )
    instruction = rng.choice(
        [
            f"Today is {today}. What day will it be in {days} days?",
            f"If today is {today}, which weekday comes {days} days later?",
            f"Find the weekday {days} days after {today}.",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"{working}.\nThe answer is {result}.",
        prose=f"{days} days after {today} it is {result}, because {working}.",
        question=f"What comes {days} days after {today}?",
        answer=f"{result}. {working}.",
    )


def _date_later(rng: Random) -> Item:
    month = rng.randint(0, 11)
    name, length = MONTHS[month], MONTH_LENGTHS[month]
    day, days = rng.randint(5, length), rng.randint(3, 25)
    total = day + days
    working = f"{name} has {length} days. "
    if total > length:
        result = f"{total - length} {MONTHS[(month + 1) % 12]}"
        working += f"{day} + {days} = {total} and {total} - {length} = {total - length}, "
        working += f"so the date moves to {MONTHS[(month + 1) % 12]}."
    else:
        result = f"{total} {name}"
        working += f"{day} + {days} = {total}, so the date stays in {name}."
    instruction = rng.choice(
        [
            f"Which date is {days} days after {day} {name}?",
            f"Add {days} days to {day} {name}.",
            f"A parcel is sent on {day} {name} and needs {days} days. When does it arrive?",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"{working}\nThe answer is {result}.",
        prose=f"{working} {days} days after {day} {name} comes {result}.",
        question=f"What is {day} {name} plus {days} days?",
        answer=f"{result}. {working}",
    )


def sequence(rng: Random, world: World) -> Item:
    """A number sequence with a simple rule and its next three members."""
    kind = rng.choice(["add", "subtract", "double"])
    if kind == "add":
        start, step = rng.randint(1, 30), rng.randint(2, 12)
        numbers, rule = [start + index * step for index in range(7)], f"add {step}"
    elif kind == "subtract":
        start, step = rng.randint(50, 99), rng.randint(2, 7)
        numbers, rule = [start - index * step for index in range(7)], f"subtract {step}"
    else:
        start = rng.randint(1, 12)
        numbers, rule = [start * 2**index for index in range(7)], "multiply by 2"
    shown, following = ", ".join(map(str, numbers[:4])), ", ".join(map(str, numbers[4:]))
    instruction = rng.choice(
        [
            f"Continue the sequence {shown}.",
            f"What are the next three numbers: {shown}?",
            f"Find the rule and continue: {shown}",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"The rule is to {rule} each time. The next numbers are {following}.",
        prose=f"The sequence {shown}, {following} follows the rule {rule}.",
        question=f"What follows after {shown}?",
        answer=f"{following}; the rule is {rule}.",
    )


def percent(rng: Random, world: World) -> Item:
    """A percentage of a round number."""
    share, base = rng.choice([5, 10, 20, 25, 40, 50, 75]), 20 * rng.randint(1, 40)
    thing = rng.choice(THINGS).plural
    one, result = base / 100, share * base // 100
    working = f"one percent of {base} is {one:g} and {share} x {one:g} = {result}"
    instruction = rng.choice(
        [
            f"What is {share} percent of {base} {thing}?",
            f"Find {share} % of {base} {thing}.",
            f"A shop has {base} {thing} and sells {share} percent of them. How many are sold?",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"We know that {working}. The answer is {result} {thing}.",
        prose=f"{share} percent of {base} {thing} are {result} {thing}: {working}.",
        question=f"How many {thing} are {share} percent of {base}?",
        answer=f"{result} {thing}; {working}.",
    )


def clock(rng: Random, world: World) -> Item:
    """A time of day some minutes later."""
    hour, minute, name = rng.randint(6, 18), 5 * rng.randint(0, 11), rng.choice(FIRST_NAMES)
    minutes = 5 * rng.randint(3, 40)
    hours, rest = divmod(minutes, 60)
    end = hour * 60 + minute + minutes
    start, result = f"{hour}:{minute:02d}", f"{end // 60}:{end % 60:02d}"
    working = f"{minutes} minutes are {hours} hours and {rest} minutes"
    instruction = rng.choice(
        [
            f"{name} starts work at {start} and needs {minutes} minutes. When is the work done?",
            f"What time is it {minutes} minutes after {start}?",
            f"A film begins at {start} and lasts {minutes} minutes. When does it end?",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"Start: {start}\nDuration: {working}.\nEnd: {result}",
        prose=f"{working}. {minutes} minutes after {start} the clock shows {result}.",
        question=f"Which time comes {minutes} minutes after {start}?",
        answer=f"{result}, since {working}.",
    )
