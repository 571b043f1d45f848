"""What somebody does in haste is done in that order, also where requests overtake one another on their way."""

from __future__ import annotations

import pytest

from backend import store
from tests.browser.pools import scored_pool
from tools.soak.orders import effects, note_order

# of what a person does each second request takes longer on its way than the next one
SLOW_WAY = """
  const fetched = window.fetch;
  let nth = 0;
  window.fetch = async (resource, options) => {
    const body = typeof options?.body === 'string' ? JSON.parse(options.body) : {};
    const event = window.gradio_config?.dependencies?.find((one) => one.id === body.fn_index)?.targets[0]?.[1];
    if (['mark', 'undo', 'redo'].includes(event) && nth++ % 2 === 0) await new Promise((go) => setTimeout(go, 400));
    return fetched(resource, options);
  };
"""
PRESS = """keys => {
  for (const key of keys)
    document.body.dispatchEvent(new KeyboardEvent('keydown', {key, shiftKey: key === 'Z', bubbles: true, cancelable: true}));
}"""


@pytest.mark.parametrize("tab", ["data", "curate"])
def test_keys_pressed_at_once_are_done_in_their_order(new_page, goto, runs_dir, tmp_path, tab):
    home = runs_dir.resolve()
    pool, run = scored_pool(home, tmp_path, seed=4097 + len(tab))
    page = new_page(1280, 900)
    page.add_init_script(SLOW_WAY)
    goto(page, tab, pool=pool.id, scores=f"{run}/0")
    page.locator(f"#{tab}-table tbody tr").first.locator("td").last.click()
    page.locator(f'#{tab}-sample button[data-key="pin"]').wait_for()
    note_order(home)
    page.evaluate(PRESS, ["p", "x", "z", "z", "Z", "x", "z"])
    expected = ["pinned", "excluded", "undo", "undo", "redo", "excluded", "undo"]
    page.wait_for_function("!document.body.classList.contains('awaiting')")
    for _ in range(100):
        if len(effects(home)) >= len(expected):
            break
        page.wait_for_timeout(100)
    assert [one.act.kind for one in effects(home)] == expected
    assert list(store.marks(home, pool.id).values()) == ["pinned"]
