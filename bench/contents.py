"""The comparisons of the page, by section and in order."""

from __future__ import annotations

from bench.app import controls, pages, scatter, sessions, start
from bench.comparison import Comparison
from bench.core import (
    attributes,
    clustering,
    convergence,
    distributed,
    extraction,
    identities,
    nearest,
    precision,
    projections,
    rendering,
    scaling,
    step,
    verification,
)

SECTIONS: dict[str, tuple[Comparison, ...]] = {
    "Clustering": (
        clustering.PEERS, clustering.INITIALIZATION, clustering.GROWTH, clustering.LARGE
    ),
    "Classification": (nearest.COMPARISON,),
    "Training": (
        step.COMPARISON,
        convergence.COMPARISON,
        extraction.COMPARISON,
        precision.COMPARISON,
        *attributes.COMPARISONS,
        distributed.COMPARISON,
    ),
    "Recognition": (verification.STREAMING, verification.PEERS, identities.COMPARISON),
    "Scaling": (scaling.COMPARISON,),
    "Projections and data": (projections.COMPARISON, rendering.COMPARISON),
    "The app": (
        start.COMPARISON,
        pages.COMPARISON,
        sessions.COMPARISON,
        scatter.COMPARISON,
        controls.COMPARISON,
    ),
}  # fmt: skip
BY_NAME = {one.name: one for section in SECTIONS.values() for one in section}
