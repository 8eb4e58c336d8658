"""Whether the network has collapsed: every image has the same features."""

import numpy as np

SAME = 1e-4  # spread of the features over images, relative to the largest


def collapse_warning(features: np.ndarray) -> str | None:
    """Warn if the ``features`` (n, d) or (n, heads, d) are the same for all images."""
    spread = float(np.ptp(features, axis=0).max())
    if len(features) < 2 or spread > SAME * float(np.abs(features).max()):
        return None
    return (
        "The network has collapsed: it gives all validation images the same features, which "
        "separate no classes; lower learning_rate."
    )
