"""Models that were loaded, kept as long as the next one fits beside them."""

from __future__ import annotations

import gc
import math
from collections import OrderedDict
from collections.abc import Callable

import psutil
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from backend.config import Precision
from backend.errors import ModelError, first_line
from backend.model import load as models
from backend.model import model_files
from backend.model.tensors import tensors
from backend.models_on_demand.asked_models import last_written

# beside its weights a model needs room for what it computes and remembers of a text
WEIGHTS_SHARE, SPARE_BYTES = 1.2, 2**29

Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]
_Key = tuple[str, Precision, float]


class LoadedModels:
    """Loaded models, the one used last at the end. free : bytes that are free where models are loaded."""

    def __init__(self, free: Callable[[], int] | None = None) -> None:
        self.free = free or free_bytes
        self._models: OrderedDict[_Key, Loaded] = OrderedDict()

    def get(self, name: str, precision: Precision, on_load: Callable[[], None] | None = None) -> Loaded:
        """A model and its tokenizer, loaded where it is not there or was written anew since.

        Others are let go first where it would not fit beside them, and all of them where memory ends nevertheless.

        Raises
        ------
        ModelError : it cannot be loaded, or does not fit even alone.
        """
        key = (name, precision, last_written(name))
        if key in self._models:
            self._models.move_to_end(key)
            return self._models[key]
        for old in [old for old in self._models if old[0] == name]:
            self._drop(old)  # another precision, or the files of before
        if on_load is not None:
            on_load()
        needed = needed_bytes(name, precision)
        while self._models and (needed is None or needed > self.free()):
            self._drop(next(iter(self._models)))
        try:
            # fresh weights of any kind draw random numbers, which must not change an answer that is being drawn
            with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
                self._models[key] = models.load(name, precision=precision)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            if not self._models:
                raise ModelError(f"model {name} does not fit into memory: {first_line(error)}") from error
            self.clear()
            return self.get(name, precision)
        return self._models[key]

    def fits(self, name: str, precision: Precision) -> bool:
        """Whether a model is loaded, or can be without letting another go."""
        if (name, precision, last_written(name)) in self._models:
            return True
        needed = needed_bytes(name, precision)
        return needed is not None and needed <= self.free()

    def clear(self) -> None:
        """Let all models go."""
        for key in list(self._models):
            self._drop(key)

    def __len__(self) -> int:
        return len(self._models)

    def _drop(self, key: _Key) -> None:
        del self._models[key]
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def out_of_memory(error: BaseException) -> bool:
    """Whether memory is full: a GPU's has an error of its own, a CPU's only its words."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)


def free_bytes() -> int:
    """Bytes that are free on the device that models are loaded on."""
    device = models.best_device()
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    return int(psutil.virtual_memory().available)


def needed_bytes(name: str, precision: Precision) -> int | None:
    """Bytes that a model will take, from the number of its weights; None where its files are not here yet.

    Raises
    ------
    ModelError : its files cannot be read.
    """
    count = _weights_of(name)
    if count is None:
        return None
    bits = torch.finfo(models.DTYPES[models.arithmetic_of(precision, models.best_device())]).bits
    return int(count * bits // 8 * WEIGHTS_SHARE) + SPARE_BYTES


def _weights_of(name: str) -> int | None:
    """How many weights a model's folder holds; those of adapters and of the model that they belong to add up."""
    folder = model_files.folder_of(name)
    if folder is None:
        return None
    count = sum(math.prod(tensor.shape) for tensor in tensors(folder.glob("*.safetensors")).values())
    if not model_files.is_adapter(folder):
        return count
    base = _weights_of(model_files.adapter_base(folder))
    return None if base is None else base + count
