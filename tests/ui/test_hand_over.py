"""Exporting picks from Curate, Epochs and Compare: what is offered, what is refused, what the file holds."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
from run_folders import make_run

from backend import store
from backend.analysis.export_files import export_picks
from backend.data import load_pool
from backend.errors import StudioError
from iterit_ui.access.visitors import LOOKS
from iterit_ui.compare import export_panel
from iterit_ui.curate import draw as curate_draw
from iterit_ui.curate import mark_events
from iterit_ui.curate.state import CurateState, selection_of
from iterit_ui.epochs import draw as epochs_draw
from iterit_ui.epochs import events as epochs_events
from iterit_ui.epochs.state import EpochsState
from iterit_ui.samples import hand_over
from tests.fake_hub import FakeHub

ANSWER = {
    "which": "",
    "format": "messages",
    "ending": "jsonl",
    "scores": True,
    "heldOut": False,
    "recipe": True,
    "folder": False,
}


@pytest.fixture
def home(tmp_path):
    return tmp_path / "runs"


def read(path: str) -> tuple[list[dict], dict | None]:
    """The records of a download, and its recipe."""
    if not path.endswith(".zip"):
        text = Path(path).read_text()
        return (
            json.loads(text) if path.endswith(".json") else [json.loads(x) for x in text.splitlines()]
        ), None
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        recipe = next(name for name in names if name.endswith(".recipe.json"))
        data = next(name for name in names if name != recipe)
        lines = archive.read(data).decode().splitlines()
        return [json.loads(line) for line in lines], json.loads(archive.read(recipe))


def test_curate_exports_what_its_settings_select(home):
    run = make_run(home)
    pool = store.run_info(home, run).pool_id
    here = CurateState(pool=pool, settings={"budget": 7})
    made = selection_of(home, here).what.selection
    button = curate_draw.trade_offs(home, pool, "", here.settings)[2]
    assert button["label"] == "Export 7 picks" and button["off"] == ""
    values = [getattr(here, name) for name in CurateState.__dataclass_fields__]
    lines, recipe = read(mark_events.on_export_picks(home, ANSWER, *values))
    ids = store.sample_ids(home, pool)
    assert [line["id"] for line in lines] == ids[made.rows].tolist()
    assert recipe["settings"]["budget"] == 7 and recipe["samples"] == 7 and recipe["pool"]["id"] == pool
    assert f"runs/{run}/epochs/0/samples.parquet" in recipe["commands"][0]
    # the run of the scores holds six out, so the share is of fewer: the command names the number
    assert "--budget 7" in recipe["commands"][0]


def test_curate_says_why_there_is_nothing_to_export(home):
    run = make_run(home)
    pool = store.run_info(home, run).pool_id
    off = curate_draw.trade_offs(home, pool, "", {"max_complexity": 0.01})[2]
    assert off["label"] == "Export 0 picks" and "113 too complex" in off["off"]
    assert curate_draw.trade_offs(home, "", "", {}) == [None] * 4


def test_epochs_offers_the_shown_epoch_and_all_together(home):
    run = make_run(home)
    made = dict(zip(epochs_draw.DRAWN, epochs_draw.all_values(home, EpochsState(run=run, epoch=1))))
    button = made["export"]
    every = store.picks_of_all_epochs(home, run)
    assert [(one["key"], one["count"]) for one in button["choices"]] == [
        (f"{run}/1", 10),
        (f"{run}/all", len(every)),
    ]
    assert button["chosen"] == f"{run}/1" and button["label"] == "Export 10 picks"
    answer = {**ANSWER, "which": f"{run}/all"}
    lines, recipe = read(epochs_events.on_export(home, EpochsState(run=run), answer, "Ada"))
    pool = store.load_pool_from_store(home, recipe["pool"]["id"])
    assert [line["id"] for line in lines] == pool.ids[every].tolist() and recipe["epoch"] == "all"
    assert [(one.epoch, one.who) for one in store.exports(home, run)] == [(store.ALL_EPOCHS, "Ada")]
    plain, none = read(
        epochs_events.on_export(home, EpochsState(run=run), {**answer, "scores": False, "recipe": False}, "")
    )
    assert none is None and set(plain[0]) <= {"messages", "source", "label"}
    with pytest.raises(StudioError, match="no longer there"):
        epochs_events.on_export(
            home, EpochsState(run=run), {**ANSWER, "which": "20200101-000000-000000/0"}, ""
        )
    nothing = dict(zip(epochs_draw.DRAWN, epochs_draw.all_values(home, EpochsState())))
    assert nothing["export"] is None
    assert made["receipt"].visible and not nothing["receipt"].visible
    receipt = json.loads(Path(epochs_events.on_receipt(home, run)).read_text())
    assert [len(epoch["ids"]) for epoch in receipt["epochs"]] == [10, 10, 10]
    with pytest.raises(StudioError, match="not a run id"):
        epochs_events.on_receipt(home, "")


def test_epochs_offers_what_its_table_lists_too(home):
    run = make_run(home)
    here = EpochsState(run=run, epoch=1)
    here = replace(here, view={**here.view, "which": "dropped"})
    choices = dict(zip(epochs_draw.DRAWN, epochs_draw.all_values(home, here)))["export"]["choices"]
    at = epochs_draw.epoch_view(home, here)
    assert len(at.listed.rows) > 0
    assert (choices[-1]["key"], choices[-1]["count"]) == ("listed", len(at.listed.rows))
    assert choices[-1]["label"] == "The list below: dropped before epoch 1"
    lines, recipe = read(epochs_events.on_export(home, here, {**ANSWER, "which": "listed"}, "Ada"))
    assert [line["row"] for line in lines] == at.listed.rows.tolist()
    assert [line["complexity"] for line in lines] == at.record.scores.complexity[at.listed.rows].tolist()
    assert recipe["strategy"] == "chosen by a person"
    assert store.exports(home, run) == []  # no epoch's picks
    with pytest.raises(StudioError, match="nothing is listed"):
        epochs_events.on_export(home, EpochsState(), {**ANSWER, "which": "listed"}, "")


def test_an_export_is_sent_to_the_hub_too(home, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(hand_over.messages, "info", said.append)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    monkeypatch.setattr(FakeHub, "sent", {})
    run = make_run(home)
    answer = {**ANSWER, "which": f"{run}/0", "recipe": False, "hub": "me/picked"}

    def export(**other):
        return epochs_events.on_export(home, EpochsState(run=run), {**answer, **other}, "Ada")

    with pytest.raises(StudioError, match="no token of the Hugging Face hub was found"):
        export()
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "hf_fake")
    with pytest.raises(StudioError, match="expected OWNER/NAME"):
        export(hub="picked")
    with pytest.raises(StudioError, match="is not text"):
        export(hub=["me/picked"])
    looks = LOOKS.set(True)
    with pytest.raises(StudioError, match="you may look here"):
        export()
    LOOKS.reset(looks)
    assert store.exports(home, run) == [] and FakeHub.sent == {}
    lines, _ = read(export())
    assert len(lines) == 10
    assert FakeHub.sent["name"] == "me/picked" and FakeHub.sent["private"]
    assert {"train.jsonl", "README.md"} <= set(FakeHub.sent["files"])
    assert said[0].startswith("Sent to https://hub.invalid/datasets/me/picked")
    sent, download = store.exports(home, run)
    assert (sent.file, sent.who, sent.rows) == ("me/picked on the hub", "Ada", 10)
    assert download.file.endswith("(downloaded)")
    # the folder that is downloaded is the one that was sent: written once, under the dataset's name
    written = []
    monkeypatch.setattr(
        hand_over, "export_picks", lambda *given: (written.append(given[0]), export_picks(*given))[1]
    )
    with zipfile.ZipFile(export(folder=True)) as archive:
        names = set(archive.namelist())
    assert names == {f"picked/{name}" for name in FakeHub.sent["files"]} and len(written) == 1


def test_compare_offers_the_lowest_run_first_and_any_other(home):
    runs = [make_run(home, strategy="iterit"), make_run(home, strategy="random")]
    button = export_panel.compared_export(home, "compare", "", runs)
    assert button["label"] == "Export picks of the lowest run"
    assert {key.rpartition("/")[0] for key in (one["key"] for one in button["choices"])} == set(runs)
    assert "held-out loss 1.7000" in button["choices"][0]["group"] and button["choices"][0]["key"].endswith(
        "/2"
    )
    assert export_panel.compared_export(home, "data", "", runs) is None
    assert export_panel.compared_export(home, "compare", "", []) is None
    opened = export_panel.opened_export(home, runs[1])
    assert len(opened["choices"]) == 4 and opened["chosen"] == f"{runs[1]}/2"
    assert export_panel.opened_export(home, "nobody") is None
    lines, _ = read(export_panel.on_export(home, {**ANSWER, "which": opened["chosen"]}, "Ada"))
    picked = store.read_picks(home, runs[1], 2)
    assert [line["row"] for line in lines] == picked.tolist()
    assert all(line["gain"] is None for line in lines)  # a random draw has none


@pytest.mark.parametrize(
    "wrong", [None, {}, {"which": ["a"]}, {"which": "", "format": "xml"}, {"which": "", "ending": "../x"}]
)
def test_what_a_page_sends_is_checked(wrong):
    given = wrong if not isinstance(wrong, dict) or not wrong else {**ANSWER, **wrong}
    with pytest.raises(StudioError):
        hand_over.asked_of(given, [""])


def test_a_folder_comes_as_a_zip_with_what_was_held_out(home):
    run = make_run(home)
    (choice,) = hand_over.run_choices(home, run, epochs=[2])[:1]
    assert choice["heldOut"] == len(store.read_kept_aside(home, run, 0)) > 0
    answer = {**ANSWER, "which": f"{run}/2", "format": "prompt_completion", "folder": True, "heldOut": True}
    path = epochs_events.on_export(home, EpochsState(run=run), answer, "")
    with zipfile.ZipFile(path) as archive:
        (folder,) = {name.partition("/")[0] for name in archive.namelist()}
        assert {name.partition("/")[2] for name in archive.namelist()} == {
            "train.jsonl", "test.jsonl", "README.md", "recipe.json"
        }  # fmt: skip
        assert len(archive.read(f"{folder}/test.jsonl").decode().splitlines()) == choice["heldOut"]


def test_a_download_loads_again_as_the_picks(home, tmp_path):
    run = make_run(home)
    path = epochs_events.on_export(
        home,
        EpochsState(run=run),
        {**ANSWER, "which": f"{run}/0", "ending": "json", "recipe": False},
        "",
    )
    again = load_pool([path])
    pool = store.load_pool_from_store(home, store.run_info(home, run).pool_id)
    rows = store.read_picks(home, run, 0)
    assert [again.response(i) for i in range(len(again))] == [pool.response(int(row)) for row in rows]
    assert np.array_equal(again.labels, pool.labels[rows])
