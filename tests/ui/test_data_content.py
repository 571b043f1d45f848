"""Cards and lists of what reading the texts finds, on the Data tab."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import data, findings, store
from backend.records import Pool
from iterit_ui.data import bulk_marks, draw, views
from iterit_ui.data.lists import VIEW
from iterit_ui.data.sample_panel import sample_value
from tests.planted_content import PAIRS, write_pool

SECRET = "9fKq2LmZx81RtYbVc3NwEj7HsUo4Pd5AgXi6"


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    made = data.load_pool([str(write_pool(tmp_path / "planted.json"))])
    store.save_pool(tmp_path, made)
    return made


def read(home: Path, pool: Pool) -> None:
    texts = findings.prompt_texts(pool, system=False), findings.response_texts(pool)
    store.save_content(home, pool.id, findings.content_findings(*texts))


def cards(home: Path, pool: Pool) -> dict[str, dict]:
    return {card["key"]: card for card in draw.heads(home, pool.id, dict(VIEW))[0]["cards"]}


def test_cards_wait_for_the_reading_and_then_count(tmp_path: Path, pool: Pool) -> None:
    assert cards(tmp_path, pool)["secret"]["hint"] in ("being read", "not read yet")
    read(tmp_path, pool)
    found = cards(tmp_path, pool)
    assert {key: found[key]["value"] for key in PAIRS} == dict.fromkeys(PAIRS, "1")
    assert found["rare_language"]["quiet"] and not found["secret"]["quiet"]
    assert all(found[key]["help"] for key in PAIRS)  # the rule is explained
    assert list(views.GROUPS) == list(dict.fromkeys(card["group"] for card in found.values()))


def test_cards_say_what_is_left_and_how_many_stay_usable(tmp_path: Path, pool: Pool) -> None:
    read(tmp_path, pool)
    view = {**VIEW, "which": "markup"}
    assert cards(tmp_path, pool)["all"]["hint"] == "70 usable"
    bulk_marks.acted(tmp_path, pool.id, view, "", "Ada", {"key": "exclude"})
    found = cards(tmp_path, pool)
    assert found["markup"]["hint"] == "1 excluded, 0 left"
    assert found["all"]["hint"] == "69 usable"
    bulk_marks.taken_back(tmp_path, pool.id, "Ada")
    assert cards(tmp_path, pool)["all"]["hint"] == "70 usable"


def test_a_secret_is_masked_in_list_and_sample(tmp_path: Path, pool: Pool) -> None:
    read(tmp_path, pool)
    view = {**VIEW, "which": "secret"}
    table = views.table_value(tmp_path, pool.id, view, "")
    assert table["rows"][0]["found"].startswith("ghp_•")
    shown = sample_value(tmp_path, pool.id, table["ids"][0], view, asked=False, read=None)
    assert "ghp_•" in str(shown) and "ghp_•" in table["rows"][0]["response"]
    assert SECRET[4:] not in str(table) + str(shown)
