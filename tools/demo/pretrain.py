"""The tiny model's tokenizer and its pre-training on the demo's corpus.

torch and transformers are imported here and nowhere else in the package.
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tools.demo.corpus import draw_documents
from tools.demo.leakage import LeakageGuard

VOCABULARY = 2048
TOKENIZER_SEED = 999
TOKENIZER_DOCUMENTS = 20_000
CORPUS_SEED = 1_000_003
DOCUMENTS_PER_BLOCK = 1000
MODEL_SEED = 1
CHECKPOINT_EVERY = 250
LOG_EVERY = 50

END_OF_TEXT, PADDING, END_OF_TURN = "<|endoftext|>", "<|pad|>", "<|end|>"
SPECIAL_TOKENS = [END_OF_TEXT, PADDING, "<|system|>", "<|user|>", "<|assistant|>", END_OF_TURN]

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|' + message['role'] + '|>\n' + message['content'] -}}"
    "{{- eos_token if message['role'] == 'assistant' else '<|end|>\n' -}}"
    "{%- endfor -%}"
    "{{- '<|assistant|>\n' if add_generation_prompt else '' -}}"
)


@dataclass(frozen=True)
class Shape:
    """The model's size; the defaults are the shipped model's (2.16 M parameters)."""

    hidden: int = 192
    layers: int = 4
    heads: int = 6
    feed_forward: int = 512
    positions: int = 512


@dataclass(frozen=True)
class Schedule:
    """How the model is trained; the defaults are the shipped model's.

    The learning rate rises over `warm_up` steps, stays, and falls linearly over the last `decay_share` of the
    steps to `final_share` of itself. tokens : in all, of which `batch * length` make a step
    """

    tokens: int = 12_500_000
    batch: int = 16
    length: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    clip: float = 1.0
    warm_up: int = 100
    decay_share: float = 0.18
    final_share: float = 0.02

    @property
    def steps(self) -> int:
        """The number of optimizer steps."""
        return self.tokens // (self.batch * self.length)

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        decay_start = int(self.steps * (1 - self.decay_share))
        factor = min(1.0, (step + 1) / self.warm_up)
        if step >= decay_start:
            factor *= max(self.final_share, 1 - (step - decay_start) / (self.steps - decay_start))
        return self.learning_rate * factor


def train_tokenizer(documents: Iterator[str], vocabulary: int = VOCABULARY) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer that keeps digits single, with the chat template of special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=PADDING,
        additional_special_tokens=SPECIAL_TOKENS[2:],
        model_max_length=Shape.positions,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def make_model(vocabulary: int, shape: Shape) -> LlamaForCausalLM:
    """An untrained model; the same weights each time."""
    torch.manual_seed(MODEL_SEED)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=shape.hidden,
            intermediate_size=shape.feed_forward,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.heads,
            max_position_embeddings=shape.positions,
            tie_word_embeddings=True,
            rms_norm_eps=1e-5,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=1,
        )
    )


def draw_token_stream(
    tokenizer: PreTrainedTokenizerFast, tokens: int, guard: LeakageGuard | None
) -> np.ndarray:
    """The corpus as token ids, shape (tokens,), uint16; end-of-text comes before each document."""
    start = tokenizer.bos_token_id
    pieces = [
        np.array([start, *ids], dtype=np.uint16)
        for _, block in draw_blocks(tokenizer, tokens, guard)
        for ids in block
    ]
    return np.concatenate(pieces)[:tokens]


def draw_blocks(
    tokenizer: PreTrainedTokenizerFast, tokens: int, guard: LeakageGuard | None
) -> Iterator[tuple[list[str], list[list[int]]]]:
    """The corpus's documents and their token ids, a block at a time, until there are `tokens`."""
    found = block = 0
    while found < tokens:
        documents = list(draw_documents(CORPUS_SEED + block, DOCUMENTS_PER_BLOCK, guard))
        ids = tokenizer(documents, add_special_tokens=False)["input_ids"]
        found += sum(len(one) + 1 for one in ids)
        yield documents, ids
        block += 1


