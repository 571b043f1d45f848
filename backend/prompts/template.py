"""A tokenizer's chat template: a conversation as text, and where in that text the response begins.

The place is never searched for by the response's own text, which may occur in the prompt, be empty, or hold the
template's markers. The conversation is rendered a second time with a sentinel in the response's place: what stands
before the sentinel is the prompt, what stands after it closes the turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from transformers import PreTrainedTokenizerBase

from backend.errors import ModelError
from backend.prompts.render import NotRendered, Render, renderer
from backend.records import Turn

AFTER_USER = [Turn(role="user", content="U")]  # the shortest conversation that an assistant's turn may follow


@dataclass(frozen=True)
class Rendering:
    """text : what the model reads. start, end : its characters that are the response; what follows closes the turn."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class ChatTemplate:
    """A tokenizer's chat template and what it can write (found out by `read_template`).

    shows_system : it writes a system turn; where not, the system text goes on top of the first user turn.
    shows_tools : it writes a tool's turn after an assistant's; where not, a tool's turn is given as a user's.
    lone_header : what stands before the response where the assistant turn is rendered alone, or None where the
        template renders a lone assistant turn by itself (see `alone`).
    lone_frame : what the template writes before and after the response that `alone` renders.
    """

    tokenizer: PreTrainedTokenizerBase
    render: Render
    shows_system: bool
    shows_tools: bool
    lone_header: str | None
    lone_frame: tuple[str, str]

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
                return _with_span(self.render, plain, response)
            except NotRendered as error:
                refusals.append(error)
        raise refusals[0]

    def alone(self, response: str) -> Rendering:
        """The assistant turn rendered alone.

        A template that writes a default system text by itself writes it here too. For one that refuses a
        conversation without a user, the turn is what it writes for an assistant after a user's turn, behind the
        token that begins every text (where the template writes one).
        """
        prompt: Sequence[Turn] = [] if self.lone_header is None else AFTER_USER
        before, closing = self.lone_frame
        turn = _placed(self.render, prompt, response, before, closing)
        if turn.start != len(before):  # it writes something else before this response, or since midnight
            turn = _with_span(self.render, prompt, response)
        if self.lone_header is None:
            return turn
        start = len(self.lone_header)
        return Rendering(self.lone_header + turn.text[turn.start :], start, start + turn.end - turn.start)


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
        render = renderer(tokenizer)
        _with_span(render, AFTER_USER, "A")
    except NotRendered as error:
        raise ModelError(
            f"the chat template of {tokenizer.name_or_path} cannot render a user's and an assistant's turn: {error}"
        ) from error
    system = [Turn(role="system", content="SystemProbe"), *AFTER_USER]
    call = [*AFTER_USER, Turn(role="assistant", content="A"), Turn(role="tool", content="ToolProbe")]
    alone = _renders_alone(render)
    return ChatTemplate(
        tokenizer=tokenizer,
        render=render,
        shows_system=_writes(render, system, "SystemProbe"),
        shows_tools=_writes(render, call, "ToolProbe"),
        lone_header=None if alone else _derived_lone_header(render, tokenizer.bos_token or ""),
        lone_frame=_frame(render, [] if alone else AFTER_USER),
    )


def _with_span(render: Render, prompt: Sequence[Turn], response: str) -> Rendering:
    """Render prompt and response, and find the response's start through a sentinel in its place."""
    return _placed(render, prompt, response, *_frame(render, prompt))


def _frame(render: Render, prompt: Sequence[Turn]) -> tuple[str, str]:
    """What the template writes before and after a sentinel in the response's place."""
    sentinel = _sentinel([turn["content"] for turn in prompt])
    marked = _rendered(render, prompt, sentinel)
    # the last occurrence: a template may quote the final turn before it, but nothing follows its closing
    start = marked.rfind(sentinel)
    if start < 0:
        raise NotRendered("the assistant's content is not in what it writes")
    return marked[:start], marked[start + len(sentinel) :]


def _placed(render: Render, prompt: Sequence[Turn], response: str, before: str, closing: str) -> Rendering:
    """Render prompt and response; `before` and `closing` are the prompt's `_frame`."""
    text = _rendered(render, prompt, response)
    end = len(text) - len(closing) if text.endswith(closing) else len(text)
    if text.startswith(before) and text.endswith(closing) and len(before) <= end:
        return Rendering(text, len(before), end)  # the response between them, as it is, trimmed or rewritten
    # the template writes another prompt for this very response: as far as both renderings agree
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, before)))
    return Rendering(text, start, max(start, end))


def _rendered(render: Render, prompt: Sequence[Turn], response: str) -> str:
    return render([*prompt, Turn(role="assistant", content=response)])


def _sentinel(contents: Sequence[str]) -> str:
    """A word that occurs in none of the contents."""
    sentinel = "ResponseSentinel"
    while any(sentinel in content for content in contents):
        sentinel += "X"
    return sentinel


def _writes(render: Render, prompt: Sequence[Turn], probe: str) -> bool:
    try:
        return probe in _rendered(render, prompt, "A")
    except NotRendered:
        return False


def _renders_alone(render: Render) -> bool:
    try:
        _with_span(render, [], "A")
    except NotRendered:
        return False
    return True


def _derived_lone_header(render: Render, begin: str) -> str:
    """What the template puts between a user's turn and an assistant's response, behind the beginning token."""
    both = _with_span(render, AFTER_USER, "A")
    try:
        shorter = render(AFTER_USER)
    except NotRendered:
        shorter = ""
    before = both.text[: both.start]
    header = before[len(shorter) :] if shorter and before.startswith(shorter) else ""
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
