"""What would go wrong with a run, found before it is started: files, lengths, batches, memory, packages."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.config import (
    RunConfig,
    batches,
    held_out_share,
    steps_in_all,
    steps_per_epoch,
    warmup_steps,
)
from backend.errors import ConfigError, ModelError
from backend.model import model_files, tensors
from backend.model import shape as model_shape
from backend.preflight import machine, memory, model_fit

GIB = 2**30
FULL = 0.9  # of a device's memory: what an estimate may take before it is said to be tight

# of `accelerate config`: those in which a process does not share its model's weights with others. For MULTI_CPU accelerate
# would start one process alone, without a word, unless mpirun starts it; `processes` does what is meant
WHOLE_MODELS = ("MULTI_GPU", "NO", None)


@dataclass(frozen=True)
class Problem:
    """Something that a person should know before a run starts.

    field : the setting to change, by its name in `RunConfig`.
    text : one or two sentences: what was found, and what would do.
    fatal : the run is certain to fail; otherwise it may be what is wanted.
    """

    field: str
    text: str
    fatal: bool


def preflight(config: RunConfig, rows: int, *, home: Path | None = None) -> list[Problem]:
    """Everything that can be known to go wrong with a run, the fatal first; empty where nothing is.

    Looks at files and at this machine, never at the network, and reads no weights (some milliseconds). Values that
    contradict each other are not its business: `config.check` has refused those.

    rows : samples in the pool. home : the runs folder, whose disk must hold the checkpoints; None leaves that out.
    """
    found = [*_model(config), *_files(config), *_packages(config), *_counts(config, rows)]
    if home is not None:
        found += _room(config, home)
    return sorted(found, key=lambda problem: not problem.fatal)


def refuse(config: RunConfig, rows: int) -> None:
    """Raise what makes a run certain to fail, before it is queued.

    Raises
    ------
    ConfigError : names every setting that is wrong, and what would do.
    """
    fatal = [problem.text for problem in preflight(config, rows) if problem.fatal]
    if fatal:
        raise ConfigError("; ".join(fatal))


def missing_package(name: str) -> bool:
    """Whether a package that `report_to` or `attention` asks for is not installed."""
    return importlib.util.find_spec(name) is None


def _model(config: RunConfig) -> Iterator[Problem]:
    try:
        whole = model_files.full_path(config.model)
        folder = Path(whole)
        if not folder.is_dir():
            text = f"model {whole} is not a local folder: it is fetched from the hub when the run starts, or its copy is used"
            yield Problem("model", text, False)
            return
        model_fit.check_weights(folder, config.model)
        shape, positions = model_shape.shape_of(folder), model_files.positions(folder)
        speaker = model_files.folder_of(config.model) or folder  # adapters bring their own tokenizer
        strange = _strange_tokens(folder, speaker)
        if strange is not None:
            yield Problem("model", strange.sentence(config.model), strange.harmful)
        template = model_files.chat_template(speaker)
        model_fit.check_template(template, config.model)
        if not template:
            yield Problem(
                "model",
                f"the tokenizer of model {config.model} has no chat template; take the model's instruction-tuned "
                "variant, or put a chat_template.jinja beside its tokenizer.json",
                True,
            )
    except ModelError as error:
        yield Problem("model", str(error), True)
        return
    if positions and config.max_length > positions:
        yield Problem(
            "max_length",
            f"max_length is {config.max_length:,} and the model was built for {positions:,} tokens: conversations are "
            f"cut after {positions:,}",
            False,
        )
    if shape is not None:
        yield from _memory(config, shape)
        unknown = [t for t in config.lora_targets if not memory.adapter_layers(shape, (t,))]
        if unknown:
            known = sorted({name.rpartition(".")[2] for name in shape.linear})
            text = f"lora_targets names {unknown[0]!r}, and the model's files hold no such layer (there are: {', '.join(known)})"
            yield Problem("lora_targets", text, False)


def _strange_tokens(folder: Path, speaker: Path) -> model_fit.Beyond | None:
    """Tokens of one folder that the embedding in another does not have."""
    found = tensors.tensors(sorted(folder.glob("*.safetensors")))
    rows = model_fit.embedding_rows(found, model_files.read_json(folder / "config.json"))
    return model_fit.beyond_in(speaker, rows) if rows else None


def _room(config: RunConfig, home: Path) -> Iterator[Problem]:
    """Whether the disk has room for what the run writes."""
    try:
        folder = Path(model_files.full_path(config.model))
        shape = model_shape.shape_of(folder) if folder.is_dir() else None
    except ModelError:
        return  # said already
    if shape is None:
        return
    needed = memory.disk_needed(shape, config)
    free = shutil.disk_usage(home).free
    if needed > free:
        yield Problem(
            "model",
            f"the run's checkpoints and model take up to {needed / GIB:.2f} GiB, and the disk of {home} has {free / GIB:.2f} GiB "
            "left: make room (erase deleted runs, remove checkpoints/ of runs that are done), or the run fails when it saves",
            False,
        )


def _memory(config: RunConfig, shape: model_shape.Shape) -> Iterator[Problem]:
    device = machine.training_device()
    longest = min(config.max_length, shape.positions or config.max_length)
    need = memory.needed(shape, config, sixteen_bit=is_sixteen_bit(config, device), longest=longest)
    copies = 1 if device.gpu else max(1, config.processes)
    has = f"{device.name} has {device.bytes / GIB:.1f} GiB"
    if need.certain * copies > device.bytes:
        what = "weights, gradients and AdamW's averages" if config.epochs else "its weights"
        ways = (
            "a smaller model"
            if config.lora_rank or not config.epochs
            else "lora_rank above 0, or a smaller model"
        )
        # a configuration file may spread the model over several devices
        yield Problem(
            "model",
            f"{what} alone take {need.certain * copies / GIB:.1f} GiB, and {has}; what would help: {ways}",
            not config.accelerate_config,
        )
    elif need.total * copies > FULL * device.bytes:
        less = ["a smaller device_batch_size", "a smaller max_length"]
        if config.epochs and not config.gradient_checkpointing:
            less.append("gradient_checkpointing")
        if config.epochs and not config.lora_rank:
            less.append("lora_rank above 0")
        yield Problem(
            "device_batch_size" if config.epochs else "batch_tokens",
            f"{'training' if config.epochs else 'scoring'} takes about {need.total * copies / GIB:.1f} GiB with batches of "
            f"{need.tokens:,} tokens, an estimate, and {has}; it takes less with "
            + (", ".join(less) if config.epochs else "a smaller batch_tokens"),
            False,
        )


def is_sixteen_bit(config: RunConfig, device: machine.Device) -> bool:
    """Whether a device computes in 16 bits: "auto" is bf16 on a GPU, which all but old ones have."""
    return config.precision in ("bf16", "fp16") or (config.precision == "auto" and device.gpu)


def _files(config: RunConfig) -> Iterator[Problem]:
    if config.held_out == "demo" and tuple(config.pool) != ("demo",):
        text = (
            "held_out is 'demo': the held-out loss is measured on rows of the demo and says nothing about this pool (a share "
            "from 0 up to 1 keeps samples of the pool aside; a file of your own does as well)"
        )
        yield Problem("held_out", text, False)
    if held_out_share(config) is None and config.held_out != "demo" and not Path(config.held_out).exists():
        text = f"held_out is {config.held_out!r}, and there is no such file (allowed: a share from 0 up to 1, a file, 'demo')"
        # a hub data set has one slash, and can only be looked for there
        yield Problem("held_out", text, model_files.looks_like_path(config.held_out))
    if not config.accelerate_config:
        return
    try:
        processes = accelerate_processes(Path(config.accelerate_config))
    except ConfigError as error:
        yield Problem("accelerate_config", str(error), True)
        return
    device_batch, accumulation = batches(config, processes)
    if config.epochs and device_batch * accumulation * processes != config.batch_size:
        text = (
            f"batch_size ({config.batch_size}) is not a multiple of device_batch_size ({device_batch}) x the {processes} "
            f"processes of {config.accelerate_config}"
        )
        yield Problem("batch_size", text, True)


def accelerate_processes(path: Path) -> int:
    """Processes that a file of `accelerate config` starts.

    Raises
    ------
    ConfigError : it is missing, or is no such file.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        values: Any = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"accelerate_config {path} cannot be read ({error})") from error
    values = values if isinstance(values, dict) else {}
    kind = values.get("distributed_type")
    if kind == "MULTI_CPU":
        raise ConfigError(
            f"accelerate_config {path} has distributed_type MULTI_CPU, which starts several processes with mpirun only; set "
            "processes instead, and no accelerate_config"
        )
    if kind not in WHOLE_MODELS:
        raise ConfigError(
            f"accelerate_config {path} has distributed_type {kind}; each process must hold the whole model, which it is "
            f"scored with (allowed: {', '.join(map(str, WHOLE_MODELS[:-1]))}); docs/scaling.md says what it would take"
        )
    machines = values.get("num_machines", 1)
    if machines not in (1, None):
        # accelerate would wait for the others before it prints a word
        raise ConfigError(
            f"accelerate_config {path} has num_machines {machines}; a run uses the processes of this machine only, and would "
            "wait for the other machines forever (allowed: num_machines 1). To use several machines, give each runs of its "
            "own, for instance other seeds of a comparison, or score the pool in shards (score --shard K/N)"
        )
    number = values.get("num_processes")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ConfigError(
            f"accelerate_config {path} does not say num_processes; write it with `accelerate config --config_file {path}`"
        )
    return number


