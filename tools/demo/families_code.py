"""Task families about code and structured text: Python functions, JSON records, tables."""

import json
from random import Random

from tools.demo.items import Item
from tools.demo.tables import World
from tools.demo.words import DAYS, EVENTS, FIRST_NAMES, JOBS, SURNAMES, THINGS, TOWNS, join_words

NAME_PREFIXES = ["", "my_", "do_", "get_"]


def python_write(rng: Random, world: World) -> Item:
    """A Python function written from its description."""
    function = rng.choice(world.functions)
    name = rng.choice(NAME_PREFIXES) + function.name
    call = function.call.replace(function.name, name, 1)
    source, purpose, result = function.source(name), function.purpose, function.result
    instruction = rng.choice(
        [
            f"Write a Python function {name} that {purpose}.",
            f"Implement a function called {name} in Python. It {purpose}.",
            f"I need Python code: a function {name}({function.arguments}) that {purpose}.",
            f"Create a Python function named {name} which {purpose}. Add an example call.",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"```python\n{source}\n```\nThe function {purpose}. For example, {call} gives {result}.",
        prose=f"# {name}: {purpose}\n{source}\n\nprint({call})  # {function.result}",
        question=f"How can I write {name} so that it {purpose}?",
        answer=f"{source}\nFor example {call} is {function.result}.",
    )


def python_explain(rng: Random, world: World) -> Item:
    """A Python function explained in words."""
    function = rng.choice(world.functions)
    source, lines = function.source(function.name), len(function.body)
    instruction = rng.choice(
        [
            "Explain what this Python code does.",
            "Describe the purpose of the function below.",
            "What does this function return?",
        ]
    )
    output = f"The function `{function.name}` takes {join_words(function.arguments.split(', '))} and "
    output += f"{function.purpose}. It has {lines} line{'s' if lines > 1 else ''} in its body. "
    output += f"Calling `{function.call}` returns `{function.result}`."
    return Item(
        instruction=instruction,
        input=source,
        output=output,
        prose=f"{source}\n\nThe code above {function.purpose}; {function.call} is {function.result}.",
        question=f"What is the use of this code?\n{source}",
        answer=f"It {function.purpose}. {function.call} is {function.result}.",
    )


def json_record(rng: Random, world: World) -> Item:
    """A sentence turned into a JSON object."""
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(SURNAMES)}"
    town, day = rng.choice(TOWNS), rng.choice(DAYS)
    kind = rng.choice(["person", "order", "event"])
    record: dict[str, str | int]
    if kind == "person":
        age, job = rng.randint(18, 80), rng.choice(JOBS)
        text = f"{name} is a {age} year old {job} from {town}."
        record = {"name": name, "age": age, "job": job, "town": town}
    elif kind == "order":
        thing, count = rng.choice(THINGS), rng.randint(2, 40)
        text = f"{name} ordered {count} {thing.plural} for delivery to {town} on {day}."
        record = {"customer": name, "item": thing.singular, "quantity": count, "town": town, "day": day}
    else:
        event, time = rng.choice(EVENTS).name, f"{rng.randint(8, 20)}:00"
        text = f"The {event} starts at {time} on {day} in {town}. Contact: {name}."
        record = {"event": event, "day": day, "time": time, "town": town, "contact": name}
    instruction = rng.choice(
        [
            "Extract the fields as JSON.",
            "Turn the sentence into a JSON object.",
            f"Return a JSON record with the keys {', '.join(record)}.",
            "Parse the text into JSON.",
        ]
    )
    fields = "; ".join(f"{key}: {value}" for key, value in record.items())
    return Item(
        instruction=instruction,
        input=text,
        output=json.dumps(record, indent=1),
        prose=f"{text} Record: {fields}.",
        question=f"{text} Fill in the record.",
        answer=f"{fields}.",
    )


def table(rng: Random, world: World) -> Item:
    """Sentences turned into a markdown table or CSV."""
    rows = [
        (rng.choice(FIRST_NAMES), rng.choice(THINGS).plural, rng.randint(1, 99))
        for _ in range(rng.randint(2, 4))
    ]
    text = "; ".join(f"{name} has {count} {thing}" for name, thing, count in rows) + "."
    if rng.random() < 0.6:
        instruction = rng.choice(
            [
                "Make a markdown table from the data.",
                "Show the data as a table.",
                "Format the text as a markdown table with three columns.",
            ]
        )
        lines = [f"| {name} | {thing} | {count} |" for name, thing, count in rows]
        output = "\n".join(["| name | item | count |", "|---|---|---|", *lines])
    else:
        instruction = rng.choice(
            [
                "Write the data as CSV.",
                "Convert the sentences to comma separated values.",
                "Give a CSV file for this text.",
            ]
        )
        output = "\n".join(["name,item,count", *(f"{name},{thing},{count}" for name, thing, count in rows)])
    return Item(
        instruction=instruction,
        input=text,
        output=output,
        prose=f"{text} In total there are {sum(count for _, _, count in rows)} things.",
        question=f"{text} Who has what?",
        answer="; ".join(f"{name}: {count} {thing}" for name, thing, count in rows) + ".",
    )
