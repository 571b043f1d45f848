"""One sample exactly as the model reads it."""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from backend.findings.lengths import notes_of
from backend.model.readable import ModelText
from backend.prompts.encode import checked_template, encode_one
from backend.prompts.render import NotRendered
from backend.prompts.tokens import token_chars, tokenize
from backend.records import Conversation


def show(
    sample: Conversation,
    tokenizer: PreTrainedTokenizerBase,
    *,
    system_prompt: str,
    max_length: int,
) -> ModelText:
    """One sample exactly as the model reads it: text, response span, where it is cut, token counts.

    max_length : tokens after which it is cut (the caller minds the model's positions).

    Raises
    ------
    ModelError : the tokenizer has no chat template or gives no offsets.
    """
    template = checked_template(tokenizer)
    encoded = encode_one(template, sample, system_prompt, max_length)
    try:
        whole = template.conversation(sample, system_prompt=system_prompt)
    except NotRendered as error:
        reason = encoded.reason or f"chat template: {error}"
        return ModelText("", 0, 0, 0, 0, 0, 0, max_length, "", 0, 0, 0, reason)
    (whole_tokens,) = tokenize(tokenizer, [whole.text])
    kept = min(len(whole_tokens), max_length)
    cut = len(whole.text) if kept == len(whole_tokens) else token_chars(whole_tokens, kept - 1)[1]
    return ModelText(
        text=whole.text,
        start=whole.start,
        end=whole.end,
        cut=cut,
        tokens=kept,
        response_tokens=encoded.response_tokens,
        whole_tokens=len(whole_tokens),
        max_length=max_length,
        alone_text=whole.header + whole.text[whole.start : cut],
        alone_start=len(whole.header),
        alone_end=len(whole.header) + max(0, min(whole.end, cut) - whole.start),
        alone_tokens=len(encoded.alone),
        reason=encoded.reason,
        notes=notes_of(whole.changes),
    )
