"""A tokenizer's chat template: a conversation as text, and where in that text the response begins.

The place is never searched for by the response's own text, which may occur in the prompt, be empty, or hold the
template's markers. The conversation is rendered a second time with a sentinel in the response's place: what stands
before the sentinel is the prompt, what stands after it closes the turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from transformers import PreTrainedTokenizerBase

from backend.errors import ModelError
from backend.findings.lengths import REASONING_DROPPED, RESPONSE_CHANGED, TOOLS_AS_TEXT
from backend.prompts.render import Message, NotRendered, Render, renderer
from backend.prompts.structure import Abilities, Put, abilities, forms
from backend.records import Conversation, Turn

AFTER_USER = [Turn(role="user", content="U")]  # the shortest conversation that an assistant's turn may follow


@dataclass(frozen=True)
class Rendering:
    """A conversation as text.

    text : what the model reads. start, end : its characters that are the response; what follows closes the turn.
    header : what stands before the response where its turn is all there is.
    changes : what the template does to the sample, `backend.findings.lengths`' bits.
    """

    text: str
    start: int
    end: int
    header: str
    changes: int = 0


@dataclass(frozen=True)
class ChatTemplate:
    """A tokenizer's chat template and what it can write (found out by `read_template`).

    shows_system : it writes a system turn; where not, the system text goes on top of the first user turn.
    shows_tools : it writes a tool's turn after an assistant's; where not, a tool's turn is given as a user's.
    can : what it writes of reasoning, tools and calls; what it has no place for goes into the text.
    begin : the token that begins every text, "" where it writes none.
    lone_header : what it writes before an assistant's turn that stands alone, or would: see `read_template`.
    special : ids of the tokens that were added to the tokenizer's vocabulary.
    """

    tokenizer: PreTrainedTokenizerBase
    render: Render
    shows_system: bool
    shows_tools: bool
    can: Abilities
    begin: str
    lone_header: str
    special: frozenset[int]

    def conversation(self, sample: Conversation, *, system_prompt: str) -> Rendering:
        """The whole conversation; `system_prompt` only where the sample brings no system turn of its own.

        Raises
        ------
        NotRendered : the template refuses it, also with alternating roles and without a system turn.
        """
        refusals = []
        for put in forms(sample, self.can):
            prompt = put.prompt
            if system_prompt and all(turn["role"] != "system" for turn in prompt):
                prompt = [{"role": "system", "content": system_prompt}, *prompt]
            if not self.shows_system:
                prompt = _system_into_first_user(prompt)
            if not self.shows_tools:
                prompt = [_tool_as_user(turn) for turn in prompt]
            # plainer and plainer: roles that alternate, then the system text in the first user turn too
            plainer = [prompt]
            if not any(turn.get("tool_calls") for turn in prompt):
                plainer += [_alternating(prompt), _alternating(_system_into_first_user(prompt))]
            for plain in plainer:
                try:
                    return self._placed(plain, put, _said(sample))
                except NotRendered as error:
                    refusals.append(error)
        raise refusals[0]

    def _placed(self, prompt: Sequence[Message], put: Put, said: tuple[str, str]) -> Rendering:
        """Render prompt and response, and find the response's place through a sentinel in it.

        said : the response's reasoning and its content, to see what becomes of them.
        """
        before, closing = _frame(self.render, prompt, put.tools)
        text = self.render([*prompt, put.response], tools=put.tools)
        end = len(text) - len(closing) if text.endswith(closing) else len(text)
        start, header = len(before), self.lone_header
        if not text.startswith(before) or start > end:
            # the template begins this very response otherwise: from where both renderings part, or from where a model
            # would begin to write, should that be earlier
            start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, before)))
            start = min(start, self._opened(prompt, put.tools, text[:start]))
            header = self._header_without(before[start:])
        end = max(start, end)
        reasoning, content = said
        written = text[start:end]
        changes = TOOLS_AS_TEXT if put.as_text else 0
        if reasoning and reasoning not in written:
            changes |= REASONING_DROPPED
        if (
            (content != written)
            if not (reasoning or put.response.get("tool_calls"))
            else content not in written
        ):
            changes |= RESPONSE_CHANGED
        return Rendering(text, start, end, header, changes)

    def _opened(self, prompt: Sequence[Message], tools: list[Any] | None, before: str) -> int:
        """Characters of what is given to a model that is to write the response, where `before` begins so."""
        try:
            opened = self.render(prompt, tools=tools, generation=True)
            plain = self.render(prompt, tools=tools)
        except NotRendered:
            return len(before)
        return len(opened) if opened != plain and before.startswith(opened) else len(before)

    def _header_without(self, rest: str) -> str:
        """The lone header up to where the response begins, which is `rest` before where one begins otherwise."""
        rest = rest[-len(self.lone_header) :] if self.lone_header else ""
        if rest and self.lone_header.endswith(rest):
            return self.lone_header.removesuffix(rest) or self.begin
        return self.lone_header


def read_template(tokenizer: PreTrainedTokenizerBase) -> ChatTemplate:
    """Find out what a tokenizer's chat template can write, by rendering a few small conversations.

    The lone header is what the template writes before an assistant's turn that is all there is, a default system text
    included. A template may refuse such a conversation, or open its turn otherwise than after a user's (with a block
    for reasoning in one of the two): there it is what stands between a user's turn and a response, behind the token
    that begins every text, where the template writes one.

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
        before, _ = _frame(render, AFTER_USER)
    except NotRendered as error:
        raise ModelError(
            f"the chat template of {tokenizer.name_or_path} cannot render a user's and an assistant's turn: {error}"
        ) from error
    system = [Turn(role="system", content="SystemProbe"), *AFTER_USER]
    call = [*AFTER_USER, Turn(role="assistant", content="A"), Turn(role="tool", content="ToolProbe")]
    begin = tokenizer.bos_token or ""
    begin = begin if before.startswith(begin) else ""
    return ChatTemplate(
        tokenizer=tokenizer,
        render=render,
        shows_system=_writes(render, system, "SystemProbe"),
        shows_tools=_writes(render, call, "ToolProbe"),
        can=abilities(render),
        begin=begin,
        lone_header=_lone_header(render, before, begin),
        special=frozenset(tokenizer.added_tokens_decoder),
    )


