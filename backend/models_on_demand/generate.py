"""One model's answer to one prompt, token by token."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from backend.complexity import token_losses
from backend.errors import ModelError, Stopped
from backend.model.load import usable_length
from backend.models_on_demand.questions import Answer, AskedModel, EndedBy, Sampling
from backend.prompts import Prefix, prefix
from backend.records import Conversation, Turn

OnAnswer = Callable[[Answer], None]


def answer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    turns: Sequence[Turn],
    asked: AskedModel,
    *,
    sampling: Sampling,
    reference: str | None = None,
    on_answer: OnAnswer = lambda answer: None,
) -> Answer:
    """Answer a prompt, then measure how well the model expects a reference response.

    The prompt is rendered as in the training of the run that the model is asked for. The same prompt, model, sampling
    and machine give the same text.

    reference : a held-out sample's response, whose loss is measured as scoring does; None for none.
    on_answer : gets the answer as far as it is after each token; may raise `Stopped`, which ends the answer in order.

    Raises
    ------
    ModelError : the prompt cannot be rendered, or is longer than the model can read.
    """
    before = prefix(turns, tokenizer, system_prompt=asked.system_prompt)
    written = _write(model, tokenizer, before, sampling, on_answer)
    if reference is None or written.state == "stopped":
        return written
    try:
        on_answer(dataclasses.replace(written, state="reading"))
    except Stopped:
        return written
    found = token_losses(
        model,
        tokenizer,
        Conversation(list(turns), reference),
        system_prompt=asked.system_prompt,
        max_length=usable_length(model, asked.max_length),
        precision=asked.precision,
    )
    return dataclasses.replace(
        written,
        reference_loss=found.loss_cond,
        reference_tokens=found.response_tokens,
        reference_reason=found.reason,
    )


def _write(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    before: Prefix,
    sampling: Sampling,
    tell: OnAnswer,
) -> Answer:
    """The answer's text, in state "done" or "stopped"."""
    limit, ended = _limit(model, before, sampling)
    ends = _end_ids(model, before)
    started = time.monotonic()
    said = Answer("answering", prompt_tokens=len(before.ids))

    def take(ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        """Called by `generate` with all tokens after each one; whether the answer is at its end."""
        nonlocal said, ended
        new = ids[0, len(before.ids) :].tolist()
        closed = new[-1] in ends  # with an end token no text comes
        if not closed:
            text, closed = _text(tokenizer, new, before)
            said = dataclasses.replace(said, text=text, tokens=len(new), seconds=time.monotonic() - started)
        if closed:
            ended = "end"
        else:
            tell(said)
        return torch.full((1,), closed, device=ids.device, dtype=torch.bool)

    try:
        tell(said)
        torch.manual_seed(sampling.seed)
        generate: Any = model.generate  # a mixin's method, which torch's annotations hide
        with torch.inference_mode():
            given = torch.tensor([before.ids], device=model.device)
            generate(
                given,
                attention_mask=torch.ones_like(given),
                generation_config=_configuration(sampling, limit, ends, tokenizer),
                stopping_criteria=[take],
            )
    except Stopped:
        ended = "stopped"
    return dataclasses.replace(
        said,
        state="stopped" if ended == "stopped" else "done",
        ended=ended,
        seconds=time.monotonic() - started,
    )


def _limit(model: PreTrainedModel, before: Prefix, sampling: Sampling) -> tuple[int, EndedBy]:
    """How many tokens may be written, and what ends the answer after so many."""
    room = usable_length(model, len(before.ids) + sampling.max_new_tokens) - len(before.ids)
    if not before.ids:
        raise ModelError(
            "the chat template writes nothing before a response, so there is nothing to continue"
        )
    if room < 1:
        raise ModelError(
            f"the prompt is {len(before.ids):,} tokens long, and the model was built for "
            f"{usable_length(model, len(before.ids) + 1):,}: no token is left for an answer"
        )
    return room, "limit" if room == sampling.max_new_tokens else "positions"


def _end_ids(model: PreTrainedModel, before: Prefix) -> tuple[int, ...]:
    """What ends the answer: the template's and tokenizer's tokens, and those that the model itself names."""
    own = model.generation_config.eos_token_id if model.generation_config is not None else None
    named = [] if own is None else [own] if isinstance(own, int) else own
    return tuple(sorted({*before.end_ids, *named}))


def _configuration(
    sampling: Sampling, limit: int, ends: tuple[int, ...], tokenizer: PreTrainedTokenizerBase
) -> GenerationConfig:
    """Everything that shapes an answer, named: what a model's own files suggest has no part in it."""
    common = {
        "max_new_tokens": limit,
        "eos_token_id": list(ends) or None,
        "pad_token_id": tokenizer.pad_token_id,
        "repetition_penalty": 1.0,
        "no_repeat_ngram_size": 0,
        "num_beams": 1,
    }
    if sampling.temperature == 0:
        return GenerationConfig(**common, do_sample=False)
    return GenerationConfig(
        **common, do_sample=True, temperature=float(sampling.temperature), top_k=0, top_p=1.0, min_p=None
    )


def _text(tokenizer: PreTrainedTokenizerBase, ids: list[int], before: Prefix) -> tuple[str, bool]:
    """The text so far, and whether it has come to the end of the turn. Half a character is left for later."""
    text = str(tokenizer.decode(ids, skip_special_tokens=True)).rstrip("\ufffd").removeprefix(before.gap)
    at = text.find(before.end_text) if before.end_text else -1
    return (text[:at] if at >= 0 else text), at >= 0
