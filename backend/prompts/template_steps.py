"""A chat template that comes to an end: the steps of its loops are counted, and no product fills the memory.

A template is a program of somebody else's. jinja2's sandbox keeps it from files and from other code, and a `range` below
100,000; two of them within each other still run for an hour. A limit in steps and not in seconds, so that what a template
writes, and with it a score, does not depend on how busy the machine is.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from transformers.utils.chat_template_utils import _compile_jinja_template

STEPS = 1_000_000  # of all loops together, for one conversation: published templates take a few for each turn
_ITEMS = 10_000_000  # of a text or list that is a product
_BITS = 4096  # of a number that is one
_FILTER = "iterit_counted"


class _Left(threading.local):
    steps = STEPS


_left = _Left()


@lru_cache(maxsize=32)
def compiled(source: str, day: datetime) -> jinja2.Template:
    """A chat template in transformers' own environment, its loops counted; `render` it with `root_render_func`.

    day : what it is told when it asks for the date.

    Raises
    ------
    jinja2.TemplateSyntaxError : it is no template.
    """
    environment: Any = _compile_jinja_template("").environment
    environment.filters[_FILTER] = _counted
    environment.intercepted_binops = frozenset(
        ("*", "**")
    )  # those are then not computed while compiling, either
    environment.binop_table |= {"*": _product, "**": _power}
    tree = environment.parse(source)
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = nodes.Filter(loop.iter, _FILTER, [], [], None, None, lineno=loop.lineno)
    names = environment.make_globals({"strftime_now": day.strftime})
    return jinja2.Template.from_code(environment, environment.compile(tree), names)


def begin() -> None:
    """Count from the beginning: what this thread renders now is another conversation."""
    _left.steps = STEPS


def _counted(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        _left.steps -= 1
        if _left.steps < 0:
            raise jinja2.TemplateRuntimeError(
                f"its loops take more than {STEPS:,} steps for one conversation"
            )
        yield value


def _product(one: Any, other: Any) -> Any:
    for values, times in ((one, other), (other, one)):
        if isinstance(values, (str, list, tuple)) and isinstance(times, int) and len(values) * times > _ITEMS:
            raise jinja2.TemplateRuntimeError(f"it repeats a text or list beyond {_ITEMS:,} items")
    return operator.mul(one, other)


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > _BITS:
        raise jinja2.TemplateRuntimeError(f"it computes a number of more than {_BITS:,} bits")
    return operator.pow(base, exponent)
