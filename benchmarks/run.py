"""What a whole run spends on anything but its model: a worker's run as `tune` starts it, and the bare steps of it.

Training, scoring and measuring the held-out loss are the model's. Overhead is the rest between the worker's first
word and its last: reading the pool and the model, encoding, counting n-grams, selecting, writing records and
checkpoints, setting the Trainer up, saving the model. Starting the process and importing torch and transformers
comes before, and is told apart.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from backend import store
from backend.config import RunConfig, config_from
from backend.data import load_pool
from backend.jobs.run_launch import with_absolute_paths
from backend.records import Progress
from backend.store import database
from benchmarks.common import REPOSITORY, SHARED, NotRun, pool_input

MODEL_STAGES = ("score", "train", "evaluate")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", default="pool_small", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument("--model", default="tiny-llama", help="tiny-llama, demo, or a folder")
    parser.add_argument("--epochs", type=int, default=3, help="epochs to train (default 3)")
    parser.add_argument("--budget", type=float, default=0.05, help="share of the pool (default 0.05)")
    parser.add_argument(
        "--threads",
        type=int,
        default=0,
        help="of the model; 0 as torch has it. 1 where others use the machine too",
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds by stage of one run in a folder of its own, of the bare loop over the same rows, and of epoch 0's scoring
    in a second run, which finds its scores there."""
    model = options.model
    if model == "tiny-llama":
        model = str(SHARED / "golden" / "tiny-llama")
        if not Path(model).is_dir():
            raise NotRun(f"{model} is not there (ITERIT_SHARED names the folder; --model takes any other)")
    config = with_absolute_paths(
        config_from(
            {
                "pool": (pool_input(options.pool),),
                "model": model,
                "epochs": options.epochs,
                "budget": options.budget,
                "threads": options.threads,
                "make_map": False,  # a process of its own, for which a run does not wait
            }
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        pool = load_pool(config.pool)
        store.save_pool(home, pool, inputs=config.pool)
        run_id = store.create_run(home, config, pool)
        asked = time.time()
        told = _told(home, run_id, "work")
        bare = _told(home, run_id, "bare")["bare"]
        second = store.create_run(home, config, pool)
        _told(home, second, "work")
        return {
            "rows": len(pool),
            "model": Path(model).name,
            "epochs": options.epochs,
            "threads": options.threads,
            "start_s": round(told["begun"] - asked, 2),
            **_stages(home, run_id, told),
            "report_s": round(told["reports"], 2),
            "bare_s": round(bare, 2),
            # as long as it takes to find out that nothing has to be scored
            "second_run_score_s": round(store.read_epoch(home, second, 0).seconds["score"], 2),
            "over_bare": round((told["ended"] - told["begun"]) / bare, 3),
            "overhead_is": "all but score, train and evaluate, from the worker's first word to its last; "
            "start_s (process and imports) comes before and is not in it",
        }


def _told(home: Path, run_id: str, what: str) -> dict[str, float]:
    """What a process of its own has measured."""
    words = [sys.executable, "-m", "benchmarks.run", str(home), run_id, what]
    done = subprocess.run(words, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def _stages(home: Path, run_id: str, told: dict[str, float]) -> dict[str, float]:
    """Seconds by stage from what the run has written down about itself, and the share of what is not the model's."""
    with database.reading(home) as connection:
        assert connection is not None
        rows = connection.execute("SELECT stage, epoch, first_at, at FROM stages WHERE run = ?", (run_id,))
        stages = [(row["stage"], row["epoch"], row["first_at"], row["at"]) for row in rows]
    seconds = dict.fromkeys((*MODEL_STAGES, "select"), 0.0)
    for stage, _, first, last in stages:
        if stage in seconds:
            seconds[stage] += last - first
    first_scored = min(first for stage, _, first, _ in stages if stage in MODEL_STAGES)
    begun, total = told["begun"], told["ended"] - told["begun"]
    # what is written down in the midst of a stage of the model's is not the model's either
    overhead = total - sum(seconds[stage] for stage in MODEL_STAGES) + told["inside"]
    return {
        "total_s": round(total, 2),
        "overhead_s": round(overhead, 2),
        "overhead_share": round(overhead / total, 4),
        "load_s": round(first_scored - begun, 2),  # pool, model, encoding, n-grams
        **{f"{stage}_s": round(value, 2) for stage, value in seconds.items()},
        "between_s": round(overhead - (first_scored - begun) - seconds["select"] - told["inside"], 2),
    }


def _work(home: Path, run_id: str) -> dict[str, float]:
    """The worker's process: what it imports first, then the run."""
    from backend.jobs import worker
    from backend.jobs.reporting import Reporting

    reports = inside = 0.0
    take = Reporting.__call__

    def timed_take(self: Reporting, record: Any) -> None:
        nonlocal reports, inside
        begin = time.perf_counter()
        try:
            take(self, record)
        finally:
            reports += time.perf_counter() - begin
            # a stage's first and last report lie on its edge
            if (
                isinstance(record, Progress)
                and record.stage in MODEL_STAGES
                and 0 < record.done < record.total
            ):
                inside += time.perf_counter() - begin

    Reporting.__call__ = timed_take  # type: ignore[method-assign]
    begun = time.time()
    if worker.work(home, run_id) != 0:
        raise SystemExit(f"the run is {store.run_info(home, run_id).state}")
    return {"begun": begun, "ended": time.time(), "reports": reports, "inside": inside}


def _bare(home: Path, run_id: str) -> float:
    """Seconds of nothing but scoring, measuring and training the rows that the run took, all of them known before."""
    import numpy as np
    import torch
    from transformers import get_cosine_schedule_with_warmup

    from backend.complexity import held_out_loss, score
    from backend.model import load as models
    from backend.prompts import encode
    from backend.training import steps_per_epoch
    from backend.training.dataset import ResponseDataset, collate

    config: RunConfig = store.read_config(home, run_id)
    pool = store.load_pool_from_store(home, store.read_run_pool(home, run_id).id)
    records = [store.read_epoch(home, run_id, epoch) for epoch in store.epochs(home, run_id)]
    model, tokenizer = models.load(config.model, precision=config.precision, train=True)
    length = models.usable_length(model, config.max_length)
    encoded = encode(pool, tokenizer, system_prompt=config.system_prompt, max_length=length)
    held_out = np.flatnonzero(records[0].scores.reason == "held out")
    reading = {"batch_tokens": config.batch_tokens, "precision": config.precision}
    device_batch = min(config.device_batch_size, config.batch_size)
    samples = ResponseDataset(encoded)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    total = steps_per_epoch(len(records[0].selection), config) * config.epochs
    schedule = get_cosine_schedule_with_warmup(optimizer, int(np.ceil(config.warmup_ratio * total)), total)

    if config.threads:
        torch.set_num_threads(config.threads)
    begin = time.perf_counter()
    for epoch, record in enumerate(records):
        score(model, encoded, np.flatnonzero(record.rescored), epoch=epoch, **reading)
        if not epoch:
            held_out_loss(model, encoded, held_out, epoch=0, **reading)
        model.train()
        order = np.random.default_rng(epoch).permutation(record.selection.rows).tolist()
        for at in range(0, len(order), config.batch_size):
            step = order[at : at + config.batch_size]
            parts = [step[k : k + device_batch] for k in range(0, len(step), device_batch)]
            batches = [collate([samples[row] for row in part], pad_id=encoded.pad_id) for part in parts]
            counted = sum(int((batch["labels"][:, 1:] >= 0).sum()) for batch in batches)
            for batch in batches:
                loss = model(**batch, num_items_in_batch=torch.tensor(counted)).loss
                loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        model.eval()
        held_out_loss(model, encoded, held_out, epoch=epoch + 1, **reading)
    return time.perf_counter() - begin


if __name__ == "__main__":
    folder, run = Path(sys.argv[1]), sys.argv[2]
    print(json.dumps(_work(folder, run) if sys.argv[3] == "work" else {"bare": _bare(folder, run)}))
