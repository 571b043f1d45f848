"""Turns -> text, by a tokenizer's chat template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import jinja2
from transformers import PreTrainedTokenizerBase
from transformers.utils.chat_template_utils import _compile_jinja_template

from backend.prompts import template_steps

Message = dict[str, Any]  # a turn for a template: role, content, and what else the template reads


class Render(Protocol):
    """What renders turns with the tools they may call; `generation`: and what begins the turn that a model is to write."""

    def __call__(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: list[Any] | None = None,
        generation: bool = False,
    ) -> str: ...


# A score must not depend on the day: templates that write a date are told this one, which is what Llama's write when
# they cannot ask for it
TEMPLATE_DAY = datetime(2024, 7, 26)
TEMPLATE_DATE = "26 Jul 2024"

# A template is a program of somebody else's: raise_exception and undefined names are jinja2's, adding a missing
# content to a string a TypeError, an unusable conversation a ValueError, a range too long an OverflowError, a macro
# that calls itself a RecursionError
RENDER_ERRORS = (
    jinja2.TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)


class NotRendered(Exception):
    """The template refuses a conversation; the message is the template's own."""


def renderer(tokenizer: PreTrainedTokenizerBase) -> Render:
    """What renders a conversation with the tokenizer's chat template; raises `NotRendered`.

    The template, compiled as transformers does but with its loops counted, is called with what `apply_chat_template`
    would give it. That method itself looks up, checks and copies for ten times as long as a template writes. Where a
    tokenizer has one of its own, it is called.
    """
    if type(tokenizer).apply_chat_template is not PreTrainedTokenizerBase.apply_chat_template:
        return partial(applied, tokenizer)
    try:
        template = template_steps.compiled(tokenizer.get_chat_template(), TEMPLATE_DAY)
    except RENDER_ERRORS as error:
        raise NotRendered(str(error)) from error
    # all that the template sees but the messages: jinja2 otherwise puts it together anew for every text
    names = {
        **template.globals,
        **tokenizer.special_tokens_map,
        "tools": None,
        "documents": None,
        "add_generation_prompt": False,
        "date_string": TEMPLATE_DATE,
    }

    def render(
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: list[Any] | None = None,
        generation: bool = False,
    ) -> str:
        given: dict[str, Any] = {"messages": [dict(message) for message in messages]}
        if tools or generation:
            given |= {"tools": tools, "add_generation_prompt": generation}
        template_steps.begin()
        try:
            context = template.new_context({**names, **given}, shared=True)
            return "".join(template.root_render_func(context))
        except RecursionError as error:
            raise NotRendered("a part of it calls itself without end") from error
        except RENDER_ERRORS as error:
            raise NotRendered(str(error)) from error

    return render


def applied(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Mapping[str, Any]],
    *,
    tools: list[Any] | None = None,
    generation: bool = False,
) -> str:
    """The same by the tokenizer's public method."""
    _compiled(tokenizer)
    given = [dict(message) for message in messages]
    options: dict[str, Any] = {"tools": tools, "add_generation_prompt": generation}
    try:
        return str(tokenizer.apply_chat_template(given, tokenize=False, date_string=TEMPLATE_DATE, **options))
    except RENDER_ERRORS as error:
        raise NotRendered(str(error)) from error


def _compiled(tokenizer: PreTrainedTokenizerBase) -> jinja2.Template:
    """The tokenizer's template as transformers compiles and keeps it, told the day that counts for all scores.

    The clock cannot be given as an argument: what a template is given is made plain data first.
    """
    try:
        template = _compile_jinja_template(tokenizer.get_chat_template())
    except RENDER_ERRORS as error:
        raise NotRendered(str(error)) from error
    template.globals["strftime_now"] = TEMPLATE_DAY.strftime
    return template
