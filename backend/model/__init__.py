"""Models: their files without torch (`model_files`, `shape`, `tensors`, `content`), loading them (`load`), adapters."""
