"""All task families, ordered by how often pre-training shows their answers in the assistant's style."""

from random import Random
from typing import Literal

from tools.demo import families_advice as advice
from tools.demo import families_code as code
from tools.demo import families_knowledge as knowledge
from tools.demo import families_language as language
from tools.demo import families_numbers as numbers
from tools.demo import families_office as office
from tools.demo.items import Family, Item
from tools.demo.tables import Split, build_world

Frequency = Literal["common", "rare"]

HIGHEST_RATE = 0.60
LOWEST_RATE = 0.02
RARE_BELOW = 0.07

FAMILIES: dict[str, Family] = {
    "review_write": office.review,
    "readqa": office.reading,
    "pyexplain": code.python_explain,
    "json": code.json_record,
    "why": knowledge.why,
    "odd": language.odd_one_out,
    "percent": numbers.percent,
    "proscons": advice.pros_and_cons,
    "seq": numbers.sequence,
    "arith_word": numbers.word_problem,
    "plan": office.plan,
    "order": advice.order,
    "story": advice.story,
    "grammar": language.grammar,
    "table": code.table,
    "list": language.list_task,
    "translate": language.translate,
    "unit": numbers.unit,
    "compare": knowledge.compare,
    "string": language.spelling,
    "field": knowledge.field,
    "headline": office.headline,
    "sentiment": office.sentiment,
    "mc": knowledge.multiple_choice,
    "email": office.email,
    "arith_expr": numbers.expression,
    "opposite": knowledge.opposite,
    "python": code.python_write,
    "tense": language.tense,
    "summary": office.summary,
    "nextstep": advice.next_step,
    "howto": advice.howto,
    "clock": numbers.clock,
    "animal": knowledge.animal,
    "country": knowledge.country,
    "date": numbers.date,
    "formal": language.formal,
    "service": office.service,
    "quiz": knowledge.quiz,
    "define": knowledge.define,
    "opinion": advice.opinion,
    "logic": advice.logic,
}


def assistant_rate(family: str) -> float:
    """Share of a family's pre-training pieces in the assistant's style: geometric from 0.60 to 0.02."""
    position = list(FAMILIES).index(family) / (len(FAMILIES) - 1)
    return HIGHEST_RATE * (LOWEST_RATE / HIGHEST_RATE) ** position


def frequency(family: str) -> Frequency:
    """Whether pre-training shows the family's answers often ("common") or hardly ever ("rare")."""
    return "rare" if assistant_rate(family) < RARE_BELOW else "common"


def draw_item(family: str, rng: Random, split: Split) -> Item:
    """A new item of a family from the tables of one split."""
    return FAMILIES[family](rng, build_world(split))
