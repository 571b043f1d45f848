"""What is kept in memory and grows with a pool lies on the one shelf that is bounded in bytes (`backend/store/shelf.py`)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# results of these types have as much in them as the pool has rows, or as a row has text
LARGE = (
    "ndarray",
    "Pool",
    "Scores",
    "Selection",
    "NgramCounts",
    "Table",
    "Preview",
    "ModelText",
    "TokenLosses",
    "list",
)


def cached(text: str) -> Iterator[tuple[str, str]]:
    """(name, what it gives) of functions kept by the standard library for more than one call."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            marks = [ast.unparse(mark) for mark in node.decorator_list]
            if any("lru_cache" in mark and "maxsize=1)" not in mark for mark in marks):
                yield node.name, ast.unparse(node.returns) if node.returns else ""


def large(text: str) -> list[str]:
    return [name for name, gives in cached(text) if any(one in gives for one in LARGE)]


def test_what_grows_with_a_pool_is_not_kept_by_number_alone():
    files = [
        path for folder in ("backend", "iterit", "iterit_ui") for path in (REPOSITORY / folder).rglob("*.py")
    ]
    found = {
        f"{path.relative_to(REPOSITORY)}: {name}" for path in files for name in large(path.read_text("utf-8"))
    }
    # the tokens of a turn's header, in a process that scores or trains and that does not stay
    assert found == {"backend/prompts/lone.py: tokens"}


def test_such_a_function_would_be_found():
    assert large("@lru_cache(maxsize=8)\ndef _rows(home: Path) -> np.ndarray: ...") == ["_rows"]
    assert large("@lru_cache(maxsize=1)\ndef _rows(home: Path) -> np.ndarray: ...") == []