def train(
    tokenizer: PreTrainedTokenizerFast,
    stream: np.ndarray,
    *,
    schedule: Schedule,
    shape: Shape,
    work_folder: Path,
    use_compile: bool = True,
) -> Iterator[dict[str, float]]:
    """Train a model on `stream` and yield a record per `LOG_EVERY` steps.

    Checkpoints go to `work_folder/checkpoint.pt`, and training goes on from there where there is one.
    `schedule.tokens` may differ from the interrupted run's as long as the learning rate had not begun to
    fall.
    stream : (n,) uint16 with n >= schedule.tokens
    """
    work_folder.mkdir(parents=True, exist_ok=True)
    checkpoint_path = work_folder / "checkpoint.pt"
    model = make_model(len(tokenizer), shape).train()
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": schedule.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=schedule.learning_rate,
        betas=(0.9, 0.95),
        fused=True,
    )
    first_step = 0
    if checkpoint_path.exists():
        checkpoint = torch.load(checkpoint_path)
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        first_step = checkpoint["step"]

    def next_token_loss(ids: torch.Tensor) -> torch.Tensor:
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        logits = model.lm_head(hidden).float()
        return torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))

    loss_function = torch.compile(next_token_loss) if use_compile else next_token_loss
    windows = stream[: schedule.steps * schedule.batch * schedule.length]
    batches = windows.reshape(schedule.steps, schedule.batch, schedule.length)
    average = math.nan
    started = time.monotonic()
    for step in range(first_step, schedule.steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule.learning_rate_at(step)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_function(torch.from_numpy(batches[step].astype(np.int64)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), schedule.clip)
        optimizer.step()
        average = loss.item() if math.isnan(average) else 0.95 * average + 0.05 * loss.item()
        done = step + 1
        if done % CHECKPOINT_EVERY == 0 or done == schedule.steps:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": done}
            save_checkpoint(state, checkpoint_path)
        if done % LOG_EVERY == 0 or done == schedule.steps:
            speed = (done - first_step) * schedule.batch * schedule.length / (time.monotonic() - started)
            yield {
                "step": done,
                "steps": schedule.steps,
                "loss": round(average, 4),
                "tokens_per_s": round(speed),
            }


def save_checkpoint(state: dict, path: Path) -> None:
    """Write a checkpoint under a temporary name, then rename it."""
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)


def save_model(checkpoint_path: Path, vocabulary: int, shape: Shape, folder: Path) -> None:
    """The weights of a checkpoint as float16 safetensors, with configuration and generation settings."""
    model = make_model(vocabulary, shape)
    model.load_state_dict(torch.load(checkpoint_path)["model"])
    model.generation_config = GenerationConfig(
        bos_token_id=0, eos_token_id=0, pad_token_id=1, max_new_tokens=128, do_sample=False
    )
    model.half().save_pretrained(folder)


def load_or_draw_stream(
    tokenizer: PreTrainedTokenizerFast, tokens: int, guard: LeakageGuard, work_folder: Path
) -> np.ndarray:
    """The token stream, kept in `work_folder/stream.npy` so that it is drawn only once."""
    path = work_folder / "stream.npy"
    if path.exists():
        stream = np.load(path)
        if len(stream) >= tokens:
            return stream
    work_folder.mkdir(parents=True, exist_ok=True)
    stream = draw_token_stream(tokenizer, tokens, guard)
    np.save(path, stream)
    return stream


def write_log(records: Iterator[dict[str, float]], path: Path) -> None:
    """Print the records of `train` and append them to a JSON lines file as they come."""
    with path.open("a", encoding="utf-8") as file:
        for record in records:
            line = json.dumps(record)
            print(line, flush=True)
            file.write(line + "\n")
            file.flush()
