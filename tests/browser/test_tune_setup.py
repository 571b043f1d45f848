"""A configuration of another pool in the Tune form: it stays as it was loaded, whatever was marked in the pool before."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from backend import store
from backend.config import config_from
from backend.data import demo, load_pool
from backend.records import Pool


def birds() -> Pool:
    """Forty samples that are no part of the demo."""
    names = np.array(["wren", "rook", "lark", "tern"])
    turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    table = pa.table(
        {
            "id": [f"{i:08x}-0" for i in range(40)],
            "turns": pa.array(
                [[{"role": "user", "content": f"Name bird {i}."}] for i in range(40)], type=turns
            ),
            "response": [f"{names[i % 4]} number {i}" for i in range(40)],
            "source": pa.array(["field"] * 40).dictionary_encode(),
            "file": pa.array(["birds.jsonl"] * 40).dictionary_encode(),
            "row": pa.array(range(40), pa.int64()),
        }
    )
    return Pool("b1bdb1bdb1bdb1bd", "birds", table)


def test_the_demo_preset_measures_another_pool_on_a_share_of_it(page, goto, runs_dir):
    store.save_pool(runs_dir, birds(), inputs=("birds.jsonl",))
    goto(page, "tune")
    held_out = page.locator("#tune-held-out input")
    page.wait_for_function("document.querySelector('#tune-held-out input')?.value === 'demo'")
    page.locator("#tune-pool select").select_option(birds().id)
    page.wait_for_function("document.querySelector('#tune-budget input')?.value === '0.05'")  # the paper's
    page.locator("#tune-pool select").hover()
    page.wait_for_function("document.querySelector('#tune-pool select').title.startsWith('birds · ')")
    page.locator("#tune-preset input[value=demo]").check()
    page.wait_for_function("document.querySelector('#tune-budget input')?.value === '0.1'")
    assert held_out.input_value() == "0.05"
    page.locator("#tune-pool select").select_option(load_pool([str(demo.POOL)]).id)
    page.wait_for_function("document.querySelector('#tune-held-out input')?.value === 'demo'")


def test_a_run_of_another_pool_is_loaded_whole(page, goto, runs_dir):
    pool, here = birds(), load_pool([str(demo.POOL)])
    store.save_pool(runs_dir, pool, inputs=("birds.jsonl",))
    config = {
        "pool": ("birds.jsonl",),
        "model": "demo",
        "budget": 7,
        "pinned": (pool.ids[3],),
        "name": "old birds",
    }
    run = store.create_run(runs_dir, config_from(config), pool)
    store.set_state(runs_dir, run, "stopped")
    store.set_mark(runs_dir, here.id, [here.ids[5]], "pinned", who="test")
    try:
        goto(page, "tune")
        page.locator("#tune-carried").get_by_text("Pinned").wait_for()
        page.locator("summary", has_text="Load a configuration").click()
        page.locator("#tune-load select").select_option(run)
        page.wait_for_url(lambda url: f"pool={pool.id}" in url)
        # the new pool has no marks: its own answer has arrived once the form speaks of none
        page.wait_for_function("!document.querySelector('#tune-carried').textContent.includes('Pinned')")
        page.wait_for_function(
            """([pool, words]) => document.querySelector('#tune-pool select').value === pool
                && document.querySelector('#tune-command textarea').value.includes(words)
                && !document.querySelector('#tune-launch').disabled""",
            arg=[pool.id, "--budget 7"],
        )
        command = page.locator("#tune-command textarea").input_value()
        assert f"--pinned {pool.ids[3]}" in command and here.ids[5] not in command
    finally:
        store.set_mark(runs_dir, here.id, [here.ids[5]], None, who="test")
