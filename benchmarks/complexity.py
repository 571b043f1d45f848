"""How much faster complexity is than scored as the authors score, with the same numbers from the same model.

On a CPU a Llama of 34 million parameters (Llama 2's proportions and vocabulary, six layers) in float32; with
`--device cuda` one of 2.5 thousand million in bf16. Weights are random and seeded: they cost what trained ones cost.

Model FLOP utilisation, mfu, is what the samples need at least, over what the device could have done in the time:

    FLOP = 2 * L * (t + p) + 2 * H * r + A

L : numbers in the layers' weight matrices, H : those of the output head. t : tokens behind the shared prefixes, p :
tokens of the prefixes, read once, r : response tokens, with the prompt and without. A : attention, 4 * layers * width
for each pair of a token and one it sees, which are (n^2 - p^2) / 2 pairs of a sequence of n tokens. Padding, masks,
norms and everything computed twice count as time, not as work.
"""

from __future__ import annotations

import argparse
import re
import statistics
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from backend.complexity import score
from backend.complexity.losses import ResponseLosses
from backend.complexity.reading_plan import Work, works_of
from backend.config import RunConfig
from backend.data import load_pool
from backend.prompts import Encoded, encode
from benchmarks.common import SHARED, NotRun, pool_input, timed
from benchmarks.plain_scoring import plain_complexity

WORDS = 32_000  # Llama 2's vocabulary
SMALL_PARAMETERS, LARGE_PARAMETERS = 34e6, 2.5e9
# dense peak of the tensor cores in bf16, FLOP/s, from the makers' data sheets; by what the device calls itself
PEAKS = {
    "H200": 989e12,
    "H100 NVL": 835e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L40": 181e12,
    "L4": 121e12,
    "RTX 4090": 165e12,
}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", default="pool_small", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--samples", type=int, help="evenly spaced over the pool (600; on a GPU 4000)")
    parser.add_argument("--parameters", type=float, help="of the model, about (34e6; on a GPU 2.5e9)")
    parser.add_argument("--precision", choices=tuple(DTYPES), help="fp32; on a GPU bf16")
    parser.add_argument("--plain-batch", type=int, default=8, help="samples in a batch of the plain way (8)")
    parser.add_argument("--batch-tokens", type=int, help="tokens in a batch of ours (the default of a run)")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (1: the machine may be shared)")
    parser.add_argument(
        "--peak-tflops", type=float, help="what the device can do, for a model not in the table"
    )
    parser.add_argument("--tied", action="store_true", help="embeddings are the head, and twice the layers")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds and ratio of both ways; their complexities are compared.

    max_rel_diff : largest relative difference of a complexity; float32 rounds at 1e-5 here. In bf16 both ways round
    every activation to 8 bits, and summing in another order moves a loss by about 1e-2: a few percent are expected.

    Raises
    ------
    NotRun : there is no such device, or the pool or tokenizer is not there.
    """
    gpu = options.device == "cuda"
    if gpu and not torch.cuda.is_available():
        raise NotRun("there is no CUDA device here; without --device cuda the CPU is measured")
    torch.set_num_threads(options.threads)
    encoded, rows = samples(options.pool, options.samples or (4000 if gpu else 600))
    precision = options.precision or ("bf16" if gpu else "fp32")
    model = random_llama(
        options.parameters or (LARGE_PARAMETERS if gpu else SMALL_PARAMETERS),
        device=options.device,
        dtype=DTYPES[precision],
        tied=options.tied,
    )
    batch_tokens = options.batch_tokens or RunConfig().batch_tokens

    few = rows[: 2 * options.plain_batch]  # memory is fetched, kernels are chosen
    score(model, encoded, few, batch_tokens=batch_tokens, precision=precision)
    plain_complexity(model, encoded, few, size=options.plain_batch)
    ours, seconds = timed(lambda: score(model, encoded, rows, batch_tokens=batch_tokens, precision=precision))
    (plain, plain_read), plain_seconds = timed(
        lambda: plain_complexity(model, encoded, rows, size=options.plain_batch)
    )

    works = planned(model, encoded, rows, batch_tokens)
    tokens = sum(work.tokens for work in works)
    difference = np.abs(ours.complexity[rows] / plain - 1)
    flop = needed_flop(model, encoded, rows, works)
    peak, why = device_peak(options)
    return {
        "device": torch.cuda.get_device_name() if gpu else "cpu",
        "samples": len(rows),
        "parameters": model.num_parameters(),
        "vocabulary": WORDS,
        "precision": precision,
        "threads": torch.get_num_threads(),
        "ratio": round(plain_seconds / seconds, 2),
        "max_rel_diff": float(difference.max()),
        "median_rel_diff": float(statistics.median(difference)),
        "tokens_per_s": round(tokens / seconds),
        "seconds": round(seconds, 2),
        "plain_s": round(plain_seconds, 2),
        "plain_batch": options.plain_batch,
        "padding": round(1 - sum(work.read for work in works) / sum(work.cost for work in works), 4),
        "plain_padding": round(1 - tokens / plain_read, 4),
        "prefix_tokens": [max(work.skip for work in works if work.group == group) for group in (0, 1)],
        "tflop_per_s": round(flop / seconds / 1e12, 3),
        "mfu": round(flop / seconds / peak, 3) if peak else float("nan"),
        "mfu_reason": why,
    }


def tokenizer() -> PreTrainedTokenizerFast:
    """The small tokenizer, with a chat template."""
    folder = SHARED / "golden" / "tiny-llama"
    if not folder.is_dir():
        raise NotRun(f"{folder} is not there (ITERIT_SHARED names the folder)")
    return PreTrainedTokenizerFast.from_pretrained(folder)


def samples(pool_name: str, count: int) -> tuple[Encoded, np.ndarray]:
    """A pool encoded with the small tokenizer as a run does by default, and the rows that can be scored of `count`
    that are evenly spaced over it, so that every source has its share."""
    reader = tokenizer()
    pool = load_pool([pool_input(pool_name)])
    if count > len(pool):  # a GPU's benchmark asks for more than the small pool has
        pool = load_pool([pool_input("pool_52k")])
    rows = np.unique(np.linspace(0, len(pool) - 1, count).round().astype(np.int64))
    settings = RunConfig()
    encoded = encode(
        pool, reader, system_prompt=settings.system_prompt, max_length=settings.max_length, rows=rows
    )
    return encoded, rows[encoded.reason[rows] == ""]


def random_llama(
    parameters: float, *, device: str, dtype: torch.dtype, tied: bool = False
) -> LlamaForCausalLM:
    """A Llama of about so many parameters in Llama 2's proportions: heads of 64, the inner layer 8/3 as wide, three
    query heads to a key's, 64 times as wide as deep; tied, with twice the layers."""
    layers, width = min(
        ((layers, width) for width in range(192, 8192, 192) for layers in (max(2, round(width / 64)),)),
        key=lambda shape: abs(_size(*shape, tied=tied) - parameters),
    )
    config = LlamaConfig(
        vocab_size=WORDS,
        hidden_size=width,
        intermediate_size=width * 8 // 3,
        num_hidden_layers=layers * (2 if tied else 1),
        num_attention_heads=width // 64,
        num_key_value_heads=width // 192,
        max_position_embeddings=2048,
        tie_word_embeddings=tied,
    )
    torch.manual_seed(0)
    with torch.device(device):
        return LlamaForCausalLM(config).to(dtype).eval()


