"""A pool of a few samples and an epoch's record of made-up numbers, for tests of what stores and starts runs."""

from hashlib import sha256

import numpy as np
import pyarrow as pa

from backend.config import RunConfig, config_from
from backend.records import EpochRecord, Pool, RejectedRow, Scores, Selection, Status


def small_pool(n: int = 6, *, name: str = "small") -> Pool:
    """n samples of two sources; the last response is empty, one row was rejected."""
    responses = [f"answer {i} to a question about apples" for i in range(n - 1)] + [""]
    table = pa.table(
        {
            "id": pa.array([f"{i:032x}-0" for i in range(n)]),
            "turns": pa.array(
                [[{"role": "user", "content": f"<b>question</b> {i}"}] for i in range(n)],
                type=pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
            ),
            "response": pa.array(responses),
            "source": pa.array([("shop", "school")[i % 2] for i in range(n)]).dictionary_encode(),
            "file": pa.array(["small.json"] * n).dictionary_encode(),
            "row": pa.array(range(n), type=pa.int64()),
            "label": pa.nulls(n, pa.string()),
        }
    )
    pool_id = sha256("".join(responses).encode()).hexdigest()[:16]
    return Pool(pool_id, name, table, (RejectedRow("small.json", n, "output is missing"),))


def small_config(**values) -> RunConfig:
    return config_from(
        {"pool": ("small.json",), "model": "no/where", "budget": 2, "make_map": False, **values}
    )


def small_record(epoch: int = 0, n: int = 6) -> EpochRecord:
    """Rows 3 and 1 picked, the last row unscorable."""
    rng = np.random.default_rng(epoch)
    scores = Scores.unknown(n)
    losses = rng.random((2, n - 1)).astype(np.float32)
    scores.loss_cond[:-1], scores.loss_prior[:-1] = losses
    scores.complexity[:-1] = np.exp(losses[0] - losses[1])
    scores.response_tokens[:-1] = 7
    scores.reason[:-1] = ""
    scores.reason[-1] = "empty response"
    status = np.full(n, Status.OUTRANKED, dtype=np.uint8)
    status[[3, 1]] = Status.PINNED, Status.SELECTED
    status[-1] = Status.UNSCORABLE
    diversity = rng.random(n)
    diversity[-1] = np.nan
    selection = Selection(
        rows=np.array([3, 1]),
        gain=np.array([np.nan, 0.25]),
        diversity=diversity[[3, 1]],
        explain=lambda: (
            np.array([["answer 3", "apples"], ["about", ""]], dtype=object),
            np.array([[0.5, 0.25], [0.125, 0]], dtype=np.float32),
        ),
        status=status,
    )
    return EpochRecord(
        epoch, scores, np.arange(n) < 4, diversity, selection, {"score": 1.5}, scored_tokens=90
    )
