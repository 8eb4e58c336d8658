"""What a file of features holds."""

from dataclasses import dataclass, field

import numpy as np

# Names of arrays and columns of features, the likeliest first.
NAMES = ("features", "embeddings", "embedding", "feature", "feats", "vectors", "x", "data")


@dataclass(frozen=True)
class FeatureFile:
    """Features (n, d), the text of all other columns, and sentences for the user.

    ``given`` are those of the columns that come from a file of labels named by the user.
    """

    features: np.ndarray
    columns: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    given: dict[str, list[str]] = field(default_factory=dict)
