"""Files, folders and hub datasets to pools, and pools to files; imports no torch."""

from backend.data.against import load_against
from backend.data.export import ExportFormat, write_samples
from backend.data.guard import load_outside, preview_outside
from backend.data.health import Finding, health, rows_of
from backend.data.pool import load_pool
from backend.data.preview import Preview, preview

__all__ = [
    "ExportFormat",
    "Finding",
    "Preview",
    "health",
    "load_against",
    "load_outside",
    "load_pool",
    "preview",
    "preview_outside",
    "rows_of",
    "write_samples",
]
