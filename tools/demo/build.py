"""Builds everything under `assets/demo`: `python -m tools.demo.build --help`."""

import argparse
from pathlib import Path

from tools.demo.leakage import LeakageGuard
from tools.demo.pool import POOL_SIZE, Variant, build_heldout, build_pool, write_rows

DEFAULT_OUT = Path("assets/demo")
DEFAULT_WORK = Path("/tmp/iterit-demo")
DEFAULT_TOKENS = 12_500_000


def main() -> None:
    """Read the arguments and build the part that they name."""
    arguments = read_arguments()
    if arguments.part == "check":
        from tools.demo.check import print_check

        print_check(arguments.out)
        return
    if arguments.part in ("pool", "all"):
        write_pool(arguments.out, variant=arguments.variant)
    if arguments.part in ("tokenizer", "all"):
        write_tokenizer(arguments.out)
    if arguments.part in ("model", "all"):
        write_model(arguments.out, arguments.work, tokens=arguments.tokens, use_compile=not arguments.eager)


def read_arguments() -> argparse.Namespace:
    """The command line's arguments."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo.build", description=__doc__)
    parser.add_argument(
        "part",
        choices=["pool", "tokenizer", "model", "all", "check"],
        help="pool: pool.jsonl and heldout.jsonl (seconds); tokenizer: the tokenizer's files (seconds); "
        "model: pre-training with the tokenizer found there (about an hour on two cores); all: these three; "
        "check: score the pool with the model and print what complexity sees of each label",
    )
    parser.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, help="folder to write to (default: %(default)s)"
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=DEFAULT_WORK,
        help="folder for token stream, checkpoints and log; an interrupted training goes on from there "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--tokens", type=int, default=DEFAULT_TOKENS, help="tokens to pre-train on (default: %(default)s)"
    )
    parser.add_argument(
        "--variant",
        choices=["hard", "plain"],
        default="hard",
        help="how much noise the pool has; the demo ships the hard one (default: %(default)s)",
    )
    parser.add_argument("--eager", action="store_true", help="train without torch.compile (slower)")
    return parser.parse_args()


def write_pool(out: Path, *, variant: Variant) -> None:
    """Write `pool.jsonl` and `heldout.jsonl`."""
    out.mkdir(parents=True, exist_ok=True)
    pool = build_pool(size=POOL_SIZE, variant=variant)
    write_rows(pool, out / "pool.jsonl")
    write_rows(build_heldout(pool), out / "heldout.jsonl")


def make_guard() -> LeakageGuard:
    """The guard that keeps the shipped pool and the held-out rows out of the pre-training text."""
    pool = build_pool()
    return LeakageGuard([row.pair() for row in pool], [row.pair() for row in build_heldout(pool)])


def write_tokenizer(out: Path) -> None:
    """Train the tokenizer and write its files to `<out>/model`."""
    from tools.demo.corpus import draw_documents
    from tools.demo.pretrain import TOKENIZER_DOCUMENTS, TOKENIZER_SEED, train_tokenizer

    documents = draw_documents(TOKENIZER_SEED, TOKENIZER_DOCUMENTS, make_guard())
    train_tokenizer(documents).save_pretrained(out / "model")


def write_model(out: Path, work: Path, *, tokens: int, use_compile: bool) -> None:
    """Pre-train the model and write its weights to `<out>/model`."""
    from transformers import PreTrainedTokenizerFast

    from tools.demo.pretrain import Schedule, Shape, load_or_draw_stream, save_model, train, write_log

    tokenizer = PreTrainedTokenizerFast.from_pretrained(out / "model")
    stream = load_or_draw_stream(tokenizer, tokens, make_guard(), work)
    shape = Shape()
    records = train(
        tokenizer,
        stream,
        schedule=Schedule(tokens=tokens),
        shape=shape,
        work_folder=work,
        use_compile=use_compile,
    )
    write_log(records, work / "log.jsonl")
    save_model(work / "checkpoint.pt", len(tokenizer), shape, out / "model")


if __name__ == "__main__":
    main()
