"""Losses that are kept: found again exactly, by whoever looks, until a file or a sequence is another."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from backend import store
from backend.model.content import content_files
from backend.store import file_hashes


def keys(*words: str) -> np.ndarray:
    digests = [hashlib.blake2b(word.encode(), digest_size=16).digest() for word in words]
    return np.frombuffer(b"".join(digests), dtype="S16")


def keep(folder: Path, losses: dict[str, float]) -> Path:
    with store.LossWriter(folder) as writer:
        writer.add(keys(*losses), np.array(list(losses.values())))
    return writer.path


def test_losses_come_back_bit_for_bit_and_the_later_one_holds(tmp_path: Path) -> None:
    folder = store.kept_folder(tmp_path, {"precision": "fp32"})
    third = 1 / 3
    first = keep(folder, {"a": third, "b": 2.0, "odd": np.nan})
    later = keep(folder, {"b": np.nextafter(2.0, 3)})
    found = store.find_losses(folder, keys("b", "unknown", "a", "a", "odd"))
    assert found.there.tolist() == [True, False, True, True, True]
    np.testing.assert_array_equal(found.losses, [np.nextafter(2.0, 3), 0, third, third, np.nan])
    began = [int(path.name.split("-")[0]) / 1e9 for path in (later, first)]
    assert found.at[[0, 2]].tolist() == began
    assert store.find_losses(folder, keys("a", "b"), since=began[0]).there.tolist() == [False, True]
    assert not store.find_losses(folder, keys()).there.any()
    assert store.kept_folder(tmp_path, {"precision": "bf16"}) != folder


def test_a_writer_appends_as_it_goes_and_writes_what_is_left_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt), store.LossWriter(tmp_path) as writer:
        writer.add(keys("a"), np.array([1.0]))
        assert not writer.path.exists()
        monkeypatch.setattr(store.kept_losses, "FLUSH_SECONDS", 0.0)
        writer.add(keys("b"), np.array([2.0]))
        assert store.find_losses(tmp_path, keys("a", "b")).there.all()
        monkeypatch.setattr(store.kept_losses, "FLUSH_SECONDS", 99.0)
        writer.add(keys("c"), np.array([3.0]))
        raise KeyboardInterrupt
    assert store.find_losses(tmp_path, keys("a", "b", "c")).losses.tolist() == [1, 2, 3]


def test_what_is_scored_anew_takes_the_place_of_what_it_covers(tmp_path: Path) -> None:
    covered, more = keep(tmp_path, {"a": 1.0}), keep(tmp_path, {"a": 1.0, "c": 1.0})
    with store.LossWriter(tmp_path) as writer:
        writer.add(keys("a", "b"), np.array([2.0, 2.0]))
        writer.replace_older()
    assert not covered.exists() and more.exists()
    assert store.find_losses(tmp_path, keys("a", "b", "c")).losses.tolist() == [2, 2, 1]


def test_a_damaged_file_is_said_to_be_and_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keep(tmp_path, {"a": 1.0})
    keep(tmp_path, {"b": 1.0}).write_bytes(b"PAR1 and nothing")
    assert store.find_losses(tmp_path, keys("a", "b")).there.tolist() == [True, False]
    assert "computed again" in caplog.text


def test_files_are_hashed_once_and_again_when_they_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, file = tmp_path / "known.json", tmp_path / "weights"
    file.write_bytes(b"old")
    os.utime(file, ns=(0, 10**18))
    before = store.content_hashes(known, [file])
    assert before == {str(file): hashlib.sha256(b"old").hexdigest()}
    with monkeypatch.context() as patch:
        patch.setattr(file_hashes.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
        assert store.content_hashes(known, [file]) == before
    file.write_bytes(b"new")  # as long as before
    assert store.content_hashes(known, [file]) == {str(file): hashlib.sha256(b"new").hexdigest()}
    # changed a moment ago: not remembered, because it may change again within the same tick of the clock
    file.write_bytes(b"two")
    os.utime(file)
    assert store.content_hashes(known, [file])[str(file)] == hashlib.sha256(b"two").hexdigest()
    assert hashlib.sha256(b"two").hexdigest() not in known.read_text()


def test_adapters_are_read_with_the_model_that_they_belong_to(tmp_path: Path) -> None:
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    for folder, names in (
        (base, ("config.json", "model.safetensors", "tokenizer.json", "LICENSE")),
        (adapter, ("adapter_model.safetensors", "tokenizer.json")),
        (base / "chat_templates", ("tools.jinja",)),
    ):
        folder.mkdir()
        for name in names:
            (folder / name).write_text("{}")
    (adapter / "adapter_config.json").write_text(
        f'{{"peft_type": "LORA", "base_model_name_or_path": "{base}"}}'
    )
    assert [path.relative_to(tmp_path).as_posix() for path in content_files(str(adapter))] == [
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "adapter/tokenizer.json",
        "base/chat_templates/tools.jinja",
        "base/config.json",
        "base/model.safetensors",
        "base/tokenizer.json",
    ]
