"""How long rendering and tokenising a pool takes, against the same through transformers' public methods."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from backend.data import load_pool
from backend.data.demo import DEMO
from backend.prompts import Encoded, encode
from benchmarks.common import SHARED, NotRun, pool_input, timed
from benchmarks.plain_encode import Sample, plain_encode

SYSTEM_PROMPT = "You are a helpful assistant."


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", default="pool_52k", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument("--tokenizer", default="tiny-llama", help="tiny-llama, demo, or a folder")
    parser.add_argument("--max-length", type=int, default=2048, help="tokens (default 2048)")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds and rows a second of both ways, and whether every id and every first token is the same."""
    from transformers import AutoTokenizer

    named = {"tiny-llama": SHARED / "golden" / "tiny-llama", "demo": DEMO / "model"}
    folder = named.get(options.tokenizer, Path(options.tokenizer))
    if not folder.is_dir():
        raise NotRun(f"{folder} is not there (ITERIT_SHARED names the folder; --tokenizer takes any other)")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    pool = load_pool([pool_input(options.pool)])
    settings = {"system_prompt": SYSTEM_PROMPT, "max_length": options.max_length}
    encode(pool, tokenizer, rows=np.arange(min(500, len(pool))), **settings)
    encoded, ours = timed(lambda: encode(pool, tokenizer, **settings))
    plain, plain_s = timed(lambda: plain_encode(pool, tokenizer, **settings))
    return {
        "rows": len(pool),
        "tokens": len(encoded.conditioned.ids) + len(encoded.alone.ids),
        "tokenizer": folder.name,
        "identical": identical(encoded, plain),
        "encode_s": round(ours, 2),
        "rows_per_s": round(len(pool) / ours),
        "plain_s": round(plain_s, 2),
        "ratio": round(plain_s / ours, 2),
    }


def identical(encoded: Encoded, plain: list[Sample]) -> bool:
    """Whether every row has the same tokens, first tokens and reason."""
    return len(encoded) == len(plain) and all(
        encoded.conditioned.tokens(row).tolist() == ids
        and encoded.conditioned.first[row] == first
        and encoded.alone.tokens(row).tolist() == lone
        and encoded.alone.first[row] == lone_first
        and encoded.response_tokens[row] == left
        and encoded.reason[row] == reason
        for row, (ids, first, lone, lone_first, left, reason) in enumerate(plain)
    )
