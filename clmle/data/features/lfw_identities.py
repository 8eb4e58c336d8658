"""Features of the frequent identities of LFW: many classes in a natural long tail."""

import numpy as np

from clmle.data.assemble import Columns, assemble
from clmle.data.base import Dataset
from clmle.data.features.by_name import register_features, stored_features
from clmle.data.features.files import read_features
from clmle.errors import InputError

NAME, SOURCE = "lfw-identities-features", "PATH of LFW's photographs in a folder for each identity"
LEAST = 10  # so that seven photographs are for training, one for validation and two for testing


def load_lfw_identities(*, seed: int = 0) -> Dataset:
    """The frequent identities as classes; the split is drawn within each of them."""
    file = stored_features(NAME, SOURCE)
    found = read_features(file)
    if "identity" not in found.columns:
        raise InputError(f"{file.with_suffix('.csv')} has no column identity; compute it again.")
    identities = np.array(found.columns["identity"])
    _, number, counts = np.unique(identities, return_inverse=True, return_counts=True)
    kept = np.flatnonzero((counts[number] >= LEAST) & (identities != ""))
    if not len(kept):
        raise InputError(f"{file} has no identity with {LEAST} photographs; compute it again.")
    columns = Columns({"label": identities[kept].tolist()})
    return assemble(NAME, found.features[kept], columns, seed=seed)


register_features(
    NAME,
    "LFW's identities",
    f"Those with {LEAST} photographs, 1,280 features each",
    load_lfw_identities,
    ("label",),
    order=23,
)
