"""Where the embedded demo lies: a pool, a held-out set, a model, its scores and its map."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "demo"
POOL = ASSETS / "pool.jsonl"
HELDOUT = ASSETS / "heldout.jsonl"
MODEL = ASSETS / "model"
SCORES = ASSETS / "scores.parquet"
MAP = ASSETS / "map.parquet"
