"""A short soak: each kind of malformed file and of damage once; none ends in a traceback or a death."""

import itertools
from pathlib import Path

import pytest

from tools.soak.damaged import damaged_files
from tools.soak.files import read_all
from tools.soak.good_files import TABLES
from tools.soak.inputs import Input
from tools.soak.malformed import KINDS, malformed_files
from tools.soak.probe import DEATH, LEFT_OUT, READ, REFUSED, TRACEBACK

# these start a reader anew for each file, or unpack half a GiB
SLOW = ("bomb", "bomb of a table", "truncated table", "truncated gz, zst")


def test_no_malformed_or_damaged_file_ends_in_a_traceback() -> None:
    quick = [kind for kind in KINDS if kind not in SLOW]
    texts = (one for one in damaged_files(200, 3) if not one.name.endswith(TABLES))
    inputs = [
        *malformed_files(2 * len(quick), 3, kinds=quick),
        *itertools.islice(texts, 14),
        *itertools.islice((one for one in damaged_files(40, 3) if one.name.endswith(TABLES)), 2),
    ]
    found = read_all(inputs)
    assert len(found) == len(inputs) >= 60
    assert [(one.kind, answer) for one, answer in found if answer["outcome"] in (TRACEBACK, DEATH)] == []
    # it looked at something: files that are read, whole and in part, and files that are refused
    assert {READ, LEFT_OUT, REFUSED} <= {answer["outcome"] for _, answer in found}


def test_a_seed_makes_the_same_inputs_again(tmp_path: Path) -> None:
    once, again = (
        [(one.name, one.data) for one in malformed_files(40, 7, kinds=list(KINDS)[:12])] for _ in range(2)
    )
    assert once == again
    assert once != [(one.name, one.data) for one in malformed_files(40, 8, kinds=list(KINDS)[:12])]


def test_what_kills_the_asking_process_is_called_a_death(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif 'tools.soak.probe' in ' '.join(sys.orig_argv):\n    os._exit(7)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ((_, answer),) = read_all([Input("any", "a.jsonl", b"{}")])
    assert answer["outcome"] == DEATH and "exit code 7" in answer["said"][0]
