"""What complexity sees of the planted noise: `python -m backend.demo.build check`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from backend.demo.pool import read_heldout, read_pool

BATCH = 32
IGNORED = -100


def print_check(out: Path) -> None:
    """Score pool and held-out rows with the shipped model and print the figures of the README."""
    tokenizer = AutoTokenizer.from_pretrained(out / "model")
    model = AutoModelForCausalLM.from_pretrained(out / "model", dtype=torch.float32)
    pool = read_pool(out / "pool.jsonl")
    losses = score(model, tokenizer, [row.pair() for row in pool])
    print(label_table(losses, [row.label for row in pool]).to_string(float_format="{:.3f}".format))
    heldout = read_heldout(out / "heldout.jsonl")
    losses = score(model, tokenizer, [row.pair() for row in heldout])
    print()
    print(cohort_table(losses, [row.cohort for row in heldout]).to_string(float_format="{:.3f}".format))


def score(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, pairs: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """Response losses of (prompt, response) pairs, one row each.

    Columns: `conditioned` and `alone`, the mean loss in nats per response token with and without the prompt in front
    (the token that ends the turn counts as response); `tokens`, the number of response tokens; `complexity`, the
    ratio of the two perplexities, exp(conditioned - alone).
    """
    conditioned, alone = [], []
    for prompt, response in pairs:
        turn = [{"role": "assistant", "content": response}]
        header = tokenizer.apply_chat_template([], tokenize=False, add_generation_prompt=True)
        text = tokenizer.apply_chat_template(turn, tokenize=False)
        before = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], tokenize=False)
        ids = tokenizer([before + header, header, text[len(header) :]], add_special_tokens=False)["input_ids"]
        conditioned.append((ids[0], ids[2]))
        alone.append((ids[1], ids[2]))
    frame = pd.DataFrame(
        {
            "conditioned": response_losses(model, conditioned, tokenizer.pad_token_id),
            "alone": response_losses(model, alone, tokenizer.pad_token_id),
            "tokens": [len(response) for _, response in conditioned],
        }
    )
    return frame.assign(complexity=np.exp(frame.conditioned - frame.alone))


@torch.no_grad()
def response_losses(
    model: PreTrainedModel, samples: Sequence[tuple[list[int], list[int]]], padding: int
) -> np.ndarray:
    """The mean loss over each sample's response tokens, shape (n,), in nats.

    samples : token ids of (what stands before the response, the response)
    """
    model.eval()
    losses = np.full(len(samples), np.nan)
    order = sorted(range(len(samples)), key=lambda index: sum(map(len, samples[index])))
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        width = max(sum(map(len, samples[index])) for index in chosen)
        ids = torch.full((len(chosen), width), padding)
        targets = torch.full((len(chosen), width), IGNORED)
        for row, index in enumerate(chosen):
            before, response = samples[index]
            end = len(before) + len(response)
            ids[row, :end] = torch.tensor(before + response)
            targets[row, len(before) : end] = torch.tensor(response)
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1].transpose(1, 2)
        token_losses = torch.nn.functional.cross_entropy(
            logits.float(), targets[:, 1:], ignore_index=IGNORED, reduction="none"
        )
        counts = (targets[:, 1:] != IGNORED).sum(1)
        losses[chosen] = (token_losses.sum(1) / counts).numpy()
    return losses


def auroc(negative: np.ndarray, positive: np.ndarray) -> float:
    """The chance that a value of `positive` exceeds one of `negative`, ties counting half."""
    ranks = pd.Series(np.concatenate([negative, positive])).rank().to_numpy()
    above = ranks[len(negative) :].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(negative) * len(positive)))


def label_table(losses: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Per label: rows, median complexity, share of complexity >= 1, AUROC of complexity against the clean rows."""
    groups = losses.complexity.groupby(np.asarray(labels))
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


def cohort_table(losses: pd.DataFrame, cohorts: Sequence[str]) -> pd.DataFrame:
    """Per cohort and for all: rows, mean loss per response token (weighted by tokens), median complexity."""
    cohorts = np.asarray(cohorts)
    groups = {name: losses[cohorts == name] for name in sorted(set(cohorts))} | {"all": losses}
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
