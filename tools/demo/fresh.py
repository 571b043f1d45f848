"""Fresh rows of the demo's world, for comparisons on samples that no choice was ever made with.

`python -m tools.demo.fresh --help`. The held-out rows that ship with the demo were looked at when its chat template was
chosen. These come from another seed of the same generator, from the tables that serve held-out rows alone, and keep the
same rules (`leakage`): what is among the shipped rows, in the pool, or in the pre-training text is left out.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.demo.leakage import MIN_RESPONSE_WORDS, LeakageGuard, PhraseIndex, normalise
from tools.demo.pool import HELDOUT_SIZE, HeldoutRow, Row, Variant, build_heldout, build_pool, write_rows

FRESH_SEED = 271_828_182
SPARE = 3  # that many times the wanted rows are drawn, since some will be left out


def main() -> None:
    """Write pools and held-out rows of both variants."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo.fresh", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write hard/ and plain/ to")
    parser.add_argument(
        "--seed", type=int, default=FRESH_SEED, help="of the held-out rows (default: %(default)s)"
    )
    arguments = parser.parse_args()
    pools, held_out, left_out = fresh_rows(seed=arguments.seed)
    for variant, pool in pools.items():
        folder = arguments.out / variant
        folder.mkdir(parents=True, exist_ok=True)
        write_rows(pool, folder / "pool.jsonl")
        write_rows(held_out, folder / "heldout.jsonl")
    common = sum(row.cohort == "common" for row in held_out)
    print(f"{len(held_out)} rows held out ({common} common, {len(held_out) - common} rare)")
    print(f"{left_out} drawn rows were left out, because the pre-training text has them")


def fresh_rows(*, seed: int) -> tuple[dict[Variant, list[Row]], list[HeldoutRow], int]:
    """The pool of each variant, held-out rows that are new to all of them, and how many drawn ones the model had read."""
    pools: dict[Variant, list[Row]] = {"hard": build_pool(), "plain": build_pool(variant="plain")}
    shipped = build_heldout(pools["hard"])
    drawn = build_heldout([*pools["hard"], *pools["plain"], *shipped], size=SPARE * HELDOUT_SIZE, seed=seed)
    known = leaked([row.pair() for row in drawn], pretraining_text(pools["hard"], shipped))
    kept = [row for row in drawn if normalise(row.output) not in known]
    held_out: list[HeldoutRow] = []
    for name in ("common", "rare"):
        held_out += [row for row in kept if row.cohort == name][: HELDOUT_SIZE // 2]
    return pools, held_out, len(drawn) - len(kept)


def leaked(pairs: Iterable[tuple[str, str]], documents: Iterable[str]) -> set[str]:
    """The normalised responses that a document holds: of `MIN_RESPONSE_WORDS` words or more anywhere, shorter ones
    together with their prompt.
    """
    pairs = [(normalise(prompt), normalise(response)) for prompt, response in pairs]
    long = PhraseIndex(response for _, response in pairs if len(response.split()) >= MIN_RESPONSE_WORDS)
    prompts = PhraseIndex(prompt for prompt, _ in pairs)
    of_prompt = dict(pairs)
    found: set[str] = set()
    for document in documents:
        found.update(long.find(document))
        padded = f" {normalise(document)} "
        found.update(
            of_prompt[prompt] for prompt in prompts.find(document) if f" {of_prompt[prompt]} " in padded
        )
    return found


def pretraining_text(pool: list[Row], held_out: list[HeldoutRow]) -> Iterator[str]:
    """The documents that the shipped model was trained on, drawn again."""
    from transformers import PreTrainedTokenizerFast

    from tools.demo.build import DEFAULT_OUT, DEFAULT_TOKENS
    from tools.demo.pretrain import draw_blocks

    guard = LeakageGuard([row.pair() for row in pool], [row.pair() for row in held_out])
    tokenizer = PreTrainedTokenizerFast.from_pretrained(DEFAULT_OUT / "model")
    for documents, _ in draw_blocks(tokenizer, DEFAULT_TOKENS, guard):
        yield from documents


if __name__ == "__main__":
    main()
