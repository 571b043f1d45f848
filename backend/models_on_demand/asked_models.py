"""Which models a question goes to: base models, and what runs have trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backend import store
from backend.config import Precision, RunConfig
from backend.errors import RunError
from backend.models_on_demand.questions import AskedModel

MOST_MODELS = 8


def models_of(home: Path, runs: Sequence[str], *, base: bool = True) -> tuple[AskedModel, ...]:
    """The models to ask for these runs: the base models first (each once), then what each run has trained.

    Each reads a prompt as its run was trained. A base model that several runs share is asked once; where they were
    trained with different system prompts, once with each.

    Raises
    ------
    RunError : no run, too many, one that is not there, or one that has no finished model.
    """
    if not runs:
        raise RunError("choose at least one run")
    configs = {run: store.read_config(home, run) for run in dict.fromkeys(runs)}
    bases: dict[tuple[str, str], AskedModel] = {}
    for config in configs.values():
        prompts = {
            other.system_prompt
            for other in configs.values()
            if full_name(other.model) == full_name(config.model)
        }
        label = f"{_short(config.model)} (base)"
        if len(prompts) > 1:
            label += f", system prompt: {config.system_prompt[:40] or 'none'}"
        bases.setdefault(
            (full_name(config.model), config.system_prompt),
            _asked(label, full_name(config.model), "", config),
        )
    names = {run: store.run_info(home, run).name for run in configs}
    tuned = [
        _asked(
            name if list(names.values()).count(name) == 1 else f"{name} ({run})",
            str(run_model(home, run)),
            run,
            configs[run],
        )
        for run, name in names.items()
    ]
    found = (*(bases.values() if base else ()), *tuned)
    if len(found) > MOST_MODELS:
        raise RunError(
            f"{len(found)} models are more than can be asked at once; the limit is {MOST_MODELS}: choose fewer runs, or leave "
            "the base model out"
        )
    return found


def run_model(home: Path, run: str) -> Path:
    """The folder of the model that a run has trained.

    Raises
    ------
    RunError : there is none, and why.
    """
    folder = store.run_folder(Path(home).resolve(), run) / "model"
    if any((folder / name).is_file() for name in ("config.json", "adapter_config.json")):
        return folder
    info = store.run_info(home, run)
    why = {
        "done": "it only scored and selected" if not info.epochs else "its model folder is gone",
        "queued": "it has not started yet",
        "running": "it is still training",
        "stopping": "it is being stopped",
    }.get(info.state, f"it {info.state} before it was done; resume it")
    raise RunError(f"run {info.name} ({run}) has no trained model: {why}")


def base_model(
    name: str, *, max_length: int, system_prompt: str, precision: Precision = "auto"
) -> AskedModel:
    """A model by its name alone: a folder, a hub id, or "demo"."""
    return AskedModel(_short(name), full_name(name), "", system_prompt, max_length, precision)


def full_name(model: str) -> str:
    """A model's name as another process finds it: folders by their whole path."""
    return str(Path(model).resolve()) if model not in ("", "demo") and Path(model).exists() else model


def last_written(model: str) -> float:
    """When the files in a model's folder were last written, for a run may put other weights there; 0 for other names."""
    folder = Path(model)
    if model in ("", "demo") or not folder.is_dir():
        return 0.0
    return max((path.stat().st_mtime for path in folder.iterdir()), default=0.0)


def _asked(label: str, model: str, run: str, config: RunConfig) -> AskedModel:
    return AskedModel(label, model, run, config.system_prompt, config.max_length, config.precision)


def _short(model: str) -> str:
    """What a person calls a model: a folder by its own name."""
    return Path(model).name if Path(model).is_absolute() else model
