"""What chosen files hold before they are loaded: formats, columns by hand, rows as they would be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend import data
from backend.errors import StudioError
from iterit_ui.data import mapping_form as mapping
from iterit_ui.data import sources
from tests.damaged import damaged_arrow


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three files that no format fits, two of them with the same columns, one in Alpaca's, and one that is broken."""
    odd = [{"q": f"question {i}", "a": {"text": f"answer {i}"}, "n": None} for i in range(5)]
    (tmp_path / "odd.json").write_text(json.dumps(odd))
    (tmp_path / "odd2.json").write_text(json.dumps([*odd[2:], {"q": "no answer", "a": {}, "n": None}]))
    (tmp_path / "table.csv").write_text("Question,Reply,Team\nWhat?,This.,red\nWhy?,So.,blue\n")
    alpaca = [{"instruction": "say a", "output": "a"}, {"instruction": "say b", "output": None}]
    (tmp_path / "alpaca.jsonl").write_text("\n".join(json.dumps(row) for row in alpaca))
    (tmp_path / "broken.json").write_text('{"this is": [not json')
    return tmp_path


def choice(root: Path, *names: str) -> dict[str, Any]:
    return {**mapping.NOTHING, "paths": [str(root / name) for name in names]}


def choose(chosen: dict[str, Any], root: Path, **columns: str) -> dict[str, Any]:
    for role, column in columns.items():
        chosen = mapping.mapped(chosen, (root,), {"role": role, "column": column})
    return chosen


def roles(value: dict[str, Any]) -> dict[str, str]:
    return {item["role"]: item["value"] for item in value["roles"] if item["value"]}


def test_nothing_chosen_shows_nothing(root: Path) -> None:
    assert mapping.preview_value(mapping.NOTHING, (root,)) is None


