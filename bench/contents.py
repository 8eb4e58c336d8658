"""Which comparisons the page has, in its order."""

from __future__ import annotations

from bench import (
    app,
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
    step,
    verification,
)
from bench.comparison import Comparison

SECTIONS: dict[str, tuple[Comparison, ...]] = {
    "Clustering": (clustering.AGAINST, clustering.STARTS, clustering.GROWTH, clustering.LARGE),
    "Judging": (nearest.COMPARISON,),
    "Training": (
        step.COMPARISON,
        convergence.COMPARISON,
        extraction.COMPARISON,
        precision.COMPARISON,
        *attributes.COMPARISONS,
        distributed.COMPARISON,
    ),
    "Recognition": (verification.STREAMING, verification.PEERS, identities.COMPARISON),
    "Pictures and data": (projections.COMPARISON, rendering.COMPARISON),
    "The app": (app.START, app.PAGES, app.SESSIONS, app.SCATTER, app.DIALS),
}
BY_NAME = {one.name: one for section in SECTIONS.values() for one in section}
