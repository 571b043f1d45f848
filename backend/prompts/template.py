"""A tokenizer's chat template: a conversation as text, and where in that text the response begins.

The place is never searched for by the response's own text, which may occur in the prompt, be empty, or hold the
template's markers. The conversation is rendered a second time with a sentinel in the response's place: what stands
before the sentinel is the prompt, what stands after it closes the turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import jinja2
from transformers import PreTrainedTokenizerBase

from backend.errors import ModelError
from backend.records import Turn

# What Llama's templates write when they cannot ask for the date: a score must not depend on the day
TEMPLATE_DATE = "26 Jul 2024"

# A template is a program of somebody else's: raise_exception and undefined names are jinja2's, adding a missing
# content to a string a TypeError, an unusable conversation a ValueError
RENDER_ERRORS = (jinja2.TemplateError, TypeError, ValueError)


class NotRendered(Exception):
    """The template refuses a conversation; the message is the template's own."""


@dataclass(frozen=True)
class Rendering:
    """text : what the model reads; start : index of the response's first character, its turn's end being len(text)."""

    text: str
    start: int


@dataclass(frozen=True)
class ChatTemplate:
    """A tokenizer's chat template and what it can write (found out by `read_template`).

    shows_system : it writes a system turn; where not, the system text goes on top of the first user turn.
    shows_tools : it writes a tool's turn after an assistant's; where not, a tool's turn is given as a user's.
    lone_header : what stands before the response where the assistant turn is rendered alone, or None where the
        template renders a lone assistant turn by itself (see `alone`).
    """

    tokenizer: PreTrainedTokenizerBase
    shows_system: bool
    shows_tools: bool
    lone_header: str | None

    def conversation(self, turns: Sequence[Turn], response: str, *, system_prompt: str) -> Rendering:
        """The whole conversation; `system_prompt` only where the turns bring no system turn of their own.

        Raises
        ------
        NotRendered : the template refuses it, also with alternating roles and without a system turn.
        """
        prompt = [Turn(role=turn["role"], content=turn["content"]) for turn in turns]
        if system_prompt and all(turn["role"] != "system" for turn in prompt):
            prompt.insert(0, Turn(role="system", content=system_prompt))
        if not self.shows_system:
            prompt = _system_into_first_user(prompt)
        if not self.shows_tools:
            prompt = [_tool_as_user(turn) for turn in prompt]
        refusals = []
        # plainer and plainer: roles that alternate, then the system text in the first user turn too
        for plain in (prompt, _alternating(prompt), _alternating(_system_into_first_user(prompt))):
            try:
                return _with_span(self.tokenizer, plain, response)
            except NotRendered as error:
                refusals.append(error)
        raise refusals[0]

    def alone(self, response: str) -> Rendering:
        """The assistant turn rendered alone.

        A template that writes a default system text by itself writes it here too. For one that refuses a
        conversation without a user, the turn is what it writes for an assistant after a user's turn, behind the
        token that begins every text (where the template writes one).
        """
        if self.lone_header is None:
            return _with_span(self.tokenizer, [], response)
        after_user = _with_span(self.tokenizer, [_user("U")], response)
        return Rendering(self.lone_header + after_user.text[after_user.start :], len(self.lone_header))


def read_template(tokenizer: PreTrainedTokenizerBase) -> ChatTemplate:
    """Find out what a tokenizer's chat template can write, by rendering a few small conversations.

    Raises
    ------
    ModelError : no chat template, or one that does not write the assistant's content.
    """
    if not tokenizer.chat_template:
        raise ModelError(
            f"the tokenizer of {tokenizer.name_or_path or 'this model'} has no chat template; take the model's "
            "instruction-tuned variant, or put a chat_template.jinja beside its tokenizer.json"
        )
    try:
        _with_span(tokenizer, [_user("U")], "A")
    except NotRendered as error:
        raise ModelError(
            f"the chat template of {tokenizer.name_or_path} cannot render a user's and an assistant's turn: {error}"
        ) from error
    system = [Turn(role="system", content="SystemProbe"), _user("U")]
    call = [_user("U"), Turn(role="assistant", content="A"), Turn(role="tool", content="ToolProbe")]
    return ChatTemplate(
        tokenizer=tokenizer,
        shows_system=_writes(tokenizer, system, "SystemProbe"),
        shows_tools=_writes(tokenizer, call, "ToolProbe"),
        lone_header=None if _renders_alone(tokenizer) else _derived_lone_header(tokenizer),
    )


