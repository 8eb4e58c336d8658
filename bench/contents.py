"""The comparisons of the page, by section and in order."""

from typing import Any

from bench.app import classroom, controls, first_minute, scatter, sessions
from bench.comparison import Comparison, conditions
from bench.core import (
    attributes,
    busy,
    clustering,
    distributed,
    extraction,
    identities,
    memory_map,
    nearest,
    precision,
    prediction,
    projections,
    rendering,
    step,
    tables,
    verification,
)

SECTIONS: dict[str, tuple[Comparison, ...]] = {
    "Clustering": (
        clustering.PEERS, clustering.GROWTH, clustering.LARGE, memory_map.COMPARISON,
    ),
    "Classification": (nearest.COMPARISON, tables.COMPARISON),
    "Training": (
        step.COMPARISON, extraction.COMPARISON, precision.COMPARISON, *attributes.COMPARISONS,
        distributed.COMPARISON, busy.COMPARISON,
    ),
    "Recognition": (verification.STREAMING, verification.PEERS, identities.COMPARISON),
    "Projections and data": (
        projections.COMPARISON, rendering.COMPARISON, prediction.COMPARISON,
    ),
    "The app": (
        first_minute.COMPARISON, sessions.COMPARISON, classroom.COMPARISON, scatter.COMPARISON,
        controls.COMPARISON,
    ),
}  # fmt: skip
BY_NAME = {one.name: one for section in SECTIONS.values() for one in section}


def measure(name: str, quick: bool) -> dict[str, Any]:
    """Runs a comparison; its tables and the conditions of the measurement."""
    command = f"python -m bench {name}" + (" --quick" if quick else "")
    return conditions(command, lambda: BY_NAME[name].run(quick), quick)
