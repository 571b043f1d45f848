"""The command that lays out the map of a pool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console, outputs
from backend.cli.command_pool import read_pool
from backend.cli.options import AsJson, RunsDir, with_settings
from backend.data.scripts import fitting_words
from backend.errors import PoolError

if TYPE_CHECKING:
    from backend.records import Pool
    from backend.store import PoolMap


@with_settings(("mapping",))
def pool_map(
    pool: Annotated[
        list[str],
        typer.Argument(
            metavar="POOL", help="Files, folders, a hub dataset id, 'demo', or a stored pool's id."
        ),
    ],
    settings: dict[str, Any],
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write row, id, x and y to this .parquet file.")
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Lay out a pool's map: similar responses near each other. Done once per pool and kept in the runs folder."""
    from backend import store
    from backend.store.maps import has_whole_map

    if out is not None:
        if out.suffix.lower() != ".parquet":
            raise PoolError(f"{out.name}: a map is written as .parquet; end the name so")
        outputs.check_file(out)
    home = runs_dir.resolve()
    outputs.check_folder(home)
    if len(pool) == 1 and store.is_stored(home, pool[0]):
        samples = store.load_pool_from_store(home, store.root_of(home, pool[0]))
    else:
        samples = read_pool(pool, settings.get("mapping"))
        store.save_pool(home, samples, inputs=pool)
    pool_map = store.load_map(home, samples.id)
    if pool_map is None or not has_whole_map(home, samples.id):
        pool_map = _lay_out(home, samples)
    if out is not None:
        store.write_map(out, pool_map, id=samples.ids)
    where = out or store.pool_folder(home, samples.id) / "map.parquet"
    placed = int(pool_map.placed.sum())
    console.say(
        f"{placed:,} of {len(samples):,} samples have a place ({pool_map.method}); written to {where}"
    )
    if as_json:
        console.print_json(
            {
                "out": str(where),
                "pool": samples.id,
                "samples": len(samples),
                "placed": placed,
                "method": pool_map.method,
                "seconds": pool_map.seconds,
            }
        )


def _lay_out(home: Path, pool: Pool) -> PoolMap:
    """Compute and store a pool's map and its clusters, whichever is missing, and tell whoever waits elsewhere.

    A first picture is stored as soon as there is one.
    """
    from backend import projection, store
    from backend.jobs import pool_work

    with pool_work.reporting(home, pool.id, "map") as report, console.progress_bar() as bar:

        def on_stage(stage: str, done: int = 0, total: int = 0) -> None:
            report(stage, done, total)
            bar.show(f"{console.STAGES['map']}: {stage}", done, total)

        def stored(laid_out: projection.Projection, *, final: bool) -> PoolMap:
            pool_map = store.PoolMap(laid_out.xy, laid_out.method, laid_out.seconds, final)
            store.save_map(home, pool.id, pool_map)
            return pool_map

        on_stage("n-grams")
        # the picture is one for all, so it goes by the scripts and not by what somebody chose
        words = fitting_words(store.pool_unspaced_share(home, pool))
        counts = store.ngram_counts(home, pool, words=words)
        pool_map = store.load_map(home, pool.id)
        if pool_map is None or not pool_map.final:
            vectors = projection.response_vectors(counts, on_stage=on_stage)
            stored(projection.first_picture(vectors), final=False)
            pool_map = stored(projection.project(vectors, on_stage=on_stage), final=True)
        on_stage("clusters")
        store.save_clusters(home, pool.id, projection.clusters(pool_map.xy, counts))
    return pool_map