def test_a_file_that_ends_its_reader_is_a_message(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged_arrow(root / "damaged.arrow")
    chosen = choice(root, "alpaca.jsonl", "damaged.arrow")
    value = mapping.preview_value(mapping.shown(chosen, {"index": 1}), (root,))
    assert value is not None and not value["ready"]
    assert value["error"].startswith("damaged.arrow: cannot be read as Arrow")
    # where its damage is not seen beforehand, it ends the process that reads it
    (root / "sitecustomize.py").write_text(
        "import backend.data.arrowfiles as files\nfiles.validated = lambda batch: batch"
    )
    monkeypatch.setenv("PYTHONPATH", str(root))
    value = mapping.preview_value(mapping.shown(chosen, {"index": 1}), (root,))
    assert value is not None and value["error"].startswith(
        "damaged: damaged.arrow (its reader was ended by SIG"
    )
    assert [file["state"] for file in value["files"]] == ["warn", "error"]
    *_, last = sources.load_chosen(root / "home", (root,), chosen, "")
    assert last[6]["tone"] == "error" and last[6]["text"].startswith("damaged: damaged.arrow")


def test_a_known_format_is_shown_with_its_columns_and_the_rows_it_leaves_out(root: Path) -> None:
    value = mapping.preview_value(choice(root, "alpaca.jsonl"), (root,))
    assert value is not None and value["ready"]
    assert value["files"][0]["format"] == "alpaca" and "1 problem" in value["files"][0]["told"]
    assert roles(value)["prompt"] == "instruction" and roles(value)["response"] == "output"
    assert [(row["row"], bool(row["problem"])) for row in value["rows"]] == [(0, False), (1, True)]
    assert "null" in value["rows"][1]["problem"]


def test_a_found_mapping_can_be_changed_and_goes_back(root: Path) -> None:
    chosen = choose(choice(root, "alpaca.jsonl"), root, response="instruction")
    value = mapping.preview_value(chosen, (root,))
    assert value is not None and value["by_hand"]
    assert [row["response"] for row in value["rows"]] == ["say a", "say b"]
    again = mapping.as_found(chosen, (root,))
    assert again["mappings"] == {}
    assert mapping.preview_value(again, (root,)) == mapping.preview_value(
        choice(root, "alpaca.jsonl"), (root,)
    )


def test_an_unknown_format_asks_for_one_column_after_the_other(root: Path) -> None:
    chosen = choice(root, "odd.json")
    value = mapping.preview_value(chosen, (root,))
    assert value is not None and not value["ready"] and "not recognised" in value["advice"]
    assert "a.text" in value["columns"] and "question 0" in value["first"]
    chosen = choose(chosen, root, prompt="q")
    value = mapping.preview_value(chosen, (root,))
    assert value is not None and not value["ready"] and "the response" in value["advice"]
    assert value["files"][0]["state"] == "warn"
    value = mapping.preview_value(choose(chosen, root, response="a.text"), (root,))
    assert value is not None and value["ready"] and not value["advice"]
    assert value["rows"][3]["prompt"] == "question 3" and value["rows"][3]["response"] == "answer 3"


def test_a_mapping_goes_to_the_files_that_it_fits_and_each_is_loaded_its_own_way(root: Path) -> None:
    chosen = choice(root, "odd.json", "odd2.json", "table.csv", "alpaca.jsonl")
    chosen = choose(chosen, root, prompt="q", response="a.text")
    value = mapping.preview_value(chosen, (root,))
    assert value is not None and value["same"] == 1
    assert [file["format"] for file in value["files"]] == ["mapped by hand", "mapped by hand", "", "alpaca"]
    chosen = mapping.shown(chosen, {"index": 2})
    chosen = choose(chosen, root, prompt="Question", response="Reply", source="Team")
    value = mapping.preview_value(chosen, (root,))
    assert value is not None and value["ready"] and value["rows"][1]["source"] == "blue"
    pool = data.load_pool(chosen["paths"], mappings=chosen["mappings"], roots=[root])
    assert len(pool) == 5 + 3 + 2 + 1 and len(pool.rejected) == 2
    assert set(pool.sources) == {"odd", "odd2", "red", "blue", "alpaca"}


def test_a_conversation_takes_the_place_of_prompt_and_response(root: Path) -> None:
    chosen = choose(choice(root, "odd.json"), root, prompt="q", response="a.text", messages="n")
    (columns,) = chosen["mappings"].values()
    assert columns == {"messages": "n"}
    (columns,) = choose(chosen, root, prompt="q")["mappings"].values()
    assert columns == {"prompt": "q"}


def test_a_broken_file_is_named_and_holds_the_others_back(root: Path) -> None:
    value = mapping.preview_value(choice(root, "broken.json", "alpaca.jsonl"), (root,))
    assert value is not None and not value["ready"]
    assert value["files"][0]["state"] == "error" and "broken.json" in value["error"]


def test_a_folder_is_listed_file_by_file(root: Path) -> None:
    value = mapping.preview_value({**mapping.NOTHING, "paths": [str(root)]}, (root,))
    assert value is not None and len(value["files"]) == 5


def test_what_lies_outside_the_roots_is_refused(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    value = mapping.preview_value(choice(root, "alpaca.jsonl"), (elsewhere,))
    assert value is not None and not value["ready"] and "outside" in value["error"]


@pytest.mark.parametrize("event", [{"role": "id", "column": "q"}, {"role": "prompt", "column": "zz"}, {"role": "prompt", "column": 3}, {}])  # fmt: skip
def test_a_column_that_is_not_there_is_not_taken(root: Path, event: dict[str, Any]) -> None:
    chosen = choice(root, "odd.json")
    assert mapping.mapped(chosen, (root,), event) == chosen


@pytest.mark.parametrize("index", [-1, 0.5, "0", None, 10**9])
def test_a_file_that_is_not_there_is_refused(root: Path, index: object) -> None:
    with pytest.raises(StudioError):
        mapping.shown(choice(root, "odd.json"), {"index": index})


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """A conversation with speakers of its own, another with known ones, and rows that are marked as bad."""
    rows = [
        {
            "messages": [{"role": asks, "content": f"q{i}"}, {"role": answers, "content": f"a{i}"}],
            "label": i != 2,
        }
        for i, (asks, answers) in enumerate(
            [("user", "assistant"), ("Customer", "agent"), ("user", "assistant")]
        )
    ]
    (tmp_path / "talks.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    pairs = [{"prompt": "q", "chosen": "good", "rejected": "poor"}]
    (tmp_path / "pairs.jsonl").write_text("\n".join(json.dumps(row) for row in pairs))
    return tmp_path


def test_speakers_get_roles_by_hand_and_the_columns_stay_as_found(talks: Path) -> None:
    chosen = choice(talks, "talks.jsonl")
    value = mapping.preview_value(chosen, (talks,))
    assert value is not None and value["told"] == ""
    assert {one["name"]: one["value"] for one in value["speakers"]} == {
        "user": "user", "assistant": "assistant", "customer": "", "agent": "",
    }  # fmt: skip
    for speaker, role in (("customer", "user"), ("agent", "assistant")):
        chosen = mapping.mapped(chosen, (talks,), {"role": f"role.{speaker}", "column": role})
    assert list(chosen["mappings"].values()) == [{"role.customer": "user", "role.agent": "assistant"}]
    value = mapping.preview_value(chosen, (talks,))
    assert (
        value is not None and value["ready"] and value["by_hand"] and roles(value)["messages"] == "messages"
    )
    assert [row.get("response") for row in value["rows"]] == ["a0", "a1", None]
    again = mapping.mapped(chosen, (talks,), {"role": "source", "column": "label"})
    assert list(again["mappings"].values()) == [
        {
            "messages": "messages",
            "source": "label",
            "label": "label",
            "role.customer": "user",
            "role.agent": "assistant",
        }
    ]
    for speaker in ("customer", "agent"):
        chosen = mapping.mapped(chosen, (talks,), {"role": f"role.{speaker}", "column": ""})
    assert chosen["mappings"] == {}


def test_rows_marked_as_bad_can_be_kept(talks: Path) -> None:
    chosen = choice(talks, "talks.jsonl")
    value = mapping.preview_value(chosen, (talks,))
    assert value is not None and value["bad"] == {
        "label": "Also read rows that are marked as bad",
        "on": False,
    }
    chosen = mapping.mapped(chosen, (talks,), {"role": "bad", "column": "keep"})
    value = mapping.preview_value(chosen, (talks,))
    assert value is not None and value["bad"]["on"] and value["rows"][2]["response"] == "a2"


def test_preference_data_are_said_to_be_that(talks: Path) -> None:
    value = mapping.preview_value(choice(talks, "pairs.jsonl"), (talks,))
    assert value is not None and value["files"][0]["format"] == "preference"
    assert value["told"].startswith("Preference data") and value["rows"][0]["response"] == "good"
    assert not value["speakers"] and value["bad"] is None


@pytest.mark.parametrize("event", [{"role": "role.customer", "column": "boss"}, {"role": "role.nobody", "column": "user"}, {"role": "bad", "column": "x"}])  # fmt: skip
def test_what_cannot_be_said_of_speakers_is_not_taken(talks: Path, event: dict[str, Any]) -> None:
    chosen = choice(talks, "talks.jsonl")
    assert mapping.mapped(chosen, (talks,), event) == chosen
