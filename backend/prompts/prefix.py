"""What stands before an answer: the tokens that a model continues, as in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from backend.errors import ModelError
from backend.prompts.encode import checked_template
from backend.prompts.render import NotRendered
from backend.prompts.tokens import first_token, token_chars, tokenize
from backend.records import Conversation, Turn

# a response's place has to be filled for the template to write what stands before it; where that ends with a space,
# some beginnings take the space into their first token
PROBES = ("The", "the", "A", "I", "1")


@dataclass(frozen=True)
class Prefix:
    """A conversation up to where the response begins.

    ids : its tokens, which are the ones before the first response token in training.
    end_ids : tokens that end the response: what the template closes a turn with, where that is a special token, and
        the tokenizer's end token.
    end_text : the text that closes the turn where it is no special token, else "".
    gap : what the template writes before a response that is no token of its own, such as the space of "Answer: ";
        the first response token brings it.
    """

    ids: list[int]
    end_ids: tuple[int, ...]
    end_text: str
    gap: str


def prefix(turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase, *, system_prompt: str) -> Prefix:
    """The tokens that a model continues to answer these turns.

    The conversation is rendered with a response in its place and cut before that, not with the template's generation
    prompt: the model is to read what it read in training, and a template may write something else there.

    Raises
    ------
    ModelError : the tokenizer has no chat template or gives no offsets, or the template refuses the conversation.
    """
    template = checked_template(tokenizer)
    try:
        wholes = [
            template.conversation(Conversation(list(turns), probe), system_prompt=system_prompt)
            for probe in PROBES
        ]
    except NotRendered as error:
        raise ModelError(f"the chat template refuses this conversation: {error}") from error
    encodings = tokenize(tokenizer, [whole.text for whole in wholes])
    firsts = [
        first_token(encoding, whole.text, whole.start, template.special)
        for whole, encoding in zip(wholes, encodings, strict=True)
    ]
    first, at = min((first, at) for at, first in enumerate(firsts))
    whole, encoding = wholes[at], encodings[at]
    special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
    ends = {tokenizer.eos_token_id} - {None}
    closing = next(
        (token for token in range(first, len(encoding)) if token_chars(encoding, token)[0] >= whole.end), None
    )
    end_text = ""
    if closing is not None and encoding.ids[closing] in special:
        ends.add(encoding.ids[closing])
    else:
        end_text = whole.text[whole.end :].strip()
    gap = whole.text[token_chars(encoding, first - 1)[1] if first else 0 : whole.start]
    return Prefix(list(encoding.ids[:first]), tuple(sorted(ends)), end_text, gap)
