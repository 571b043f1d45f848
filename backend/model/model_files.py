"""Which files a model's name means and what they say, without loading it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backend.data.demo import MODEL as DEMO_MODEL
from backend.errors import ModelError

ADAPTER = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
TEMPLATES = ("chat_template.jinja", "chat_template.json")
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")


def folder_of(name: str) -> Path | None:
    """The folder that a model's name means; None for a hub id.

    Raises
    ------
    ModelError : the name is empty, or a path where there is no folder.
    """
    if not name:
        raise ModelError("no model is named; give a folder, a hub id (owner/name), or 'demo'")
    folder = DEMO_MODEL if name == "demo" else Path(name).expanduser()
    if not folder.exists():
        if name == "demo" or looks_like_path(name):
            raise ModelError(f"model folder {folder} does not exist")
        return None
    if not folder.is_dir():
        raise ModelError(f"model {folder} is a file; expected a folder with config.json and *.safetensors")
    return folder


def looks_like_path(name: str) -> bool:
    """Whether a name can only mean a folder: a hub id has one slash, and not at its beginning."""
    return name.startswith(("/", "./", "../", "~")) or "\\" in name or name.count("/") != 1


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds adapters of a model rather than a whole one."""
    return (folder / ADAPTER).is_file()


def is_model(folder: Path) -> bool:
    """Whether a folder can be chosen as a model: a whole one, or adapters of one."""
    return is_adapter(folder) or (folder / "config.json").is_file()


def check_folder(folder: Path) -> None:
    """Say at once which of its parts a model's folder lacks.

    Raises
    ------
    ModelError : no configuration, no safetensors, or no tokenizer.
    """
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    found = ", ".join(files[:8]) or "nothing"
    if is_adapter(folder):
        if ADAPTER_WEIGHTS not in files:
            raise ModelError(f"folder {folder} of adapters: {ADAPTER_WEIGHTS} is missing (found: {found})")
    else:
        if "config.json" not in files:
            raise ModelError(f"model folder {folder}: config.json is missing (found: {found})")
        if not any(name.endswith(".safetensors") for name in files):
            hint = (
                "; convert the .bin weights to safetensors" if any(n.endswith(".bin") for n in files) else ""
            )
            raise ModelError(f"model folder {folder}: no *.safetensors weights (found: {found}){hint}")
    if not any(name in files for name in TOKENIZERS):
        raise ModelError(f"model folder {folder}: tokenizer.json is missing (found: {found})")


def adapter_base(folder: Path) -> str:
    """The name of the model that a folder's adapters belong to.

    Raises
    ------
    ModelError : the adapters are of another kind than LoRA, or name no model.
    """
    about = read_json(folder / ADAPTER)
    kind = about.get("peft_type")
    if kind != "LORA":
        raise ModelError(f"{folder / ADAPTER}: adapters of the kind {kind} cannot be loaded (allowed: LORA)")
    base = about.get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise ModelError(
            f"{folder / ADAPTER}: base_model_name_or_path does not name the base model of these adapters"
        )
    return base


def full_path(name: str) -> str:
    """The folder or hub id of the weights and the config.json behind a model's name, which may be that of its adapters.

    Raises
    ------
    ModelError : as `folder_of`, `check_folder` and `adapter_base` say, or adapters that lead to themselves.
    """
    seen: list[str] = []
    while True:
        try:
            folder = folder_of(name)
        except ModelError as error:
            if seen:
                raise ModelError(f"the model of the adapters in {seen[-1]} was not found: {error}") from error
            raise
        if folder is None:
            return name
        check_folder(folder)
        if not is_adapter(folder):
            return str(folder)
        if str(folder) in seen:
            raise ModelError(f"the adapters in {folder} name themselves as their base model")
        seen.append(str(folder))
        name = adapter_base(folder)


def chat_template(folder: Path) -> str:
    """The chat template of the tokenizer in a folder, several named ones one after the other; "" where there is none.

    Raises
    ------
    ModelError : a file that would hold it is not UTF-8, or no JSON object.
    """
    beside, inside = folder / TEMPLATES[0], folder / TEMPLATES[1]
    if beside.is_file():
        try:
            return beside.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ModelError(f"{beside} cannot be read ({error})") from error
    for path in (inside, folder / "tokenizer_config.json"):
        given = read_json(path).get("chat_template") if path.is_file() else None
        if isinstance(given, list):
            given = "\n".join(str(one.get("template", "")) for one in given if isinstance(one, dict))
        if isinstance(given, str) and given:
            return given
    return ""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a model's folder.

    Raises
    ------
    ModelError : it is missing, or no JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error})") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} holds a {type(value).__name__}; expected a JSON object")
    return value


def text_config(config: dict[str, Any]) -> dict[str, Any]:
    """The part of a config.json that is about text: a model that also sees keeps it apart."""
    inner = config.get("text_config")
    return inner if isinstance(inner, dict) else config


def positions(folder: Path) -> int | None:
    """Tokens that the model in a folder was built for; None where it names no limit."""
    value = text_config(read_json(folder / "config.json")).get("max_position_embeddings")
    return int(value) if isinstance(value, int) and value > 0 else None
