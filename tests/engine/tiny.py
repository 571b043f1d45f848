"""A two-layer Llama, a byte-level tokenizer and small pools, made in the test: no file, no download."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from backend.records import Pool, Turn

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
CHATML_TRIMMED = CHATML.replace("m['content'] +", "(m['content'] | trim) +")
# writes a system text of its own where there is none, as Qwen's does
CHATML_DEFAULT_SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are Own.<|im_end|>\\n' }}{% endif %}"
    + CHATML
)
LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + "
    "(m['content'] | trim) + '<|eot_id|>' }}{% endfor %}"
)
# no system turn, roles must alternate, another name for the assistant
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% set role = 'model' if m['role'] == 'assistant' else m['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + (m['content'] | trim) + '<end_of_turn>\\n' }}{% endfor %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}{% endfor %}"
)
# leaves out, without a word, every role it does not know
OWN_MARKERS = (
    "{% for m in messages %}{% if m['role'] == 'user' %}{{ '<|user|>\\n' + m['content'] + '<|end|>\\n' }}"
    "{% elif m['role'] == 'assistant' %}{{ '<|assistant|>\\n' + m['content'] + '<|endoftext|>' }}{% endif %}{% endfor %}"
)
TEMPLATES = {
    "chatml": CHATML,
    "chatml_trimmed": CHATML_TRIMMED,
    "chatml_default_system": CHATML_DEFAULT_SYSTEM,
    "llama3": LLAMA3,
    "gemma": GEMMA,
    "mistral": MISTRAL,
    "own_markers": OWN_MARKERS,
}

SPECIAL = [
    "<|pad|>",
    "<s>",
    "</s>",
    "<|im_start|>",
    "<|im_end|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "<|endoftext|>",
]

WORDS = [
    "the",
    "a",
    "list",
    "of",
    "three",
    "animals",
    "is",
    "cat",
    "dog",
    "horse",
    "write",
    "sum",
    "two",
    "numbers",
    "and",
    "one",
    "more",
    "answer",
    "question",
    "how",
    "many",
    "days",
    "are",
    "in",
    "week",
    "seven",
    "name",
    "colour",
    "red",
    "green",
    "blue",
    "city",
    "river",
    "by",
    "sea",
    "first",
    "second",
    "third",
    "because",
    "it",
    "rains",
    "when",
    "cold",
]


def tokenizer(template: str | None = CHATML) -> PreTrainedTokenizerFast:
    """A byte-level BPE of about 400 tokens, trained here on a few words."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator([" ".join(WORDS), "\n".join(WORDS)], trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<|pad|>",
        model_max_length=10**6,
    )
    made.chat_template = template
    return made


def model(
    vocabulary: int = 400, *, seed: int = 0, positions: int = 256, **changes: object
) -> LlamaForCausalLM:
    """A Llama of two layers with random weights, large enough for prompts to matter."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=positions,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.2,
        **changes,
    )
    torch.manual_seed(seed)
    return LlamaForCausalLM(config).eval()


def pool(samples: Sequence[tuple[str | list[Turn], str]], *, sources: Sequence[str] = ("",)) -> Pool:
    """A pool of (prompt or turns, response) pairs."""
    turns = [[Turn(role="user", content=p)] if isinstance(p, str) else p for p, _ in samples]
    seen: dict[str, int] = {}
    ids = []
    for prompt, (_, response) in zip(turns, samples):
        content = hashlib.sha256(repr((prompt, response)).encode()).hexdigest()[:12]
        ids.append(f"{content}-{seen.setdefault(content, 0)}")
        seen[content] += 1
    kind = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    table = pa.table(
        {
            "id": ids,
            "turns": pa.array(turns, type=kind),
            "response": pa.array([response for _, response in samples], type=pa.string()),
            "source": pa.array([sources[i % len(sources)] for i in range(len(samples))]).dictionary_encode(),
            "label": pa.nulls(len(samples), pa.string()),
        }
    )
    return Pool(hashlib.sha256("".join(ids).encode()).hexdigest()[:16], "tiny", table)


def random_pool(n: int, *, seed: int = 0) -> Pool:
    """n samples of a few random words each."""
    draw = np.random.default_rng(seed)

    def words(most: int) -> str:
        return " ".join(draw.choice(WORDS, size=draw.integers(1, most)))

    return pool([(words(12), words(20)) for _ in range(n)], sources=("books", "web"))
