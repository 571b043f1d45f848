"""Folders that look like a model's: a configuration, a safetensors file of zeros and a tokenizer."""

import json
import math
import struct
from pathlib import Path

SIZES = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "max_position_embeddings": 512,
}


def tensors(sizes: dict[str, int] = SIZES) -> dict[str, tuple[int, ...]]:
    """Shapes of a Llama's tensors, its head tied to the embedding."""
    hidden, inner = sizes["hidden_size"], sizes["intermediate_size"]
    heads, kv = sizes["num_attention_heads"], sizes["num_key_value_heads"]
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (sizes["vocab_size"], hidden)}
    for layer in range(sizes["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        found |= {
            f"{at}.self_attn.q_proj.weight": (hidden, hidden),
            f"{at}.self_attn.k_proj.weight": (hidden * kv // heads, hidden),
            f"{at}.self_attn.v_proj.weight": (hidden * kv // heads, hidden),
            f"{at}.self_attn.o_proj.weight": (hidden, hidden),
            f"{at}.mlp.gate_proj.weight": (inner, hidden),
            f"{at}.mlp.up_proj.weight": (inner, hidden),
            f"{at}.mlp.down_proj.weight": (hidden, inner),
            f"{at}.input_layernorm.weight": (hidden,),
            f"{at}.post_attention_layernorm.weight": (hidden,),
        }
    return found | {"model.norm.weight": (hidden,)}


def model_folder(folder: Path, *, template: bool = True, **changes: int) -> Path:
    """A folder with everything that is looked at before a model is loaded."""
    sizes = {**SIZES, **changes}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(sizes))
    head, at = {}, 0
    for name, shape in tensors(sizes).items():  # type: ignore[arg-type]
        end = at + 2 * math.prod(shape)
        head[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps({"__metadata__": {"format": "pt"}, **head}).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(file.tell() + at)  # weights of 0
    (folder / "tokenizer.json").write_text("{}")
    about = {"chat_template": "{{ messages }}"} if template else {}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    return folder


def give_tokens(folder: Path, tokens: dict[str, int], added: dict[str, int], **roles: str) -> None:
    """Write the vocabulary, what was added to it, and the tokens of a role ("pad_token", ...) into a folder."""
    listed = [{"id": number, "content": token} for token, number in added.items()]
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": listed, "model": {"vocab": tokens}}))
    about = {**json.loads((folder / "tokenizer_config.json").read_text()), **roles}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


def set_number(folder: Path, tensor: str, at: int, bits: int) -> None:
    """Write the two bytes of one number of a tensor."""
    path = folder / "model.safetensors"
    with open(path, "r+b") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        head = json.loads(file.read(length))
        file.seek(8 + length + head[tensor]["data_offsets"][0] + 2 * at)
        file.write(struct.pack("<H", bits))
