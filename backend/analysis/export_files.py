"""One export, whoever asks for it: a file of samples, or a folder with all that a trainer needs.

A name that ends in .jsonl, .json or .parquet is a file; beside it, where asked for, lie NAME.test.* (what was held out)
and NAME.recipe.json. A name without an ending is a folder, which `datasets.load_dataset` opens:

    train.*, test.*     the samples, and what was held out
    *.rest.*            samples that the format has no place for, as messages
    README.md           the dataset card: what this is, how it was picked, how each trainer reads it
    recipe.json         how to pick the same again
    dataset_info.json, llama_factory.yaml, axolotl.yaml    what goes into these trainers' own configuration
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend import store
from backend.analysis.dataset_card import Described, dataset_card
from backend.analysis.picks_export import Picks
from backend.analysis.recipe import recipe_path, without_folders
from backend.analysis.trainer_stanzas import DataFile, axolotl_yaml, dataset_info, llama_factory_yaml
from backend.data.export import KINDS, WHY_NOT, FileKind, Part, fits, kind_of_file, write_parts
from backend.data.layouts import ExportFormat
from backend.errors import PoolError

UNFINISHED = "this export was interrupted before it was complete; export again"
STANZAS = ("dataset_info.json", "llama_factory.yaml", "axolotl.yaml")


@dataclass(frozen=True)
class ExportOptions:
    """How samples are written.

    kind : of the files in a folder; a file's own ending says its kind. scores : write what is known of each sample beside
    it. held_out : write what was held out as a second split. recipe : also beside a single file; a folder has it always.
    elsewhere : for readers on other machines: files are named without the folders that they lie in here.
    """

    format: ExportFormat = "messages"
    kind: FileKind = "jsonl"
    scores: bool = False
    held_out: bool = False
    recipe: bool = False
    elsewhere: bool = False

    def words(self, out: Path) -> list[str]:
        """The same as options of the command line."""
        folder = is_folder(out)
        return [
            *("--format", self.format),
            *(["--kind", self.kind] if folder and self.kind != "jsonl" else []),
            *(["--with-scores"] if self.scores else []),
            *(["--with-held-out"] if self.held_out else []),
            *(["--recipe"] if self.recipe and not folder else []),
        ]


@dataclass(frozen=True)
class Exported:
    """What was written.

    out : the file or folder that was named. files : all that was written, the samples first. samples : of all files but what
    was held out. rest : those of them that stand in a file of messages, as the format has no place for them.
    held_out : samples of the second split. notes : what somebody who trains on it should know, a sentence each.
    """

    out: Path
    files: tuple[Path, ...]
    samples: int
    rest: int
    held_out: int
    notes: tuple[str, ...]


def export_picks(out: Path, picks: Picks, options: ExportOptions | None = None) -> Exported:
    """Write samples to a file, or to a folder with all that a trainer needs; see above.

    Raises
    ------
    PoolError : nothing is selected, the ending or the format is unknown, no sample fits the format, or the folder holds
        something else.
    """
    options = options or ExportOptions()
    folder = check_out(out)
    if not len(picks):
        raise PoolError("nothing is selected, so there is nothing to export")
    kind = options.kind if folder else kind_of_file(out)
    parts = _parts(picks, options)
    chosen = fits(list(parts.values()), options.format)
    if not chosen[0].any():
        raise PoolError(
            f"none of the {len(picks):,} samples can be written as {options.format}: {WHY_NOT[options.format]}; choose messages"
        )
    if folder:
        out.mkdir(parents=True, exist_ok=True)
        # until all of it is there it is said to be a part, and as an export it can be written over
        store.write_json(recipe_path(out), {"unfinished": UNFINISHED})
        _clear(out)
    elif options.recipe:
        recipe_path(out).unlink(missing_ok=True)  # it would not be of these samples
    main = _written(out, kind, parts, chosen, options.format, rest=False, flags=folder)
    rest = _written(out, kind, parts, [~one for one in chosen], "messages", rest=True, flags=folder)
    files = main + rest
    notes = _notes(options.format, parts, files)
    paths = [out.parent / file.path if not folder else out / file.path for file in files]
    if options.recipe or folder:
        recipe = {
            **_about(out, options, parts["train"], files, notes),
            **picks.recipe(out, options.words(out)),
        }
        recipe = without_folders(recipe) if options.elsewhere else recipe
        beside = _beside(out, files, Described(options.format, picks, recipe, notes)) if folder else []
        store.write_json(recipe_path(out), recipe)
        paths += [recipe_path(out), *beside]
    held_out = sum(file.samples for file in files if file.split == "test")
    return Exported(
        out,
        tuple(paths),
        len(picks),
        sum(file.samples for file in rest if file.split == "train"),
        held_out,
        notes,
    )


def is_folder(out: Path) -> bool:
    """Whether a name means a folder: it has no ending."""
    return not out.suffix


def check_out(out: Path) -> bool:
    """Whether a name means a folder.

    Raises
    ------
    PoolError : the ending is unknown, a folder holds something that no export wrote, or a file has the folder's name.
    """
    if not is_folder(out):
        try:
            kind_of_file(out)
        except PoolError as error:
            raise PoolError(f"{error}; a name without an ending is a folder") from error
        return False
    if out.is_file():
        raise PoolError(f"{out} is a file; name another folder")
    if (
        out.is_dir()
        and any(path.name[0] != "." for path in out.iterdir())
        and not (out / "recipe.json").is_file()
    ):
        raise PoolError(f"the folder {out} holds something else; name a new or an empty one")
    return True


def _parts(picks: Picks, options: ExportOptions) -> dict[str, Part]:
    """The samples of each split."""
    columns = picks.columns() if options.scores else None
    parts = {"train": Part(picks.pool, picks.rows, columns)}
    if not options.held_out:
        return parts
    if picks.held_out is None:
        raise PoolError("nothing was held out here, so there is no second split to write")
    pool, rows = picks.held_out()
    beside = None
    if columns is not None:
        keys = list(columns[0])
        known = pool.take(rows, ["id", "file", "row"]).to_pylist()
        beside = [{key: line.get(key) for key in keys} for line in known]
    parts["test"] = Part(pool, rows, beside)
    return parts


def _written(
    out: Path,
    kind: FileKind,
    parts: dict[str, Part],
    chosen: list[np.ndarray],
    format: ExportFormat,
    *,
    rest: bool,
    flags: bool,
) -> list[DataFile]:
    """The files of the samples that are chosen of each split; none for a split of which none is."""
    made = {name: part.only(which) for (name, part), which in zip(parts.items(), chosen)}
    made = {name: part for name, part in made.items() if len(part)}
    if not made:
        return []
    names = {name: file_name(out, kind, name, rest=rest) for name in made}
    folder = out if is_folder(out) else out.parent
    shape = write_parts([(folder / names[name], part) for name, part in made.items()], format, flags=flags)
    return [
        DataFile(names[name], kind, name, format, shape, len(part), rest=rest) for name, part in made.items()
    ]


def file_name(out: Path, kind: FileKind, split: str, *, rest: bool) -> str:
    """What the file of a split is called."""
    tail = ".rest" if rest else ""
    if is_folder(out):
        return f"{split}{tail}.{kind}"
    middle = "" if split == "train" else f".{split}"
    return f"{out.stem}{middle}{tail}{out.suffix}"


def _clear(folder: Path) -> None:
    """Take the samples of an earlier export away, which may have had other files."""
    for split in ("train", "test"):
        for rest in (False, True):
            for kind in KINDS:
                (folder / file_name(Path("folder"), kind, split, rest=rest)).unlink(missing_ok=True)
    for name in ("README.md", *STANZAS):
        (folder / name).unlink(missing_ok=True)


def _notes(format: ExportFormat, parts: dict[str, Part], files: list[DataFile]) -> tuple[str, ...]:
    """What whoever trains on it should know."""
    notes = []
    for file in files:
        if file.rest:
            notes.append(
                f"{file.samples:,} of {len(parts[file.split]):,} samples cannot be written as {format}: {WHY_NOT[format]}. "
                f"They are in {file.path}, as messages."
            )
    uneven = files[0].shape.uneven
    if uneven and format in ("messages", "sharegpt"):
        notes.append(
            f"In {uneven:,} {'sample' if uneven == 1 else 'samples'} turns of the assistant and of others do not take turns: "
            f"LLaMA-Factory leaves {'it' if uneven == 1 else 'them'} out."
        )
    return tuple(notes)


def _about(
    out: Path, options: ExportOptions, train: Part, files: list[DataFile], notes: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "file": out.name,
        "format": options.format,
        "with_scores": options.scores,
        "columns": [] if train.beside is None else list(train.beside[0]),
        "files": [
            {"name": file.path, "split": file.split, "format": file.format, "samples": file.samples}
            for file in files
        ],
        "export_notes": list(notes),
    }


def _beside(folder: Path, files: list[DataFile], described: Described) -> list[Path]:
    """The card, and what goes into the configuration of trainers that can read these files."""
    texts = {
        "README.md": dataset_card(folder.name, files, described),
        "dataset_info.json": dataset_info(folder.name, files),
        "llama_factory.yaml": llama_factory_yaml(folder.name, files),
        "axolotl.yaml": axolotl_yaml(folder.name, files),
    }
    written = []
    for name, text in texts.items():
        if text:
            (folder / name).write_text(text, encoding="utf-8")
            written.append(folder / name)
    return written
