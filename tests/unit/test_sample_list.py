"""Lists of samples: pages, order, the open sample's place, and what the events of a table and a map mean."""

import base64

import numpy as np
import pytest
from small_pools import pool_of

from backend.errors import StudioError
from iterit_ui.components.table import PAGE_SIZE
from iterit_ui.samples import sample_list
from iterit_ui.samples.sample_list import SampleList

POOL = pool_of([f"response {i}" for i in range(2 * PAGE_SIZE + 20)])
VIEW = {"which": "all", "sort": "rank", "descending": False, "page": 0, "kept": "as it is"}


def listed(rows=None, **view):
    order = np.arange(len(POOL))[::-1] if rows is None else np.asarray(rows, dtype=np.int64)
    return SampleList(POOL, order, {**VIEW, **view})


def test_pages_cover_all_rows_once_and_stop_at_the_last():
    pages = [listed(page=page) for page in range(3)]
    assert np.concatenate([one.page_rows for one in pages]).tolist() == listed().rows.tolist()
    beyond = listed(page=9).page_value("s1")
    assert beyond == listed(page=2).page_value("s1")
    assert (beyond["page"], beyond["pages"], beyond["total"], len(beyond["ids"])) == (2, 3, len(POOL), 20)
    assert beyond["sort"] == {"column": "rank", "descending": False} and beyond["selected"] == "s1"
    assert sample_list.paged(0, 3) == (
        slice(0, PAGE_SIZE), {"page": 0, "pages": 1, "total": 0, "size": PAGE_SIZE}
    )  # fmt: skip
    assert sample_list.paged(PAGE_SIZE, 1)[1]["pages"] == 1


def test_a_list_that_cannot_be_sorted_has_no_order():
    assert SampleList(POOL, np.arange(3), {"page": 0}).page_value("")["sort"] is None


def test_the_place_of_a_sample():
    found = listed([5, 3, 8])
    assert found.ids() == ["s5", "s3", "s8"]
    assert found.place_of("s3") == 1 and found.position("s3") == {"at": 2, "of": 3}
    for outside in ("s4", "of another pool", ""):
        assert found.place_of(outside) is None and found.position(outside) == {"at": None, "of": 3}


def test_a_step_goes_over_the_edge_of_a_page_and_stops_at_the_ends():
    found = listed()
    last_of_page = found.ids()[PAGE_SIZE - 1]
    sample, view = found.on_step(last_of_page, {"by": 1})
    assert (sample, view) == (found.ids()[PAGE_SIZE], {**VIEW, "page": 1})
    assert listed(page=1).on_step(sample, {"by": -1}) == (last_of_page, VIEW)
    assert found.on_step(found.ids()[0], {"by": -1}) == (found.ids()[0], VIEW)
    assert found.on_step(sample, {"by": 1000}) == (found.ids()[-1], {**VIEW, "page": 2})


def test_the_first_step_from_outside_goes_to_the_page_that_is_shown():
    assert listed(page=1).on_step("", {"by": -1}) == (listed().ids()[PAGE_SIZE], {**VIEW, "page": 1})
    assert listed([4, 7], page=6).on_step("s1", {"by": 1}) == ("s7", VIEW)


def test_steps_that_lead_nowhere():
    assert listed([]).on_step("s1", {"by": 1}) is None
    assert listed().on_step("s1", {"by": 0}) is None
    for by in (None, "1", True, 0.5, 1001):
        with pytest.raises(StudioError):
            listed().on_step("s1", {"by": by})


def test_a_column_once_more_sorts_the_other_way_round():
    sorts = ("rank", "gain", "source")
    down = sample_list.on_table({**VIEW, "page": 2}, {"column": "gain"}, sorts)
    assert down == {**VIEW, "sort": "gain", "descending": True}
    assert sample_list.on_table(down, {"column": "gain"}, sorts) == {**down, "descending": False}
    assert sample_list.on_table(down, {"column": "source"}, sorts)["descending"] is False
    assert sample_list.on_table(VIEW, {"column": "gain"}, sorts, downward=())["descending"] is False
    for column in ("tokens", "__class__", None, ["gain"]):
        assert sample_list.on_table(VIEW, {"column": column}, sorts) == VIEW


def test_another_page_and_another_list():
    there = sample_list.on_table(VIEW, {"page": 2})
    assert there == {**VIEW, "page": 2}
    for page in (-1, None, "2", 10**7):
        with pytest.raises(StudioError):
            sample_list.on_table(VIEW, {"page": page})
    assert sample_list.on_list(there, "kept", ranked=True) == {**VIEW, "which": "kept"}
    dropped = sample_list.on_list(there, "dropped", ranked=False)
    assert dropped == {**VIEW, "which": "dropped", "sort": "complexity", "descending": True}


def test_ticked_rows_or_all_of_the_list():
    def never():
        raise AssertionError("the list is not asked for")

    data = {"action": "pin", "ids": ["s2", "of another pool", 7], "all": False, "text": ""}
    assert sample_list.on_tick(data, ("pin",), POOL, never)[0] == ["s2"]
    ids, act = sample_list.on_tick({**data, "all": True}, ("pin",), POOL, lambda: listed([9, 1]))
    assert ids == ["s9", "s1"] and act.action == "pin"
    with pytest.raises(StudioError, match="no row"):
        sample_list.on_tick({**data, "ids": ["unknown"]}, ("pin",), POOL, never)


def test_what_happens_on_the_map_of_another_pool_means_nothing():
    bits = np.zeros(len(POOL), dtype=bool)
    bits[[3, 5]] = True
    data = {
        "key": f"{POOL.id}/1", "row": 4, "n": len(POOL),
        "bits": base64.b64encode(np.packbits(bits, bitorder="little")).decode(),
    }  # fmt: skip
    assert sample_list.on_point(POOL, data) == "s4"
    assert sample_list.on_lasso(POOL, data).tolist() == [3, 5]
    for key in ("another/1", "", None):
        assert sample_list.on_point(POOL, {**data, "key": key}) is None
        assert sample_list.on_lasso(POOL, {**data, "key": key}) is None
    with pytest.raises(StudioError):
        sample_list.on_point(POOL, {**data, "row": len(POOL)})