def _with_span(tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Turn], response: str) -> Rendering:
    """Render prompt and response, and find the response's start through a sentinel in its place."""
    sentinel = _sentinel([turn["content"] for turn in prompt])
    marked = _render(tokenizer, prompt, sentinel)
    # the last occurrence: a template may quote the final turn before it, but nothing follows its closing
    start = marked.rfind(sentinel)
    if start < 0:
        raise NotRendered("the assistant's content is not in what it writes")
    before, closing = marked[:start], marked[start + len(sentinel) :]
    text = _render(tokenizer, prompt, response)
    if text == before + response + closing:
        return Rendering(text, start)
    if text.startswith(before) and text.endswith(closing) and len(text) >= len(before) + len(closing):
        return Rendering(text, start)  # the template trimmed or rewrote the response
    # the template writes another prompt for this very response: as far as both renderings agree
    return Rendering(text, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, before))))


def _render(tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Turn], response: str) -> str:
    return _apply(tokenizer, [*prompt, Turn(role="assistant", content=response)])


def _apply(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Turn]) -> str:
    messages = [{"role": turn["role"], "content": turn["content"]} for turn in turns]
    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, date_string=TEMPLATE_DATE))
    except RENDER_ERRORS as error:
        raise NotRendered(str(error)) from error


def _sentinel(contents: Sequence[str]) -> str:
    """A word that occurs in none of the contents."""
    sentinel = "ResponseSentinel"
    while any(sentinel in content for content in contents):
        sentinel += "X"
    return sentinel


def _writes(tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Turn], probe: str) -> bool:
    try:
        return probe in _render(tokenizer, prompt, "A")
    except NotRendered:
        return False


def _renders_alone(tokenizer: PreTrainedTokenizerBase) -> bool:
    try:
        _with_span(tokenizer, [], "A")
    except NotRendered:
        return False
    return True


def _derived_lone_header(tokenizer: PreTrainedTokenizerBase) -> str:
    """What the template puts between a user's turn and an assistant's response, behind the beginning token."""
    user = _user("U")
    both = _with_span(tokenizer, [user], "A")
    try:
        shorter = _apply(tokenizer, [user])
    except NotRendered:
        shorter = ""
    before = both.text[: both.start]
    header = before[len(shorter) :] if shorter and before.startswith(shorter) else ""
    begin = tokenizer.bos_token or ""
    return (begin if begin and before.startswith(begin) else "") + header


def _user(content: str) -> Turn:
    return Turn(role="user", content=content)


def _tool_as_user(turn: Turn) -> Turn:
    return _user(turn["content"]) if turn["role"] == "tool" else turn


def _system_into_first_user(prompt: Sequence[Turn]) -> list[Turn]:
    """The prompt without system turns, their text on top of the first user turn (or as one)."""
    system = "\n\n".join(turn["content"] for turn in prompt if turn["role"] == "system" and turn["content"])
    rest = [turn for turn in prompt if turn["role"] != "system"]
    if not system:
        return rest
    for at, turn in enumerate(rest):
        if turn["role"] == "user":
            return [*rest[:at], _user(f"{system}\n\n{turn['content']}"), *rest[at + 1 :]]
    return [_user(system), *rest]


def _alternating(prompt: Sequence[Turn]) -> list[Turn]:
    """The prompt with a tool's turns as a user's and neighbours of one role as one turn."""
    merged: list[Turn] = []
    for turn in map(_tool_as_user, prompt):
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1] = Turn(role=turn["role"], content=f"{merged[-1]['content']}\n\n{turn['content']}")
        else:
            merged.append(turn)
    return merged
