"""No screen borrows from another: what several use lies in iterit_ui/shared or beside the screens."""

import ast
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "iterit_ui"
SCREENS = ("data", "curate", "tune", "epochs", "compare")


def screen_of(module: str) -> str:
    """The screen that a module belongs to, by the beginning of its name; "" where several use it."""
    screen = module.partition("_")[0]
    return screen if screen in SCREENS and "_" in module else ""


def imported(path: Path) -> set[str]:
    """The modules right in iterit_ui that a file imports, by their names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "iterit_ui":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("iterit_ui."):
            found.add(str(node.module).split(".")[1])
    return found


def test_no_screen_imports_another() -> None:
    crossing = [
        f"{path.name} imports {module}"
        for path in sorted(FOLDER.glob("*.py"))
        for module in sorted(imported(path))
        if screen_of(path.stem) and screen_of(module) not in ("", screen_of(path.stem))
    ]
    assert crossing == []
    # that there are such modules at all
    assert {screen_of(path.stem) for path in FOLDER.glob("*.py")} >= set(SCREENS)


def test_what_screens_share_imports_no_screen() -> None:
    crossing = {path.name: {m for m in imported(path) if screen_of(m)} for path in FOLDER.glob("shared/*.py")}
    assert crossing and not any(crossing.values()), crossing
