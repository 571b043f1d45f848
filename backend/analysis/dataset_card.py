"""The README.md of an exported folder: what it holds, how it was picked, how each trainer reads it.

Its head is YAML, by which the datasets library and the Hugging Face hub find the splits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.analysis.picks_export import Picks
from backend.analysis.trainer_stanzas import DataFile, why_not_axolotl, why_not_llama_factory
from backend.data.layouts import ExportFormat

_COLUMNS = {
    "id": "hash of the sample's content",
    "file": "the file it was read from",
    "row": "its row in that file, from 0",
    "rank": "place in the order of picks, from 1",
    "gain": "what won the pick; empty where the strategy has none",
    "complexity": "PPL(response given the prompt) / PPL(response alone)",
    "diversity": "what the response added to earlier picks when it was picked",
    "why": "why it was picked, in words",
    "epoch": "the epoch that picked it first",
    "epochs": "how many epochs picked it",
}


@dataclass(frozen=True)
class Described:
    """What a card tells beside the files. recipe : see `backend.analysis.recipe`. notes : what a trainer should know."""

    format: ExportFormat
    picks: Picks
    recipe: dict[str, Any]
    notes: tuple[str, ...]


def dataset_card(name: str, files: list[DataFile], described: Described) -> str:
    """The card's text. name : of the folder."""
    recipe = described.recipe
    parts = [
        _head(files),
        f"# {name}",
        _summary(described),
        _files(files),
        *(f"- {note}" for note in described.notes),
        "## How it was picked",
        _recipe(recipe),
        *([_columns(recipe)] if recipe["columns"] else []),
        "## How trainers read it",
        _trl(files[0]),
        _llama_factory(files),
        _axolotl(files),
    ]
    return "\n\n".join(parts) + "\n"


def _head(files: list[DataFile]) -> str:
    lines = ["---", "configs:"]
    for rest in (False, True):
        chosen = [file for file in files if file.rest == rest]
        if chosen:
            lines += [f"- config_name: {'rest' if rest else 'default'}", "  data_files:"]
            lines += [
                line for file in chosen for line in (f"  - split: {file.split}", f"    path: {file.path}")
            ]
    return "\n".join([*lines, "task_categories:", "- text-generation", "tags:", "- iterit", "---"])


def _summary(described: Described) -> str:
    recipe, pool = described.recipe, described.picks.pool
    by = f" with the scores of the model `{recipe['model']}`" if recipe["model"] else ""
    epoch = recipe["epoch"]
    which = (
        "" if epoch is None else " (all epochs, each sample once)" if epoch == "all" else f" (epoch {epoch})"
    )
    strategy = recipe["strategy"]
    how = (
        strategy if strategy == "chosen by a person" else f"selected by the strategy `{strategy}`{by}{which}"
    )
    return f"{recipe['samples']:,} of the {len(pool):,} samples of `{pool.name}`, {how}, in the order in which they were picked."


def _files(files: list[DataFile]) -> str:
    lines = ["| file | split | format | samples |", "|---|---|---|---:|"]
    lines += [f"| {file.path} | {file.split} | {file.format} | {file.samples:,} |" for file in files]
    if any(file.split == "test" for file in files):
        lines.append("\n`test` was held out to measure on; nothing was selected from it.")
    rest = ', and `load_dataset(".", "rest")` the rest' if any(file.rest for file in files) else ""
    return "\n".join([*lines, f'\n`datasets.load_dataset(".")` opens the folder{rest}.'])


def _recipe(recipe: dict[str, Any]) -> str:
    known = ("budget", "decay", "complexity_weight", "diversity_weight", "max_complexity", "system_prompt")
    lines = [
        f"- {key.replace('_', ' ')}: `{recipe['settings'][key]}`"
        for key in known
        if key in recipe["settings"]
    ]
    lines += [
        f"- {key}: {len(recipe[key]):,} samples" for key in ("pinned", "excluded") if len(recipe.get(key, ()))
    ]
    lines.append(f"- SHA-256 of the sample ids in their order: `{recipe['ids_sha256']}`")
    lines.append("- all settings, pins and exclusions: `recipe.json`")
    if recipe["commands"]:
        lines += ["\nThe same again, with [IterIT](https://arxiv.org/abs/2412.17365) Studio:\n", "```sh"]
        lines += [*recipe["commands"], "```"]
    return "\n".join([*lines, *(f"\n{note}" for note in recipe["notes"])])


def _columns(recipe: dict[str, Any]) -> str:
    listed = [f"- `{name}`: {_COLUMNS[name]}" for name in recipe["columns"] if name in _COLUMNS]
    return "\n".join(["Beside each sample stand:\n", *listed])


def _trl(file: DataFile) -> str:
    if file.format == "alpaca":
        return "**TRL** does not read this format; export as prompt_completion."
    if file.format == "sharegpt":
        return "**TRL** does not translate the speakers of this format (human, gpt); export as prompt_completion."
    code = [
        "```python",
        "from datasets import load_dataset",
        "from trl import SFTConfig, SFTTrainer",
        "",
        'data = load_dataset(".")',
        'SFTTrainer("MODEL", args=SFTConfig("out"), train_dataset=data["train"]).train()',
        "```",
    ]
    if file.format == "prompt_completion":
        words = "trains on the response alone, as the studio does:"
    else:
        words = "trains on every token of this format, prompts too (export as prompt_completion to train on the response alone):"
    return "\n".join([f"**TRL** {words}\n", *code])


def _llama_factory(files: list[DataFile]) -> str:
    reasons = {why_not_llama_factory(file) for file in files}
    why_not = why_not_llama_factory(files[0])
    if why_not:
        return f"**LLaMA-Factory** cannot read this: {why_not}."
    more = f" It cannot read the rest: {next(iter(reasons - {''}))}." if reasons - {""} else ""
    return (
        "**LLaMA-Factory** finds the files by `dataset_info.json`; `llama_factory.yaml` has the lines for the training "
        f"configuration, with the history masked.{more}"
    )


def _axolotl(files: list[DataFile]) -> str:
    why_not = why_not_axolotl(files[0])
    if why_not:
        return f"**Axolotl** cannot read this: {why_not}."
    alpaca = (
        " It writes Alpaca's own headings around the texts, not the model's chat template; export as messages for that."
        if files[0].format == "alpaca"
        else ""
    )
    return f"**Axolotl**: `axolotl.yaml` has the lines for its configuration; the last turn is trained on.{alpaca}"
