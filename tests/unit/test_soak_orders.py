"""What several people did at once is found to be an order of their acts where it was, and not where an act is another."""

import random
from pathlib import Path

import pytest
from small_runs import small_pool

from backend import store
from tools.soak.curation import disorder
from tools.soak.orders import Act, effects, note_order

PEOPLE = ("Ada", "Ben", "Cleo")


def do(home: Path, who: str, act: Act) -> None:
    pool = small_pool().id
    if act.kind in ("undo", "redo"):
        (store.undo if act.kind == "undo" else store.redo)(home, pool, who)
    else:
        store.set_mark(home, pool, [act.sample], None if act.kind == "clear" else act.kind, who)


@pytest.mark.parametrize("seed", range(5))
def test_acts_in_some_order_are_told_from_acts_that_went_astray(tmp_path: Path, seed: int) -> None:
    store.save_pool(tmp_path, small_pool())
    note_order(tmp_path)
    rng, ids = random.Random(seed), [str(one) for one in small_pool().ids]
    kinds = rng.choices(("pinned", "excluded", "clear", "undo", "undo", "redo"), k=120)
    acts: dict[str, list[Act]] = {who: [] for who in PEOPLE}
    for kind in kinds:
        who = rng.choice(PEOPLE)
        acts[who].append(Act(kind, "" if kind in ("undo", "redo") else rng.choice(ids[:3])))
        do(tmp_path, who, acts[who][-1])
    done, marks = effects(tmp_path), dict(store.marks(tmp_path, small_pool().id))
    assert disorder(acts, done, marks) == []
    # a mark that got lost, one that nobody gave, acts in another order, and an effect too few
    assert disorder({**acts, "Ben": [*acts["Ben"], Act("pinned", ids[4])]}, done, marks) != []
    assert disorder({**acts, "Ben": []}, done, marks) != []
    assert disorder({**acts, "Ben": acts["Ben"][::-1]}, done, marks) != []
    assert disorder(acts, done, {**marks, ids[5]: "pinned"}) != []
    assert disorder(acts, done[1:], marks) != []
