"""The sizes of a model, from its config.json and the heads of its safetensors files; no weight is read."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from backend.errors import ModelError
from backend.model_files import positions, read_json, text_config

LONGEST_HEAD = 100 << 20  # bytes; safetensors itself allows no longer one


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
    tensors = _tensors(sorted(folder.glob("*.safetensors")))

    def size(*names: str) -> int:
        values = [config.get(name) for name in names]
        return next((v for v in values if isinstance(v, int) and not isinstance(v, bool) and v > 0), 0)

    hidden, heads = size("hidden_size", "n_embd", "d_model"), size("num_attention_heads", "n_head")
    layers, vocabulary = size("num_hidden_layers", "n_layer"), size("vocab_size")
    if not (hidden and heads and layers and vocabulary):
        return None
    return Shape(
        parameters=sum(math.prod(shape) for shape, _ in tensors.values()),
        bytes=sum(length for _, length in tensors.values()),
        linear={
            name.removesuffix(".weight"): (shape[0], shape[1])
            for name, (shape, _) in tensors.items()
            if name.endswith(".weight") and len(shape) == 2 and not _is_table(name, shape, vocabulary)
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


def _tensors(paths: Iterable[Path]) -> dict[str, tuple[tuple[int, ...], int]]:
    """Shape and bytes of every tensor by name. A safetensors file begins with the length of a JSON head (8 bytes,
    little endian) that lists them."""
    found: dict[str, tuple[tuple[int, ...], int]] = {}
    for path in paths:
        try:
            with open(path, "rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                if length > LONGEST_HEAD:
                    raise ValueError(f"its head is said to have {length:,} bytes")
                head = json.loads(file.read(length))
            for name, about in head.items():
                if name != "__metadata__":
                    begin, end = about["data_offsets"]
                    found[name] = (tuple(int(n) for n in about["shape"]), int(end) - int(begin))
        except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} cannot be read as safetensors ({error})") from error
    return found