def _size(layers: int, width: int, *, tied: bool) -> int:
    """Parameters of `random_llama`, norms left out."""
    per_layer = width * width * 2 + 2 * width * width // 3 + 3 * width * (width * 8 // 3)
    return layers * (2 if tied else 1) * per_layer + (1 if tied else 2) * WORDS * width


def planned(model: PreTrainedModel, encoded: Encoded, rows: np.ndarray, batch_tokens: int) -> list[Work]:
    """The batches that `score` reads."""
    groups = (encoded.conditioned, encoded.alone)
    with torch.no_grad():
        return works_of(ResponseLosses(model), groups, rows, encoded.pad_id, batch_tokens)


def needed_flop(model: PreTrainedModel, encoded: Encoded, rows: np.ndarray, works: list[Work]) -> float:
    """The formula at the top of this file."""
    config = model.config
    head = config.vocab_size * config.hidden_size
    matrices = sum(weight.numel() for weight in model.model.layers.parameters() if weight.dim() == 2)
    prefixes = {work.group: work.skip for work in works}
    tokens = sum(work.read for work in works) + sum(prefixes.values())
    responses = 2 * int(encoded.response_tokens[rows].sum())
    pairs = 0.0
    for group, of in enumerate((encoded.conditioned, encoded.alone)):
        pairs += float((of.lengths[rows].astype(float) ** 2 - prefixes[group] ** 2).sum()) / 2
    attention = 4 * config.num_hidden_layers * config.hidden_size * pairs
    return 2.0 * matrices * tokens + 2.0 * head * responses + attention


def device_peak(options: argparse.Namespace) -> tuple[float | None, str]:
    """FLOP/s in bf16, or None with the reason why it is not known."""
    if options.peak_tflops:
        return options.peak_tflops * 1e12, ""
    if options.device != "cuda":
        return None, "the peak of this CPU is not known (--peak-tflops gives it)"
    name = torch.cuda.get_device_name()
    words = set(re.split(r"[\s-]+", name))
    found = next((peak for known, peak in PEAKS.items() if words.issuperset(known.split())), None)
    if found is None:
        return None, f"{name} is not in the table of peaks (--peak-tflops gives it)"
    return (found, "") if options.precision in (None, "bf16") else (None, "the table holds bf16 peaks")
