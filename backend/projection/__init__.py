"""The map: a pool's responses as points in the plane, similar texts near each other. Laid out once per pool."""

from backend.projection.clusters import Clusters, clusters
from backend.projection.project import FEWEST, Projection, first_picture, project
from backend.projection.umap_points import umap_layout
from backend.projection.vectors import Vectors, response_vectors

__all__ = [
    "FEWEST",
    "Clusters",
    "Projection",
    "Vectors",
    "clusters",
    "first_picture",
    "project",
    "response_vectors",
    "umap_layout",
]
