"""``clmle features DATA --backbone NAME``: features of a data set by a published network."""

import argparse
from dataclasses import replace

import numpy as np

from clmle.cli.terminal import Progress
from clmle.data.features.write import check_out, columns_of, write_features
from clmle.data.pixels import check_image_size
from clmle.data.registry import dataset_info
from clmle.errors import InputError
from clmle.presets import preset_config
from clmle.training.prepare import load_data
from clmle.training.pretrained_features import PretrainedFeatures


def write_backbone_features(values: argparse.Namespace) -> int:
    """Write the features of all images that are in a split, and what is known of them."""
    out = check_out(values.out)
    if dataset_info(values.run).feature_dim is not None:
        raise InputError(f"{values.run} is a table of features already; train on it.")
    network = PretrainedFeatures(values.backbone, values.device, values.normalization or "")
    side = values.image_size or network.image_size
    check_image_size(side)
    data = preset_config("quick", "softmax", values.run).data
    size = values.size or data.size
    data = replace(data, image_size=side, labels=values.labels or "", size=size)
    dataset = load_data(data, progress=Progress("images"))
    rows = np.flatnonzero(dataset.split >= 0)
    features = network.compute(dataset.images, rows, Progress("features"))
    write_features(out, features, columns_of(dataset, rows))
    print(f"{len(rows):,} features of {features.shape[1]} dimensions in {out}")
    return 0
