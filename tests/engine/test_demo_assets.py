"""The scores and the map that come with the demo are what the engine computes from its pool and model."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from backend import store
from backend.analysis import read_scores
from backend.complexity import score
from backend.config import PRESETS, config_from
from backend.data import demo, load_pool
from backend.model import load as models
from backend.prompts import encode


@pytest.fixture(scope="module")
def pool():
    return load_pool(["demo"])


def test_shipped_scores_are_those_of_the_untouched_model(pool):
    shipped = read_scores(demo.SCORES, pool)
    config = config_from({"pool": "demo", "model": "demo"}, preset="demo")
    model, tokenizer = models.load("demo", precision=config.precision)
    encoded = encode(
        pool,
        tokenizer,
        system_prompt=config.system_prompt,
        max_length=models.usable_length(model, config.max_length),
    )
    rows = np.arange(0, len(pool), 4)
    fresh = score(model, encoded, rows, batch_tokens=config.batch_tokens)
    for name in ("loss_cond", "loss_prior", "complexity"):
        np.testing.assert_allclose(getattr(shipped, name)[rows], getattr(fresh, name)[rows], rtol=1e-4)
    np.testing.assert_array_equal(shipped.response_tokens[rows], fresh.response_tokens[rows])
    assert (shipped.reason == "").all()
    assert np.isfinite(shipped.complexity).all()


def test_the_shipped_map_places_the_shipped_pool(pool):
    table = pq.read_table(demo.MAP)
    assert table["id"].to_pylist() == pool.ids.tolist()
    assert store.read_map(demo.MAP).placed.all()


def test_a_stored_demo_pool_brings_its_map_along(pool, tmp_path):
    store.save_pool(tmp_path, pool, inputs=["demo"])
    stored, shipped = store.load_map(tmp_path, pool.id), store.read_map(demo.MAP)
    assert stored is not None
    np.testing.assert_array_equal(stored.xy, shipped.xy)


def test_another_pool_does_not_get_the_demos_map(tmp_path):
    other = load_pool([str(demo.HELDOUT)])
    store.save_pool(tmp_path, other)
    assert store.load_map(tmp_path, other.id) is None


def test_the_demo_is_measured_on_its_own_held_out_rows():
    assert PRESETS["demo"]["held_out"] == "demo"
    held_out, pool_ids = load_pool([str(demo.HELDOUT)]), set(load_pool(["demo"]).ids)
    assert len(held_out) == 360
    assert not pool_ids & set(held_out.ids)
