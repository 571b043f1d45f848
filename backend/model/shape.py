"""The sizes of a model, from its config.json and the heads of its safetensors files; no weight is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from backend.model.model_files import positions, read_json, text_config
from backend.model.tensors import tensors


@dataclass(frozen=True)
class Shape:
    """The sizes of a causal language model that its memory depends on.

    parameters : numbers in all its tensors, tied ones once. linear : (rows, columns) of the weight of each linear
        layer but the head, the ones that LoRA adapters are put on, by name. bytes : of all tensors as they are stored.
    layers, hidden, intermediate, heads, head_dim, kv_heads, vocabulary : as in config.json.
    positions : tokens it was built for; None where it names no limit.
    """

    parameters: int
    bytes: int
    linear: dict[str, tuple[int, int]]
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    positions: int | None


def shape_of(folder: Path) -> Shape | None:
    """The sizes of the whole model in a folder, or None where its config.json does not say them in the usual words.

    Raises
    ------
    ModelError : a file cannot be read.
    """
    config = text_config(read_json(folder / "config.json"))
    found = tensors(sorted(folder.glob("*.safetensors")))

    def size(*names: str) -> int:
        values = [config.get(name) for name in names]
        return next((v for v in values if isinstance(v, int) and not isinstance(v, bool) and v > 0), 0)

    hidden, heads = size("hidden_size", "n_embd", "d_model"), size("num_attention_heads", "n_head")
    layers, vocabulary = size("num_hidden_layers", "n_layer"), size("vocab_size")
    if not (hidden and heads and layers and vocabulary):
        return None
    return Shape(
        parameters=sum(math.prod(tensor.shape) for tensor in found.values()),
        bytes=sum(tensor.bytes for tensor in found.values()),
        linear={
            name.removesuffix(".weight"): (tensor.shape[0], tensor.shape[1])
            for name, tensor in found.items()
            if name.endswith(".weight")
            and len(tensor.shape) == 2
            and not _is_table(name, tensor.shape, vocabulary)
        },
        layers=layers,
        hidden=hidden,
        intermediate=size("intermediate_size", "n_inner") or 4 * hidden,
        heads=heads,
        kv_heads=size("num_key_value_heads") or heads,
        head_dim=size("head_dim") or hidden // heads,
        vocabulary=vocabulary,
        positions=positions(folder),
    )


def _is_table(name: str, shape: tuple[int, ...], vocabulary: int) -> bool:
    """Embeddings and output head, which get no adapters: named so, or as long as the vocabulary."""
    last = name.removesuffix(".weight").rpartition(".")[2]
    return last.startswith(("embed", "wte", "wpe", "lm_head")) or vocabulary in shape