def _packages(config: RunConfig) -> Iterator[Problem]:
    for name in config.report_to:
        if missing_package(name):
            text = f"report_to names {name}, which is not installed; install it with: pip install {name}"
            yield Problem("report_to", text, True)
    gpu = machine.training_device().gpu
    if config.attention == "flash_attention_2":
        others = "(allowed here: auto, sdpa, eager)"
        if not gpu:
            yield Problem(
                "attention", f"attention flash_attention_2 needs a CUDA GPU, and there is none {others}", True
            )
        elif missing_package("flash_attn"):
            text = (
                f"attention flash_attention_2 needs the package flash-attn, which is not installed {others}"
            )
            yield Problem("attention", text, True)
    if config.precision == "fp16" and not gpu:
        text = "precision fp16 needs a CUDA GPU, and there is none (allowed here: auto, fp32, bf16)"
        yield Problem("precision", text, True)


def _counts(config: RunConfig, rows: int) -> Iterator[Problem]:
    if not rows:
        yield Problem("pool", "the pool holds no samples", True)
        return
    from backend.selection import course  # compiled code: loaded where it is needed, not with every command

    ahead = course(config, rows)
    if not ahead.budget:
        text = f"budget is {config.budget:g}, which of {ahead.candidates:,} samples is less than one"
        yield Problem("budget", text, not config.pinned)  # what is pinned is in whatever the budget
        return
    if config.strategy != "full" and config.budget > ahead.candidates:
        yield Problem(
            "budget",
            f"budget is {config.budget:,.0f} samples, and there are {ahead.candidates:,} to choose from: all of them "
            "are selected that can be scored",
            False,
        )
    if not config.epochs:
        return
    if ahead.budget < config.batch_size:
        yield Problem(
            "budget",
            f"budget is {ahead.budget:,} samples and batch_size {config.batch_size:,}: an epoch is one optimizer step on "
            "fewer samples than a batch",
            False,
        )
    whole = steps_per_epoch(ahead.budget, config) * config.epochs
    if config.max_steps > whole:
        yield Problem(
            "max_steps",
            f"max_steps is {config.max_steps:,}, and {config.epochs} epochs have {whole:,} steps: the run ends after {whole:,}",
            False,
        )
    steps, warm = steps_in_all(ahead.budget, config), warmup_steps(ahead.budget, config)
    if warm >= steps:
        yield Problem(
            "warmup_ratio",
            f"{warm:,} of the run's {steps:,} steps warm up (warmup_ratio {config.warmup_ratio:g}): the learning rate starts "
            "at 0 and never reaches its peak",
            False,
        )
