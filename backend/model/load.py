"""A causal language model and its tokenizer, from a folder, the hub, or the embedded demo."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
from transformers.utils import is_flash_attn_2_available
from transformers.utils import logging as transformers_logging

from backend.config import Attention, Precision, RunConfig
from backend.errors import ModelError, first_line
from backend.model import adapters, model_files
from backend.preflight import model_fit

Arithmetic = Literal["fp32", "bf16", "fp16"]

DTYPES: dict[Arithmetic, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}

logger = logging.getLogger(__name__)

# What from_pretrained raises for files that are missing, unreadable, of an unknown kind or out of reach
LOAD_ERRORS = (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError)


def load(
    name: str,
    *,
    precision: Precision = "auto",
    device: str | torch.device | None = None,
    train: bool = False,
    merge: bool = False,
    attention: Attention = "auto",
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model and its tokenizer, ready to score.

    Only safetensors are read, and code that comes with a model is never run. A folder that holds LoRA adapters leads to
    the model that they belong to, which is loaded with them.

    Parameters
    ----------
    name : a folder, a hub id ("owner/name"), or "demo".
    precision : "auto" is bf16 on a GPU that has it, else fp32.
    device : None takes cuda, then mps, then cpu.
    train : keep the weights in float32, whatever the arithmetic: an update of 2e-5 is lost in bf16's 8 bits.
        Scoring and training then compute in `precision` under autocast.
    merge : add a folder's adapters to the weights, so that others can be put on; `train` does so too.
    attention : "auto" leaves it to transformers.

    Raises
    ------
    ModelError : nothing there, not a causal language model, no safetensors, no tokenizer, no chat template, no
        network for a hub id, a precision or attention that the device does not have, adapters of another model, a
        tokenizer whose ids the embedding does not have, or weights that are NaN or infinite.
    """
    target = torch.device(device) if device is not None else best_device()
    arithmetic = arithmetic_of(precision, target)
    _check_attention(attention, target, arithmetic)
    source = _source(name)
    dtype = torch.float32 if train else DTYPES[arithmetic]
    with no_progress_bars():
        _check_config(name, model_files.full_path(name))
        tokenizer = _load_tokenizer(name, source)
        model = _load_model(name, source, dtype, attention, merge=merge or train)
    model.config.pad_token_id = tokenizer.pad_token_id
    if model.generation_config is not None:
        model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.to(target)  # type: ignore[arg-type]
    check_tokens(name, model, tokenizer)
    check_finite(name, model)
    return model.eval(), tokenizer


def check_tokens(name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Refuse a tokenizer that will give ids which the model's embedding does not have, and warn of one that may.

    Raises
    ------
    ModelError : names the token, its id, and the rows of the embedding.
    """
    template = tokenizer.chat_template
    strange = model_fit.beyond(
        tokenizer.get_vocab(),
        embedding_rows(model),
        added=tokenizer.get_added_vocab(),
        roles=[token for token in tokenizer.special_tokens_map.values() if isinstance(token, str)],
        template=template if isinstance(template, str) else "\n".join((template or {}).values()),
    )
    if strange is not None and strange.harmful:
        raise ModelError(strange.sentence(name))
    if strange is not None:
        logger.warning("%s", strange.sentence(name))


def embedding_rows(model: PreTrainedModel) -> int:
    """Ids that a model can read: 0 up to this."""
    return int(cast(torch.nn.Embedding, model.get_input_embeddings()).weight.shape[0])


def check_finite(name: str, model: PreTrainedModel) -> None:
    """Refuse weights of which one is NaN or infinite: every loss would be, and no sample could be scored.

    Reads all weights once (a GPU: milliseconds; a CPU: about a second for each 10 GB).

    Raises
    ------
    ModelError : names the first such tensor.
    """
    for tensor, values in model.named_parameters():
        if not values.is_floating_point() or not values.numel():
            continue
        # the extremes are NaN where any number is, and nothing as large as the tensor is made on the way
        if not all(bool(torch.isfinite(end)) for end in torch.aminmax(values.detach())):
            raise ModelError(model_fit.NOT_FINITE.format(name=tensor, model=name))


def load_for(config: RunConfig) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the model of a run as its training needs it: all weights in float32 where all of them are trained, else as
    `precision` says, because LoRA adapters bring their own float32.

    Raises
    ------
    ModelError : as for `load`.
    """
    return load(
        config.model,
        precision=config.precision,
        train=config.epochs > 0 and not config.lora_rank,
        merge=config.epochs > 0,
        attention=config.attention,
    )


def load_tokenizer(name: str) -> tuple[PreTrainedTokenizerBase, int | None]:
    """A model's tokenizer and the positions that the model was built for (None: no limit), without its weights.

    Raises
    ------
    ModelError : as for `load`, as far as the weights have no part in it.
    """
    source = _source(name)
    with no_progress_bars():
        config = _check_config(name, model_files.full_path(name))
        return _load_tokenizer(name, source), _positions(config)


def best_device() -> torch.device:
    """CUDA where there is one, then Apple's GPU, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def arithmetic_of(precision: Precision, device: torch.device) -> Arithmetic:
    """What a device computes in: "auto" is bf16 on a GPU that has it, else fp32.

    Raises
    ------
    ModelError : fp16 without a GPU, or bf16 on a GPU that does not have it.
    """
    bf16_gpu = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "auto":
        return "bf16" if bf16_gpu else "fp32"
    if precision == "fp16" and device.type != "cuda":
        raise ModelError(
            f"precision fp16 needs a CUDA GPU, and this is {device.type} (allowed: auto, fp32, bf16)"
        )
    if precision == "bf16" and device.type == "cuda" and not bf16_gpu:
        raise ModelError("this GPU does not compute in bf16 (allowed: auto, fp32, fp16)")
    return precision


def autocast(model: PreTrainedModel, precision: Precision) -> contextlib.AbstractContextManager[Any]:
    """Compute in `precision` where the weights are kept in float32; nothing to do where they are not."""
    arithmetic = arithmetic_of(precision, model.device)
    if arithmetic == "fp32" or model.dtype != torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(model.device.type, dtype=DTYPES[arithmetic])


def usable_length(model: PreTrainedModel, max_length: int) -> int:
    """`max_length` in tokens, but never more than the positions the model was built for."""
    return min(max_length, _positions(model.config) or max_length)


def _positions(config: PreTrainedConfig) -> int | None:
    """The positions that a model was built for; None where it names no limit."""
    positions = getattr(config.get_text_config(), "max_position_embeddings", None)
    return int(positions) if positions else None


@contextlib.contextmanager
def no_progress_bars() -> Iterator[None]:
    """Loading and saving draw a bar for every shard; a run's log has no use for them."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def _source(name: str) -> str:
    """The folder or hub id behind a model's name, checked as far as the file system tells."""
    folder = model_files.folder_of(name)
    if folder is None:
        return name
    model_files.check_folder(folder)
    return str(folder)


def _check_config(name: str, source: str) -> PreTrainedConfig:
    """The configuration; refuses what is not a causal language model before any weights are read."""
    try:
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    except LOAD_ERRORS as error:
        raise _unloadable(name, source, error) from error
    architectures = list(getattr(config, "architectures", None) or [])
    known = set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values())
    causal = config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and not config.is_encoder_decoder
    if not causal or (architectures and not known.intersection(architectures)):
        what = ", ".join(architectures) or config.model_type
        raise ModelError(f"model {name} is {what}, not a causal language model (a ...ForCausalLM is needed)")
    return config


