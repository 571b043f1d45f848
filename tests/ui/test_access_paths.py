"""What a visitor learns of folders: nothing from errors, nothing through links that lead out of a root."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.data import load_outside
from backend.errors import PoolError, StudioError, without_folders
from iterit_ui.data.sources import choices_under
from iterit_ui.shared.launch import accelerate_files, allowed_file, allowed_model, model_choices


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("/home/ada/pools/a.jsonl line 17: no output", "a.jsonl line 17: no output"),
        ("cannot open '/srv/x/y.json' or ~/models/tiny.", "cannot open 'y.json' or tiny."),
        (r"C:\Users\ada\pool.csv is empty", "pool.csv is empty"),
        (
            "and/or 1/2 of owner/name at https://host/a/b </p>",
            "and/or 1/2 of owner/name at https://host/a/b </p>",
        ),
        ("looked in /srv/one/, /srv/two", "looked in one, two"),
    ],
)
def test_a_path_is_told_by_its_last_part(words: str, shown: str) -> None:
    assert without_folders(words) == shown


def test_an_error_names_folders_to_the_terminal_and_not_to_visitors(monkeypatch: pytest.MonkeyPatch) -> None:
    error = StudioError("/srv/my pools/a.jsonl: nothing in it (folders: /srv/my pools)")
    assert "/srv/my pools/a.jsonl" in str(error)
    monkeypatch.setattr(StudioError, "hidden", ("/srv/my pools",))
    assert str(error) == "a.jsonl: nothing in it (folders: my pools)"


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    """(a root with files and links, one of which leads out of it, what lies outside)."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "tiny", outside / "model"):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    rows = json.dumps([{"instruction": "a", "output": "b"}])
    (root / "own.json").write_text(rows)
    (outside / "secret.json").write_text(rows)
    (outside / "acc.yaml").write_text("distributed_type: NO")
    (root / "same.json").symlink_to(root / "own.json")
    (root / "leak.json").symlink_to(outside / "secret.json")
    (root / "round.json").symlink_to(root / "round.json")
    (root / "folder").symlink_to(outside)
    (root / "acc.yaml").symlink_to(outside / "acc.yaml")
    (root / "model").symlink_to(outside / "model")
    return root, outside


def test_links_that_leave_a_root_are_not_listed(roots: tuple[Path, Path]) -> None:
    root, _ = roots
    files = {Path(path).name for _, path in choices_under((root,)) if path.endswith(".json")}
    assert {"own.json", "same.json"} <= files and not files & {"leak.json", "round.json", "secret.json"}
    assert [Path(path).name for _, path in model_choices([root])][-1] == "tiny"
    assert accelerate_files([root]) == []


def test_nor_are_they_followed(roots: tuple[Path, Path]) -> None:
    root, _ = roots
    for name in ("leak.json", "folder/secret.json"):
        with pytest.raises(PoolError):
            load_outside([str(root / name)], roots=[root])
    for call in (
        lambda: allowed_model(str(root / "model"), [root]),
        lambda: allowed_file("held_out", "leak.json", [root]),
    ):
        with pytest.raises(StudioError):
            call()
    assert len(load_outside([str(root / "same.json")], roots=[root])) == 1
