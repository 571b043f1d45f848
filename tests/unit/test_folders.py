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
    "pool_work",
    "sample_panel",
    "words",
}


def test_the_top_of_the_interface_is_a_table_of_contents() -> None:
    assert sorted(path.name for path in (ROOT / "iterit_ui").glob("*.py")) == [
        "__init__.py",
        "layout.py",
        "logins.py",
        "watching.py",
    ]


def test_a_file_name_that_stands_in_two_folders_is_the_name_of_a_role() -> None:
    names = Counter(
        path.stem for path in (ROOT / "iterit_ui").rglob("*.py") if not path.stem.startswith("__")
    )
    assert {name for name, count in names.items() if count > 1} <= ROLES