def _load_tokenizer(name: str, source: str) -> PreTrainedTokenizerBase:
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except LOAD_ERRORS as error:
        raise _unloadable(name, source, error) from error
    if not tokenizer.chat_template:
        raise ModelError(
            f"the tokenizer of model {name} has no chat template; take the model's instruction-tuned variant, or "
            "put a chat_template.jinja beside its tokenizer.json"
        )
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token is None:
            raise ModelError(
                f"the tokenizer of model {name} has neither a pad token nor an end token; set one"
            )
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _load_model(
    name: str, source: str, dtype: torch.dtype, attention: Attention, *, merge: bool
) -> PreTrainedModel:
    """The model behind a folder or hub id; that of adapters with these on it."""
    folder = Path(source)
    if not model_files.is_adapter(folder):
        return _load_weights(name, source, dtype, attention)
    base = model_files.adapter_base(folder)
    model = _load_model(base, _source(base), dtype, attention, merge=True)
    try:
        return adapters.put_on(model, folder, merge=merge)
    except LOAD_ERRORS as error:
        raise ModelError(f"the adapters in {folder} do not fit model {base}: {first_line(error)}") from error


def _load_weights(name: str, source: str, dtype: torch.dtype, attention: Attention) -> PreTrainedModel:
    chosen = {} if attention == "auto" else {"attn_implementation": attention}
    try:
        # with output_loading_info it returns a pair, which its annotation does not know
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            source,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=dtype,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are refused below, by name
            **chosen,
        )
    except LOAD_ERRORS as error:
        raise _unloadable(name, source, error) from error
    model, report = loaded
    other = sorted(report["mismatched_keys"])
    if other:
        tensor, stored, needed = other[0]
        raise ModelError(
            f"the weights of model {name} do not match its config.json: {tensor} has the shape {_size(stored)}, and "
            f"{_size(needed)} is needed" + (f" (and {len(other) - 1:,} more)" if other[1:] else "")
        )
    missing = sorted(report["missing_keys"])
    if missing:
        raise ModelError(
            f"the weights of model {name} lack {len(missing)} tensors of {type(model).__name__}, {missing[0]} first"
        )
    return model


def _size(shape: Iterable[int]) -> str:
    """A tensor's shape in words: 576 x 1,536."""
    return " x ".join(f"{n:,}" for n in shape)


def _check_attention(attention: Attention, device: torch.device, arithmetic: Arithmetic) -> None:
    """Refuse what only fails once the weights are read."""
    if attention != "flash_attention_2":
        return
    allowed = "(allowed: auto, sdpa, eager)"
    if device.type != "cuda":
        raise ModelError(f"attention flash_attention_2 needs a CUDA GPU, and this is {device.type} {allowed}")
    if not is_flash_attn_2_available():
        raise ModelError(
            f"attention flash_attention_2 needs the package flash-attn, which is not installed {allowed}"
        )
    if arithmetic == "fp32":
        raise ModelError(f"attention flash_attention_2 computes in 16 bits, and precision is fp32 {allowed}")


def _unloadable(name: str, source: str, error: Exception) -> ModelError:
    first = first_line(error)
    if Path(source).is_dir():
        return ModelError(f"model folder {source} cannot be loaded: {first}")
    if model_files.looks_like_path(source):
        return ModelError(f"model folder {source} does not exist any more: it was removed while it was read")
    return ModelError(
        f"model {name} is not a local folder and cannot be fetched from the hub: {first} Without a network, give a "
        "folder that holds config.json, *.safetensors and tokenizer.json, or 'demo'"
    )
