"""A chat template that comes to an end: its steps are counted, and what it writes and makes is bounded.

A template is a program of somebody else's. jinja2's sandbox keeps it from files and from other code, and a `range` below
100,000; two of them within each other still run for an hour. A limit in steps and not in seconds, so that what a template
writes, and with it a score, does not depend on how busy the machine is. What a single step may make says `template_bounds`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer
from transformers.utils.chat_template_utils import _compile_jinja_template

from backend.prompts import template_bounds as bounds

STEPS = 1_000_000  # of all loops and calls together, for one conversation: published templates take a few for each turn
LETTERS = 100_000_000  # that it may write for one
_COUNTED, _WRITTEN, _MADE = "iterit_counted", "iterit_written", "iterit_made"


class _Left(threading.local):
    steps = STEPS
    letters = LETTERS


_left = _Left()


@lru_cache(maxsize=32)
def compiled(source: str, day: datetime) -> jinja2.Template:
    """A chat template in transformers' own environment, watched; `render` it with `root_render_func`.

    day : what it is told when it asks for the date.

    Raises
    ------
    jinja2.TemplateSyntaxError : it is no template.
    """
    environment: Any = _compile_jinja_template(
        ""
    ).environment.overlay()  # transformers keeps that one for everybody
    environment.filters = bounds.checked_filters(environment.filters) | {
        _COUNTED: _counted,
        _WRITTEN: _written,
        _MADE: _made,
    }
    # those are then not computed while compiling, either
    environment.intercepted_binops = frozenset(("*", "**", "+", "%"))
    environment.binop_table = environment.binop_table | {
        "*": bounds.product,
        "**": bounds.power,
        "+": bounds.total,
        "%": bounds.remainder,
    }
    environment.call = _call_of(environment.call)
    tree = _Watch().visit(environment.parse(source))
    names = environment.make_globals({"strftime_now": day.strftime})
    return jinja2.Template.from_code(environment, environment.compile(tree), names)


def begin() -> None:
    """Count from the beginning: what this thread renders now is another conversation."""
    _left.steps, _left.letters = STEPS, LETTERS


class _Watch(NodeTransformer):
    """Sends through the filters above what a template loops over, writes and puts together."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        letters = sum(len(one.data) for one in node.find_all(nodes.TemplateData))
        self.generic_visit(node)
        node.iter = _through(_COUNTED, node.iter, nodes.Const(letters, lineno=node.lineno))
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Output:
        self.generic_visit(node)
        node.nodes = [
            one if isinstance(one, nodes.TemplateData) else _through(_WRITTEN, one) for one in node.nodes
        ]
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:
        self.generic_visit(node)
        return _through(_MADE, node)

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.AssignBlock:
        self.generic_visit(node)
        node.filter = nodes.Filter(node.filter, _MADE, [], [], None, None, lineno=node.lineno)
        return node


def _through(name: str, node: Any, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


@jinja2.pass_context  # so that jinja2 does not call it while it compiles; the others below alike
def _counted(_: Context, values: Iterable[Any], letters: int) -> Iterator[Any]:
    """What is looped over. letters : that the loop writes each time, whatever the values are."""
    for value in values:
        _step()
        _write(letters)
        yield value


@jinja2.pass_context
def _written(_: Context, value: Any) -> Any:
    if isinstance(value, str):
        _write(len(value))
    return value


@jinja2.pass_context
def _made(_: Context, value: Any) -> Any:
    return bounds.made(value)


def _call_of(call: Callable[..., Any]) -> Callable[..., Any]:
    """jinja2's way to call what a template calls, counted and bounded."""

    def counted(context: Context, function: Any, *args: Any, **options: Any) -> Any:
        _step()
        method = getattr(function, "__wrapped__", function)  # the sandbox wraps a text's `format`
        name, subject = getattr(method, "__name__", ""), getattr(method, "__self__", None)
        if isinstance(subject, str) and isinstance(name, str):
            bounds.check(name, subject, [*args, *options.values()])
            if name == "join" and len(args) == 1:
                args = (bounds.joined(subject, args[0]),)
        elif name == "generate_lorem_ipsum":  # jinja2's `lipsum`
            bounds.check("lipsum", None, [*args, *options.values()])
        return bounds.made(call(context, function, *args, **options))

    return counted


def _step() -> None:
    _left.steps -= 1
    if _left.steps < 0:
        raise jinja2.TemplateRuntimeError(
            f"its loops and calls take more than {STEPS:,} steps for one conversation"
        )


def _write(letters: int) -> None:
    _left.letters -= letters
    if _left.letters < 0:
        raise jinja2.TemplateRuntimeError(f"it writes more than {LETTERS:,} letters for one conversation")
