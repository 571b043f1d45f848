"""Task families of office and news: e-mails, support, plans, reports, reviews."""

from dataclasses import dataclass
from random import Random

from tools.demo.items import Item
from tools.demo.tables import World
from tools.demo.words import (
    DAYS,
    EVENT_PLANS,
    EVENT_PROBLEMS,
    EVENTS,
    FIRST_NAMES,
    OPINION_WORDS,
    PLACES,
    PRODUCTS,
    SURNAMES,
    THINGS,
    TOWNS,
    VERDICTS,
    WEATHER_REPORTS,
    Event,
    bulleted,
    capitalise,
    join_words,
    lower_first,
)


@dataclass(frozen=True)
class Report:
    """A news report about an event, and what it says."""

    event: Event
    town: str
    day: str
    place: str
    visitors: int
    problem: str
    text: str


def _write_report(rng: Random) -> Report:
    event, town, day, place = rng.choice(EVENTS), rng.choice(TOWNS), rng.choice(DAYS), rng.choice(PLACES)
    visitors = 10 * rng.randint(3, 90)
    problem = rng.choice(EVENT_PROBLEMS)
    middle = [rng.choice(WEATHER_REPORTS), problem]
    rng.shuffle(middle)
    sentences = [
        f"The town of {town} held its {event.name} on {day} at the {place}.",
        f"About {visitors} {event.guests} came and {event.deed}.",
        *middle,
        rng.choice(EVENT_PLANS),
    ]
    return Report(event, town, day, place, visitors, problem, " ".join(sentences))


def summary(rng: Random, world: World) -> Item:
    """A report summarised in one sentence."""
    report = _write_report(rng)
    guests, event = report.event.guests, report.event.name
    instruction = rng.choice(
        [
            "Summarise the passage in one sentence.",
            "Write a short summary of this news report.",
            "Give the main point of the text.",
            "Shorten the following report.",
        ]
    )
    output = f"On {report.day}, about {report.visitors} {guests} attended the {event} in {report.town}, "
    output += f"although {lower_first(report.problem)}"
    return Item(
        instruction=instruction,
        input=report.text,
        output=output,
        prose=report.text,
        question=f"{report.text} What is the report about?",
        answer=f"The {event} in {report.town} on {report.day}, with {report.visitors} {guests}.",
    )


def reading(rng: Random, world: World) -> Item:
    """A question about a report."""
    report = _write_report(rng)
    guests, event = report.event.guests, report.event.name
    question, answer = rng.choice(
        [
            (f"How many {guests} came?", f"About {report.visitors} {guests} came to the {event}."),
            ("Where did it take place?", f"It took place at the {report.place} in {report.town}."),
            ("When was the event?", f"The {event} was on {report.day}."),
            ("What problem is mentioned?", f"The report mentions one problem: {lower_first(report.problem)}"),
        ]
    )
    task = rng.choice(
        [
            "Answer the question using the text.",
            "Read the text and answer.",
            "Use only the passage to reply to the question.",
        ]
    )
    return Item(
        instruction=f"{task} {question}",
        input=report.text,
        output=f"{answer} This is stated in the report about {report.town}.",
        prose=f"{report.text} {answer}",
        question=f"{report.text} {question}",
        answer=answer,
    )


def headline(rng: Random, world: World) -> Item:
    """A title and keywords for a report."""
    report = _write_report(rng)
    event, town = report.event.name, report.town
    instruction = rng.choice(
        [
            "Suggest a headline for this article.",
            "Write a title and three keywords for the text.",
            "Find a fitting title and keywords.",
        ]
    )
    output = f"Title: {event.title()} draws {report.visitors} {report.event.guests} to {town}\n"
    output += f"Keywords: {event}, {town}, {report.place}"
    return Item(
        instruction=instruction,
        input=report.text,
        output=output,
        prose=f"{capitalise(event)} in {town}. {report.text}",
        question=f"{report.text} Give a title.",
        answer=f"{capitalise(event)} in {town}.",
    )


def sentiment(rng: Random, world: World) -> Item:
    """A review classified as positive, negative or neutral."""
    product, mood = rng.choice(list(PRODUCTS)), rng.choice(list(OPINION_WORDS))
    first, second = rng.sample(PRODUCTS[product], 2)
    words = rng.sample(OPINION_WORDS[mood], 2)
    review = f"The {first} of the {product} is {words[0]} and the {second} is {words[1]}. "
    review += rng.choice(VERDICTS[mood])
    instruction = rng.choice(
        [
            "Classify the sentiment of the review as positive, negative or neutral.",
            "Is this review positive, negative or neutral? Explain briefly.",
            "Label the opinion in the text and give a reason.",
        ]
    )
    return Item(
        instruction=instruction,
        input=review,
        output=f"Sentiment: {mood}\n"
        f"Reason: the writer calls the {first} {words[0]} and the {second} {words[1]}.",
        prose=f"Review of a {product} ({mood}): {review}",
        question=f"{review} Is this opinion positive, negative or neutral?",
        answer=f"It is {mood}, since the {first} is {words[0]}.",
    )


