"""Launching from the page: which pools and models may be used, and the start itself."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend import store
from backend.config import RunConfig
from backend.data import demo
from backend.errors import ConfigError
from backend.jobs import run_launch
from iterit_ui.shared.session import demo_pool, get_pool, is_demo

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*|[A-Za-z0-9][\w.-]*")
LONGEST_FILE = 65_536  # bytes of an accelerate configuration
DEPTH = 3  # how deep below a root folders are looked at


def pool_choices(home: Path) -> list[tuple[str, str]]:
    """(words, pool id) of the pools that are here: the embedded one first, then the stored, newest first."""
    choices = []
    known: set[str] = set()
    if demo.POOL.exists():
        pool = demo_pool()
        known.add(pool.id)
        choices.append((f"demo · {len(pool):,} samples", pool.id))
    for info in store.list_pools(home):
        if info.id not in known:
            choices.append((f"{info.name} · {info.rows:,} samples", info.id))
    return choices


def model_choices(roots: Sequence[Path]) -> list[tuple[str, str]]:
    """(words, model) of the models that are here: the embedded one, then folders under the roots."""
    choices = []
    if (demo.MODEL / "config.json").is_file():
        choices.append(("demo · 2 million parameters", "demo"))
    for root in roots:
        found = [
            path.parent for depth in range(DEPTH + 1) for path in root.glob("*/" * depth + "config.json")
        ]
        choices += [
            (str(folder.relative_to(root.parent)), str(folder))
            for folder in sorted(found)
            if inside(root, folder)
        ]
    return choices


def accelerate_files(roots: Sequence[Path]) -> list[str]:
    """Files under the roots, or in a folder of theirs, that `accelerate config` has written."""
    found = []
    for root in roots:
        for path in sorted([*root.glob("*.y*ml"), *root.glob("*/*.y*ml")]):
            try:
                if (
                    inside(root, path)
                    and path.stat().st_size <= LONGEST_FILE
                    and "distributed_type:" in path.read_text("utf-8")
                ):
                    found.append(str(path))
            except (
                OSError,
                UnicodeDecodeError,
            ):  # none of them, or not to be read: a list of offers lacks it
                continue
    return found


def inside(root: Path, path: Path) -> bool:
    """Whether a path is still inside a root once its links are resolved; a link that loops is not."""
    try:
        return path.resolve(strict=True).is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return False


def allowed_model(model: str, roots: Sequence[Path]) -> str:
    """A model's name or folder as the worker gets it.

    Raises
    ------
    ConfigError : no model, or a folder that lies in none of the roots.
    """
    name = model.strip()
    if not name:
        raise ConfigError("no model is chosen; take one from the list, or type a hub id (owner/name)")
    if name == "demo":
        if not (demo.MODEL / "config.json").is_file():
            raise ConfigError("the embedded model is missing; choose another")
        return name
    folder = Path(name).expanduser()
    if folder.exists():
        folder = folder.resolve()
        if not any(folder.is_relative_to(root) for root in roots):
            raise ConfigError(
                f"{name} is not in a folder that this app may read models from ({', '.join(map(str, roots)) or 'none was given'}); start it with --model-root FOLDER"
            )
        return str(folder)
    if not HUB_ID.fullmatch(name):
        raise ConfigError(f"{name!r} is neither an existing folder nor a hub id (owner/name)")
    return name


def allowed_file(name: str, path: str, roots: Sequence[Path]) -> str:
    """A file that a visitor named, as the worker gets it. name : the setting that holds it.

    Raises
    ------
    ConfigError : it lies in none of the roots, or is not there. Of what lies elsewhere not even that much is told.
    """
    found = Path(path.strip()).expanduser()
    where = ", ".join(map(str, roots)) or "none was given"
    for root in roots:
        # a name without its folder is looked for in each of them
        try:
            resolved = (found if found.is_absolute() else root / found).resolve()
        except (OSError, RuntimeError, ValueError):  # no name of a file, or a link that loops
            continue
        if resolved.is_relative_to(root) and resolved.is_file():
            return str(resolved)
    raise ConfigError(
        f"{name} is {path.strip()!r}; expected a file inside the folders that this app may read ({where}; "
        "more can be given at the start with --data-root and --model-root)"
    )


def with_allowed_files(
    config: RunConfig, data_roots: Sequence[Path], model_roots: Sequence[Path]
) -> RunConfig:
    """The configuration with its model and every file it names as the worker gets them.

    Raises
    ------
    ConfigError : one of them may not be read on a visitor's word.
    """
    changes: dict[str, Any] = {"model": allowed_model(config.model, model_roots)}
    if config.held_out != "demo" and not run_launch.is_share(config.held_out):
        changes["held_out"] = allowed_file("held_out", config.held_out, data_roots)
    if config.accelerate_config:
        roots = [*data_roots, *model_roots]
        changes["accelerate_config"] = allowed_file("accelerate_config", config.accelerate_config, roots)
    return dataclasses.replace(config, **changes)


def pool_inputs(home: Path, pool_id: str) -> tuple[str, ...]:
    """What a pool was read from, as a configuration names it.

    Raises
    ------
    ConfigError : no pool is chosen.
    """
    if not pool_id:
        raise ConfigError("no pool is chosen; choose one here or on the Data tab")
    if is_demo(pool_id):
        return ("demo",)
    return store.pool_info(home, pool_id).inputs


def pool_mapping(home: Path, pool_id: str) -> dict[str, str]:
    """How a pool's files were read, where somebody said so; see `backend.data.mapping`."""
    about = None if not pool_id or is_demo(pool_id) else store.pool_info(home, pool_id).about
    return {} if about is None else about.mapping


def preset_for(pool_id: str, model: str) -> str:
    """The preset that suits a pool and a model."""
    return "demo" if is_demo(pool_id) and model == "demo" else "paper"


def start(
    home: Path,
    config: RunConfig,
    pool_id: str,
    *,
    data_roots: Sequence[Path],
    model_roots: Sequence[Path],
    allow_parallel: bool,
    parent: str = "",
) -> str:
    """Queue a run of a pool that is here and return its id; what is not allowed is a StudioError.

    parent : the run that it was made from, "" for none.
    """
    config = with_allowed_files(config, data_roots, model_roots)
    if parent and parent not in [info.id for info in store.runs(home)]:
        parent = ""  # deleted meanwhile; the run itself is none the worse
    return run_launch.launch(
        home,
        config,
        pool=get_pool(home, pool_id),
        allow_parallel=allow_parallel,
        roots=list(data_roots),
        parent=parent or None,
    )
