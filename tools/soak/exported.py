"""What left the studio for a folder: whole, or not there."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path


def exported(folder: Path) -> dict[str, str]:
    """A text for each file or folder that left the studio, and for each file's recipe with what it is said to be of."""
    found: dict[str, str] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or path.name.endswith(".recipe.json"):
            continue
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        held = {one.name: _of_file(one) for one in files if one.is_file() and one.name[0] != "."}
        if path.is_dir() and "unfinished" in json.loads(held.get("recipe.json", '{"unfinished": true}')):
            continue
        recipe = path.with_name(f"{path.stem}.recipe.json")
        whole = {f"export: {path.name}": json.dumps(held)}
        if recipe.is_file():
            whole[f"export: {path.name}, recipe"] = json.dumps([held, _of_file(recipe)])
        found |= whole
    return {
        key: re.sub(re.escape(str(folder.parent.parent)) + r"/\d+", "PLACE", text)
        for key, text in found.items()
    }


def _of_file(path: Path) -> str:
    if path.suffix == ".parquet":
        return sha256(path.read_bytes()).hexdigest()
    return re.sub(r"\d{4}-\d\d-\d\d(T[\d:]+Z)?", "TIME", path.read_text(encoding="utf-8"))
