"""Settings saved under a name, beside each other and beside the present ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend import analysis, store
from backend.errors import StudioError
from iterit_ui.shared import theme
from iterit_ui.shared.selections import SelectionView, get_vocabulary, scores_key, selected
from iterit_ui.shared.strategies import strategy_name

NOW = "current settings"
COLUMNS: list[dict[str, Any]] = [
    {"key": "name", "label": "Settings", "width": "18%"},
    {"key": "strategy", "label": "Strategy"},
    {"key": "picked", "label": "Selected", "align": "right", "width": "84px"},
    {"key": "tokens", "label": "Tokens", "align": "right", "width": "92px"},
    {"key": "complexity", "label": "Mean complexity", "align": "right", "width": "126px"},
    {"key": "covered", "label": "Vocabulary", "align": "right", "width": "92px"},
    {"key": "same", "label": "Also selected now", "align": "right", "width": "132px"},
    {"key": "differs", "label": "Changed from the defaults"},
]


def compared_value(home: Path, pool_id: str, key: str, changed: dict[str, Any]) -> dict[str, Any]:
    """A table with a row for the current settings and one for each that is saved; those that fail say why."""
    rows, ids = [], []
    present: SelectionView | None = None
    everybody = [
        (NOW, key, changed),
        *((one.name, one.scores, one.settings) for one in store.saved_settings(home, pool_id)),
    ]
    for name, scores, settings in everybody:
        try:
            # settings are saved with what differs from the paper's cutting, whatever was chosen for the pool since
            used = settings if name == NOW else {"words": "paper", **settings}
            shown = selected(home, pool_id, scores_key(home, pool_id, scores), used)
        except StudioError as error:
            rows.append({column["key"]: "–" for column in COLUMNS} | {"name": name, "differs": str(error)})
            ids.append("")
            continue
        present = present or shown
        rows.append(row_of(home, name, shown, present, settings))
        ids.append("")
    return {
        "title": "Saved settings compared",
        "note": "What each selects from this pool now, with its pins and exclusions. Load one under “Saved settings” on the left.",
        "columns": COLUMNS,
        "rows": rows,
        "ids": ids,
        "page": 0,
        "pages": 1,
        "total": len(rows),
        "unit": "settings",
    }


def row_of(
    home: Path, name: str, shown: SelectionView, present: SelectionView, settings: dict[str, Any]
) -> dict[str, Any]:
    """One line of the comparison."""
    made = shown.what.selection
    told = analysis.selection_summary(shown.pool, shown.scores, made)
    moved = analysis.change(present.what.selection, made)
    share = analysis.covered_share(get_vocabulary(home, shown.pool.id, shown.settings.words), made.rows)
    return {
        "name": name,
        "strategy": strategy_name(shown.settings.strategy),
        "picked": theme.number(len(made)),
        "tokens": theme.number(told["tokens"]),
        "complexity": theme.score(told["mean_complexity"]),
        "covered": theme.share(share),
        "same": "–" if name == NOW else f"{theme.number(moved['kept'])} ({theme.share(moved['overlap'])})",
        "differs": ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in settings.items())
        or "nothing",
    }
