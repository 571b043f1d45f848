"""What complexity sees of the planted noise: `python -m tools.demo.build check`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from backend.complexity import score
from backend.data import load_pool
from backend.prompts import encode
from backend.records import Pool
from tools.demo.pool import read_heldout

MAX_LENGTH = 512
BATCH_TOKENS = 8192


def print_check(out: Path) -> None:
    """Score pool and held-out rows with the model in `out` and print the figures of the README."""
    tokenizer = AutoTokenizer.from_pretrained(out / "model")
    model = AutoModelForCausalLM.from_pretrained(out / "model", dtype=torch.float32)
    pool = load_pool([out / "pool.jsonl"])
    labels = pool.table["label"].to_pylist()
    print(as_text(label_table(score_pool(model, tokenizer, pool), labels)))
    heldout = load_pool([out / "heldout.jsonl"])
    frequencies = [row.cohort for row in read_heldout(out / "heldout.jsonl")]
    print()
    print(as_text(frequency_table(score_pool(model, tokenizer, heldout), frequencies)))


def as_text(table: pd.DataFrame) -> str:
    """A table for the terminal: shares and losses with three decimals, counts without."""
    return table.astype({"rows": int}).to_string(float_format="{:.3f}".format)


def score_pool(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, pool: Pool) -> pd.DataFrame:
    """The project's own scores, one row per sample, without a system turn.

    Columns: `conditioned` and `alone`, the mean loss in nats per response token with and without the prompt;
    `complexity`, exp(conditioned - alone); `tokens`, the number of response tokens.
    """
    encoded = encode(pool, tokenizer, system_prompt="", max_length=MAX_LENGTH)
    scores = score(model, encoded, batch_tokens=BATCH_TOKENS)
    return pd.DataFrame(
        {
            "conditioned": scores.loss_cond,
            "alone": scores.loss_prior,
            "complexity": scores.complexity,
            "tokens": encoded.response_tokens,
        }
    )


def auroc(negative: np.ndarray, positive: np.ndarray) -> float:
    """The chance that a value of `positive` exceeds one of `negative`, ties counting half."""
    ranks = pd.Series(np.concatenate([negative, positive])).rank().to_numpy()
    above = ranks[len(negative) :].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(negative) * len(positive)))


def label_table(scores: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Per label: rows, median complexity, share of complexity >= 1, AUROC of complexity against the clean rows."""
    groups = scores.complexity.groupby(np.asarray(labels))
    clean = groups.get_group("clean").to_numpy()
    table = pd.DataFrame(
        {
            "rows": groups.size(),
            "median": groups.median(),
            "at least 1": groups.apply(lambda values: float((values >= 1).mean())),
            "AUROC": groups.apply(lambda values: auroc(clean, values.to_numpy())),
        }
    )
    return table.sort_values("rows", ascending=False)


def frequency_table(scores: pd.DataFrame, frequencies: Sequence[str]) -> pd.DataFrame:
    """Per frequency of a family and for all: rows, mean loss per response token (weighted by tokens), median complexity."""
    names = np.asarray(frequencies)
    groups = {name: scores[names == name] for name in sorted(set(frequencies))} | {"all": scores}
    return pd.DataFrame(
        {
            name: {
                "rows": len(group),
                "loss": np.average(group.conditioned, weights=group.tokens),
                "loss alone": np.average(group.alone, weights=group.tokens),
                "complexity": group.complexity.median(),
            }
            for name, group in groups.items()
        }
    ).T
