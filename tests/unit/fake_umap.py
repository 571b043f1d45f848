"""Stands in for the package `umap`, which takes seconds to import and to compile: every point stays at its start."""

import numpy as np


class UMAP:
    asked: "UMAP"  # the last one made

    def __init__(self, **options):
        self.options = options
        UMAP.asked = self

    def fit_transform(self, vectors: np.ndarray) -> np.ndarray:
        self.vectors = vectors
        progress = self.options["tqdm_kwds"]
        for n in range(3):
            progress["file"].write("\r" + progress["bar_format"].format(n=n, total=2) + "  ")
        progress["file"].flush()
        return np.array(self.options["init"])
