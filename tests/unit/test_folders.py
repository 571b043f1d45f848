"""Where files lie: few at the top, and a name that stands in two folders means the same thing in both."""

from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# what a file of this name is to its screen, whichever screen
ROLES = {
    "tab",
    "events",
    "state",
    "draw",
    "views",
    "charts",
    "lists",
    "tables",
    "job_status",
    "sample_panel",
    "words",
}


def test_the_top_of_each_package_is_a_table_of_contents() -> None:
    at_top = {
        name: {p.stem for p in (ROOT / name).glob("*.py")} for name in ("iterit_ui", "backend", "iterit")
    }
    assert at_top["iterit_ui"] == {"__init__", "layout", "reading_ahead", "watching"}
    assert at_top["backend"] == {"__init__", "__main__", "errors"}
    assert at_top["iterit"] == {
        "__init__",
        "__main__",
        "adapter",
        "dataset_rows",
        "model_input",
        "notebook",
        "pool_input",
        "reselection",
        "selected",
    }


def test_a_file_name_that_stands_in_two_folders_is_the_name_of_a_role() -> None:
    files = [path for name in ("iterit_ui", "backend", "iterit") for path in (ROOT / name).rglob("*.py")]
    names = Counter(path.stem for path in files if not path.stem.startswith("__"))
    assert {name for name, count in names.items() if count > 1} <= ROLES


def test_the_names_of_roles_are_of_screens_only() -> None:
    files = [path for name in ("backend", "iterit") for path in (ROOT / name).rglob("*.py")]
    assert [str(path.relative_to(ROOT)) for path in files if path.stem in ROLES] == []
