"""Where the embedded demo lies: a pool, a held-out set, a model, its scores and its map."""

from backend.data.assets import ASSETS

DEMO = ASSETS / "demo"
POOL = DEMO / "pool.jsonl"
HELDOUT = DEMO / "heldout.jsonl"
MODEL = DEMO / "model"
SCORES = DEMO / "scores.parquet"
MAP = DEMO / "map.parquet"
