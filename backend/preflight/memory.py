"""How much memory training a model takes, reckoned from the sizes in its files.

Weights, gradients and what AdamW keeps are counted exactly. Activations are those of a decoder layer as transformers
writes it (two norms, attention that is not held as a matrix, a gated MLP), and of a head whose logits are taken in
float32: a rough figure. What CUDA, other libraries and gaps between blocks take comes on top.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.config import RunConfig
from backend.model.shape import Shape

FLOAT32 = 4


@dataclass(frozen=True)
class Need:
    """Bytes that training takes on each device, and how many numbers are trained. `tokens`: of one forward pass."""

    trained: int
    weights: int
    gradients: int
    optimizer: int
    activations: int
    tokens: int

    @property
    def certain(self) -> int:
        """What is there whatever the batch."""
        return self.weights + self.gradients + self.optimizer

    @property
    def total(self) -> int:
        return self.certain + self.activations


def needed(shape: Shape, config: RunConfig, *, sixteen_bit: bool, longest: int) -> Need:
    """What a run needs to train, or where it has no epochs, to score.

    sixteen_bit : whether the arithmetic is bf16 or fp16. longest : tokens of the longest sample, after the cut.
    """
    number = 2 if sixteen_bit else FLOAT32
    if not config.epochs:
        tokens = max(config.batch_tokens, longest)
        return Need(0, shape.parameters * number, 0, 0, tokens * _layer(shape, number, number), tokens)
    tokens = config.device_batch_size * longest
    if config.lora_rank:
        trained = adapter_numbers(shape, config)
        weights, stream = shape.parameters * number + trained * FLOAT32, number
    else:
        trained = shape.parameters
        # float32, beside the 16-bit copies that autocast computes with
        weights, stream = trained * (FLOAT32 + (number if sixteen_bit else 0)), FLOAT32
    layer = _layer(shape, number, stream)
    if config.attention == "eager":
        layer += 2 * number * shape.heads * longest
    kept = layer * shape.layers
    if config.gradient_checkpointing:  # each layer's input, and one layer at a time as a whole
        kept = stream * shape.hidden * shape.layers + layer
    # logits as they are computed, in float32, and their gradient
    head = shape.vocabulary * (number + 2 * FLOAT32)
    return Need(trained, weights, trained * FLOAT32, 2 * trained * FLOAT32, tokens * (kept + head), tokens)


def disk_needed(shape: Shape, config: RunConfig) -> int:
    """Bytes that a run's folder takes at most: two checkpoints for a moment, each with weights and AdamW's two averages
    in float32, and the model that is left in the end; 0 where nothing is trained."""
    if not config.epochs:
        return 0
    trained = adapter_numbers(shape, config) if config.lora_rank else shape.parameters
    merged = shape.parameters * FLOAT32 if config.lora_rank and config.save_merged else 0
    return trained * FLOAT32 * (2 * 3 + 1) + merged


def adapter_layers(shape: Shape, targets: tuple[str, ...]) -> list[str]:
    """Names of the layers that get adapters: all linear ones where no targets are named."""
    return [
        name
        for name in shape.linear
        if not targets or any(name == target or name.endswith(f".{target}") for target in targets)
    ]


def adapter_numbers(shape: Shape, config: RunConfig) -> int:
    """Numbers in the adapters: rank times rows and columns of every layer that gets one."""
    layers = adapter_layers(shape, config.lora_targets)
    return config.lora_rank * sum(sum(shape.linear[name]) for name in layers)


def _layer(shape: Shape, number: int, stream: int) -> int:
    """Bytes that a layer keeps of one token for the backward pass.

    number : bytes of a number in matrix products. stream : of one that is added from layer to layer.
    """
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    # two norms: their input, it in float32, and their result; sums
    norms = 2 * shape.hidden * (stream + FLOAT32 + number)
    # queries, keys and values before and after they are turned by their position, and what attention gives
    attention = number * (3 * queries + 3 * keys)
    # gate, up, the gate's activation, and the product
    mlp = number * 4 * shape.intermediate
    return norms + attention + mlp
