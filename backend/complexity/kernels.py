"""The same arithmetic in faster kernels, while a model is read."""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class FasterKernels(TorchFunctionMode):
    """Replaces calls that PyTorch would serve with a slower kernel than it has; numbers stay the same but for rounding.

    float32 matrix products on a CPU : MKL, PyTorch's choice, does not use the wide registers of a processor that is
        not Intel's, and oneDNN, which PyTorch brings too, does (97 against 215 GFLOP/s on one core of an EPYC 9005).
    attention of new tokens to a shared prefix and to one another : with a mask made of numbers PyTorch computes all
        of it and cannot use the kernels that know what causal means. Where the mask says nothing else, and there are
        fewer prefix than new tokens, empty queries in the prefix's place make it plainly causal.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: torch.Tensor | None = None
        self._seen_causal = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if func is functional.linear and not given and _for_onednn(*args):
            return torch.ops.mkldnn._linear_pointwise(
                args[0], args[1], args[2] if len(args) > 2 else None, "none", [], ""
            )
        if func is functional.scaled_dot_product_attention and len(args) == 3 and self._causal(given, *args):
            query, key, value = args
            before = key.shape[2] - query.shape[2]
            empty = query.new_zeros(1).expand(*query.shape[:2], before, query.shape[3])
            given |= {"attn_mask": None, "is_causal": True}
            return func(torch.cat([empty, query], dim=2), key, value, **given)[:, :, before:]
        return func(*args, **given)

    def _causal(self, given: dict[str, Any], query: torch.Tensor, key: torch.Tensor, _: torch.Tensor) -> bool:
        """Whether the mask is that of queries at the end of the keys, each seeing what is not behind it."""
        mask, new, total = given.get("attn_mask"), query.shape[2], key.shape[2]
        if mask is None or mask.dtype != torch.bool or not 0 < total - new < new:
            return False
        if mask is not self._seen:  # every layer is given the same
            plain = torch.ones(new, total, dtype=torch.bool, device=mask.device).tril(total - new)
            self._seen, self._seen_causal = mask, bool((mask == plain).all())
        return self._seen_causal


def _for_onednn(given: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> bool:
    return (
        weight.device.type == "cpu"
        and given.dtype == weight.dtype == torch.float32
        and given.shape[:-1].numel() > 1
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and onednn_is_faster()
    )


@functools.cache
def onednn_is_faster() -> bool:
    """A processor with 512-bit registers that MKL leaves unused. Decided by what it is, not by timing it: a score
    must not depend on how busy the machine was."""
    if not torch.backends.mkldnn.is_available() or torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    cpuinfo = Path("/proc/cpuinfo")
    name = cpuinfo.read_text() if cpuinfo.is_file() else platform.processor()
    return "GenuineIntel" not in name
