"""Whether the parts of a model's folder belong together: tokenizer and embedding, config.json and weights, and numbers that
are numbers. From the files alone; what only shows once a model is loaded is looked at in `backend.model.load`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2

from backend.errors import ModelError
from backend.model import tensors
from backend.model.model_files import TEMPLATES, chat_template, read_json, text_config
from backend.model.tensors import Tensor

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
EMBEDDINGS = ("embed_tokens", "wte", "word_embeddings", "embed_in", "tok_embeddings")
ROLES = ("bos_token", "eos_token", "pad_token", "unk_token")  # tokens that are used whatever a text says
NOT_FINITE = "tensor {name} of model {model} holds NaN or infinite numbers: the weights are damaged, or were saved after their training had diverged"


@dataclass(frozen=True)
class Beyond:
    """Tokens whose ids the model's embedding does not have.

    tokens : (token, id), by id. rows : of the embedding. harmful : one of them is an ordinary token, has a role, or
        stands in the chat template, so that samples will hold it; otherwise only a sample that spells one out does.
    """

    tokens: list[tuple[str, int]]
    rows: int
    harmful: bool

    def sentence(self, model: str) -> str:
        """What is wrong and what would do."""
        token, number = self.tokens[0]
        many = "1 token" if len(self.tokens) == 1 else f"{len(self.tokens):,} tokens"
        found = (
            f"the tokenizer of model {model} has {many} beyond the {self.rows:,} rows of the model's embedding "
            f"({token!r} has the id {number:,})"
        )
        if self.harmful:
            return f"{found}: take the tokenizer that belongs to these weights, or resize the embedding"
        return f"{found}: a sample that holds one of them cannot be scored"


def beyond(
    vocabulary: Mapping[str, int], rows: int, *, added: Iterable[str], roles: Iterable[str], template: str
) -> Beyond | None:
    """The tokens that an embedding of so many rows does not have; None where it has all.

    added : tokens that were added to the vocabulary. roles : those that begin, end or pad texts.
    """
    over = sorted(
        ((token, number) for token, number in vocabulary.items() if number >= rows), key=lambda pair: pair[1]
    )
    if not over:
        return None
    only_added, used = set(added), set(roles)
    # the ones that will surely be met come first, because the first is named
    sure = [(t, n) for t, n in over if t not in only_added or t in used or t in template]
    return Beyond(sure + [pair for pair in over if pair not in sure] if sure else over, rows, bool(sure))


def beyond_in(folder: Path, rows: int) -> Beyond | None:
    """The same from a folder's tokenizer.json; None also where it has none, or one of another make.

    Raises
    ------
    ModelError : one of the tokenizer's files is no JSON object.
    """
    if not (folder / "tokenizer.json").is_file():
        return None
    return _beyond_in(folder, rows, _stamp([folder / name for name in (*TOKENIZER_FILES, *TEMPLATES)]))


def _stamp(paths: Iterable[Path]) -> tuple[tuple[Path, int, int], ...]:
    """What changes where one of these files does; those that are not there are left out."""
    there = [(path, path.stat()) for path in paths if path.is_file()]
    return tuple((path, about.st_mtime_ns, about.st_size) for path, about in there)


@lru_cache(
    maxsize=16
)  # a form asks with every change, a comparison once per run; a large tokenizer takes 0.2 s
def _beyond_in(folder: Path, rows: int, stamp: tuple[tuple[Path, int, int], ...]) -> Beyond | None:
    about = read_json(folder / "tokenizer.json")
    vocabulary = _vocabulary(about)
    added = {
        str(entry["content"]): int(entry["id"])
        for entry in about.get("added_tokens") or []
        if isinstance(entry, dict) and "content" in entry and isinstance(entry.get("id"), int)
    }
    settings = folder / "tokenizer_config.json"
    said = read_json(settings) if settings.is_file() else {}
    return beyond(
        {**vocabulary, **added}, rows, added=added, roles=_roles(said), template=chat_template(folder)
    )


def embedding_rows(found: Mapping[str, Tensor], config: Mapping[str, Any]) -> int:
    """Rows of a model's input embedding, from its weights, else from config.json; 0 where neither says it."""
    tensor = _embedding(found)
    size = text_config(dict(config)).get("vocab_size")
    if tensor is not None:
        return found[tensor].shape[0]
    return size if isinstance(size, int) else 0


