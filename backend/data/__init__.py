"""Files, folders and hub datasets to pools, and pools to files; imports no torch."""

from backend.data.export import ExportFormat, write_samples
from backend.data.health import Finding, health, rows_of
from backend.data.pool import load_pool
from backend.data.preview import Preview, preview

__all__ = [
    "ExportFormat",
    "Finding",
    "Preview",
    "health",
    "load_pool",
    "preview",
    "rows_of",
    "write_samples",
]
