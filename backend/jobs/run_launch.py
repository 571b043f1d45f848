"""A new run: its pool and its held-out samples are read and stored, its configuration is checked, and it is queued."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend import data, store
from backend.config import RunConfig
from backend.data import inputs
from backend.data import mapping as mappings
from backend.data.demo import HELDOUT
from backend.data.formats import ROLES, head_of
from backend.errors import ConfigError
from backend.jobs import lifecycle
from backend.preflight import checks
from backend.records import Pool, Scores
from backend.store import PoolInfo


def launch(
    home: Path,
    config: RunConfig,
    *,
    pool: Pool | str | None = None,
    allow_parallel: bool = False,
    roots: Sequence[Path] | None = None,
    parent: str | None = None,
    comparison: str | None = None,
    given: tuple[Scores, Mapping[str, Any]] | None = None,
) -> str:
    """Put a run at the end of the queue, start it if its turn has come, and return its id.

    pool : the pool, or the id of a stored one; read from the files that the configuration names where not given.
    parent : the run that this one repeats with changes. comparison : the id of the comparison it belongs to.
    given : scores of the pool that epoch 0 need not compute, and what they depend on; the run fails where its own differ.
    roots : where given, every file that the configuration names must lie inside one of these folders.

    Raises
    ------
    PoolError : the pool or the held-out samples cannot be read.
    ConfigError : the configuration names no model, or is certain to fail (see `preflight`).
    """
    if not config.model:
        raise ConfigError("model is empty; name a folder, a hub id, or 'demo'")
    home = Path(home).resolve()
    store.keep_copy(home)
    store.remove_leftovers(home)
    config = with_absolute_paths(config)
    chosen: Pool | PoolInfo
    if isinstance(pool, str):
        chosen = store.pool_info(home, pool)
    else:
        if pool is None:
            chosen = data.load_outside(config.pool, mapping=config.mapping or None, roots=roots)
        else:
            chosen = pool
        store.save_pool(home, chosen, inputs=config.pool)
    held_out = None
    if not is_share(config.held_out):
        # read now: a mistake shows at once, and a resumed run measures on the same samples
        held_out = load_held_out(config, roots=roots)
        store.save_pool(home, held_out, listed=False)
    checks.refuse(config, chosen.rows if isinstance(chosen, PoolInfo) else len(chosen))
    if config.factor_column:
        _check_column(home, config, chosen)
    run_id = store.create_run(
        home,
        config,
        chosen,
        held_out=held_out,
        allow_parallel=allow_parallel,
        parent=parent,
        comparison=comparison,
        given=given,
    )
    lifecycle.pump(home)
    return run_id


def _check_column(home: Path, config: RunConfig, pool: Pool | PoolInfo) -> None:
    """Raise ConfigError where the column that shall be a factor cannot be one."""
    from backend.selection import column_factor  # compiled code: loaded where it is needed

    column_factor(store.load_pool_from_store(home, pool.id), config)


def run_again(home: Path, run_id: str) -> str:
    """Queue a new run with the configuration and the samples of another, and return its id.

    Raises
    ------
    RunError : no such run. PoolError : its pool is no longer stored.
    """
    home = Path(home).resolve()
    config, pools = store.read_config(home, run_id), store.read_run_pool(home, run_id)
    held_out = store.pool_info(home, pools.held_out_id) if pools.held_out_id else None
    again = store.create_run(home, config, store.pool_info(home, pools.id), held_out=held_out, parent=run_id)
    lifecycle.pump(home)
    return again


def is_share(held_out: str) -> bool:
    """Whether the held-out setting is a share of the pool (else a file, or "demo")."""
    try:
        float(held_out or 0)
    except ValueError:
        return False
    return True


def load_held_out(config: RunConfig, *, roots: Sequence[Path] | None = None) -> Pool:
    """The held-out samples from the file that the configuration names; "demo" are the embedded ones."""
    if config.held_out == "demo":
        return data.load_pool([str(HELDOUT)])
    mapping = _held_out_mapping(config, roots)
    return data.load_outside([config.held_out], mapping=mapping or None, roots=roots)


def _held_out_mapping(config: RunConfig, roots: Sequence[Path] | None) -> dict[str, str]:
    """What the mapping says about the file of held-out samples: what names it, else what is said for all files, and
    of that the columns only where the file has them."""
    general, single = mappings.by_source(config.mapping)
    for name, own in single.items():
        if name in (config.held_out, Path(config.held_out).name) or _same_file(name, config.held_out):
            return own
    if not general:
        return {}
    names = data.preview_outside(config.held_out, limit=1, roots=roots).columns
    columns = {role: path for role, path in general.items() if role in ROLES}
    if all(head_of(path, names) in names for path in columns.values()):
        return general
    return {key: value for key, value in general.items() if key not in columns}


def _same_file(one: str, other: str) -> bool:
    return Path(one).expanduser().resolve() == Path(other).expanduser().resolve()


def with_absolute_paths(config: RunConfig) -> RunConfig:
    """The configuration with every path that exists made absolute: a worker has another working folder."""
    return dataclasses.replace(
        config,
        pool=tuple(inputs.absolute(name) for name in config.pool),
        mapping=mappings.with_names(config.mapping, inputs.absolute),
        model=inputs.absolute(config.model),
        held_out=config.held_out if is_share(config.held_out) else inputs.absolute(config.held_out),
    )