def review(rng: Random, world: World) -> Item:
    """A review written to order."""
    product, mood, town = rng.choice(list(PRODUCTS)), rng.choice(["positive", "negative"]), rng.choice(TOWNS)
    first, second = rng.sample(PRODUCTS[product], 2)
    words = rng.sample(OPINION_WORDS[mood], 2)
    verdict = rng.choice(VERDICTS[mood])
    instruction = rng.choice(
        [
            f"Write a {mood} review of a {product}. Mention the {first} and the {second}.",
            f"Compose a short {mood} customer review for a {product} from {town}, "
            f"covering {first} and {second}.",
        ]
    )
    opinion = f"The {first} is {words[0]} and the {second} is {words[1]}. {verdict}"
    return Item(
        instruction=instruction,
        output=f"I tried this {product} in {town} last month. {opinion}",
        prose=f"The {first} of the {product} is {words[0]} and the {second} is {words[1]}. {verdict}",
        question=f"How is the {product}?",
        answer=f"The {first} is {words[0]}.",
    )


def email(rng: Random, world: World) -> Item:
    """An e-mail with subject, greeting and signature."""
    sender, recipient = rng.choice(FIRST_NAMES), f"{rng.choice(FIRST_NAMES)} {rng.choice(SURNAMES)}"
    day, hour, place = rng.choice(DAYS), rng.randint(8, 17), rng.choice(PLACES)
    thing, count, event = rng.choice(THINGS).plural, rng.randint(2, 60), rng.choice(EVENTS).name
    purpose, subject, body = rng.choice(
        [
            (
                f"ask for a day off on {day}",
                f"Request for leave on {day}",
                f"I would like to take {day} off, because I have an appointment at the {place}. "
                "My tasks will be finished the day before.",
            ),
            (
                f"move a meeting to {day} at {hour}:00",
                "New time for our meeting",
                f"Could we move our meeting to {day} at {hour}:00? "
                f"The room at the {place} is free at that time.",
            ),
            (
                f"apologise for the late delivery of {count} {thing}",
                f"Late delivery of your {thing}",
                f"I am sorry that your {count} {thing} have not arrived. "
                f"They will reach the {place} by {day}.",
            ),
            (
                f"thank a colleague for help with the {event}",
                "Thank you for your help",
                f"Thank you for your help with the {event} on {day}. "
                f"Without you the {place} would not have been ready.",
            ),
            (
                f"invite a client to the {event}",
                f"Invitation to the {event}",
                f"I am happy to invite you to our {event}. "
                f"It takes place at the {place} on {day} at {hour}:00.",
            ),
            (
                f"complain about {count} broken {thing}",
                f"Broken {thing} in my order",
                f"{count} of the {thing} in my last order were broken. "
                f"Please send new ones to the {place} before {day}.",
            ),
        ]
    )
    instruction = rng.choice(
        [
            f"Write an email to {recipient} to {purpose}. Sign as {sender}.",
            f"Draft a polite message from {sender} to {recipient}: {purpose}.",
            f"Help {sender} to {purpose}. The recipient is {recipient}.",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"Subject: {subject}\n\nDear {recipient},\n\n{body}\n\nKind regards,\n{sender}",
        prose=f"Letter from {sender} to {recipient}. {body}",
        question=f"What did {sender} write to {recipient}?",
        answer=body,
    )


def service(rng: Random, world: World) -> Item:
    """A reply from customer support."""
    name, thing = rng.choice(FIRST_NAMES), rng.choice(THINGS)
    order, day = rng.randint(1000, 9999), rng.choice(DAYS)
    claim, reply = rng.choice(
        [
            (
                f"my order {order} with {thing.plural} is late",
                f"I am sorry that order {order} is late. "
                f"The {thing.plural} left our store and should arrive by {day}.",
            ),
            (
                f"one {thing.singular} in order {order} is damaged",
                f"I am sorry about the damaged {thing.singular}. "
                f"A new one will be sent for order {order} by {day}.",
            ),
            (
                f"I want to cancel order {order} of {thing.plural}",
                f"Order {order} has been cancelled. "
                f"The money for the {thing.plural} will be returned by {day}.",
            ),
        ]
    )
    instruction = rng.choice(
        [
            f"Reply to the customer {name}: {claim}.",
            f"You work in customer service. {name} writes: {claim}. Answer.",
            f"Draft a support answer to {name}, who says: {claim}.",
        ]
    )
    return Item(
        instruction=instruction,
        output=f"Hello {name},\n{reply}\nIs there anything else I can do for you?\nYour support team",
        prose=f"A customer named {name} said: {claim}. The shop answered: {reply}",
        question=f"{name} says {claim}. What does the shop answer?",
        answer=reply,
    )


def plan(rng: Random, world: World) -> Item:
    """Three tasks spread over three days."""
    name, guides = rng.choice(FIRST_NAMES), rng.sample(world.guides, 3)
    days = [DAYS[index] for index in sorted(rng.sample(range(7), 3))]
    tasks = [guide.task for guide in guides]
    instruction = rng.choice(
        [
            f"Make a plan for {name}, who wants to {join_words(tasks)}. Free days: {', '.join(days)}.",
            f"Schedule three tasks ({'; '.join(tasks)}) on {join_words(days)}.",
        ]
    )
    lines = [
        f"{day}: {guide.task}; begin with this: {guide.steps[0]}"
        for day, guide in zip(days, guides, strict=True)
    ]
    wishes = ", ".join(f"{task} on {day}" for task, day in zip(tasks, days, strict=True))
    return Item(
        instruction=instruction,
        output=f"Plan:\n{bulleted(lines)}",
        prose=f"{name} wants to {wishes}.",
        question=f"What will {name} do on {days[0]}?",
        answer=f"{capitalise(tasks[0])}.",
    )
