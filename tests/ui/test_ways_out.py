"""No name of a file outside the given folders opens it: many names through every door that takes one from a visitor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.config import config_from
from backend.data import load_pool
from backend.data.inputs import find_sources
from backend.errors import StudioError
from iterit_ui.data.mapping_form import items_of
from iterit_ui.shared.launch import allowed_file, allowed_model, with_allowed_files
from tests.ways_out import SECRET, spellings

Door = Callable[[str], Any]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """(a root that may be read, a file with samples outside of it); the working folder holds both."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "own.json").write_text(json.dumps([{"instruction": "a", "output": "b"}]))
    secret = outside / "secret.json"
    secret.write_text(json.dumps([{"instruction": "q", "output": SECRET}]))
    (outside / "config.json").write_text('{"model_type": "llama"}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(outside))
    yield root, secret


def doors(root: Path) -> dict[str, Door]:
    """What opens a file or folder on a visitor's word, by name."""
    settings = {"pool": ("demo",), "model": "demo"}
    return {
        "a pool's files": lambda name: [str(one.path) for one in find_sources([name], roots=[root])],
        "a pool": lambda name: load_pool([name], roots=[root]).responses().to_pylist(),
        "the preview": lambda name: [item.key for item in items_of([name], (root,))],
        "held-out rows": lambda name: allowed_file("held_out", name, [root]),
        "a run's settings": lambda name: (
            with_allowed_files(
                config_from({**settings, "held_out": name}, preset="demo"), [root], [root]
            ).held_out
        ),
        "a model": lambda name: allowed_model(name, [root]),
        "a model's folder": lambda name: allowed_model(name.removesuffix("/secret.json"), [root]),
    }


def test_no_name_opens_what_lies_outside(places: tuple[Path, Path]) -> None:
    root, secret = places
    tried, leaks = 0, []
    for name in spellings(root, secret):
        for door, open_ in doors(root).items():
            tried += 1
            try:
                found = open_(name)
            except StudioError:
                continue
            said = json.dumps(found)
            inside = [path for path in (found if isinstance(found, list) else [found]) if Path(path).exists()]
            if SECRET in said or any(not Path(path).resolve().is_relative_to(root) for path in inside):
                leaks.append((door, name, said))
    assert leaks == [] and tried > 400


def test_the_same_doors_open_what_lies_inside(places: tuple[Path, Path]) -> None:
    root, _ = places
    opened = {door: open_(str(root / "own.json")) for door, open_ in list(doors(root).items())[:5]}
    assert opened["a pool"] == ["b"]
    assert SECRET in doors(root.parent)["a pool"](str(root / "../outside/secret.json"))
    assert all(
        str(root / "own.json") in json.dumps(found) for door, found in opened.items() if door != "a pool"
    )