def _said(sample: Conversation) -> tuple[str, str]:
    """The reasoning and the content of a sample's response, as they must be found in what a template writes."""
    if not sample.messages:
        return "", sample.response
    response = sample.messages[-1]
    return (response.get("reasoning_content") or "").strip(), response.get("content") or ""


def _frame(
    render: Render, prompt: Sequence[Mapping[str, Any]], tools: list[Any] | None = None
) -> tuple[str, str]:
    """What the template writes before and after a sentinel in the response's place."""
    sentinel = _sentinel([turn["content"] for turn in prompt])
    marked = render([*prompt, {"role": "assistant", "content": sentinel}], tools=tools)
    # the last occurrence: a template may quote the final turn before it, but nothing follows its closing
    start = marked.rfind(sentinel)
    if start < 0:
        raise NotRendered("the assistant's content is not in what it writes")
    return marked[:start], marked[start + len(sentinel) :]


def _sentinel(contents: Sequence[str]) -> str:
    """A word that occurs in none of the contents."""
    sentinel = "ResponseSentinel"
    while any(sentinel in content for content in contents):
        sentinel += "X"
    return sentinel


def _writes(render: Render, prompt: Sequence[Turn], probe: str) -> bool:
    try:
        return probe in render([*prompt, {"role": "assistant", "content": "A"}])
    except NotRendered:
        return False


def _lone_header(render: Render, before: str, begin: str) -> str:
    """See `read_template`; `before` is what stands before a response to a user's turn."""
    try:
        shorter = render(AFTER_USER)
    except NotRendered:
        shorter = ""
    opening = before[len(shorter) :] if shorter and before.startswith(shorter) else ""
    try:
        alone, _ = _frame(render, [])
    except NotRendered:
        return begin + opening
    return alone if alone.endswith(opening) else begin + opening


def _user(content: str) -> Message:
    return {"role": "user", "content": content}


def _tool_as_user(turn: Message) -> Message:
    return _user(turn["content"]) if turn["role"] == "tool" else turn


def _system_into_first_user(prompt: Sequence[Message]) -> list[Message]:
    """The prompt without system turns, their text on top of the first user turn (or as one)."""
    system = "\n\n".join(turn["content"] for turn in prompt if turn["role"] == "system" and turn["content"])
    rest = [turn for turn in prompt if turn["role"] != "system"]
    if not system:
        return rest
    for at, turn in enumerate(rest):
        if turn["role"] == "user":
            return [*rest[:at], _user(f"{system}\n\n{turn['content']}"), *rest[at + 1 :]]
    return [_user(system), *rest]


def _alternating(prompt: Sequence[Message]) -> list[Message]:
    """The prompt with a tool's turns as a user's and neighbours of one role as one turn."""
    merged: list[Message] = []
    for turn in map(_tool_as_user, prompt):
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1] = {**merged[-1], "content": f"{merged[-1]['content']}\n\n{turn['content']}"}
        else:
            merged.append(turn)
    return merged
