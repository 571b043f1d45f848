"""A short soak of curation: three people mark samples of one pool at once, with undo and redo racing."""

from __future__ import annotations

import random

from tests.browser.pools import scored_pool
from tools.soak.curation import differences, race


def test_three_people_who_mark_at_once_see_what_some_order_of_their_acts_gives(
    new_page, app_url, runs_dir, tmp_path
):
    home = runs_dir.resolve()
    pool, run = scored_pool(home, tmp_path, seed=4096)
    pages = [new_page(1280, 900) for _ in range(3)]
    address = f"{app_url}/?tab=curate&pool={pool.id}&scores={run}/0"
    assert race(pages, address, home, pool.id, acts=10, pause=200, rng=random.Random(5), hasty=True) == []


def test_pages_that_show_something_else_are_told():
    row = {
        "rows": [["a", False, "text"], ["b", True, "more"]],
        "marks": "1 pinned\n1 excluded",
        "cards": ["30"],
    }
    marks = {"a": "pinned", "b": "excluded"}
    assert differences([row, row, row], marks) == []
    other = {**row, "rows": [["b", True, "more"]]}
    assert differences([row, other], marks) == [
        "page 2 shows other rows than page 1: ['b', True, 'more'] and ['a', False, 'text']"
    ]
    assert differences([row], {"a": "excluded", "b": "excluded"}) == [
        "page 1 does not show 2 excluded: '1 pinned\\n1 excluded'",
        "page 1: sample a is excluded in the store",
    ]
