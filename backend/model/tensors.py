"""What the safetensors files of a model hold, from their heads and a sample of their numbers."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.errors import ModelError

LONGEST_HEAD = 100 << 20  # bytes; safetensors itself allows no longer one
SAMPLED = 4096  # numbers looked at in a tensor, at its beginning: one disk page or two
MOST_SAMPLED = (
    1000  # tensors looked at, spread over the model: opening them all takes long where they are thousands
)

# how a number that is not finite shows in its bits: an exponent of ones
_EXPONENTS: dict[str, tuple[str, int]] = {
    "BF16": ("<u2", 0x7F80),
    "F16": ("<u2", 0x7C00),
    "F32": ("<u4", 0x7F80_0000),
}


@dataclass(frozen=True)
class Tensor:
    """One tensor: the file it is in, where in it (bytes), and what it is."""

    file: Path
    begin: int
    bytes: int
    dtype: str
    shape: tuple[int, ...]


def tensors(paths: Iterable[Path]) -> dict[str, Tensor]:
    """Every tensor of these files by name. A safetensors file begins with the length of a JSON head (8 bytes, little
    endian) that lists them.

    Raises
    ------
    ModelError : a file is no safetensors, or shorter than its head says.
    """
    found: dict[str, Tensor] = {}
    for path in paths:
        try:
            with open(path, "rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                if length > LONGEST_HEAD:
                    raise ValueError(f"its header claims {length:,} bytes")
                head = json.loads(file.read(length))
            whole = 8 + length
            for name, about in head.items():
                if name != "__metadata__":
                    begin, end = (int(at) for at in about["data_offsets"])
                    shape = tuple(int(n) for n in about["shape"])
                    found[name] = Tensor(path, 8 + length + begin, end - begin, str(about["dtype"]), shape)
                    whole = max(whole, 8 + length + end)
            there = path.stat().st_size
        except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} cannot be read as safetensors ({error})") from error
        if there < whole:
            raise ModelError(
                f"{path} has {there:,} bytes, but its header says {whole:,}: it was not copied or downloaded completely"
            )
    return found


def not_finite(found: dict[str, Tensor]) -> str | None:
    """The name of a tensor in which a number is NaN or infinite, as far as a sample shows it; None where none is.

    Looks at the first numbers of each tensor (milliseconds); numbers of another kind than bf16, fp16 and fp32 are not
    looked at.
    """
    looked_at = [name for name, one in found.items() if one.dtype in _EXPONENTS and one.bytes]
    for name in looked_at[:: math.ceil(len(looked_at) / MOST_SAMPLED) or 1]:
        tensor = found[name]
        kind, exponent = _EXPONENTS[tensor.dtype]
        count = min(SAMPLED, tensor.bytes // np.dtype(kind).itemsize)
        with open(tensor.file, "rb") as file:
            bits = np.fromfile(file, dtype=kind, count=count, offset=tensor.begin)
        if ((bits & exponent) == exponent).any():
            return name
    return None
