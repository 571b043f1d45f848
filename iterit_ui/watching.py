"""What a page looks at once a second to see that something was changed elsewhere: by another page, or by a worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend import store
from backend.errors import StudioError
from iterit_ui.epochs.tab import on_disk
from iterit_ui.samples.filter_lookup import clusters_written
from iterit_ui.shared.session import map_key
from iterit_ui.tune import pilot_panel, queue_panel
from iterit_ui.tune.views import pump, stamp

IDLE_SECONDS = 3.0


def watched(home: Path) -> Callable[[list[Any]], dict[str, Any]]:
    """`look` for the page's watcher: marks, notes, saved settings, map and clusters of the pool, and the epochs of runs."""

    def look(asked: list[Any]) -> dict[str, Any]:
        try:
            pool, run, tab = (str(part) for part in asked)
            parts: list[Any] = []
            if pool:
                parts += [
                    store.curation_revision(home, pool),
                    map_key(home, pool),
                    clusters_written(home, pool),
                ]
            pump(home)
            busy = False
            stamps = {}
            if tab == "tune":
                seen, busy = stamp(home, run)
                parts.append(seen)
                stamps["pilot"] = pilot_panel.stamp(home)
                stamps["queue"] = queue_panel.mark_of(queue_panel.panel_value(store.runs(home), run))
            if tab == "epochs":
                parts.append(on_disk(home, run)[1])
        except (StudioError, ValueError, TypeError) as error:
            return {"error": str(error)}
        # nothing goes on among the runs: every few seconds is enough
        every = IDLE_SECONDS if tab == "tune" and not busy else 1.0
        stamps["watch"] = " ".join(map(str, parts))
        return {"stamps": stamps, "every": int(1000 * every)}

    return look
