"""What goes into the configuration of LLaMA-Factory and of Axolotl, so that they train on what the studio trains on.

Both train on the last turn of the assistant alone, as the studio does: LLaMA-Factory where its history is masked,
Axolotl where the turns say so themselves (`train`) or there is one such turn in each sample.

LLaMA-Factory reads its `columns` and `tags` as they are given: what one of them leaves out has no default any more, so all
that are there are named. Its `sharegpt` reader takes the text of a turn and nothing else, so messages with reasoning, calls or
tools beside the text get no stanza.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from backend.data.export import FileKind
from backend.data.layouts import ExportFormat, Shape

Split = Literal["train", "test"]


@dataclass(frozen=True)
class DataFile:
    """One file of samples. path : as seen from the folder. rest : it holds what the format asked for has no place for."""

    path: str
    kind: FileKind
    split: str
    format: ExportFormat
    shape: Shape
    samples: int
    rest: bool = False


def data_name(name: str, file: DataFile) -> str:
    """What a file is called in a trainer's configuration."""
    stem = re.sub(r"\W+", "_", name).strip("_") or "samples"
    return stem + ("_rest" if file.rest else "") + ("_test" if file.split == "test" else "")


def why_not_llama_factory(file: DataFile) -> str:
    """Why LLaMA-Factory cannot read a file; "" where it can."""
    if file.format == "prompt_completion":
        return "it has no such format; export as sharegpt"
    shape = file.shape
    if file.format == "messages":
        lost = [
            *(["reasoning"] if "reasoning_content" in shape.texts else []),
            *(["tool calls"] if shape.has_calls else []),
            *(["tools"] if shape.tools and not shape.has_calls else []),
        ]
        if lost:
            return (
                f"it would read the text of the turns alone and lose {' and '.join(lost)}; export as sharegpt"
            )
    return ""


def why_not_axolotl(file: DataFile) -> str:
    """Why Axolotl cannot read a file as the studio does; "" where it can."""
    if file.format == "prompt_completion":
        return "it has no such format with turns; export as messages"
    if file.format == "alpaca" and file.shape.history:
        return "its alpaca format knows no earlier rounds; export as messages"
    if file.shape.has_calls and not file.shape.calls and file.format == "messages":
        return "tool calls first come up late in this file and are text there; export as sharegpt"
    return ""


def _read_by(why_not: Callable[[DataFile], str], files: list[DataFile]) -> list[DataFile]:
    """The files that a trainer can read; none where it cannot read the first, of which the others are the rest."""
    return [] if why_not(files[0]) else [file for file in files if not why_not(file)]


def dataset_info(name: str, files: list[DataFile]) -> str:
    """LLaMA-Factory's dataset_info.json; "" where it can read none of the files."""
    stanzas = {data_name(name, file): _stanza(file) for file in _read_by(why_not_llama_factory, files)}
    return json.dumps(stanzas, indent=2) + "\n" if stanzas else ""


def _stanza(file: DataFile) -> dict[str, Any]:
    shape = file.shape
    if file.format == "alpaca":
        columns = {"prompt": "instruction", "query": "input", "response": "output"}
        columns |= {"system": "system"} if shape.system else {}
        columns |= {"history": "history"} if shape.history else {}
        return {"file_name": file.path, "formatting": "alpaca", "columns": columns}
    talk = "conversations" if file.format == "sharegpt" else "messages"
    role, content, user, assistant, tool = (
        ("from", "value", "human", "gpt", "observation")
        if file.format == "sharegpt"
        else ("role", "content", "user", "assistant", "tool")
    )
    return {
        "file_name": file.path,
        "formatting": "sharegpt",
        "columns": {"messages": talk, **({"tools": "tools"} if shape.tools else {})},
        "tags": {
            "role_tag": role,
            "content_tag": content,
            "user_tag": user,
            "assistant_tag": assistant,
            "observation_tag": tool,
            "function_tag": "function_call",
            "system_tag": "system",
        },
    }


def llama_factory_yaml(name: str, files: list[DataFile]) -> str:
    """The lines of a LLaMA-Factory training configuration; "" where it can read none of the files."""
    read = _read_by(why_not_llama_factory, files)
    if not read:
        return ""
    names = {
        split: ",".join(data_name(name, file) for file in read if file.split == split)
        for split in ("train", "test")
    }
    lines = [
        "# LLaMA-Factory: put these lines into your training configuration, beside the model and its template.",
        "stage: sft",
        f"dataset_dir: {_quoted(name)}  # this folder, as seen from where the training is started",
        f"dataset: {names['train']}",
        *([f"eval_dataset: {names['test']}"] if names["test"] else []),
        "mask_history: true  # train on the last turn alone, as the studio does",
        "train_on_prompt: false",
    ]
    return "\n".join(lines) + "\n"


def axolotl_yaml(name: str, files: list[DataFile]) -> str:
    """The lines of an Axolotl configuration; "" where it can read none of the files."""
    read = _read_by(why_not_axolotl, files)
    if not read:
        return ""
    lines = [
        "# Axolotl: put these lines into your configuration, beside the model. Paths are as seen from where it is started.",
        "train_on_inputs: false",
    ]
    for split, key in (("train", "datasets"), ("test", "test_datasets")):
        chosen = [file for file in read if file.split == split]
        if chosen:
            lines += [f"{key}:", *(line for file in chosen for line in _dataset(name, file))]
    lines += ["val_set_size: 0"] if any(file.split == "test" for file in read) else []
    return "\n".join(lines) + "\n"


def _dataset(name: str, file: DataFile) -> list[str]:
    shape = file.shape
    lines = [
        f"path: {_quoted(f'{name}/{file.path}')}",
        f"ds_type: {'parquet' if file.kind == 'parquet' else 'json'}",
        "split: train",
    ]
    if file.format == "alpaca":
        lines.append(f"type: {'alpaca_w_system.load_chat' if shape.system else 'alpaca'}")
        return _item(lines)
    lines.append("type: chat_template")
    if file.format == "sharegpt":
        lines += [
            "field_messages: conversations",
            "message_property_mappings: {role: from, content: value}",
            "roles: {system: [system], user: [human], assistant: [gpt, function_call], tool: [observation]}",
        ]
    else:
        lines.append("field_messages: messages")
    if shape.flags:
        lines += [
            "roles_to_train: []  # no role as such:",
            "message_field_training: train  # each turn says itself, and only the last says true",
        ]
    else:
        lines.append("roles_to_train: [assistant]  # which has one turn in each sample, the last")
    lines.append("train_on_eos: turn")
    return _item(lines)


def _item(lines: list[str]) -> list[str]:
    return [f"  {'- ' if at == 0 else '  '}{line}" for at, line in enumerate(lines)]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
