"""Where `assets` lies, the files that the code loads: beside the code in the repository, in `iterit` where it is installed."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_INSTALLED = _ROOT / "iterit" / "assets"  # where a wheel has it, see pyproject.toml

ASSETS = _INSTALLED if _INSTALLED.is_dir() else _ROOT / "assets"