def check_weights(folder: Path, model: str) -> None:
    """Refuse a model's folder whose weights do not match its config.json, lack a part, or are no numbers.

    Raises
    ------
    ModelError : says which tensor or file, what was found and what is needed.
    """
    config = text_config(read_json(folder / "config.json"))
    _check_shards(folder)
    files = sorted(folder.glob("*.safetensors"))
    found = tensors.tensors(files)
    size, hidden, layers = (config.get(name) for name in ("vocab_size", "hidden_size", "num_hidden_layers"))
    name = _embedding(found)
    quantized = "quantization_config" in config
    if name is not None and isinstance(size, int) and isinstance(hidden, int) and not quantized:
        shape = found[name].shape
        # some models have an embedding narrower than what follows it
        if shape[0] != size or (shape[1] > hidden):
            raise ModelError(
                f"the weights of model {model} do not match its config.json: {name} has the shape "
                f"{shape[0]:,} x {shape[1]:,}, and {size:,} x {hidden:,} is expected (vocab_size x hidden_size)"
            )
    there = {int(m[1]) for m in map(re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.").search, found) if m}
    if there and isinstance(layers, int) and max(there) + 1 < layers:
        raise ModelError(
            f"the weights of model {model} lack layers: config.json says {layers:,}, and the files hold {max(there) + 1:,}"
        )
    bad = _not_finite(_stamp(files))
    if bad is not None:
        raise ModelError(NOT_FINITE.format(name=bad, model=model))


@lru_cache(maxsize=16)
def _not_finite(stamp: tuple[tuple[Path, int, int], ...]) -> str | None:
    return tensors.not_finite(tensors.tensors(path for path, _, _ in stamp))


def check_template(template: str, model: str) -> None:
    """Refuse a chat template that is none, before a tokenizer is loaded.

    Raises
    ------
    ModelError : says in which line of the template.
    """
    # {% generation %} is transformers' own; what it holds is an ordinary part of a template
    plain = re.sub(r"\{%-?\s*(?:end)?generation\s*-?%\}", "", template)
    try:
        jinja2.Environment(extensions=["jinja2.ext.loopcontrols"]).parse(plain)
    except jinja2.TemplateSyntaxError as error:
        raise ModelError(
            f"the chat template of model {model} is not one: {error.message} (line {error.lineno})"
        ) from error


def _check_shards(folder: Path) -> None:
    """Refuse a folder that lacks a file which its index names."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file() or (folder / "model.safetensors").is_file():
        return
    named = read_json(index).get("weight_map")
    files = sorted(set(map(str, named.values()))) if isinstance(named, dict) else []
    missing = [name for name in files if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"model folder {folder}: {missing[0]} is missing ({len(missing):,} of the {len(files):,} files of weights that "
            f"{index.name} names)"
        )


def _embedding(found: Mapping[str, Tensor]) -> str | None:
    """The name of the input embedding among a model's tensors; of a model that also sees, that of its text."""
    names = [
        name
        for name, tensor in found.items()
        if name.endswith(".weight")
        and name.split(".")[-2] in EMBEDDINGS
        and len(tensor.shape) == 2
        and not re.search(r"vision|visual|audio", name)
    ]
    return names[0] if len(names) == 1 else None


def _vocabulary(about: Mapping[str, Any]) -> dict[str, int]:
    """Ids by token of a tokenizer.json without what was added: an object, or of SentencePiece's kind a list of pairs."""
    model = about.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, dict):
        return {str(token): number for token, number in vocabulary.items() if isinstance(number, int)}
    if isinstance(vocabulary, list):
        return {str(pair[0]): at for at, pair in enumerate(vocabulary) if isinstance(pair, list) and pair}
    return {}


def _roles(settings: Mapping[str, Any]) -> set[str]:
    """The tokens of a tokenizer_config.json that begin, end or pad texts, given as texts or as objects."""
    given = [settings.get(role) for role in ROLES]
    return {str(one.get("content")) if isinstance(one, dict) else str(one) for one in given if one}
