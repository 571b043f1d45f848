"""Orders of what several people did: found where there is one, against trying every order of real acts on a store."""

import itertools
import random
from pathlib import Path

import pytest
from small_runs import small_pool

from backend import store
from tools.soak.orders import Act, possible_order


@pytest.fixture
def home(tmp_path: Path) -> Path:
    store.save_pool(tmp_path, small_pool())
    return tmp_path


def do(home: Path, who: str, act: Act) -> None:
    pool = small_pool().id
    if act.kind in ("undo", "redo"):
        (store.undo if act.kind == "undo" else store.redo)(home, pool, who)
    else:
        store.set_mark(home, pool, [act.sample], None if act.kind == "clear" else act.kind, who)


def ended(home: Path) -> tuple[list[store.Change], dict[str, str]]:
    pool = small_pool().id
    return store.change_history(home, pool, 1000)[::-1], dict(store.marks(home, pool))


@pytest.mark.parametrize("seed", range(5))
def test_what_was_done_in_some_order_has_one(home: Path, seed: int) -> None:
    rng, ids = random.Random(seed), [str(one) for one in small_pool().ids[:3]]
    people = ("Ada", "Ben", "Cleo")
    kinds = ("pinned", "excluded", "clear", "undo", "undo", "redo")
    acts = {who: [Act(kind, rng.choice(ids) if kind not in ("undo", "redo") else "") for kind in rng.choices(kinds, k=12)] for who in people}  # fmt: skip
    left = {who: list(acts[who]) for who in people}
    while any(left.values()):
        who = rng.choice([who for who in people if left[who]])
        do(home, who, left[who].pop(0))
    history, marks = ended(home)
    found = possible_order(acts, history, marks)
    assert found is not None
    assert {who: [act for one, act in found if one == who] for who in people} == acts
    # an act too many, a mark that nobody gave, and one that is lost have none
    assert possible_order({**acts, "Ben": [*acts["Ben"], Act("pinned", str(small_pool().ids[4]))]}, history, marks) is None  # fmt: skip
    assert possible_order(acts, history, {**marks, "another": "pinned"}) is None
    if history:
        assert possible_order(acts, history[:-1], marks) is None


def test_it_is_the_same_as_trying_every_order(home: Path) -> None:
    one, two = (str(sample) for sample in small_pool().ids[:2])
    acts = {"Ada": [Act("pinned", one), Act("undo")], "Ben": [Act("excluded", one), Act("pinned", two)]}
    outcomes = []
    for number, order in enumerate(sorted(set(itertools.permutations(["Ada", "Ada", "Ben", "Ben"])))):
        place = home / str(number)
        store.save_pool(place, small_pool())
        left = {who: list(acts[who]) for who in acts}
        for who in order:
            do(place, who, left[who].pop(0))
        outcomes.append(ended(place))
        assert possible_order(acts, *outcomes[-1]) is not None
    # marks of one outcome with the history of another fit where the two are equal, and nowhere else
    for history, own in outcomes:
        for _, other in outcomes:
            assert (possible_order(acts, history, other) is not None) == (own == other)
