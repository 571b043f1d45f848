"""Samples -> token ids with the span of the response: what the model reads, and which of it is scored."""

from backend.prompts.encode import encode
from backend.prompts.encoded import EMPTY_RESPONSE, NO_RESPONSE_TOKEN, Encoded, Sequences
from backend.prompts.prefix import Prefix, prefix
from backend.prompts.show import show
from backend.prompts.template import ChatTemplate, Rendering, read_template
from backend.prompts.token_counts import count_lengths

__all__ = [
    "EMPTY_RESPONSE",
    "NO_RESPONSE_TOKEN",
    "ChatTemplate",
    "Encoded",
    "Prefix",
    "Rendering",
    "Sequences",
    "count_lengths",
    "encode",
    "prefix",
    "read_template",
    "show",
]
