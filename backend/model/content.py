"""The files that a model is read from, wherever its name leads: what has to be the same for its losses to be the same."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from backend.model import model_files

# weights, configuration, tokenizer, chat template; what else lies in a model's folder (a licence, a picture) is not read
READ = (".safetensors", ".json", ".jinja", ".model", ".txt", ".tiktoken")
TEMPLATES = "chat_templates"


def content_files(name: str) -> list[Path]:
    """Every file that loading this model may read, in an order of its own; of adapters also those of their model.

    A hub id stands for its snapshot in the hub's cache, so the model has to have been loaded before.

    Raises
    ------
    ModelError : as `model_files.folder_of` and `model_files.adapter_base` say.
    """
    files: list[Path] = []
    seen: set[Path] = set()
    while True:
        folder = model_files.folder_of(name) or _snapshot(name)
        if folder is None or folder in seen:
            return files
        seen.add(folder)
        places = (folder, folder / TEMPLATES)
        files += sorted(
            path
            for place in places
            if place.is_dir()
            for path in place.iterdir()
            if path.suffix in READ and path.is_file()
        )
        if not model_files.is_adapter(folder):
            return files
        name = model_files.adapter_base(folder)


def _snapshot(name: str) -> Path | None:
    """The folder in the hub's cache that this id is loaded from; None where it is not there."""
    for file in ("config.json", model_files.ADAPTER):
        found = try_to_load_from_cache(name, file)
        if isinstance(found, str):
            return Path(found).parent
    return None
