"""What is installed with the project, from requirements.txt: the one place where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Requirements(MetadataHookInterface):
    """Read by hatchling, as pyproject.toml says; `dependencies` are dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the requirements to the project's metadata."""
        lines = (Path(self.root) / "requirements.txt").read_text(encoding="utf-8").splitlines()
        stripped = (line.partition("#")[0].strip() for line in lines)
        metadata["dependencies"] = [line for line in stripped if line]
